"""What has been learned of a server: its refusals change how it is asked from then on, each said once."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from convsim._loggers import logger_of
from convsim._text import nearest, one_line, shown
from convsim.errors import InputError
from convsim.models.refusals import (
    LEARNABLE,
    RefusedRequestError,
    named_parameters,
    says,
    teaches_nothing,
    texts_of,
)
from convsim.models.requests import LIMITS, PARAMETERS, Api, Body, Change, Request, Ways, limit_name

LOG = logger_of("convsim.models")

FIRST_ROOM, MOST_ROOM, LEAST_ROOM = 2_048, 8_192, 256
"""Tokens beyond a limit for a model that is found to think: at first, at most, and where the server has no more."""
COLDEST = 0.01
"""The temperature that stands for 0 where a server refuses that."""
ENVELOPE = frozenset({"model", "messages", "input", "prompt", "instructions"})
"""What no request can do without."""
UNREPEATABLE = "runs cannot be repeated by their seed"
LOSSES = {
    "seed": UNREPEATABLE,
    "stop": "answers are cut on this side",
    "response_format": "the request says in words what form the answer has",
    "text": "the request says in words what form the answer has",
    "temperature": "the server's own temperature holds",
    "top_p": "the server's own top_p holds",
}
"""What it means that a parameter is not sent."""


class Lesson(NamedTuple):
    """A change in how a server is asked, and a note on it by what is changed."""

    change: Change
    notes: Mapping[str, str]


class Learned:
    """How one server is asked, and why; one object serves all requests, whatever threads and loops they come from."""

    def __init__(self, ways: Ways, *, who: str, notes: Mapping[str, str]):
        self.who, self._ways = who, ways
        self._notes = dict(notes)
        self._most_room = MOST_ROOM
        self._changing = threading.Lock()
        self._has_looked = False

    @property
    def ways(self) -> Ways:
        """How the server is asked now."""
        return self._ways

    @property
    def notes(self) -> Mapping[str, str]:
        """What is done otherwise than usual, by parameter, ``system``, ``roles``, ``stream`` or ``thinking_tokens``."""
        return dict(self._notes)

    def lesson(
        self,
        error: RefusedRequestError,
        request: Request,
        body: Body,
        *,
        before: Ways,
        api: Api,
        explicit: Collection[str],
    ) -> Lesson | None:
        """Return how to ask otherwise after a refusal; None where that teaches nothing.

        Args:
            error: The refusal.
            request: What was asked.
            body: As it was sent.
            before: How it was sent.
            api: Over which API.
            explicit: Parameters whose values the user has set: one that is out of range is for the user to mend.
        """
        said = error.said
        if before.room and "thinking_tokens" not in explicit and _asks_too_much(said):
            room = before.room // 2 if before.room // 2 >= LEAST_ROOM else 0
            self._most_room = room
            return Lesson({"room": room}, {"thinking_tokens": _room_note(room)})
        if teaches_nothing(said):
            return None
        if request.messages and (found := _roles(said, request, before)):
            return found
        if error.status not in LEARNABLE:
            return None
        if not before.streams and says("streams_only", said):
            return Lesson({"streams": True}, {"stream": "answers are streamed: the server gives no others"})
        names = [
            name
            for name in named_parameters(said, [name for name in body if name not in ENVELOPE])
            if name != "stream"
        ]
        limit = limit_name(before, api)
        if (
            says("range", said)
            and not says("unsupported", said)
            and any(name in {*explicit, limit} for name in names)
        ):
            return None
        if (
            "temperature" in names
            and request.temperature == 0
            and before.coldest == 0
            and says("range", said)
        ):
            return Lesson(
                {"coldest": COLDEST}, {"temperature": f"0 is sent as {COLDEST}: the server wants more"}
            )
        if says("exclusive", said) and len(names) > 1:
            # Two of which one would do: what the user has set stays.
            names = [name for name in names if name not in explicit][:1] or names[-1:]
        if not names:
            return None
        ways = before.but({"omit": frozenset(names)})
        return Lesson({"omit": frozenset(names)}, {name: _omitted(name, limit, ways, api) for name in names})

    def take(self, lesson: Lesson, *, why: object = "") -> None:
        """Ask so from now on; what is new of it is said once in the log."""
        with self._changing:
            self._ways = self._ways.but(lesson.change)
            new = {name: note for name, note in lesson.notes.items() if self._notes.get(name) != note}
            self._notes |= new
        because = f" (it said: {one_line(why):.120})" if why else ""
        for name, note in new.items():
            LOG.warning("%s: %s: %s%s", self.who, name, note, because)

    def give_room(self, sent: Ways) -> bool:
        """Make room for a model that thinks; False where it has had all that there is.

        Args:
            sent: How the request was sent that showed it.
        """
        room = self._ways.room
        if room <= sent.room:
            room = min(4 * room or FIRST_ROOM, self._most_room)
        if room <= sent.room:
            return False
        self.take(Lesson({"room": room}, {"thinking_tokens": _room_note(room)}))
        return True

    def looks_first(self) -> bool:
        """Tell once, to whoever asks first, that nobody has looked for a thought in an answer that was cut off."""
        with self._changing:
            is_first, self._has_looked = not self._has_looked and not self._ways.room, True
        return is_first

    def take_back_room(self) -> None:
        """Make no room any more: there was no thought in what it was made for."""
        self._most_room = 0
        self.take(Lesson({"room": 0}, {"thinking_tokens": "more did not help: its answers stay empty"}))


def _asks_too_much(said: object) -> bool:
    is_limit = any(name in texts_of(said) for names in LIMITS.values() for name in names)
    return (says("range", said) and is_limit) or teaches_nothing(said)


def _roles(said: object, request: Request, before: Ways) -> Lesson | None:
    """Learn that roles must alternate, or that there is no system; what a refusal means depends on what was sent."""
    sent = before.chat(request.messages)
    has_system = any(message.role == "system" for message in sent)
    folds = Lesson(
        {"folds_system": True},
        {"system": "folded into the first message of the user: the server takes no such role"},
    )
    if not says("alternation", said):
        return folds if has_system and says("system", said) else None
    if not before.alternates and before.but({"alternates": True}).chat(request.messages) != sent:
        note = (
            "neighbours of one role are one message, and the user begins: the server wants roles to alternate"
        )
        return Lesson({"alternates": True}, {"roles": note})
    return folds if has_system else None


def _room_note(room: int) -> str:
    return (
        f"{room:,} more for each answer: the model thinks before it answers"
        if room
        else "the server has no more"
    )


def _omitted(name: str, limit: str | None, ways: Ways, api: Api) -> str:
    if name == limit and (other := limit_name(ways, api)):
        return f"sent as {other}: the server refuses this name"
    loss = LOSSES.get(name)
    if name == limit:
        loss = "nothing bounds its answers but the server; they are cut on this side"
    return f"left out: the server refuses it{f'; {loss}' if loss else ''}"


def stated_ways(
    omit: Sequence[str], rename: Mapping[str, str], *, api: Api, extra: Mapping[str, JsonValue], who: str
) -> tuple[Ways, dict[str, str]]:
    """Return the ways that a user's settings ``omit`` and ``rename`` say, with a note for each.

    Raises:
        InputError: A name that is not sent, or that is both left out and renamed.
    """
    limits = LIMITS[api]
    known = [
        *dict.fromkeys([*PARAMETERS, *limits, *extra, *(["text", "store"] if api == "responses" else [])])
    ]
    for setting, names in (("omit", omit), ("rename", rename)):
        for name in names:
            if name not in known:
                meant = nearest(name, known)
                raise InputError(
                    f"{who}: {setting} names {shown(name)}, which is not sent; what is sent: {', '.join(known)}"
                    + (f"; did you mean {meant!r}?" if meant else "")
                )
    if both := [name for name in omit if name in rename]:
        raise InputError(f"{who}: {both[0]!r} is in both omit and rename; name it in one of them")
    for name, new in rename.items():
        if not new or new in ENVELOPE:
            raise InputError(
                f"{who}: rename gives {name!r} the name {shown(new)}, under which nothing can be sent"
            )
    notes = {name: f"left out by the setting omit{_loss(name)}" for name in omit}
    notes |= {name: f"sent as {new} by the setting rename" for name, new in rename.items()}
    bounds = {name for each in LIMITS.values() for name in each}
    left_out = {*omit, *(bounds if any(name in bounds for name in omit) else ())}
    return Ways(omit=frozenset(left_out), rename=tuple(rename.items())), notes


def _loss(name: str) -> str:
    return f"; {LOSSES[name]}" if name in LOSSES else ""
