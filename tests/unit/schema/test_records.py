"""Records refuse keys that they do not have, by name, and only what is read from logs keeps them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from convsim.annotation.agreement import AgreementReport
from convsim.errors import InputError, StudyError
from convsim.evaluation import Scorecard
from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.models.scripted import Asked
from convsim.report.document import read_scorecard
from convsim.schema import AgentReply, Annotation, Finding, SimulatorScore, UserMove
from convsim.schema.catalogue import Catalogue
from convsim.schema.chat_model import Completion
from convsim.schema.conversation import (
    Conversation,
    Failure,
    Fault,
    Item,
    Label,
    LearnedFrom,
    Message,
    Usage,
)
from convsim.schema.persona import Constraint, Control, Persona
from convsim.schema.record import Record
from convsim.simulation.config import read_study
from convsim.simulation.loop import Arm, Planned, hold
from convsim.simulation.personas import read_personas
from convsim_validators.relations.relation import read_relations

FINDING = {
    "validator": "v", "metric": "m", "question": "Alike?", "unit": "words", "verdict": "aligned", "reason": "small",
    "n_real": 1, "n_simulated": 1, "seed": 0, "version": "1", "source": "test",
}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "given", "unknown", "meant"),
    [
        (Finding, {**FINDING, "estimat": 0.3}, "estimat", "estimate"),
        (Finding, {**FINDING, "intervall": (0, 1)}, "intervall", "interval"),
        (UserMove, {"action": "say", "txt": "hi"}, "txt", "text"),
        (AgentReply, {"content": "hi", "itms": []}, "itms", "items"),
        (Persona, {"id": "p", "need": "boots", "dealbreaker": []}, "dealbreaker", "dealbreakers"),
        (Constraint, {"attribute": "color", "op": "=", "value": "red", "knwon": "before"}, "knwon", "known"),
        (Control, {"valeu": 3}, "valeu", "value"),
        (Annotation, {"message": {}}, "message", "messages"),
        (Label, {"value": 1, "source": "self", "scal": [1, 5]}, "scal", "scale"),
        (Usage, {"input_tokns": 3}, "input_tokns", "input_tokens"),
        (Fault, {"name": "f", "severity": 1, "acted": True, "detials": ""}, "detials", "detail"),
        (Failure, {"reason": "no answer", "actr": "agent"}, "actr", "actor"),
        (LearnedFrom, {"arm": ["good"]}, "arm", "arms"),
        (Completion, {"text": "", "finish_reason": "stop", "cost_usdd": 1.0}, "cost_usdd", "cost_usd"),
        (MadeBy, {"convsim": "1", "comand": []}, "comand", "command"),
        (AgreementReport, {"schem": "convsim.annotation.agreement/1"}, "schem", "schema"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_misspelt_key_is_refused_with_the_nearest_one(
    record: type[Record], given: dict[str, Any], unknown: str, meant: str
) -> None:
    for attempt in (lambda: record(**given), lambda: record.model_validate_json(json.dumps(given))):
        with pytest.raises(ValidationError, match=f"did you mean '{meant}'") as refused:
            attempt()
        assert [problem["loc"] for problem in refused.value.errors()] == [(unknown,)]


def test_a_key_that_is_near_to_none_is_told_which_there_are() -> None:
    with pytest.raises(ValidationError, match="no such key; known keys: action, text, accepted"):
        UserMove.model_validate({"action": "say", "zzz": 1})


def test_every_unknown_key_is_named_and_a_copy_is_checked_too() -> None:
    with pytest.raises(ValidationError) as refused:
        UserMove.model_validate({"action": "say", "txt": "a", "usge": {}})
    assert [problem["loc"] for problem in refused.value.errors()] == [("txt",), ("usge",)]
    with pytest.raises(ValidationError, match="did you mean 'text'"):
        UserMove(action="say").but(txt="a")


def test_braces_in_a_key_are_just_braces() -> None:
    with pytest.raises(ValidationError) as refused:
        UserMove.model_validate({"action": "say", "{nearest!r}": 1})
    assert refused.value.errors()[0]["loc"] == ("{nearest!r}",)


def test_a_record_within_a_record_is_refused_at_its_place() -> None:
    with pytest.raises(ValidationError) as refused:
        AgentReply.model_validate({"content": "hi", "usage": {"input_tokns": 3}})
    assert refused.value.errors()[0]["loc"] == ("usage", "input_tokns")


LINE: dict[str, Any] = {
    "id": "c", "odd": 1,
    "persona": {
        "id": "p", "need": "boots", "mood": "calm", "budget": {"value": 50, "currency": "EUR"}, "patience": 3,
        "constraints": [{"attribute": "color", "op": "=", "value": "red", "weight": 2}],
    },
    "messages": [
        {
            "role": "user", "content": "hi", "ms": 12,
            "labels": {"satisfaction": {"value": 1, "source": "self", "by": "a"}},
        },
        {
            "role": "assistant", "content": "hello", "items": [{"id": "i", "rank": 1}],
            "faults": [{"name": "slow", "severity": 0.5, "acted": True, "ms": 900}],
        },
    ],
    "labels": {"frustration": [{"value": 0, "source": "self", "by": "a"}, {"value": 1, "source": "third_party"}]},
    "failure": {"reason": "timeout", "code": 504},
    "usage": {"input_tokens": 3, "cached_tokens": 2},
    "learned_from": {"file": "ab", "rows": 7},
}  # fmt: skip


def test_what_is_read_from_a_log_is_kept_wherever_it_stands() -> None:
    read = Conversation.model_validate(LINE)
    assert read.persona is not None
    assert read.persona.budget is not None
    assert read.persona.patience == Control(value=3)
    assert read.failure is not None
    assert read.usage is not None
    assert read.learned_from is not None
    assert [
        read.metadata, read.persona.metadata, read.persona.budget.metadata, read.persona.constraints[0].metadata,
        read.messages[0].metadata, read.messages[0].labels["satisfaction"][0].metadata,
        read.messages[1].items[0].metadata, read.messages[1].faults[0].metadata,
        read.labels["frustration"][0].metadata, read.failure.metadata, read.usage.metadata,
        read.learned_from.metadata,
    ] == [
        {"odd": 1}, {"mood": "calm"}, {"currency": "EUR"}, {"weight": 2}, {"ms": 12}, {"by": "a"}, {"rank": 1},
        {"ms": 900}, {"by": "a"}, {"code": 504}, {"cached_tokens": 2}, {"rows": 7},
    ]  # fmt: skip
    assert Conversation.model_validate_json(read.to_json()) == read


def test_python_may_make_conversations_messages_and_items_with_keys_of_its_own() -> None:
    item = Item.model_validate({"id": "i", "rank": 1})
    message = Message.model_validate({"role": "assistant", "content": "", "items": [item], "ms": 3})
    assert (item.metadata, message.metadata) == ({"rank": 1}, {"ms": 3})
    assert AgentReply.model_validate({"content": "", "items": [{"id": "i", "rank": 1}]}).items == (item,)


def test_an_empty_metadata_that_an_earlier_version_wrote_is_read_and_a_full_one_refused() -> None:
    assert UserMove.model_validate({"action": "say", "metadata": {}}) == UserMove(action="say")
    with pytest.raises(ValidationError, match="no such key"):
        UserMove.model_validate({"action": "say", "metadata": {"a": 1}})


def test_what_is_no_log_has_no_metadata_to_write() -> None:
    side = SideSummary.of([], path=None, sha256=None)
    card = Scorecard(real=side, simulated=side, findings=(Finding.model_validate(FINDING),))
    assert "metadata" not in card.to_json()
    assert "metadata" not in SimulatorScore.model_fields


def test_stores_of_recorded_answers_keep_their_keys() -> None:
    asked = Asked.to_continue("Once", max_tokens=5, temperature=0.0, seed=1, stop=())
    assert asked.key == "2e89ed14cf60362fbb5d53b380712884"  # as f90f230 made it


class _Shopper:
    name = "s"
    learned_from = None

    def __init__(self, **move: Any):
        self.move = move

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        return UserMove(action="say", **self.move)


class _Agent:
    name = "a"

    def __init__(self, **reply: Any):
        self.answer = reply

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        return AgentReply(content="hi", **self.answer)


def _held(shopper: _Shopper, agent: _Agent) -> Conversation:
    planned = Planned(
        study="t", persona=Persona(id="p", need="boots"), shopper=shopper, arm=Arm("good", agent),
        model=None, repeat=0, seed=1,
    )  # fmt: skip
    return asyncio.run(hold(planned, max_turns=1))


def test_a_plugins_misspelling_in_a_run_is_a_failure_record_with_that_line() -> None:
    by_agent = _held(_Shopper(text="hi"), _Agent(itms=[]))
    assert by_agent.ending == "agent_failed"
    assert by_agent.failure is not None
    assert by_agent.failure.reason == (
        "a raised ValidationError: AgentReply: itms: no such key; did you mean 'items'?"
    )
    by_shopper = _held(_Shopper(txt="hi"), _Agent())
    assert by_shopper.ending == "shopper_failed"
    assert by_shopper.failure is not None
    assert by_shopper.failure.reason == (
        "the shopper raised ValidationError: UserMove: txt: no such key; did you mean 'text'?"
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("dealbreaker = []", "persona 1: dealbreaker: no such key; did you mean 'dealbreakers'?"),
        (
            "constraints = [{attribute = 'a', op = '=', valeu = 1}]",
            "persona 1: constraints.0.valeu: no such key; did you mean 'value'?",
        ),
        ("[[persna]]\nid = 'q'", "persna: no such key; did you mean 'persona'?"),
    ],
)
def test_a_misspelling_in_a_file_of_personas_is_one_line_with_its_place(
    tmp_path: Path, written: str, said: str
) -> None:
    path = tmp_path / "personas.toml"
    path.write_text(f"[[persona]]\nid = 'p'\nneed = 'boots'\n{written}\n", encoding="utf-8")
    with pytest.raises(StudyError) as refused:
        read_personas(path)
    place = ":1" if said.startswith("persona") else ""
    assert str(refused.value) == f"{path}{place}: {said}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[study]\nmax_turn = 3\n", "study.max_turn: no such key; did you mean 'max_turns'?"),
        ("[shoper]\nname = 'resample'\n", "shoper: no such key; did you mean 'shopper'?"),
        ("[[arm]]\nname = 'a'\nfualt = 'bad'\n", "arm.0.fualt: no such key; did you mean 'fault'?"),
    ],
)
def test_a_misspelling_in_a_study_is_one_line_with_its_place(tmp_path: Path, written: str, said: str) -> None:
    path = tmp_path / "STUDY.toml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(StudyError) as refused:
        read_study(path)
    assert str(refused.value) == f"{path}: {said}"


def test_a_misspelling_in_a_relation_is_one_line_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "relations.toml"
    path.write_text("[[relation]]\nname = 'r'\ntolerence = 1\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_relations(path)
    assert str(refused.value) == f"{path}: relation 'r': tolerence: no such key; did you mean 'tolerance'?"


def test_a_misspelling_in_a_catalogue_is_one_line_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.jsonl"
    row: dict[str, Any] = {"id": "a", "title": "Boot", "description": "", "price": None, "atributes": {}}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        Catalogue.read(path)
    assert str(refused.value) == (
        f"{path}:1: atributes: no such key; did you mean 'attributes'? (others go under attributes)"
    )


def test_a_findings_document_with_keys_that_we_do_not_know_is_refused_at_their_place(tmp_path: Path) -> None:
    side = SideSummary.of([], path=None, sha256=None)
    card = json.loads(
        Scorecard(real=side, simulated=side, findings=(Finding.model_validate(FINDING),)).to_json()
    )
    card["findings"][0]["estimat"] = 0.3
    path = tmp_path / "findings.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_scorecard(path)
    assert str(refused.value) == f"{path}: findings[0].estimat: no such key; did you mean 'estimate'?"


@pytest.mark.parametrize("value", [1, 5, 2.5, "often", True, ["a"], None])
def test_a_label_s_value_may_lie_at_the_ends_of_its_scale_or_be_no_number(value):
    assert Label(value=value, source="self", scale=(1, 5) if value is not True else (2, 5)).value == value


@pytest.mark.parametrize("value", [0.9, 5.1, 0, -1])
def test_a_number_outside_its_scale_is_refused(value):
    with pytest.raises(ValueError, match=r"outside its scale \[1.0, 5.0\]"):
        Label(value=value, source="self", scale=(1, 5))


@pytest.mark.parametrize("value", [10**400, -(10**309), float("inf"), float("nan")])
def test_a_number_that_no_float_can_be_is_refused(value):
    with pytest.raises(ValueError, match="finite number"):
        Label(value=value, source="self")


def test_a_bare_message_is_one_that_was_made_of_its_words_and_items_alone() -> None:
    items = (Item(id="b1", title="boot", price=39.0, attributes={"color": "navy"}),)
    full = Message.model_validate(
        {
            "role": "assistant", "content": "These three.", "items": items, "action": "say", "accepted": ["b1"],
            "labels": {"mood": {"value": 3, "source": "human:x"}}, "note": "kept",
            "faults": [{"name": "stale", "severity": 0.5, "acted": True}],
        }
    )  # fmt: skip
    assert full.labels
    assert full.metadata
    made = Message(role="assistant", content="These three.", items=items)
    bare, other = full.bare(), full.bare()
    assert bare == made
    assert (bare.model_dump_json(), bare.model_fields_set) == (made.model_dump_json(), made.model_fields_set)
    assert bare.but(content="x") == made.but(content="x")
    assert full.compact().bare() == made
    bare.metadata["written by"] = "an agent"
    assert (other.metadata, Message(role="user", content="").bare().metadata) == ({}, {})
