"""Chats of people with language models, as public data sets have them: ShareGPT, WildChat, LMSYS, Arena, and pairs.

A ``hashed_ip`` (WildChat) or ``judge`` (Arena) is the person, so that intervals resample people. Of an Arena battle
both sides are conversations of one person, whose vote is the label ``preference``; of a pair with
``real_messages`` and ``simulated_messages`` the reader ``paired`` reads the simulated one and ``paired-people`` the
real one, under one id.

Source: liyucheng/ShareGPT90K and lm-sys/FastChat ``data/dummy_conversation.json`` (``conversations`` of ``from`` and
``value``, also as two columns); hiyouga/LLaMA-Factory ``data/README.md`` (``function_call``, ``observation``);
allenai/WildChat-1M (329d93c3), whose chats have ``conversation_hash``; lmsys/lmsys-chat-1m; lmsys/
chatbot_arena_conversations; Shuhaibm/UserBehavioralDivergence ``README.md`` (9e80f23a).
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from convsim.io.formats.contract import Made, Notes
from convsim.io.formats.fields import (
    Fields,
    first_name,
    format_of_objects,
    is_list_of,
    labels,
    message,
    name,
    objects,
    rest,
    role,
    stated,
    text,
)
from convsim.io.problems import MalformedError, shown

SHAREGPT_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
    "observation": "tool",
    "function_call": "tool",
    "function_response": "tool",
}


def _is_sharegpt(value: JsonValue) -> bool:
    turns = value.get("conversations") if isinstance(value, dict) else None
    if isinstance(turns, dict):
        return {"from", "value"} <= turns.keys() and isinstance(turns["from"], list)
    return is_list_of(turns, "from", "value")


def _sharegpt(record: Fields, _: Notes) -> Iterator[Made]:
    turns = _columns(record["conversations"]) if isinstance(record["conversations"], dict) else None
    messages: list[JsonValue] = [
        message(
            role(turn.get("from"), SHAREGPT_ROLES, f"{place}.from"),
            text(turn.get("value"), f"{place}.value"),
            rest(turn, "from", "value"),
        )
        for place, turn in objects(turns or record["conversations"], "conversations")
    ]
    if instructions := name(record.get("system")):
        messages.insert(0, {"role": "system", "content": instructions})
    yield stated(
        id=first_name(record, "id", "conversation_id"),
        agent=name(record.get("model")),
        user=name(record.get("user_id")),
        source="sharegpt",
        messages=messages,
        metadata=rest(record, "id", "conversation_id", "model", "user_id", "system", "conversations"),
    )


def _columns(turns: Fields) -> list[JsonValue]:
    """Turn two columns into turns; raises MalformedError where one is longer."""
    speakers, said = turns["from"], turns["value"]
    if not isinstance(speakers, list) or not isinstance(said, list) or len(speakers) != len(said):
        raise MalformedError("must be lists 'from' and 'value' of one length", field="conversations")
    return [{"from": who, "value": what} for who, what in zip(speakers, said, strict=True)]


def _is_wildchat(value: JsonValue) -> bool:
    return isinstance(value, dict) and is_list_of(value.get("conversation"), "role", "content")


PERSON = ("hashed_ip", "user_id", "user")


def _wildchat(record: Fields, _: Notes) -> Iterator[Made]:
    turns = objects(record["conversation"], "conversation")
    people = {found for _, turn in turns if (found := first_name(turn, *PERSON))}
    stated_user = first_name(record, *PERSON)
    yield stated(
        id=first_name(record, "conversation_hash", "conversation_id", "id"),
        agent=name(record.get("model")),
        user=stated_user or (people.pop() if len(people) == 1 else None),
        source="wildchat" if "conversation_hash" in record else "lmsys" if "model" in record else None,
        messages=[turn for _, turn in turns],
        metadata=rest(record, "conversation_hash", "conversation_id", "id", "model", "conversation", *PERSON),
    )


def _is_arena(value: JsonValue) -> bool:
    return isinstance(value, dict) and all(
        is_list_of(value.get(key), "role", "content") for key in ("conversation_a", "conversation_b")
    )


VOTES = {"model_a": ("won", "lost"), "model_b": ("lost", "won"), "tie": ("tie", "tie")}


def _arena(record: Fields, _: Notes) -> Iterator[Made]:
    stated_id = first_name(record, "question_id", "conversation_id", "id")
    votes = VOTES.get(str(record.get("winner")), ("both bad",) * 2 if record.get("winner") else (None, None))
    read = (
        "question_id",
        "conversation_id",
        "id",
        "judge",
        "conversation_a",
        "conversation_b",
        "model_a",
        "model_b",
    )
    for side, vote in zip("ab", votes, strict=True):
        given: JsonValue = {"value": vote, "source": "self"} if vote else None
        yield stated(
            id=f"{stated_id}-{side}" if stated_id else None,
            agent=name(record.get(f"model_{side}")),
            user=name(record.get("judge")),
            source="chatbot-arena",
            messages=record[f"conversation_{side}"],
            metadata={**rest(record, *read), "battle": stated_id},
            **labels(preference=given),
        )


def _is_pair(value: JsonValue) -> bool:
    return isinstance(value, dict) and {"real_messages", "simulated_messages"} <= value.keys()


def _side(record: Fields, key: str) -> Fields:
    messages = record[key]
    if not isinstance(messages, list):
        raise MalformedError(f"must be a list of messages, but is {shown(messages)}", field=key)
    return stated(
        id=first_name(record, "id", "conversation_id"),
        agent=first_name(record, "agent", "assistant_model", "model"),
        source="paired",
        messages=messages,
        metadata=rest(record, "id", "conversation_id", "real_messages", "simulated_messages"),
    )


def _simulated(record: Fields, _: Notes) -> Iterator[Made]:
    simulator = first_name(record, "simulator", "simulator_name", "user_simulator", "simulator_model")
    yield {**_side(record, "simulated_messages"), "simulator": simulator or "paired"}


def _people(record: Fields, _: Notes) -> Iterator[Made]:
    yield _side(record, "real_messages")


SHAREGPT = format_of_objects(
    "sharegpt",
    "ShareGPT",
    ("conversations", "from", "value"),
    _is_sharegpt,
    _sharegpt,
)
WILDCHAT = format_of_objects(
    "wildchat",
    "WildChat and LMSYS",
    ("conversation_hash", "conversation_id", "conversation", "model"),
    _is_wildchat,
    _wildchat,
)
ARENA = format_of_objects(
    "arena",
    "Chatbot Arena",
    ("conversation_a", "conversation_b", "model_a", "model_b", "winner"),
    _is_arena,
    _arena,
)
PAIRED = format_of_objects(
    "paired",
    "pairs of real and simulated conversations, the simulated ones",
    ("real_messages", "simulated_messages"),
    _is_pair,
    _simulated,
)
PAIRED_PEOPLE = format_of_objects(
    "paired-people",
    "pairs of real and simulated conversations, the real ones",
    ("real_messages", "simulated_messages"),
    _is_pair,
    _people,
    asked_only=True,
)
"""Is only read where it is asked for: a pair is told as ``paired``."""
