"""One conversation, or two side by side, as a page shows them: bounded and neutralised."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from convsim._text import readable
from convsim.io.jsonl import conversation_of, parse_json
from convsim.io.problems import MalformedError
from convsim.models.hearing import Call, Calls
from convsim.report.html.chat import Bubble, bubble
from convsim.report.html.giveaways import Segment
from convsim.report.html.text import name
from convsim.schema.conversation import Conversation, Labels, Message
from convsim.schema.persona import Constraint, Persona
from convsim.web.view.index import Index, Place, read_at

MAX_MESSAGES = 500
MAX_MESSAGE_CHARACTERS = 20_000
MAX_CHARACTERS = 400_000
"""Of a conversation's page."""
MAX_ITEMS = 40
MAX_VALUE = 300
MAX_FACTS = 60
MAX_PROMPT_CHARACTERS = 4_000
"""Of one message of a prompt, where it stands beside the conversation."""
MAX_PROMPTS_CHARACTERS = 300_000
MAX_WHOLE_PROMPT = 400_000
MAX_DIFFERED_WORDS = 400
ALIKE = 0.5
"""How alike two messages are, from 0 to 1, from which on single words are marked."""


class MovedError(Exception):
    """A conversation no longer stands where it stood."""


def load(place: Place) -> Conversation:
    """Read a conversation.

    Raises:
        MovedError: Its file has gone or was written anew.
    """
    try:
        found = conversation_of(parse_json(read_at(place.file, place.start, place.length).strip()))
    except (OSError, MalformedError) as error:
        raise MovedError from error
    if found.id != place.id:
        raise MovedError
    return found


class Asked(NamedTuple):
    """One call of a model, as the page shows it."""

    number: int
    actor: str
    model: str
    facts: str
    prompt: Sequence[tuple[str, str, int]]
    """Role, text and characters that are not shown."""
    answer: str
    n_cut: int
    error: str


@dataclass(frozen=True)
class Shown:
    """A message with what models were asked for it."""

    number: int
    """From 1."""
    bubble: Bubble
    labels: Sequence[str]
    asked: Sequence[Asked]


@dataclass(frozen=True)
class View:
    """A conversation."""

    id: str
    messages: Sequence[Shown]
    n_more: int
    ending: str
    failure: str
    facts: Sequence[tuple[str, str]]
    need: str
    persona: Sequence[tuple[str, str]]
    labels: Sequence[str]
    usage: Sequence[tuple[str, str]]
    late: Sequence[Asked]
    """Calls for a message that was never said, such as the one with which the user left."""
    is_recorded: bool


def view(index: Index, place: Place) -> View:
    """Return a conversation for its page; raises MovedError."""
    conversation = load(place)
    calls = _calls(index, place)
    asked: dict[int, list[Asked]] = {}
    left = MAX_PROMPTS_CHARACTERS
    for number, call in enumerate(calls or ()):
        made = _asked(number, call, limit=min(left, MAX_PROMPT_CHARACTERS))
        left = max(0, left - sum(len(text) for _, text, _ in made.prompt))
        asked.setdefault(call.message, []).append(made)
    messages = list(_messages(index, place, conversation, asked))
    return View(
        id=name(conversation.id, limit=MAX_VALUE),
        messages=messages,
        n_more=len(conversation.messages) - len(messages),
        ending=conversation.ending.replace("_", " "),
        failure=readable(conversation.failure.reason[:1_000]) if conversation.failure else "",
        facts=facts(conversation),
        need=readable(conversation.persona.need[:2_000]) if conversation.persona else "",
        persona=list(_persona(conversation.persona)) if conversation.persona else [],
        labels=_labels(conversation.labels),
        usage=list(_usage(conversation)),
        late=[each for at in sorted(asked) if at >= len(messages) for each in asked[at]],
        is_recorded=calls is not None,
    )


def whole_call(index: Index, place: Place, number: int) -> Asked | None:
    """Return one call of a conversation with all of its prompt; None where there is none of that number."""
    calls = _calls(index, place)
    if calls is None or not 0 <= number < len(calls):
        return None
    return _asked(number, calls[number], limit=MAX_WHOLE_PROMPT)


def _calls(index: Index, place: Place) -> Sequence[Call] | None:
    try:
        line = index.prompts(place)
        return None if line is None else Calls.model_validate_json(line).calls
    except (OSError, ValidationError):
        return None


def _messages(
    index: Index, place: Place, conversation: Conversation, asked: Mapping[int, Sequence[Asked]]
) -> Iterator[Shown]:
    words = index.judged(place.source).words
    left = MAX_CHARACTERS
    for at, message in enumerate(conversation.messages[:MAX_MESSAGES]):
        limit = min(left, MAX_MESSAGE_CHARACTERS)
        left -= min(len(message.content), limit)
        yield Shown(
            number=at + 1,
            bubble=bubble(message, limit, words, max_items=MAX_ITEMS),
            labels=_labels(message.labels),
            asked=asked.get(at, ()),
        )


def _asked(number: int, call: Call, *, limit: int) -> Asked:
    asked, answer = call.asked, call.answer
    said: list[tuple[str, str]] = [(each.role, each.content) for each in asked.messages]
    if not said:
        said.append(("text", asked.text))
    if asked.options:
        said.append(("options", "\n".join(asked.options)))
    facts = [f"temperature {asked.temperature:g}", f"seed {asked.seed}"]
    if asked.max_tokens is not None:
        facts.append(f"at most {asked.max_tokens:,} tokens")
    if answer is not None:
        counted = [answer.input_tokens, answer.output_tokens]
        if None not in counted:
            facts.append(f"{counted[0]:,} tokens read, {counted[1]:,} written")
        facts.append(f"{answer.seconds:.2f} s")
        if answer.finish_reason != "stop":
            facts.append(f"ended by: {answer.finish_reason.replace('_', ' ')}")
    text = answer.text if answer is not None else ""
    return Asked(
        number=number,
        actor=call.actor,
        model=name(call.model),
        facts=" · ".join(facts),
        prompt=[(role, readable(text[:limit]), max(0, len(text) - limit)) for role, text in said],
        answer=readable(text[:limit]),
        n_cut=max(0, len(text) - limit),
        error=readable(call.error[:1_000]) if call.error else "",
    )


def facts(conversation: Conversation) -> list[tuple[str, str]]:
    """Return what is known of a conversation beside what was said."""
    fault = conversation.fault
    if fault is not None and conversation.severity is not None:
        fault = f"{fault} at {conversation.severity:g}"
    stated = {
        "arm": conversation.arm, "task": conversation.task, "agent": conversation.agent, "fault": fault,
        "user": conversation.user, "shopper": conversation.shopper, "simulator": conversation.simulator,
        "from": conversation.source,
    }  # fmt: skip
    known = [(what, name(value, limit=MAX_VALUE)) for what, value in stated.items() if value]
    notes = [(_word(key), _value(value)) for key, value in conversation.metadata.items()]
    return [*known, *notes][:MAX_FACTS]


def _persona(persona: Persona) -> Iterator[tuple[str, str]]:
    yield "persona", name(persona.id, limit=MAX_VALUE)
    for what, wishes in (("wants", persona.constraints), ("never", persona.dealbreakers)):
        for wish in wishes[:MAX_FACTS]:
            yield what, _wish(wish)
    for what in ("budget", "patience", "style"):
        if (control := getattr(persona, what)) is not None:
            yield what, _value(control.value)


def _wish(wish: Constraint) -> str:
    value = wish.value if isinstance(wish.value, tuple) else (wish.value,)
    return f"{name(wish.attribute)} {wish.op} {', '.join(_value(each) for each in value[:20])}"


def _labels(labels: Labels) -> list[str]:
    return [
        f"{_word(what)}: {_value(label.value)} ({name(label.source)})"
        for what, given in list(labels.items())[:MAX_FACTS]
        for label in given[:20]
    ]


def _usage(conversation: Conversation) -> Iterator[tuple[str, str]]:
    usage = conversation.usage
    if usage is None:
        return
    for what, tokens in (("tokens read", usage.input_tokens), ("tokens written", usage.output_tokens)):
        if tokens != 0:
            yield what, "not counted" if tokens is None else f"{tokens:,}"
    yield "seconds", f"{usage.seconds:.2f}"
    if usage.cost_usd is not None:
        yield "cost", f"${usage.cost_usd:.4f}"


def _word(text: str) -> str:
    return name(text).replace("_", " ")


def _value(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return name(text, limit=MAX_VALUE)


class Pair(NamedTuple):
    """The same place in two conversations; None where one has ended."""

    left: Bubble | None
    right: Bubble | None
    same: bool


class Differing(NamedTuple):
    """One thing that is known of both."""

    what: str
    left: str
    right: str


def pairs(left: Conversation, right: Conversation) -> tuple[list[Pair], int]:
    """Return two conversations message by message, and how many rows are not shown."""
    rows = list(zip_longest(left.messages, right.messages))
    found = [_pair(*row) for row in rows[:MAX_MESSAGES]]
    return found, len(rows) - len(found)


def _pair(left: Message | None, right: Message | None) -> Pair:
    limit = MAX_CHARACTERS // MAX_MESSAGES * 5
    made = [None if each is None else bubble(each, limit, {}, max_items=MAX_ITEMS) for each in (left, right)]
    one, other = made
    if one is None or other is None:
        return Pair(one, other, False)
    same = (one.role, one.segments, one.action) == (other.role, other.segments, other.action)
    if not same:
        texts = ["".join(segment.text for segment in each.segments) for each in (one, other)]
        marked = _differing(*texts)
        one, other = (
            Bubble(**{**vars(each), "segments": segments})
            for each, segments in zip((one, other), marked, strict=True)
        )
    return Pair(one, other, same)


def _differing(left: str, right: str) -> tuple[list[Segment], list[Segment]]:
    """Mark the words that differ, where most are the same; else nothing."""
    one, other = left.split(" "), right.split(" ")
    plain = ([Segment(left, None)], [Segment(right, None)])
    if max(len(one), len(other)) > MAX_DIFFERED_WORDS:
        return plain
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < ALIKE:
        return plain
    found: tuple[list[Segment], list[Segment]] = ([], [])
    for what, i, j, k, m in matcher.get_opcodes():
        for segments, words in ((found[0], one[i:j]), (found[1], other[k:m])):
            if words:
                segments.append(Segment(" ".join(words), None if what == "equal" else "differs"))
                segments.append(Segment(" ", None))
    return found


def differing(left: Conversation, right: Conversation) -> list[Differing]:
    """Return what is known of two conversations and differs."""
    sides = [
        {
            **dict(facts(each)),
            "ending": each.ending.replace("_", " "),
            "messages": str(len(each.messages)),
            **dict(_usage(each)),
        }
        for each in (left, right)
    ]
    return [
        Differing(what, sides[0].get(what, "–"), sides[1].get(what, "–"))
        for what in dict.fromkeys([*sides[0], *sides[1]])
        if sides[0].get(what) != sides[1].get(what)
    ][:MAX_FACTS]
