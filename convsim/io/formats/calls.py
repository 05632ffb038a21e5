"""Calls of a model put together to conversations: each call repeats what was said before, or only the newest turn.

Where some call has several messages of the user in it, calls repeat the history: the longest one is the conversation,
with what a sliding window has cut off before it and what came after it. A call that shares nothing with it (a title, a
route, a helper) is no part of it. Where no call does, each trace is one turn, and traces follow one another in time.

A prompt may hold the user's words inside ("answer by these documents: … question: …"). What the application itself was
given and answered, the root of a trace, then says what the user said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from convsim.io.formats.contract import Made, Notes
from convsim.io.formats.fields import Fields, in_order, stated
from convsim.io.formats.messages import read_messages, roles
from convsim.io.problems import MalformedError, shown

Key = tuple[str, str]
NOT_COMPARED = ("system", "developer")
WRAPPED = (
    "{n} prompts held the user's words inside of others; what the user said was read from the traces' input"
)
LEAST_WRAPPED = 3
"""Characters of a user's words that are looked for in a prompt."""
MOST_ASKED = 200
"""Questions of one trace that are looked for in one another."""
UNRELATED = "{n} calls of a model share nothing with the rest of their conversation and were left out"
BEGINNINGS = "{n} traces without a session are the beginning of a longer one, and were read as one with it"


@dataclass(eq=False)
class Call:
    """One call: what the model was given, what it answered, when (seconds), and in which trace.

    An answer that holds what was given is all of the state of a graph, and is what was said.
    """

    said: list[JsonValue]
    answer: list[JsonValue]
    when: float | None = None
    trace: str | None = None

    def __post_init__(self) -> None:
        given = [(_key(message), message) for message in self.said]
        answered = [(_key(message), message) for message in self.answer]
        asked = [key for key, _ in given if key[0] not in NOT_COMPARED]
        is_state = bool(asked) and _holds([key for key, _ in answered], asked)
        keyed = answered if is_state else [*given, *answered]
        self.speech = [message for key, message in keyed if key[0] not in NOT_COMPARED]
        self.keys = [key for key, _ in keyed if key[0] not in NOT_COMPARED]
        self.instructions = [message for key, message in keyed if key[0] in NOT_COMPARED]
        self.n_users = sum(key[0] == "user" for key, _ in (keyed if is_state else given))
        self.asked = next((key[1] for key, _ in reversed(given) if key[0] == "user" and key[1]), "")

    def wraps(self, words: str) -> bool:
        """Tell whether the user's words stand inside of what the model was asked."""
        return len(words) >= LEAST_WRAPPED and words != self.asked and words in self.asked

    def unwrapped(self, words: str) -> Call:
        """Return the call with the user's own words in the place of the prompt around them, which is kept."""
        at = max(place for place, message in enumerate(self.said) if _key(message) == ("user", self.asked))
        own: JsonValue = {"role": "user", "content": words, "metadata": {"prompt": self.asked}}
        return Call([*self.said[:at], own, *self.said[at + 1 :]], self.answer, self.when, self.trace)


def _key(message: JsonValue) -> Key:
    """Return who said what, in whichever dress the message is; a history of a thousand spans is plain text mostly."""
    told = message if isinstance(message, dict) else {}
    said, speaker = _plain(told.get("content", told.get("parts"))), roles().get(str(told.get("role")).lower())
    if said and speaker:
        return speaker, said.strip()
    try:
        read = read_messages([message])[0]
    except MalformedError:
        return "", str(message)
    if not isinstance(read, dict):
        return "", str(message)
    return str(read.get("role")), str(read.get("content")).strip()


def _plain(content: JsonValue) -> str | None:
    """Return a content that is a text, or one part that is."""
    if isinstance(content, list) and len(content) == 1 and isinstance(part := content[0], dict):
        content = part.get("text", part.get("content")) if part.get("type") == "text" else None
    return content if isinstance(content, str) else None


def joined(calls: Sequence[Call], notes: Notes) -> list[JsonValue]:
    """Return the messages of the conversation that the calls belong to."""
    ordered = in_order([call for call in calls if call.speech], lambda call: call.when)
    if not ordered:
        return []
    if any(call.n_users > 1 for call in ordered):
        return _longest(ordered, notes)
    return _in_turn(ordered)


def _longest(ordered: list[Call], notes: Notes) -> list[JsonValue]:
    at = max(range(len(ordered)), key=lambda place: (len(ordered[place].keys), place))
    speech, keys = [*ordered[at].speech], [*ordered[at].keys]
    left_out = 0
    for call in ordered[at + 1 :]:
        if _holds(keys, call.keys):
            continue
        shared = _overlap(keys, call.keys)
        if shared:
            speech += call.speech[shared:]
            keys += call.keys[shared:]
        left_out += not shared
    for call in reversed(ordered[:at]):
        if _holds(keys, call.keys):
            continue
        shared = _overlap(call.keys, keys)
        if shared:
            speech = [*call.speech, *speech[shared:]]
            keys = [*call.keys, *keys[shared:]]
        left_out += not shared
    if left_out:
        notes.count(UNRELATED, left_out)
    return [*ordered[at].instructions, *speech]


def _in_turn(ordered: list[Call]) -> list[JsonValue]:
    speech: list[JsonValue] = []
    keys: list[Key] = []
    trace: str | None = None
    start = 0
    for call in _one_a_trace(_without_wrappers(ordered)):
        if call.trace is None or call.trace != trace:
            trace, start = call.trace, len(keys)
        elif _holds(keys[start:], call.keys):
            continue
        shared = _overlap(keys[start:], call.keys)
        speech += call.speech[shared:]
        keys += call.keys[shared:]
    return [*ordered[0].instructions, *speech]


def _without_wrappers(ordered: list[Call]) -> list[Call]:
    """Leave out calls that ask about what another call of their trace asks: a router, a title."""
    asked: dict[str | None, set[str]] = {}
    for call in ordered:
        asked.setdefault(call.trace, set()).add(call.asked)
    few = {trace for trace, words in asked.items() if len(words) <= MOST_ASKED}
    return [call for call in ordered if call.trace not in few or not any(map(call.wraps, asked[call.trace]))]


def _one_a_trace(ordered: list[Call]) -> list[Call]:
    """Return the longest call of each trace, the last of equals; all of them where there is one trace only."""
    traces = {call.trace for call in ordered}
    if len(traces) < 2:
        return ordered
    best: dict[str | None, Call] = {}
    unnamed: list[Call] = []
    for call in ordered:
        if call.trace is None:
            unnamed.append(call)
        elif call.trace not in best or len(call.keys) >= len(best[call.trace].keys):
            best[call.trace] = call
    chosen = {id(call) for call in (*best.values(), *unnamed)}
    return [call for call in ordered if id(call) in chosen]


def _holds(keys: Sequence[Key], part: Sequence[Key]) -> bool:
    n = len(part)
    starts = (at for at in range(len(keys) - n + 1) if keys[at] == part[0]) if part else iter((0,))
    return any(keys[at : at + n] == part for at in starts)


def _overlap(first: Sequence[Key], second: Sequence[Key]) -> int:
    """Return how many keys at the end of the first are those at the beginning of the second, in all that they say."""
    for n in range(min(len(first), len(second)), 0, -1):
        if first[-n] == second[0] and first[-n:] == second[:n] and any(said for _, said in second[:n]):
            return n
    return 0


@dataclass
class Thread:
    """What is known of one conversation."""

    has_id: bool
    calls: list[Call] = field(default_factory=list)
    roots: dict[str, Call] = field(default_factory=dict)
    with_calls: set[str | None] = field(default_factory=set)
    about: Fields = field(default_factory=dict)
    user: str | None = None
    agent: str | None = None
    metadata: Fields = field(default_factory=dict)

    def add(self, call: Call) -> None:
        """Keep a call, unless the one before it or this one is the beginning of the other: a history is kept once."""
        if call.asked:
            self.with_calls.add(call.trace)
        if self.calls and call.keys and self.calls[-1].keys:
            last = self.calls[-1]
            is_same = last.trace == call.trace or max(last.n_users, call.n_users) > 1
            if is_same and call.keys[: len(last.keys)] == last.keys:
                self.calls[-1] = call
                return
            if is_same and last.keys[: len(call.keys)] == call.keys:
                return
        self.calls.append(call)

    def frame(self, root: Call) -> None:
        """Keep what the application itself was given and answered in a trace."""
        if root.speech:
            self.roots.setdefault(root.trace or "", root)

    def settled(self, notes: Notes) -> list[Call]:
        """Return the calls with what the user said in the place of prompts around it, and roots that stand alone."""
        found = self.calls
        for trace, root in self.roots.items():
            if trace not in self.with_calls:
                found = [*found, root]
                continue
            own = [call for call in found if call.trace == trace]
            if not (wrapped := [call for call in own if call.wraps(root.asked)]):
                continue
            notes.count(WRAPPED, len(wrapped))
            if any(call.n_users > 1 for call in own):
                found = [call.unwrapped(root.asked) if call in wrapped else call for call in found]
            else:
                found = [*(call for call in found if call.trace != trace), root]
        return found


class Threads:
    """Conversations that lie in many calls, by their id, or by their trace where they have none."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.by_id: dict[tuple[bool, str], Thread] = {}

    def of(self, conversation: str | None, trace: str) -> Thread:
        """Return the conversation that a call belongs to."""
        key = (conversation is not None, conversation or trace)
        return self.by_id.setdefault(key, Thread(conversation is not None))

    def conversations(self, notes: Notes) -> Iterator[Made]:
        """Yield all conversations in which somebody speaks."""
        said = {key: joined(thread.settled(notes), notes) for key, thread in self.by_id.items()}
        repeated = _beginnings(
            (key, thread.user, said[key]) for key, thread in self.by_id.items() if not thread.has_id
        )
        if repeated:
            notes.count(BEGINNINGS, len(repeated))
        for key, thread in self.by_id.items():
            if said[key] and key not in repeated:
                yield placed(
                    stated(
                        id=key[1],
                        agent=thread.agent,
                        user=thread.user,
                        source=self.source,
                        messages=said[key],
                        metadata=thread.metadata,
                        **thread.about,
                    )
                )


def placed(made: Fields) -> Made:
    """Return a conversation of several records, or what is wrong with a message of it and in which one it is."""
    try:
        read_messages(made.get("messages"))
    except MalformedError as bad:
        return MalformedError(bad.problem, field=f"conversation {shown(made.get('id'))}: {bad.field}")
    return made


def _beginnings(
    found: Iterable[tuple[tuple[bool, str], str | None, list[JsonValue]]],
) -> set[tuple[bool, str]]:
    """Return those of which all that was said is where another conversation of the same user begins."""
    whole: dict[tuple[str | None, int], tuple[bool, str]] = {}
    inside: set[tuple[str | None, int]] = set()
    twice: set[tuple[bool, str]] = set()
    for key, user, messages in found:
        running, at = 0, 0
        spoken = [each for each in map(_key, messages) if each[0] not in NOT_COMPARED]
        for at, each in enumerate(spoken, start=1):
            running = hash((running, each))
            if at < len(spoken):
                inside.add((user, running))
        if at:
            whole.setdefault((user, running), key)
    twice.update(key for place, key in whole.items() if place in inside)
    return twice
