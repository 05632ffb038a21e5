"""Public sets of people with assistants: RecLLMSim, CRS-Knowledge, MG-ShopDial, SimulatorArena.

- **RecLLMSim**: people (``task_type``, ``chat_model``; the folder of a person is the user) and LLM users, whose
  ``preference_id`` is the user: conversations of one persona depend on each other.
  Source: wzf2000/RecLLMSim (13b54164).
- **CRS-Knowledge**: ``human`` and ``ai``; what the system notes between them is kept, and the items that it says it
  selected are those of the next answer. Source: iai-group/crs-knowledge ``data/dialogues`` (047c4440).
- **MG-ShopDial**: Client and Wizard, in its data card User and Assistant. Source: iai-group/MG-ShopDial (fbf9eed2).
- **SimulatorArena**: ``user_queries`` and ``ai_responses`` in turn; the crowd worker is the user. Source:
  microsoft/SimulatorArena ``data`` (cb2f1dcc).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from pydantic import JsonValue

from convsim.io.formats.contract import Format, Made, Notes, Record
from convsim.io.formats.fields import (
    Fields,
    an_object,
    first_name,
    format_of_objects,
    is_list_of,
    known_object,
    labels,
    message,
    name,
    objects,
    rating,
    rest,
    role,
    stated,
    text,
)
from convsim.io.problems import MalformedError, shown

RECLLMSIM_KEYS = ("history", "task_type", "chat_model")


def _is_recllmsim(value: JsonValue) -> bool:
    if not isinstance(value, dict) or not is_list_of(value.get("history"), "role", "content"):
        return False
    is_of_people = "task_type" in value and bool(value.keys() & {"chat_model", "profile", "questionnaire"})
    return is_of_people or "preference_id" in value


PERSONS = ("user_id", "user", "preference_id")


def _recllmsim(record: Record, _: Notes) -> Iterator[Made]:
    told = known_object(record.value, "RecLLMSim", RECLLMSIM_KEYS, _is_recllmsim)
    is_simulated = "preference_id" in told
    messages: list[JsonValue] = []
    for place, said in objects(told["history"], "history"):
        rated = None if is_simulated else rating(said.get("satisfaction"), 1, 5)
        others = rest(said, "role", "content", *(("satisfaction",) if rated else ()))
        who = text(said.get("role"), f"{place}.role")
        what = text(said.get("content"), f"{place}.content")
        messages.append(message(who, what, others, **labels(satisfaction=rated)))
    model = name(told.get("chat_model"))
    folders = (record.file or "").split("/")[:-1]
    yield stated(
        id=first_name(told, "id", "conversation_id"),
        task=first_name(told, "task_type", "task"),
        agent=model,
        arm=model,
        user=first_name(told, *PERSONS) or (folders[-1] if folders and not is_simulated else None),
        simulator="recllmsim" if is_simulated else None,
        source="recllmsim",
        messages=messages,
        metadata=rest(told, "id", "conversation_id", "task_type", "task", "chat_model", "user_id", "history"),
    )


def _is_crs_knowledge(value: JsonValue) -> bool:
    return (
        isinstance(value, dict)
        and "messages" in value
        and bool(value.keys() & {"pre_task_answers", "post_task_answers", "self_assessment"})
    )


CRS_KNOWLEDGE_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
SELECTED = re.compile(r"Selected item for recommendation: (.{0,1000}) \(ID: ([^\s()]{1,100})\)\s*", re.DOTALL)


def _crs_knowledge(record: Fields, _: Notes) -> Iterator[Made]:
    messages: list[JsonValue] = []
    selected: dict[str, JsonValue] = {}
    for place, said in objects(record["messages"], "messages"):
        speaker = role(said.get("role"), CRS_KNOWLEDGE_ROLES, f"{place}.role")
        content = text(said.get("content"), f"{place}.content")
        fields: Fields = {}
        if speaker == "system" and (found := SELECTED.fullmatch(content)):
            selected[found[2]] = {"id": found[2], "title": found[1]}
        elif speaker == "assistant" and selected:
            fields, selected = {"items": [*selected.values()]}, {}
        messages.append(message(speaker, content, rest(said, "role", "content"), **fields))
    yield stated(
        id=first_name(record, "id", "conversation_id"),
        task=name(record.get("domain")),
        user=first_name(record, "user_id", "prolific_id"),
        source="crs-knowledge",
        messages=messages,
        metadata=rest(record, "id", "conversation_id", "domain", "user_id", "prolific_id", "messages"),
    )


def _is_mg_shopdial(value: JsonValue) -> bool:
    return isinstance(value, dict) and is_list_of(value.get("utterances"), "participant", "utterance")


MG_SHOPDIAL_ROLES = {"client": "user", "user": "user", "wizard": "assistant", "assistant": "assistant"}


def _mg_shopdial(record: Fields, _: Notes) -> Iterator[Made]:
    messages: list[JsonValue] = []
    for place, said in objects(record["utterances"], "utterances"):
        goal = name(said.get("goal"))
        intents = _intents(said.get("intents"), f"{place}.intents")
        messages.append(
            message(
                role(said.get("participant"), MG_SHOPDIAL_ROLES, f"{place}.participant"),
                text(said.get("utterance"), f"{place}.utterance"),
                rest(said, "participant", "utterance", "goal", "intents"),
                **labels(
                    goal={"value": goal, "source": "third_party"} if goal else None,
                    intents={"value": intents, "source": "third_party"} if intents else None,
                ),
            )
        )
    stated_id = name(record.get("id"))
    yield stated(
        id=stated_id,
        task=stated_id.split(":")[0].lower() if stated_id else None,
        agent="human wizard",
        source="mg-shopdial",
        messages=messages,
        metadata={
            **an_object(record.get("metadata"), "metadata"),
            **rest(record, "id", "metadata", "utterances"),
        },
    )


def _intents(pairs: JsonValue, place: str) -> Fields:
    """Turn pairs of an intent and how many annotators saw it into an object."""
    found: Fields = {}
    for index, pair in enumerate(pairs if isinstance(pairs, list) else []):
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise MalformedError(
                f"must be an intent and a number, but is {shown(pair)}", field=f"{place}[{index}]"
            )
        found[pair[0]] = pair[1]
    return found


def _is_simulator_arena(value: JsonValue) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), list) for key in ("user_queries", "ai_responses")
    )


ARENA_RATINGS = ("overall_rating", "overall_document_rating", "overall_interaction_rating")


def _simulator_arena(record: Fields, _: Notes) -> Iterator[Made]:
    sides = {"user_queries": "user", "ai_responses": "assistant"}
    said = {key: record[key] for key in sides}
    queries, answers = ([*found] if isinstance(found, list) else [] for found in said.values())
    if not len(answers) <= len(queries) <= len(answers) + 1:
        counted = f"{len(queries)} queries and {len(answers)} responses"
        raise MalformedError(f"must have a response to each query, but has {counted}", field="ai_responses")
    messages: list[JsonValue] = [
        message(sides[key], text(what, f"{key}[{index}]"), {})
        for index, turn in enumerate(zip_longest(queries, answers))
        for key, what in zip(sides, turn, strict=True)
        if key == "user_queries" or index < len(answers)
    ]
    rated = {key: found for key in ARENA_RATINGS if (found := rating(record.get(key), 1, 10)) is not None}
    model = name(record.get("model"))
    yield stated(
        id=first_name(record, "id", "conversation_id"),
        task=first_name(record, "document_type", "type"),
        agent=model,
        arm=model,
        user=first_name(record, "workerId", "user_id"),
        source="simulator-arena",
        messages=messages,
        metadata=rest(record, *sides, *rated, "id", "conversation_id", "workerId", "model"),
        **labels(**rated),
    )


RECLLMSIM = Format("recllmsim", "RecLLMSim", RECLLMSIM_KEYS, _is_recllmsim, _recllmsim)
CRS_KNOWLEDGE = format_of_objects(
    "crs-knowledge",
    "CRS-Knowledge",
    ("messages", "domain", "target", "self_assessment", "pre_task_answers", "post_task_answers"),
    _is_crs_knowledge,
    _crs_knowledge,
)
MG_SHOPDIAL = format_of_objects(
    "mg-shopdial",
    "MG-ShopDial",
    ("id", "metadata", "utterances", "participant", "utterance"),
    _is_mg_shopdial,
    _mg_shopdial,
)
SIMULATOR_ARENA = format_of_objects(
    "simulator-arena",
    "SimulatorArena",
    ("user_queries", "ai_responses", "workerId", "model"),
    _is_simulator_arena,
    _simulator_arena,
)
