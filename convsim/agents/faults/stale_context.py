"""The agent forgets what was said before the last message."""

from __future__ import annotations

from convsim.agents.faults.heard import Heard
from convsim.agents.faults.hooks import NOT_DRAWN, Done, Hearing, NotDone, Scene

INSTRUCTING = ("system", "developer")


def _alter(heard: Heard, scene: Scene) -> Done[Heard] | NotDone:
    """Forget earlier turns, each whole, so that user and agent still take turns; instructions are kept."""
    turns = _turns(heard)[:-1]
    if not turns:
        return NotDone("nothing was said before the last message")
    forgotten = [turn for turn in turns if scene.draws.hits(turn[0])]
    if not forgotten:
        return NotDone(NOT_DRAWN)
    places = {place for turn in forgotten for place in turn}
    return Done(heard.without(places), f"forgot {len(forgotten)} of {len(turns)} earlier turns")


def _turns(heard: Heard) -> list[list[int]]:
    """Return the places of each run of user messages with what was answered; what the agent opens with is one."""
    turns: list[list[int]] = []
    before = ""
    for place, message in zip(heard.places, heard.conversation.messages, strict=True):
        if message.role in INSTRUCTING:
            continue
        if not turns or (message.role == "user" and before != "user"):
            turns.append([])
        turns[-1].append(place)
        before = message.role
    return turns


STALE_CONTEXT = Hearing("stale_context", "earlier turn", _alter)
