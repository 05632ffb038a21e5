"""What a table's columns mean: told by what stands in them, under any names; what is equally good is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from convsim.errors import InputError
from convsim.io.table import TableMapping, guessing, prepared, table_import
from tests.unit.io.table.made import Said, chats, conversation, order, speaker, table, text, wanted

SAID = chats()
SHUFFLED = Random(3).sample(SAID, len(SAID))
INTERLEAVED = sorted(SAID, key=lambda one: one.turn)
AGENT_FIRST = chats(agent_first=True)
FOUR = {"a": conversation, "b": order, "c": speaker, "d": text}


def named(user: str, agent: str) -> Any:
    return lambda one: {"user": user, "agent": agent}[one.side]


def on(form: str) -> Any:
    return lambda one: one.at.strftime(form)


def number(one: Said) -> int:
    return SAID.index(one)


def grouped(said: Sequence[Said]) -> list[Said]:
    """Put conversations together in the order in which they begin, and their messages in theirs."""
    return [
        one
        for first in dict.fromkeys(o.conversation for o in said)
        for one in SAID
        if one.conversation == first
    ]


def person(one: Said) -> str:
    return f"P{one.user}"


def author(one: Said) -> str:
    return person(one) if one.side == "user" else f"Ann{one.conversation % 3}"


PLAIN = [
    one._replace(text=f"number {at}" + " of the words go here" * (one.side == "agent"))
    for at, one in enumerate(SAID)
]
"""Texts that differ in length alone: the agent's are longer, and none repeats or names a price."""

READ: dict[str, tuple[Sequence[Said], Mapping[str, Any]]] = {
    "names that tell": (
        SAID,
        {"conversation_id": conversation, "timestamp": order, "role": speaker, "text": text},
    ),
    "names without sense": (SAID, FOUR),
    "who opens writes less": (
        PLAIN,
        {**FOUR, "b": lambda o: o.turn, "c": named("P", "Q")},
    ),
    "another order of columns": (SAID, {"a": text, "b": speaker, "c": order, "d": conversation}),
    "other columns between": (
        SAID,
        {
            "a": text,
            "b": person,
            "c": speaker,
            "d": order,
            "e": conversation,
            "f": lambda o: "AB"[o.conversation % 2],
        },
    ),
    "ids and turns that are numbers": (
        SAID,
        {"a": lambda o: o.conversation, "b": lambda o: o.turn, "c": speaker, "d": text},
    ),
    "messages are numbered too": (
        SAID,
        {
            "k": number,
            "a": lambda o: o.conversation + 7000,
            "b": lambda o: o.turn + 1,
            "c": speaker,
            "d": text,
        },
    ),
    "shuffled rows with times": (SHUFFLED, FOUR),
    "shuffled rows with turns": (
        SHUFFLED,
        {"a": conversation, "b": lambda o: o.turn, "c": speaker, "d": text},
    ),
    "shuffled rows with a clock and a date": (
        SHUFFLED,
        {"a": conversation, "b": on("%Y-%m-%d"), "c": on("%H:%M:%S"), "d": speaker, "e": text},
    ),
    "conversations side by side": (INTERLEAVED, {"a": conversation, "b": speaker, "c": text}),
    "milliseconds": (SHUFFLED, {**FOUR, "b": lambda o: int(o.at.timestamp() * 1000)}),
    "speakers are numbers": (SAID, {**FOUR, "c": named("0", "1")}),
    "speakers are letters": (SAID, {**FOUR, "c": named("B", "A")}),
    "the agent begins": (AGENT_FIRST, FOUR),
    "a flag of the agent": (
        SAID,
        {"a": conversation, "b": order, "is_bot": named("False", "True"), "d": text},
    ),
    "a flag of the user": (
        SAID,
        {"a": conversation, "b": order, "from_customer": named("1", "0"), "d": text},
    ),
    "messages that come in": (
        SAID,
        {"k": number, "a": conversation, "inbound": named("true", "false"), "d": text},
    ),
    "authors by name": (SAID, {**FOUR, "c": author}),
    "roles and authors": (SAID, {"a": conversation, "b": order, "c": author, "d": text, "e": speaker}),
    "a system that is the agent": (SAID, {**FOUR, "c": named("USER", "SYSTEM")}),
    "people and a model": (SAID, {**FOUR, "c": named("human", "gpt")}),
    "German": (
        SHUFFLED,
        {
            "Vorgangsnr.": conversation,
            "Uhrzeit": on("%d.%m.%Y %H:%M:%S"),
            "Absender": named("Kundin", "Kundenberaterin"),
            "Nachricht": text,
        },
    ),
    "Spanish": (
        SHUFFLED,
        {
            "conversación": conversation,
            "fecha": on("%d/%m/%Y %H:%M:%S"),
            "remitente": named("cliente", "asesor"),
            "mensaje": text,
        },
    ),
    "French": (
        SHUFFLED,
        {"échange": conversation, "horodatage": order, "qui": named("client", "conseillère"), "texte": text},
    ),
    "Portuguese": (
        SHUFFLED,
        {
            "atendimento": conversation,
            "data": order,
            "remetente": named("cliente", "atendente"),
            "mensagem": text,
        },
    ),
    "Chinese": (
        SHUFFLED,
        {
            "会话ID": conversation,
            "发送时间": on("%Y/%m/%d %H:%M:%S"),
            "发送者": named("顾客", "客服"),
            "内容": text,
        },
    ),
    "Japanese": (
        SHUFFLED,
        {
            "対話": conversation,
            "日時": on("%Y年%m月%d日 %H:%M:%S"),
            "話者": named("お客様", "オペレーター"),
            "発話": text,
        },
    ),
    "American times": (
        SHUFFLED,
        {"chat": conversation, "when": on("%m/%d/%Y %I:%M:%S %p"), "who": speaker, "body": text},
    ),
    "columns that lead astray": (
        SHUFFLED,
        {
            "id": lambda o: f"m{number(o)}",
            "session": conversation,
            "created_at": order,
            "sender": speaker,
            "message": text,
            "message_translated": lambda o: o.text[::-1].upper(),
            "sentiment": lambda o: "+-"[len(o.text) % 2],
            "intent": lambda o: ("ask", "tell", "thank")[len(o.text) % 3],
            "length": lambda o: len(o.text),
        },
    ),
    "a user of each conversation": (
        SAID,
        {"a": lambda o: f"u{o.conversation}", "b": conversation, "c": speaker, "d": text},
    ),
    "two conversations": ([one for one in SAID if one.conversation < 3], FOUR),
}


def read(path: Path, mapping: TableMapping | None = None) -> list[list[tuple[str, str]]]:
    with table_import(prepared(path, mapping)) as imported:
        return [[(m.role, m.content) for m in c.messages] for c in imported.conversations()]


@pytest.mark.parametrize("case", READ)
def test_a_table_is_read_for_what_stands_in_it(tmp_path: Path, case: str) -> None:
    said, columns = READ[case]
    expected = said if said is AGENT_FIRST or said is PLAIN else grouped(said)
    assert read(table(tmp_path / "x.csv", said, columns)) == list(wanted(expected).values())


PAIRS = [(a, b) for a, b in pairwise(SAID) if a.conversation == b.conversation and a.side == "user"]
EACH = [
    [one for one in SAID if one.conversation == number]
    for number in dict.fromkeys(o.conversation for o in SAID)
]
SHAPES: dict[str, tuple[Sequence[Any], Mapping[str, Any]]] = {
    "a turn a row": (
        PAIRS,
        {
            "conv": lambda p: conversation(p[0]),
            "user_text": lambda p: p[0].text,
            "agent_text": lambda p: p[1].text,
        },
    ),
    "a turn a row, in German": (
        PAIRS,
        {"x": lambda p: conversation(p[0]), "Frage": lambda p: p[0].text, "Antwort": lambda p: p[1].text},
    ),
    "a turn a row, without names": (
        PAIRS,
        {"x": lambda p: conversation(p[0]), "y": lambda p: p[1].text, "z": lambda p: p[0].text},
    ),
    "a conversation a row, as JSON": (
        EACH,
        {
            "nr": lambda each: conversation(each[0]),
            "chat": lambda each: json.dumps(
                [{"from": named("human", "gpt")(o), "value": o.text} for o in each]
            ),
        },
    ),
    "a conversation a row, as lines": (
        EACH,
        {
            "nr": lambda each: conversation(each[0]),
            "chat": lambda each: "\n".join(f"{named('Kunde', 'Berater')(o)}: {o.text}" for o in each),
        },
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_rows_that_are_turns_or_conversations_become_messages(tmp_path: Path, case: str) -> None:
    rows, columns = SHAPES[case]
    flat = [one for row in rows for one in row]
    if "without names" in case:  # the answer stands before the question
        flat = [one for a, b in PAIRS for one in (b, a)]
    path = table(tmp_path / "x.csv", rows, columns)
    with table_import(prepared(path)) as imported:
        found = {c.id: [(m.role, m.content) for m in c.messages] for c in imported.conversations()}
    assert found == wanted(flat)


def test_a_question_with_its_answer_a_row_is_a_conversation(tmp_path: Path) -> None:
    firsts = [pair for pair in PAIRS if pair[0].turn == 0]
    columns = {
        "q_id": lambda p: f"q{p[0].conversation}",
        "question": lambda p: p[0].text,
        "answer": lambda p: p[1].text,
    }
    path = table(tmp_path / "x.csv", firsts, columns)  # type: ignore[arg-type]
    assert read(path) == [[("user", a.text), ("assistant", b.text)] for a, b in firsts]


REFUSED: dict[str, tuple[Sequence[Said], Mapping[str, Any], str]] = {
    "two texts": (
        SAID,
        {**FOUR, "e": lambda o: o.text[::-1].upper()},
        'columns.text = "d" or columns.text = "e"',
    ),
    "turns or conversations": (
        SAID,
        {**FOUR, "r": lambda o: f"{o.conversation}-{o.turn // 2}"},
        'columns.conversation = "a" or columns.conversation = "r"',
    ),
    "two orders": (
        SAID,
        {
            "a": conversation,
            "b": order,
            "e": lambda o: o.at.replace(day=28 - o.turn).isoformat(),
            "c": speaker,
            "d": text,
        },
        'columns.order = "b" or columns.order = "e"',
    ),
    "days or months": (
        [one._replace(at=one.at.replace(day=1 + one.turn, month=12 - one.turn)) for one in SHUFFLED],
        {**FOUR, "b": on("%d/%m/%Y %H:%M")},
        "order.form = ",
    ),
    "who opens writes less, but greets": (
        [one._replace(text="hi") if one.turn == 0 else one for one in PLAIN],
        {**FOUR, "c": named("P", "Q")},
        'speakers."P" = "user" and speakers."Q" = "agent"',
    ),
    "some times are none": (
        SHUFFLED,
        {**FOUR, "b": lambda o: f"later {number(o)}" if number(o) % 3 == 0 else order(o)},
        'columns.order = "b" and order.form = "iso"',
    ),
    "nobody knows who is who": (
        [one._replace(text=f"words of number {number(one)} go here") for one in SAID],
        {**FOUR, "c": named("B", "A")},
        'speakers."B" = "user" and speakers."A" = "agent"',
    ),
    "nobody speaks": (SAID, {"a": conversation, "b": text}, "columns.speaker"),
    "no conversation": (SAID, {"a": speaker, "b": text}, "columns.conversation"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused_with_the_line_that_decides(
    tmp_path: Path, case: str
) -> None:
    said, columns, line = REFUSED[case]
    with pytest.raises(InputError) as refused:
        read(table(tmp_path / "x.csv", said, columns))
    assert line in str(refused.value)
    assert "--map" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_one_line_of_a_mapping_decides_and_the_rest_is_guessed(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", SAID, {**FOUR, "e": lambda o: o.text[::-1].upper()})
    decided = TableMapping.model_validate({"columns": {"text": "d"}})
    assert read(path, decided) == list(wanted(SAID).values())


def test_ratings_outcomes_users_and_what_is_left_are_taken_up(tmp_path: Path) -> None:
    columns = {
        **FOUR,
        "customer_id": person,
        "variant": lambda o: "AB"[o.conversation % 2],
        "csat": lambda o: o.rating,
        "purchased": lambda o: ("no", "yes")[o.accepted],
        "shop": lambda _: "north",
        "shown items": lambda o: "A1, B2" if o.side == "agent" else "",
    }
    with table_import(prepared(table(tmp_path / "x.csv", SAID, columns))) as imported:
        found = list(imported.conversations())
    first, one = SAID[0], found[0]
    assert (one.user, one.arm) == (f"P{first.user}", "B")
    assert one.labels["satisfaction"][0].model_dump(exclude={"metadata"}) == {
        "value": first.rating,
        "source": "self",
        "scale": (1, 5),
    }
    assert [c.ending for c in found] == ["accepted" if each[0].accepted else "left" for each in EACH]
    assert one.metadata["shop"] == "north"
    assert [[item.id for item in m.items] for m in one.messages[:2]] == [[], ["A1", "B2"]]
    assert one.source == "x.csv"
    imported_as = one.metadata["imported"]
    assert isinstance(imported_as, dict)
    assert imported_as["row"] == 1


def test_a_rating_of_each_message_is_a_label_of_that_message(tmp_path: Path) -> None:
    columns = {**FOUR, "rating": lambda o: 1 + o.turn % 5 if o.side == "agent" else ""}
    with table_import(prepared(table(tmp_path / "x.csv", SAID, columns))) as imported:
        one = next(iter(imported.conversations()))
    assert not one.labels
    assert [m.labels["satisfaction"][0].value for m in one.messages if m.role == "assistant"] == [
        1 + turn % 5 for turn in range(1, len(one.messages), 2)
    ]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (["1", "5", "3"], (1, 5)),
        (["0", "1"], (0, 1)),
        (["7", "2"], (1, 7)),
        (["0", "10"], (0, 10)),
        (["9", "1"], (1, 10)),
        (["4/5", "2/5"], (1, 5)),
        (["★★★", "★"], (1, 5)),
        (["sehr zufrieden", "neutral"], (1, 5)),
        (["-1", "1"], (-1, 1)),
        (["80", "55"], (0, 100)),
        (["blue", "3"], None),
    ],
)
def test_a_scale_is_told_from_its_values(values: list[str], scale: tuple[int, int] | None) -> None:
    from convsim.io.table.beside import rating_scale

    assert rating_scale(values) == scale


def test_conversations_that_lie_apart_are_looked_for_all_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guessing, "SAMPLE_ROWS", 40)
    assert len({one.conversation for one in INTERLEAVED[:40]}) == 40
    path = table(tmp_path / "x.csv", INTERLEAVED, FOUR)
    assert read(path) == list(wanted(grouped(INTERLEAVED)).values())


def test_a_system_beside_an_agent_is_none(tmp_path: Path) -> None:
    first = [one._replace(side="system", turn=-1, text="You are a shop.") for one in SAID if one.turn == 0]
    names = {"user": "user", "agent": "assistant", "system": "system"}
    said = sorted([*first, *SAID], key=lambda one: (one.conversation, one.turn))
    path = table(tmp_path / "x.csv", said, {"a": conversation, "c": lambda o: names[o.side], "d": text})
    assert read(path) == [[("system", "You are a shop."), *talk] for talk in wanted(SAID).values()]
