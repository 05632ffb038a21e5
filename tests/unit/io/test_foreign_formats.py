"""Foreign logs are read for what they are: who is the user, which branch, which history; no two formats claim one."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TranscriptError
from convsim.io import Transcripts, read
from convsim.io.formats.contract import GroupedFormat
from convsim.io.formats.fields import moment
from convsim.io.formats.intercom import html_to_text
from convsim.io.formats.known import BY_NAME, FIRST, FORMATS
from convsim.schema.conversation import Conversation
from tests.unit.io.foreign_logs import (
    ARENA,
    CRS_KNOWLEDGE,
    INTERCOM,
    LOGS,
    MG_SHOPDIAL,
    OPENDIALKG,
    PAIRED,
    RECLLMSIM,
    REDIAL,
    A,
    Log,
    Told,
    U,
)
from tests.unit.io.foreign_oddities import ODDITIES, UNREADABLE
from tests.unit.io.made import jsonl, written


def as_told(found: Conversation, told: Told) -> Told:
    """What was read of a conversation, as far as the fixture says something about it."""
    return Told(
        found.id if told.id is not None else None,
        [(message.role, message.content) for message in found.messages],
        {key: getattr(found, key) if hasattr(found, key) else _value(found, key) for key in told.fields},
    )


def _value(found: Conversation, label: str) -> Any:
    return found.labels[label][0].value if label in found.labels else None


def check(found: Transcripts, format: str, log: Log) -> None:
    assert found.format == format
    assert len(found) == len(log.conversations)
    pairs = zip(found, log.conversations, strict=True)
    assert [as_told(each, told) for each, told in pairs] == log.conversations


@pytest.mark.parametrize("format", LOGS)
def test_a_log_is_told_by_its_content_and_read_for_what_it_is(format: str, tmp_path: Path) -> None:
    log = LOGS[format]
    check(read(jsonl(tmp_path / "lines", *log.records)), format, log)
    check(read(written(tmp_path / "array.json", log.records)), format, log)
    check(read(written(tmp_path / "wrapped.json", {"data": log.records})), format, log)
    if len(log.records) == 1:
        check(read(written(tmp_path / "one.json", log.records[0])), format, log)


@pytest.mark.parametrize("case", ODDITIES)
def test_an_oddity_of_a_format_is_read_for_what_it_is(case: str, tmp_path: Path) -> None:
    format, log = ODDITIES[case]
    check(read(jsonl(tmp_path / "lines", *log.records)), format, log)


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_one_line_with_its_place(case: str, tmp_path: Path) -> None:
    _, records, problem = UNREADABLE[case]
    path = jsonl(tmp_path / "lines", *records)
    with pytest.raises(TranscriptError) as caught:
        read(path)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


SPEAKERS = {
    "sharegpt": '"gpt"',
    "redial": '"senderWorkerId": 1',
    "inspired": '"RECOMMENDER"',
    "opendialkg": r"\"assistant\"",
    "crs-knowledge": '"ai"',
    "mg-shopdial": '"Wizard"',
    "sgd": '"SYSTEM"',
    "taskmaster": '"ASSISTANT"',
    "ccpe": '"ASSISTANT"',
    "convokit": '"agent"',
    "otel": r"\"assistant\"",
    "langfuse": r"\"user\"",
    "langsmith": '"AIMessage"',
    "rasa": '"bot"',
    "intercom": '"admin"',
}
"""How the logs write a speaker, where it is not ``"assistant"``."""
TURNS_WITHOUT_SPEAKERS = ("multiwoz", "simulator-arena")


@pytest.mark.parametrize("format", [name for name in LOGS if name not in TURNS_WITHOUT_SPEAKERS])
def test_a_speaker_whom_nobody_knows_is_nobody_s_words(format: str, tmp_path: Path) -> None:
    speaker = SPEAKERS.get(format, '"assistant"')
    stranger = speaker[:-1] + "7" if speaker[-1].isdigit() else re.sub(r"\w+(?=\W*$)", "narrator", speaker)
    lines = [json.dumps(record) for record in LOGS[format].records]
    changed = [line.replace(speaker, stranger) for line in lines]
    assert changed != lines
    with pytest.raises(TranscriptError) as caught:
        read(jsonl(tmp_path / "lines", *changed))
    said = str(caught.value)
    assert "\n" not in said
    assert re.search(r"'(?:\w*narrator|7|shop-1)'|agent", said), said


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("plain", "plain"),
        ("a &lt;b&gt; &amp; c&nbsp;d", "a <b> & c d"),
        ("<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"),
        ('<a href="x>y" title=z>link</a> 1 < 2', "link 1 < 2"),
        ("<!DOCTYPE html><head><title>t</title></head><!-- <p>no</p> --><style>p{}</style>yes", "yes"),
        ("<script>alert(1)</script>", ""),
        ("<!--" * 100_000, ""),
        ("x<a " * 100_000, "x" + "<ax" * 99_999 + "<a"),
        ("&#" + "9" * 10_000 + ";", "&#" + "9" * 10_000 + ";"),
    ],
)  # fmt: skip
def test_a_body_of_html_is_what_its_reader_sees(body: str, text: str) -> None:
    assert html_to_text(body).replace(" x", "x") == text


def test_no_record_is_of_two_formats() -> None:
    known = (*FIRST, *FORMATS)
    fixtures = [*((name, log) for name, log in LOGS.items()), *ODDITIES.values()]
    for name, log in fixtures:
        for record in log.records:
            found = [format.name for format in known if format.recognises(record)]
            expected = [name, "openai"] if name == "crs-knowledge" else [name]
            assert found == expected or record.get("conversations") == [], record


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, "x", [], {}, [[]], [None], {"messages": None}, [{}], {"a": [1]}]
)
def test_formats_tell_any_value_and_never_fail(value: Any) -> None:
    for format in FORMATS:
        assert format.recognises(value) is False


@pytest.mark.parametrize("format", LOGS)
def test_a_cut_line_a_foreign_encoding_and_a_repeated_record_are_one_line_or_read_once(
    format: str, tmp_path: Path
) -> None:
    log = LOGS[format]
    whole = jsonl(tmp_path / "whole", *log.records).read_bytes()
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(whole + whole.splitlines()[0][:-9])
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes(whole + b'{"text": "caf\xe9"}\n')
    at = len(log.records) + 1
    for path, problem in [(cut, "is not JSON"), (mixed, "is not UTF-8 text: 0xe9")]:
        with pytest.raises(TranscriptError, match=f"{path.name}:{at}: {problem}"):
            read(path)
    twice = jsonl(tmp_path / "twice", *log.records, *log.records)
    if isinstance(BY_NAME[format], GroupedFormat):
        assert len(read(twice)) == len(log.conversations)
    elif log.conversations[0].id is None:
        assert len(read(twice)) == 2 * len(log.conversations)
    else:
        with pytest.raises(TranscriptError, match="must be unique"):
            read(twice)


GROUPED = [name for name in LOGS if isinstance(BY_NAME.get(name), GroupedFormat)]


@pytest.mark.parametrize("format", GROUPED)
def test_rows_out_of_order_are_the_same_conversations(format: str, tmp_path: Path) -> None:
    log = LOGS[format]
    check(read(jsonl(tmp_path / "lines", *log.records[::-1])), format, log)


@pytest.mark.parametrize(("format", "key"), [("redial", "messages"), ("taskmaster", "utterances")])
def test_messages_out_of_order_are_said_when_they_state_it(format: str, key: str, tmp_path: Path) -> None:
    log = LOGS[format]
    turned = [{**record, key: record[key][::-1]} for record in log.records]
    check(read(jsonl(tmp_path / "lines", *turned)), format, log)


@pytest.mark.parametrize("format", GROUPED)
def test_a_record_of_something_else_among_rows_is_told_or_counted(format: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "lines", *LOGS[format].records, {"something": "else"})
    if format in ("otel", "openinference"):  # spans of anything lie among those of a model
        assert any("spans hold no messages" in warning for warning in read(path).warnings)
    else:
        with pytest.raises(TranscriptError, match=f"lines:{len(LOGS[format].records) + 1}: must be"):
            read(path)


@pytest.mark.parametrize(
    ("format", "separator"), [("inspired", "\t"), ("langfuse", ","), ("opendialkg", ";")]
)
def test_a_table_with_the_columns_of_a_format_is_read_by_it(
    format: str, separator: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    records = LOGS[format].records
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(records)
    check(read(path), format, LOGS[format])
    assert read(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("format", ["wildchat", "langfuse", "sharegpt"])
def test_rows_of_parquet_are_read_as_lines_are(format: str, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    started = datetime(2026, 1, 1, 10, tzinfo=UTC)
    rows = [
        {**record, **({"start_time": started + timedelta(seconds=at)} if "start_time" in record else {})}
        for at, record in enumerate(LOGS[format].records)
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    check(read(tmp_path / "rows.parquet"), format, LOGS[format])


def test_any_other_table_is_told_how_it_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("chat,who,said\n1,customer,hi\n1,agent,Hello\n", encoding="utf-8")
    with pytest.raises(
        TranscriptError, match=r"is a table; one row a message is read by: convsim data import rows"
    ):
        read(path)


def test_a_row_of_a_table_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text("dialog_id\tutt_id\tspeaker\ttext\nd\t1\tSEEKER\thi\nd\t2\tBOTH\tx\n", encoding="utf-8")
    with pytest.raises(
        TranscriptError, match=r"rows\.tsv:3: speaker: must be one of seeker, recommender, but is 'BOTH'"
    ):
        read(path)


def test_the_real_side_of_pairs_is_read_where_it_is_asked_for(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "pairs", PAIRED)
    (real,) = read(path, reader="paired-people")
    assert (real.id, real.simulator) == ("p1", None)
    assert [(m.role, m.content) for m in real.messages] == [(U, "fix my loop"), (A, "Done.")]


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("2026-01-01T10:00:00Z", 1767261600.0),
        ("2026-01-01 10:00:00.500000", 1767261600.5),
        ("2026-01-01T11:00:00+01:00", 1767261600.0),
        (1767261600, 1767261600.0),
        (1767261600.25, 1767261600.25),
        (1767261600250, 1767261600.25),
        ("1767261600250000000", 1767261600.25),
        (12, 12.0),
        ("yesterday", None),
        (None, None),
        (True, None),
        ("1e999", None),
        ([], None),
    ],
)
def test_times_are_told_in_every_unit(stated: Any, seconds: float | None) -> None:
    assert moment(stated) == (None if seconds is None else pytest.approx(seconds, abs=1e-6))


def test_a_key_of_thousands_of_dots_leads_nowhere_deep(tmp_path: Path) -> None:
    span = {"attributes": {"openinference.span.kind": "LLM", "session.id": "c"}}
    for number, (side, said) in enumerate([("user", "one"), ("assistant", "two")]):
        message = f"llm.input_messages.{number}.message"
        span["attributes"] |= {
            f"{message}.role": side,
            f"{message}.content": said,
            message + ".a" * 5000: "x",
        }
    (found,) = read(jsonl(tmp_path / "lines", span))
    assert [(m.role, m.content) for m in found.messages] == [(U, "one"), (A, "two")]
    assert found.to_json()


@pytest.mark.parametrize(
    "row",
    [
        {"type": "message", "role": "user", "content": "hi", "session_key": "s1"},
        {"role": "user", "parts": [{"type": "text", "text": "hi"}], "dialogue": 7},
        {
            "history": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello"}],
            "preference": "low",
        },
    ],
)
def test_rows_that_say_by_an_unknown_key_what_they_belong_to_are_not_joined(row: Any, tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="convsim data import"):
        read(jsonl(tmp_path / "lines", row, row))


def test_what_the_agent_showed_are_items_and_what_the_user_named_is_not(tmp_path: Path) -> None:
    (redial,) = read(jsonl(tmp_path / "redial", REDIAL))
    assert [[item.id for item in message.items] for message in redial.messages] == [[], [], ["12"]]
    assert redial.messages[1].metadata["mentions"] == ["11"]
    assert redial.messages[2].items[0].title == "Night Bus (2003)"
    (bikes,) = read(jsonl(tmp_path / "bikes", CRS_KNOWLEDGE))
    assert [(item.id, item.title) for item in bikes.messages[-1].items] == [("B7", "Town Bike (7 gears)")]


def test_who_judged_is_kept_with_the_judgement(tmp_path: Path) -> None:
    (shop,) = read(jsonl(tmp_path / "shop", MG_SHOPDIAL))
    (intents,) = shop.messages[0].labels["intents"]
    assert (intents.value, intents.source) == ({"greeting": 4.0}, "third_party")
    (gift,) = read(jsonl(tmp_path / "gift", RECLLMSIM))
    (satisfied,) = gift.messages[1].labels["satisfaction"]
    assert (satisfied.value, satisfied.source, satisfied.scale) == (4, "self", (1.0, 5.0))
    battle = read(jsonl(tmp_path / "battle", ARENA))
    assert {each.labels["preference"][0].source for each in battle} == {"self"}
    (graph,) = read(jsonl(tmp_path / "graph", OPENDIALKG))
    assert graph.metadata["Assistant Rating"] == "5"
    (late,) = read(jsonl(tmp_path / "late", INTERCOM))
    assert (late.labels["satisfaction"][0].scale, late.labels["satisfaction"][0].source) == (
        (1.0, 5.0),
        "self",
    )


def test_the_folder_of_a_person_is_the_user(tmp_path: Path) -> None:
    for person in ("p1", "p2"):
        (tmp_path / "logs" / person).mkdir(parents=True)
        (tmp_path / "logs" / person / "0.json").write_text(json.dumps(RECLLMSIM), encoding="utf-8")
    assert [each.user for each in read(tmp_path / "logs")] == ["p1", "p2"]


def test_a_corpus_of_convokit_is_read_by_its_utterances(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    jsonl(folder / "utterances.jsonl", *LOGS["convokit"].records)
    written(folder / "speakers.json", {"anna-like-7": {"meta": {}}})
    written(folder / "conversations.json", {"u1": {"meta": {}}})
    written(folder / "index.json", {"version": 1})
    check(read(folder), "convokit", LOGS["convokit"])
