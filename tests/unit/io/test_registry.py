"""Readers of somebody's own: a function of a path, by name or by what they recognise."""

import csv
import gzip
import hashlib
import sys
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, ClassVar

import pytest

import convsim
from convsim.errors import InputError, PluginError, TranscriptError
from convsim.io import read
from convsim.io.reading import OWN
from convsim.plugins import load
from convsim.schema.conversation import Conversation
from convsim.testing import check_reader

ROWS = "session,said\na,red boots\nb,a coat\na,in size 9\n"


def read_csv(path):
    """One conversation a session."""
    sessions: dict[str, list[dict[str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            sessions.setdefault(row["session"], []).append({"role": "user", "content": row["said"]})
    for name, messages in sessions.items():
        yield {"id": name, "messages": messages}


class Csv:
    name = "sessions"

    def recognises(self, path, head):
        return head.startswith(b"session,said")

    def read(self, path):
        return [Conversation.model_validate(one) for one in read_csv(path)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


@pytest.fixture
def installed(monkeypatch):
    """Pretend that a package is installed which registers readers."""

    def register(**readers):
        module: Any = ModuleType("somebodys_readers")
        for name, reader in readers.items():
            setattr(module, name, reader)
        monkeypatch.setitem(sys.modules, "somebodys_readers", module)

        def found(*, group, name=None):
            own = [*entry_points(group=group)]
            if group == "convsim.readers":
                own += [EntryPoint(key, f"somebodys_readers:{key}", group) for key in readers]
            return [entry for entry in own if name in (None, entry.name)]

        monkeypatch.setattr("convsim.plugins.entry_points", found)

    return register


@pytest.mark.parametrize("reader", [read_csv, Csv, Csv(), f"{__name__}:read_csv", f"{__name__}:Csv"])
def test_a_function_an_object_and_a_class_read(file, reader):
    transcripts = convsim.read(file, reader=reader)
    assert [(c.id, [m.content for m in c.messages]) for c in transcripts.conversations] == [
        ("a", ["red boots", "in size 9"]),
        ("b", ["a coat"]),
    ]
    assert transcripts.sha256 == hashlib.sha256(ROWS.encode()).hexdigest()


def test_an_installed_one_is_chosen_by_name_and_by_what_it_recognises(file, installed):
    installed(sessions=Csv)
    assert read(file, reader="sessions").format == "sessions"
    assert read(file).format == "sessions"


def packed(ending, data):
    if ending == ".gz":
        return gzip.compress(data)
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)


def unpacked(path):
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    with path.open("rb") as file:
        return pytest.importorskip("zstandard").ZstdDecompressor().stream_reader(file).read()


class Packed(Csv):
    """Reads ``.csv.gz`` and ``.csv.zst``, and keeps what it was shown."""

    shown: ClassVar[list[bytes]] = []

    def recognises(self, path, head):
        self.shown.append(head)
        return super().recognises(path, head)

    def read(self, path):
        rows = unpacked(path).splitlines()
        if not rows or rows[0] != b"session,said":
            raise ValueError("no table of sessions")
        yield {"id": "a", "messages": [{"role": "user", "content": rows[1].decode()}]}


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_of_a_packed_file_it_is_shown_the_first_bytes_unpacked(tmp_path, installed, monkeypatch, ending):
    monkeypatch.setattr(Packed, "shown", [])
    installed(sessions=Packed)
    file = tmp_path / f"log.csv{ending}"
    file.write_bytes(packed(ending, ROWS.encode() + b"c,hello\n" * 100_000))
    assert read(file).format == "sessions"
    check_reader(Packed, file)
    assert {len(head) for head in Packed.shown if head.startswith(b"session")} == {4096}


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_packed_file_that_is_damaged_is_said_to_be(tmp_path, installed, ending):
    installed(sessions=Packed)
    file = tmp_path / f"log.csv{ending}"
    file.write_bytes(packed(ending, ROWS.encode() * 9)[:-20])
    with pytest.raises(TranscriptError, match=r"log\.csv.*(truncated|damaged|cannot be read)"):
        read(file)


@pytest.mark.parametrize("name", ["conversations.jsonl", "chat.json", "chat.json.txt"])
def test_it_may_recognise_lines_and_documents_that_no_built_in_reader_knows(tmp_path, installed, name):
    class Odd(Csv):
        def recognises(self, path, head):
            return b'"utterances"' in head

        def read(self, path):
            yield {"id": "a", "messages": [{"role": "user", "content": "hi"}]}

    file = tmp_path / name
    file.write_text('{"utterances": ["hi"]}\n', encoding="utf-8")
    with pytest.raises(TranscriptError):
        read(file)
    installed(odd=Odd)
    assert read(file).format == "odd"


def test_one_that_claims_everything_takes_no_file_of_a_built_in_reader(tmp_path, installed):
    class Greedy(Csv):
        def recognises(self, path, head):
            return True

    installed(greedy=Greedy)
    ours = tmp_path / "ours.jsonl"
    ours.write_text('{"id": "a", "messages": [{"role": "user", "content": "hi"}]}\n', encoding="utf-8")
    assert read(ours).format == "convsim"
    with pytest.raises(TranscriptError, match="there is no such file"):
        read(tmp_path / "nothing.jsonl")


def test_one_that_claims_everything_takes_no_run_folder(tmp_path, installed):
    class Greedy(Csv):
        def recognises(self, path, head):
            return True

    installed(greedy=Greedy)
    held = '{"id": "a", "messages": [{"role": "user", "content": "hi"}]}\n'
    (tmp_path / "conversations.jsonl").write_text(held, encoding="utf-8")
    assert read(tmp_path).format == "convsim"


def test_two_that_recognise_a_file_are_refused_by_name(file, installed):
    installed(one=Csv, other=Csv)
    with pytest.raises(
        PluginError, match=r"several readers recognise it \(one and other\); choose one with --reader"
    ):
        read(file)


def test_one_that_cannot_say_what_it_recognises_is_named(file, installed):
    class Broken(Csv):
        def recognises(self, path, head):
            return head["x"]

    installed(broken=Broken)
    with pytest.raises(PluginError, match=r"log\.csv: the reader broken failed in recognises.*TypeError"):
        read(file)


def yields(*entries):
    return lambda path: iter(entries)


TALK = {"id": "a", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("reader", "why"),
    [
        (yields(TALK, {"id": "b"}), "conversation 2.messages: is required"),
        (
            yields(TALK, {**TALK, "messages": [{"role": "usr", "content": ""}]}),
            r"conversation 2.messages\[0\].role",
        ),
        (yields(TALK, TALK), "conversation 2.id: must be unique"),
        (yields(TALK, 3), "conversation 2: must be a conversation or an object, but is 3"),
        (yields(), "is empty"),
        (lambda path: 1 / 0, "the reader lambda raised ZeroDivisionError"),
        (lambda path: sys.exit(0), "the reader lambda raised SystemExit: 0"),
        (lambda path: "text", "must return conversations, but returned 'text'"),
        (lambda path: TALK, "must return conversations"),
        (lambda path: None, "must return conversations"),
    ],
)
def test_what_a_reader_does_wrong_is_one_line_with_file_and_place(file, reader, why):
    with pytest.raises(InputError, match=why) as caught:
        read(file, reader=reader)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_object_whose_attributes_raise_is_no_reader(file):
    class Mute:
        def __getattr__(self, name):
            raise RuntimeError("no attributes")

    with pytest.raises(PluginError, match="the reader: its read raised RuntimeError: no attributes"):
        read(file, reader=Mute())


def test_a_generator_that_raises_says_after_how_many_conversations(file):
    def broken(path):
        yield TALK
        raise KeyError("said")

    with pytest.raises(
        TranscriptError, match=r"log\.csv: the reader broken raised KeyError: 'said' after 1 conv"
    ):
        read(file, reader=broken)


def test_bad_conversations_can_be_skipped_and_are_counted(file):
    transcripts = read(file, reader=yields({"id": "b"}, TALK, TALK), skip_bad_lines=True)
    assert ([c.id for c in transcripts.conversations], transcripts.skipped) == (["a"], 2)


def test_a_folder_can_be_read_and_its_hash_hangs_on_names_and_contents(tmp_path):
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    first = read(tmp_path, reader=yields(TALK)).sha256
    assert read(tmp_path, reader=yields(TALK)).sha256 == first
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert read(tmp_path, reader=yields(TALK)).sha256 != first


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("convapparell", "did you mean convapparel; available: convsim, openai"),
        ("nowhere:read", "no module 'nowhere'"),
        (3, "3 is not a reader"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_nearest_one(file, name, why):
    with pytest.raises(PluginError, match=why):
        read(file, reader=name)


def test_a_package_that_takes_a_built_in_name_is_refused_where_the_name_is_used(tmp_path, installed):
    installed(convsim=Csv)
    ours = tmp_path / "ours.jsonl"
    ours.write_text('{"id": "a", "messages": [{"role": "user", "content": "hi"}]}\n', encoding="utf-8")
    assert read(ours).format == "convsim"
    with pytest.raises(PluginError, match=r"'convsim' of convsim.readers is registered twice"):
        read(ours, reader="convsim")


@pytest.mark.parametrize("name", OWN)
def test_every_built_in_reader_is_a_plugin(name, tmp_path):
    reader: Any = load("readers", name)
    with pytest.raises(TranscriptError):
        reader.read(tmp_path / "nothing.jsonl")
