"""What raters judge: the conversations drawn, matched and put in each rater's own order."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Literal, NamedTuple, Self

from pydantic import JsonValue, model_validator

from convsim._text import path_text
from convsim.errors import InputError
from convsim.evaluation.guards import find_overlap, mix_warnings
from convsim.evaluation.scorecard import SideSummary
from convsim.evaluation.sides import Selection, Side
from convsim.io import Transcripts, stem_of
from convsim.schema.conversation import Conversation
from convsim.schema.record import Count, Name, Record, Text
from convsim.seeds import generator
from convsim.web.blind_test.rendering import Shelf, Shown, can_be_judged, show

Key = Callable[[Conversation], Hashable]
CLOSENESS: tuple[Key, ...] = (lambda c: (c.task, c.arm), lambda c: c.task, lambda c: None)
"""What a match has in common, the closest first."""

Match = tuple[Conversation, Conversation, str]
"""A human conversation, a simulated one, and its simulator."""


def matched(
    real: Sequence[Conversation],
    simulators: Mapping[str, Sequence[Conversation]],
    *,
    n: int,
    seed: int,
) -> list[Match]:
    """Draw up to ``n`` matches; the simulators take turns, and no conversation is drawn twice.

    Fewer come back where a side has fewer, so that every simulator has as many as every other, or one more.
    """
    people = _shuffled(real, seed, "people")
    unused = {name: _shuffled(each, seed, "simulator", name) for name, each in simulators.items()}
    names = list(unused)
    rounds = min(map(len, unused.values()))
    drawn: list[Match] = []
    for slot in range(min(n, len(people), rounds * len(names))):
        name = names[slot % len(names)]
        row, person = _closest(people, unused[name])
        drawn.append((people.pop(person), unused[name].pop(row), name))
    return drawn


def _closest(people: Sequence[Conversation], simulated: Sequence[Conversation]) -> tuple[int, int]:
    """Return the places of a simulated conversation and of the closest person to it."""
    for key in CLOSENESS:
        present = Counter(key(person) for person in people)
        for row, conversation in enumerate(simulated):
            if present[key(conversation)]:
                wanted = key(conversation)
                return row, next(p for p, person in enumerate(people) if key(person) == wanted)
    raise ValueError("there is nobody left to match")


def _shuffled(conversations: Sequence[Conversation], seed: int, *names: str) -> list[Conversation]:
    order = generator(seed, "arena", *names).permutation(len(conversations))
    return [conversations[int(place)] for place in order]


class Place(NamedTuple):
    """One step of a rater's way: a trial by its number, and whether the human stands on the left (pairs)."""

    trial: int
    human_left: bool | None


def order_for(study: ArenaStudy, rater: str) -> list[Place]:
    """Return the order in which a rater, by name, sees the trials; the same whenever it is asked.

    All raters go through the blocks in the same sequence, so that those who leave early still judged the same
    conversations. Within a block each has an own order, and the human stands on the left in half of the pairs.
    """
    blocks: defaultdict[int, list[int]] = defaultdict(list)
    for number, trial in enumerate(study.trials):
        blocks[trial.block].append(number)
    places: list[Place] = []
    for block, numbers in sorted(blocks.items()):
        rng = generator(study.seed, "arena", "order", rater.casefold(), block)
        shuffled = [numbers[int(place)] for place in rng.permutation(len(numbers))]
        left: dict[int, bool | None] = dict.fromkeys(numbers)
        if study.mode == "pair":
            first = bool(rng.integers(2))
            # Neighbours of one simulator get opposite sides.
            by_simulator = sorted(shuffled, key=lambda n: study.simulator_of(study.trials[n]) or "")
            left = {number: (place % 2 == 0) == first for place, number in enumerate(by_simulator)}
        shuffled = [numbers[int(place)] for place in rng.permutation(len(numbers))]
        places += [Place(number, left[number]) for number in shuffled]
    return places


Mode = Literal["single", "pair"]
SCHEMA = "convsim.web.blind_test/1"
MIN_BLOCK = 10
"""Trials of a block; every rater has the blocks in the same order, so that raters judge the same conversations."""


class Contestant(Record):
    """A conversation that was drawn; ``simulator`` is null for people."""

    id: Name
    simulator: Text | None = None
    task: Text | None = None
    arm: Text | None = None
    shown: Shown


class Trial(Record):
    """What is judged at once: one conversation, or a person's and a simulator's, by their place in the study."""

    human: Count | None = None
    simulated: Count | None = None
    block: Count


class ArenaStudy(Record):
    """A blind test: its plan, both sides, the conversations and the trials."""

    mode: Mode
    seed: int
    plan: dict[str, JsonValue]
    real: SideSummary
    simulated: SideSummary
    simulators: tuple[Name, ...]
    warnings: tuple[Text, ...] = ()
    overlap: Text | None = None
    """Why nothing can be decided: a simulator learned from these people."""
    conversations: tuple[Contestant, ...]
    trials: tuple[Trial, ...]

    @model_validator(mode="after")
    def _of_conversations_that_are_there(self) -> Self:
        """Check that every trial shows what its kind shows: the file may have been edited."""
        shown = [each.simulator for each in self.conversations]
        for number, trial in enumerate(self.trials):
            places = [place for place in (trial.human, trial.simulated) if place is not None]
            if len(places) != (2 if self.mode == "pair" else 1) or max(places) >= len(shown):
                raise ValueError(f"trial {number} shows other conversations than there are")
            if trial.human is not None and shown[trial.human] is not None:
                raise ValueError(f"trial {number} has a simulator in a person's place")
            if trial.simulated is not None and shown[trial.simulated] not in self.simulators:
                raise ValueError(f"trial {number} has a simulator that is not one of the study's")
        if not self.trials or not self.simulators:
            raise ValueError("it has no trials")
        return self

    @property
    def fingerprint(self) -> str:
        """Hexadecimal digits that identify the plan."""
        return hashlib.sha256(json.dumps(self.plan, sort_keys=True).encode()).hexdigest()

    def simulator_of(self, trial: Trial) -> str | None:
        """Name the simulator of a trial; None where a person stands alone."""
        return None if trial.simulated is None else self.conversations[trial.simulated].simulator


def prepare(
    real: Transcripts,
    simulated: Sequence[Transcripts],
    *,
    mode: Mode,
    n: int,
    seed: int,
    allow_failures: bool = False,
) -> ArenaStudy:
    """Draw the conversations of a blind test and make its trials.

    Args:
        real: The people's conversations.
        simulated: Files of simulated conversations, one a simulator.
        mode: ``single``: one conversation, human or simulated? ``pair``: which of two is the human's?
        n: Maximum number of trials per rater.
        seed: Random seed of the draw and of each rater’s order.
        allow_failures: Go on although more than 5 % of a side's conversations failed.

    Raises:
        InputError: A side is empty, failed too often, or nobody says anything on it.
    """
    selection = Selection(allow_failures=allow_failures)
    people = Side.of(real, "real", selection)
    sides = [Side.of(each, "simulated", selection) for each in simulated]
    said = [*people.warnings, *(warning for side in sides for warning in side.warnings)]
    names = _names(simulated, sides)
    speaking = _speaking(people, "real", said)
    simulators = {name: _speaking(side, "simulated", said) for name, side in zip(names, sides, strict=True)}
    pairs = matched(speaking, simulators, n=n if mode == "pair" else n // 2, seed=seed)
    shelf = _shelf(pairs, names, said)
    conversations, trials = _trials(pairs, shelf, mode=mode, n_simulators=len(names), seed=seed)
    if len(trials) < n - (n % 2 if mode == "single" else 0):
        said.append(f"{len(trials)} trials can be made of these conversations; {n} were asked for")
    said += mix_warnings([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return ArenaStudy(
        mode=mode,
        seed=seed,
        plan={
            "schema": SCHEMA, "mode": mode, "n": n, "seed": seed,
            "real": real.sha256, "simulated": [each.sha256 for each in simulated],
        },
        real=people.summary,
        simulated=_summary(simulated, sides),
        simulators=tuple(names),
        warnings=tuple(dict.fromkeys(said)),
        overlap=_overlap(people, sides),
        conversations=tuple(conversations),
        trials=tuple(trials),
    )  # fmt: skip


def _summary(files: Sequence[Transcripts], sides: Sequence[Side]) -> SideSummary:
    """Summarise all simulators' conversations together."""
    return SideSummary.of(
        [conversation for side in sides for conversation in side.conversations],
        path=", ".join(path_text(file.path) for file in files),
        sha256=files[0].sha256 if len(files) == 1 else None,
    )


def _speaking(side: Side, name: str, said: list[str]) -> list[Conversation]:
    kept = [conversation for conversation in side.conversations if can_be_judged(conversation)]
    if not kept:
        raise InputError(f"no {name} conversation has a user who says anything")
    if mute := len(side.conversations) - len(kept):
        said.append(f"{name} data: {mute} conversations in which the user says nothing are left out")
    return kept


def _names(files: Sequence[Transcripts], sides: Sequence[Side]) -> list[str]:
    """Name each file's simulator: as its conversations do, else as the file is called; never two alike.

    Files whose conversations name the same one, such as two runs of a shopper that was set otherwise, are told apart by
    what they are called.
    """
    stated = [{c.simulator for c in side.conversations} for side in sides]
    alone = [next(iter(names)) if len(names) == 1 else None for names in stated]
    names: list[str] = []
    for file, named in zip(files, alone, strict=True):
        stem = stem_of(file.path)
        name = named or stem
        if (alone.count(named) > 1 and named) or name in names:
            name = f"{name} ({stem})"
        if name in names:
            raise InputError(f"{file.path}: a simulator {name!r} stands in the arena already; give it once")
        names.append(name)
    return names


def _overlap(people: Side, sides: Sequence[Side]) -> str | None:
    for side in sides:
        hashes = people.summary.sha256, side.summary.sha256
        if reason := find_overlap(people.conversations, side.conversations, hashes=hashes).reason:
            return reason
    return None


def _shelf(pairs: Sequence[Match], names: Sequence[str], said: list[str]) -> Shelf:
    """Decide which of the agent's items are shown, and say what is hidden."""
    sides = [[pair[0] for pair in pairs], *([pair[1] for pair in pairs if pair[2] == name] for name in names)]
    shelf = Shelf.of(sides)
    if not shelf.items and any(m.items for side in sides for c in side for m in c.messages):
        said.append(
            "the agent's items are not shown: only one of the two sources has any, which would give it away"
        )
    elif shelf.items and not shelf.prices:
        said.append(
            "prices are not shown: some items have none, and that would tell people from simulated shoppers"
        )
    return shelf


def _trials(
    pairs: Sequence[Match], shelf: Shelf, *, mode: Mode, n_simulators: int, seed: int
) -> tuple[list[Contestant], list[Trial]]:
    """Make the trials block by block; in each, both sides and all simulators have their equal share."""
    conversations: list[Contestant] = []
    trials: list[Trial] = []
    step = n_simulators * (2 if mode == "pair" else 1)
    size = step * -(-(MIN_BLOCK if mode == "pair" else MIN_BLOCK // 2) // step)
    for block, start in enumerate(range(0, len(pairs), size)):
        made: list[Trial] = []
        for human, simulated, name in pairs[start : start + size]:
            place = len(conversations)
            conversations += [_contestant(human, None, shelf), _contestant(simulated, name, shelf)]
            if mode == "pair":
                made.append(Trial(human=place, simulated=place + 1, block=block))
            else:
                made += [Trial(human=place, block=block), Trial(simulated=place + 1, block=block)]
        order = generator(seed, "arena", "block", block).permutation(len(made))
        trials += [made[int(row)] for row in order]
    return conversations, trials


def _contestant(conversation: Conversation, simulator: str | None, shelf: Shelf) -> Contestant:
    c = conversation
    return Contestant(id=c.id, simulator=simulator, task=c.task, arm=c.arm, shown=show(c, shelf))
