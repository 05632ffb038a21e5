"""A classifier's file keeps what was learned, and no file, whoever made it, runs anything or is half written."""

from __future__ import annotations

import io
import json
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from convsim.annotation.classifier import Classifier, Trained, load, save, train
from convsim.errors import InputError
from tests.unit.annotation.labelled import of_both

CARD = "card.json"
NO_ENTRIES = {
    "source": "classifier:cv", "against": "self", "n_conversations": 1, "n_unlabelled": 0, "seed": 0, "n_resamples": 9,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(of_both(30), source="third_party", seed=3, file=("logs.jsonl", "ab" * 32))


@pytest.fixture(scope="module")
def written(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("classifier") / "acts.npz"
    save(trained, path)
    return path


def _changed(
    written: Path,
    path: Path,
    change: Callable[[dict[str, bytes]], object],
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """Copy the file with its members changed."""
    with zipfile.ZipFile(written) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _with_card(**fields: object) -> Callable[[dict[str, bytes]], object]:
    def change(members: dict[str, bytes]) -> None:
        card = {**json.loads(members[CARD]), **fields}
        members[CARD] = json.dumps({key: value for key, value in card.items() if value is not None}).encode()

    return change


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _with_header(header: str, payload: bytes = b"", *, version: bytes = b"\x01\x00") -> bytes:
    """An array of another's making: whatever header, and whatever follows."""
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header.encode() + payload


def test_what_was_learned_and_how_well_comes_back(trained: Trained, written: Path):
    card, learned = load(written)
    assert card == trained.card
    assert learned.version == trained.learned.version == card.version
    assert (card.file, card.learned_from.sha256, len(card.learned_from.conversations)) == (
        "logs.jsonl",
        "ab" * 32,
        30,
    )
    assert [path.name for path in written.parent.iterdir()] == ["acts.npz"]


class _Touch:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_make_a_file_is_refused_and_makes_none(tmp_path: Path, protocol: int):
    made, path = tmp_path / "made", tmp_path / "model.npz"
    path.write_bytes(pickle.dumps(_Touch(made), protocol=protocol))
    with pytest.raises(InputError, match="is a pickle" if protocol > 1 else "is not a classifier") as refused:
        Classifier(path)
    assert "train it again" in str(refused.value)
    assert not made.exists()
    pickle.loads(path.read_bytes())  # noqa: S301 -- it would have: the refusal is what kept it from running
    assert made.exists()


def test_a_pickled_array_inside_the_zip_is_not_unpickled(written: Path, tmp_path: Path):
    made = tmp_path / "made"
    pickled = _npy(np.asarray([_Touch(made)], object))

    def change(members: dict[str, bytes]) -> None:
        members["message.cuts.npy"] = pickled

    _is_refused(
        _changed(written, tmp_path / "m.npz", change), "is not an array that a classifier can contain"
    )
    assert not made.exists()
    np.load(io.BytesIO(pickled), allow_pickle=True)
    assert made.exists()


@pytest.mark.parametrize(
    "content",
    [
        _npy(np.zeros(3, "<f4")),
        _npy(np.zeros(3, ">f8")),
        _npy(np.zeros(3, "<i8")),
        _npy(np.zeros(3, "<c16")),
        _npy(np.zeros(3, "S8")),
        _npy(np.zeros(3, "<U2")),
        _npy(np.zeros(3, "<M8[s]")),
        _npy(np.zeros(3, [("a", "<f8")])),
        _npy(np.asarray([{}, {}, {}], object)),
        _npy(np.asarray(3.0)),
        _npy(np.zeros((3, 1, 1))),
        _npy(np.asfortranarray(np.zeros((3, 2)))),
        _with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}\n"),
        _with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}\n", bytes(8)),
        _with_header("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}\n", bytes(24)),
        _with_header(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}\n", bytes(24), version=b"\x02\x00"
        ),
        _with_header(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}\n", bytes(24), version=b"\x09\x09"
        ),
    ],
)
def test_an_array_of_another_type_or_shape_is_refused_by_its_header(
    written: Path, tmp_path: Path, content: bytes
):
    path = _changed(
        written, tmp_path / "m.npz", lambda members: members.update({"message.cuts.npy": content})
    )
    _is_refused(path, "its message.cuts.npy is not an array that a classifier can contain")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "\n",
        "(" * 200,
        "[" * 90 + "]" * 90,
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3L,)}\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1}\n",
        "{'descr': '\\d', 'fortran_order': False, 'shape': (3,)}\n",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': [3]}\n",
        "{'descr': ['<f8', (3,)], 'fortran_order': False, 'shape': (3,)}\n",
        "__import__('os').getcwd()",
        "  x\n y\n\tz",
        3 * '"',
        "\x00",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}" + " " * 400 + "\n",
        "9" * 250,
        "1" + "+1" * 110,
        "-" * 220 + "1",
    ],
)
def test_a_header_that_is_none_is_refused_in_one_line_and_warns_of_nothing(
    written: Path, tmp_path: Path, header: str
):
    content = _with_header(header, bytes(24))
    path = _changed(
        written, tmp_path / "m.npz", lambda members: members.update({"message.cuts.npy": content})
    )
    _is_refused(path, "is damaged, or not a classifier")


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("left.npy", _npy(np.zeros(2)), "it contains 'left', which no target needs"),
        ("schema.json", b"{}", "it contains schema.json, which a classifier does not need"),
        ("../../made.npy", b"", "is damaged"),
        ("made.py", b"raise SystemExit", "it contains made.py, which a classifier does not need"),
        ("\x1b[31m.exe", b"", r"it contains \[31m.exe, which a classifier does not need"),
    ],
)
def test_a_member_that_no_classifier_needs_is_refused(
    written: Path, tmp_path: Path, name: str, content: bytes, named: str
):
    path = _changed(written, tmp_path / "m.npz", lambda members: members.update({name: content}))
    _is_refused(path, named)
    assert [one.name for one in tmp_path.iterdir()] == ["m.npz"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schema": None}, "its schema is None, but 'convsim.classifier/2' is read"),
        ({"schema": "convsim.classifier/1"}, "its schema is 'convsim.classifier/1'"),
        ({"scikit_learn": "0.24.2"}, "was trained with scikit-learn 0.24.2, but .* is installed"),
        ({"features_version": 99}, "has features of version 99"),
        ({"version": "0" * 12}, "but claims to be 000000000000: it was modified"),
        ({"targets": []}, "card.json: targets"),
        ({"targets": "all\x1b[31m"}, "card.json: targets"),
        ({"agreement": None}, "card.json: agreement"),
        ({"agreement": NO_ENTRIES}, "the agreement has no entry for 'acts'"),
        ({"seed": None}, "card.json: seed"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    written: Path, tmp_path: Path, fields: dict[str, object], said: str
):
    _is_refused(_changed(written, tmp_path / "m.npz", _with_card(**fields)), said)


def test_acts_that_the_weights_were_not_learned_for_are_refused(written: Path, tmp_path: Path):
    with zipfile.ZipFile(written) as archive:
        targets = json.loads(archive.read(CARD))["targets"]
    targets[0]["acts"] = targets[0]["acts"][:-1]
    said = "message.weights is <f8 of shape .*, not <f8 of shape"
    _is_refused(_changed(written, tmp_path / "m.npz", _with_card(targets=targets)), said)
    for acts in (["ask_item", "praise", "thank"], ["ask_item", "other", "thank"]):
        targets[0]["acts"] = acts
        said = f"'{acts[1]}' is not an act whose absence"
        _is_refused(_changed(written, tmp_path / "m.npz", _with_card(targets=targets)), said)
    targets[0]["acts"] = ["ask_item", "compare", "thank"]
    said = "but claims to be .*: it was modified"
    _is_refused(_changed(written, tmp_path / "n.npz", _with_card(targets=targets)), said)


def test_values_outside_their_scale_are_refused(written: Path, tmp_path: Path):
    with zipfile.ZipFile(written) as archive:
        targets = json.loads(archive.read(CARD))["targets"]
    targets[1]["values"] = [0, 7]
    said = r"the values \[0.0, 7.0\] are outside the scale \[0.0, 1.0\]"
    _is_refused(_changed(written, tmp_path / "m.npz", _with_card(targets=targets)), said)


def test_an_array_whose_header_claims_more_than_there_is_is_refused(written: Path, tmp_path: Path):
    def change(members: dict[str, bytes]) -> None:
        name = next(name for name in members if name.endswith(".npy") and b"'<f8'" in members[name][:128])
        members[name] = (
            members[name].replace(b"'shape': (", b"'shape': (99999", 1).replace(b"      \n", b" \n", 1)
        )

    _is_refused(_changed(written, tmp_path / "m.npz", change), "has another size than it says")


def test_weights_that_are_no_numbers_are_refused(written: Path, tmp_path: Path):
    def change(members: dict[str, bytes]) -> None:
        for name, content in members.items():
            if name.endswith(".npy") and b"'<f8'" in content[:128] and len(content) > 128:
                members[name] = content[:-8] + np.asarray([np.nan]).tobytes()

    _is_refused(_changed(written, tmp_path / "m.npz", change), "not a finite number")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a classifier"),
        (b"a transcript", "is not a classifier"),
        (b"PK\x03\x04 and no zip", "is damaged, or not a classifier"),
    ],
)
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes, said: str):
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    _is_refused(path, said)


def test_a_zip_without_a_card_or_without_content_is_refused(written: Path, tmp_path: Path):
    _is_refused(
        _changed(written, tmp_path / "a.npz", lambda members: members.pop(CARD)), "contains no card.json"
    )
    without = _changed(written, tmp_path / "b.npz", lambda members: members.pop("message.words.terms.npy"))
    _is_refused(without, "message.words.terms is missing")


@pytest.mark.parametrize("card", [b"[" * 100_000, b"{}", b"[]", b"null", b'{"schema": []}', b"\xff"])
def test_a_card_that_is_none_is_refused(written: Path, tmp_path: Path, card: bytes):
    path = _changed(written, tmp_path / "m.npz", lambda members: members.update({CARD: card}))
    _is_refused(path, "is damaged|its schema is")


def test_a_file_that_skops_wrote_is_refused_by_its_format_and_says_to_train_again(tmp_path: Path):
    path = tmp_path / "mine.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "schema.json", '{"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode"}'
        )
        archive.writestr("convsim.json", '{"schema": "convsim.classifier/1"}')
    _is_refused(path, r"is a classifier in the format of an earlier convsim \(.skops\).*; train it again")


def test_the_same_data_and_seed_give_the_same_file_byte_by_byte(written: Path, tmp_path: Path):
    again = train(of_both(30), source="third_party", seed=3, file=("logs.jsonl", "ab" * 32))
    save(again, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == written.read_bytes()


def test_the_arrays_are_those_that_numpy_reads_without_pickles(trained: Trained, written: Path):
    with np.load(written, allow_pickle=False) as held:
        names = [name for name in held.files if name != CARD]
        assert sorted(names) == sorted(trained.learned.arrays())
        for name in names:
            assert np.array_equal(held[name], trained.learned.arrays()[name])


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("convsim.annotation.classifier.file.MAX_BYTES", 1 << 20)
    path = tmp_path / "m.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CARD, bytes(2 << 20))
    _is_refused(path, "unpacks to more than a classifier can contain")


@pytest.mark.parametrize("name", [CARD, "message.cuts.npy"])
def test_a_member_that_unpacks_to_more_than_the_directory_says_takes_no_more_memory(
    written: Path, tmp_path: Path, name: str
):
    with zipfile.ZipFile(written) as archive:
        honest = archive.getinfo(name).file_size
    more = 256 << 20

    def change(members: dict[str, bytes]) -> None:
        members[name] += bytes(more)

    path = _changed(written, tmp_path / "m.npz", change, compression=zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    told = (honest + more).to_bytes(4, "little")
    assert data.count(told) == 2
    path.write_bytes(data.replace(told, honest.to_bytes(4, "little")))
    tracemalloc.start()
    _is_refused(path, "is damaged, or not a classifier")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 32 << 20


def test_a_directory_of_many_members_is_refused_before_it_is_read(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = _changed(
        written, tmp_path / "m.npz", lambda members: members.update({f"{n}.npy": b"" for n in range(40_000)})
    )
    monkeypatch.setattr("zipfile.ZipFile", None)
    _is_refused(path, "it lists more than the 32 members that a classifier may have")


def test_a_zip_with_a_comment_or_with_large_counts_is_not_a_classifiers(written: Path, tmp_path: Path):
    path = tmp_path / "m.npz"
    path.write_bytes(written.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"PK\x05\x06"
    _is_refused(path, "does not end as a classifier's zip does")
    data = written.read_bytes()
    path.write_bytes(data[:-22] + b"PK\x06\x07" + bytes(16) + data[-22:])
    _is_refused(path, "does not end as a classifier's zip does")


def test_two_members_of_one_name_are_refused(written: Path, tmp_path: Path):
    path = tmp_path / "m.npz"
    path.write_bytes(written.read_bytes())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("message.cuts.npy", b"")
    _is_refused(path, "contains two members of the same name")


def test_a_file_larger_than_any_classifier_is_refused_before_it_is_read(
    written: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("convsim.annotation.classifier.file.MAX_FILE_BYTES", 1000)
    _is_refused(written, "is larger than")


def test_no_damage_of_single_bytes_gets_through_as_another_model(written: Path, tmp_path: Path):
    """Every damaged copy is refused in one line, or still is the same classifier (where only padding was hit)."""
    data = written.read_bytes()
    version = load(written)[0].version
    draws = np.random.default_rng(0)
    path = tmp_path / "m.npz"
    n_refused = 0
    for place in draws.integers(0, len(data), 150):
        damaged = bytearray(data)
        damaged[place] ^= int(draws.integers(1, 256))
        path.write_bytes(damaged)
        try:
            found = load(path)[0].version
        except InputError as refused:
            n_refused += 1
            found = version if str(refused).isprintable() else str(refused)
        assert found == version
    assert n_refused > 75
    for length in draws.integers(0, len(data), 20):
        path.write_bytes(data[:length])
        _is_refused(path, "train it again")


def test_a_link_is_followed_to_the_classifier_that_it_names(written: Path, tmp_path: Path):
    link = tmp_path / "link.npz"
    link.symlink_to(written)
    assert load(link)[0] == load(written)[0]
    link.unlink()
    link.symlink_to("/dev/zero")
    _is_refused(link, "is a folder or a device")


def test_places_that_hold_no_file_are_named(tmp_path: Path):
    _is_refused(tmp_path / "none.npz", "cannot be read: No such file")
    _is_refused(tmp_path, "is a folder or a device; a classifier is one file that ends in .npz")


def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left(trained: Trained, tmp_path: Path):
    with pytest.raises(InputError, match=r"expected a file name that ends in \.npz"):
        save(trained, tmp_path / "acts.pkl")
    with pytest.raises(InputError, match="there is no folder"):
        save(trained, tmp_path / "none" / "acts.npz")
    (tmp_path / "taken.npz").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        save(trained, tmp_path / "taken.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.npz"]


def _is_refused(path: Path, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        Classifier(path)
    assert "\n" not in str(refused.value)
    assert str(refused.value).isprintable()
