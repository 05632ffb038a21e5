"""What is looked at: files that grow, half and broken lines, runs that come later, and what is asked of them."""

import json
from pathlib import Path

import pytest

from convsim.errors import InputError
from convsim.schema.conversation import Label, Message
from convsim.web.view import Sources
from convsim.web.view.filters import Filters, fts
from convsim.web.view.matching import matches, others
from convsim.web.view.showing import MovedError, differing, load, pairs
from tests.reports import card, hls, shoppers
from tests.unit.web.views import Looked, append, conversation, run


def test_a_run_is_read_as_it_grows_and_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    folder = run(tmp_path / "runs/a", [conversation(1)])
    looked = Looked(tmp_path, folder)
    assert looked.ids() == ["c1"]
    whole = f"{conversation(2).to_json()}\n".encode()
    with (folder / "conversations.jsonl").open("ab") as file:
        file.write(whole[:40])
    before = looked.index.version
    assert looked.look().ids() == ["c1"]
    assert (looked.index.version, looked.found.runs()[0].problem) == (before, "")
    with (folder / "conversations.jsonl").open("ab") as file:
        file.write(whole[40:])
    assert looked.look().ids() == ["c1", "c2"]
    assert looked.found.runs()[0][:3] == ("a", 2, 10)


def test_a_run_that_has_not_begun_and_one_that_comes_later_are_found(tmp_path: Path) -> None:
    run(tmp_path / "runs/a", [])
    looked = Looked(tmp_path, tmp_path / "runs")
    assert looked.ids() == []
    append(run(tmp_path / "runs/b", []), [conversation(5)])
    assert looked.look().ids() == ["c5"]
    assert [each.name for each in looked.found.runs()] == ["a", "b"]


def test_a_file_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    folder = run(tmp_path / "a", [conversation(n) for n in range(4)])
    looked = Looked(tmp_path, folder)
    place = looked.index.place(looked.key("c1"))
    assert place is not None
    anew = tmp_path / "anew"
    anew.write_text("".join(f"{conversation(n, said='shoes').to_json()}\n" for n in (0, 2)))
    anew.replace(folder / "conversations.jsonl")
    with pytest.raises(MovedError):
        load(place)
    assert looked.look().ids() == ["c0", "c2"]
    assert looked.ids(text="boots") == []
    assert looked.ids(text="shoes") == ["c0", "c2"]


def test_broken_lines_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    folder = run(tmp_path / "a", [conversation(1)])
    with (folder / "conversations.jsonl").open("a") as file:
        file.write('{"id": 3}\nno json\n\n')
    append(folder, [conversation(1), conversation(2)])
    looked = Looked(tmp_path, folder)
    assert looked.ids() == ["c1", "c2"]
    (told,) = looked.found.runs()
    assert told.n_bad == 3
    assert told.problem.startswith("line 2: id must be ")


@pytest.mark.parametrize("make", ["nothing", "empty", "strange"])
def test_what_cannot_be_shown_is_refused(tmp_path: Path, make: str) -> None:
    path = tmp_path / "x"
    if make != "nothing":
        path.mkdir()
    if make == "strange":
        (path / "notes.txt").write_text("hello")
    said = {"nothing": "there is no such file or folder", "empty": "is empty", "strange": str(path)}[make]
    with pytest.raises(InputError, match=said):
        Sources([path], tmp_path)


def test_a_file_of_another_format_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    file.write_text(json.dumps([{"messages": said}, {"messages": said}]))
    assert len(Looked(tmp_path, file).ids()) == 2


def test_every_filter_narrows(tmp_path: Path) -> None:
    labelled = conversation(3, labels={"satisfaction": (Label(value=4, source="self"),)})
    told = conversation(4, said="thé à la menthe 我想要靴子", arm=None)
    looked = Looked(tmp_path, run(tmp_path / "a", [conversation(1), conversation(2), labelled, told]))
    assert looked.ids(arm="good") == ["c1", "c3"]
    assert looked.ids(arm="(none)") == ["c4"]
    assert looked.ids(ending="left") == ["c3"]
    assert looked.ids(task="shoes", arm="bad") == ["c2"]
    assert looked.ids(label="satisfaction") == looked.ids(label="satisfaction=4") == ["c3"]
    assert looked.ids(label="satisfaction=5") == []
    assert looked.ids(run="a") == ["c1", "c2", "c3", "c4"]
    assert looked.ids(run="b") == []
    assert looked.ids(text="MENTH the") == ["c4"]
    assert looked.ids(text="靴子") == ["c4"]
    assert looked.ids(text='"need boots"') == ["c1", "c2", "c3"]
    assert looked.ids(text='"boots need"') == []
    assert looked.ids(order="newest") == ["c4", "c3", "c2", "c1"]
    choices = looked.found.choices()
    assert [each.value for each in choices["label"]] == ["satisfaction=4"]
    assert {each.value for each in choices["arm"]} == {"good", "bad", "(none)"}


@pytest.mark.parametrize(
    "text", ['"', "*", "a OR", "NEAR(", "\x00", "'; DROP TABLE", "-x ^y :z", "(" * 300, "🙂"]
)
def test_no_search_is_a_mistake(tmp_path: Path, text: str) -> None:
    looked = Looked(tmp_path, run(tmp_path / "a", [conversation(1)]))
    assert looked.ids(text=text) == ([] if Filters.of({"text": text}).text else ["c1"])
    assert fts("***") == ""


def test_pages_are_bounded(tmp_path: Path) -> None:
    looked = Looked(tmp_path, run(tmp_path / "a", [conversation(n) for n in range(120)]))
    pages = [[row.id for row in looked.found.page(Filters(), {}, page)] for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [50, 50, 20, 0]
    assert len({id for page in pages for id in page}) == 120


def test_the_same_persona_is_found_in_other_runs_and_arms(tmp_path: Path) -> None:
    first = run(tmp_path / "runs/a", [conversation(1), conversation(2)])
    second = run(tmp_path / "runs/b", [conversation(1, said="other"), conversation(2, arm="other")])
    looked = Looked(tmp_path, first, second)
    place = looked.index.place(looked.key("c1"))
    assert place is not None
    assert [(each.run, each.arm) for each in others(looked.index, place)] == [("b", "good")]
    rows, n = matches(looked.index, "a", "b", 1)
    assert (n, [(row.persona, row.arm) for row in rows]) == (1, [("p1", "good")])
    assert matches(looked.index, "a", "nowhere", 1) == ([], 0)


def test_two_conversations_are_set_side_by_side_message_by_message() -> None:
    left = conversation(1, said="I would like the black leather boots please")
    right = conversation(1, said="I would like the brown leather boots please", arm="bad")
    right = right.but(messages=(*right.messages, Message(role="user", content="ok")))
    rows, n_more = pairs(left, right)
    assert ([row.same for row in rows], n_more) == ([False, True, False], 0)
    assert rows[2].left is None
    assert rows[0].right is not None
    assert [s.text for s in rows[0].right.segments if s.side == "differs"] == ["brown"]
    assert [(each.what, each.left, each.right) for each in differing(left, right)] == [
        ("arm", "good", "bad"), ("messages", "2", "3"),
    ]  # fmt: skip


def test_a_megabyte_is_cut_and_said_to_be(tmp_path: Path) -> None:
    huge = conversation(1, said="x" * 1_000_000)
    looked = Looked(tmp_path, run(tmp_path / "a", [huge]))
    rows, _ = pairs(huge, huge)
    assert rows[0].left is not None
    assert rows[0].left.n_cut > 900_000
    assert len(looked.rows()[0].opening) <= 240


def test_scores_and_giveaway_words_of_a_scorecard_beside_are_filtered_by(tmp_path: Path) -> None:
    folder = run(tmp_path / "runs/a", [])
    append(folder, [each.but(simulator="bot") for each in shoppers()])
    looked = Looked(tmp_path, tmp_path / "runs")
    assert looked.found.choices()["word"] == looked.found.choices()["score"] == []
    summary = {"path": str(folder), "sha256": "0" * 64, "n": 4, "simulator": "bot", "arms": {}, "tasks": {}}
    judged = card(hls({"s0": 0.01, "s1": 0.2, "s2": 0.4})).model_dump(mode="json", by_alias=True)
    (tmp_path / "runs/card").mkdir()
    written = {**judged, "simulated": summary}
    (tmp_path / "runs/card/findings.json").write_text(json.dumps(written))
    looked.look()
    assert not looked.sources.warnings
    assert looked.ids(low="10", high="30") == ["s1"]
    assert looked.ids(word="certainly") == ["s0", "s1", "s2", "s3"]
    assert looked.ids(order="lowest") == ["s0", "s1", "s2", "s3"]
    assert looked.ids(order="highest") == ["s2", "s1", "s0", "s3"]
    assert looked.found.choices()["word"][0][1:] == ("certainly (simulator)", 4)
