"""Asks shoppers what they would do at places of real conversations, and keeps each answer as it comes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field, ValidationError

from convsim._loggers import logger_of
from convsim._logs import append_line, open_log, whole_lines
from convsim._progress import step
from convsim._text import complaint, described, one_line
from convsim.errors import InputError, ModelError
from convsim.evaluation.probing.places import Place, shown_at
from convsim.io import MalformedError, Manifest, readable
from convsim.io.run_folder import claim
from convsim.schema import Decider, NoMoveError, Shopper
from convsim.schema.conversation import Action, Failure, Usage
from convsim.schema.details.mapping import Probability
from convsim.schema.record import Count, Name, Record, Text
from convsim.seeds import child_seed
from convsim.simulation.failing import Watch

LOG = logger_of("convsim.probe")
ANSWERS = "answers.jsonl"
MAX_REASON = 500


class Answer(Record):
    """What a shopper would do at one place, in one of several draws; or why that is not known."""

    place: Name
    draw: Count
    action: Action | None = None
    """None where the shopper failed: that is no move."""
    probabilities: Mapping[Action, Probability] | None = None
    item: Name | None = None
    items: Mapping[Name, Probability] | None = None
    text: Text = ""
    """What it would say; empty where that was not asked."""
    failure: Text | None = None
    usage: Usage = Field(default_factory=Usage)


@dataclass(frozen=True)
class Asked:
    """One place, and who is asked there."""

    place: Place
    shopper: Shopper


@dataclass
class Kept:
    """The answers so far, on disk too where there is a folder."""

    answers: dict[tuple[str, int], Answer] = field(default_factory=dict)
    file: io.FileIO | None = None
    stopped: bool = False
    """Whether asking was given up, since nothing but the same failure happened."""

    def add(self, answer: Answer) -> None:
        """Keep an answer; one that cannot be read back is a failure."""
        try:
            line = readable(answer, inside=b"%b")
        except MalformedError as error:
            answer = Answer(
                place=answer.place,
                draw=answer.draw,
                failure=f"the answer cannot be kept: {error}"[:MAX_REASON],
            )
            line = readable(answer, inside=b"%b")
        if self.file is not None:
            try:
                append_line(self.file, line)
            except OSError as error:
                raise InputError(
                    f"{self.file.name}: answers cannot be kept there: {error.strerror or error}; what was kept is used "
                    "again: free space and run the same command"
                ) from error
        self.answers[answer.place, answer.draw] = answer

    def of(self, place: Place) -> list[Answer]:
        """Return the answers at one place, in the order of their draws."""
        found: list[Answer] = []
        while (answer := self.answers.get((place.key, len(found)))) is not None:
            found.append(answer)
        return found


@contextmanager
def keeping(folder: Path | None, manifest: Manifest, *, retry_failed: bool) -> Iterator[Kept]:
    """Go on with the answers in a folder that belongs to one probe, or make it; without a folder keep them in memory.

    Raises:
        StudyError: The folder holds another probe or something else, or another process writes to it.
        InputError: It cannot be written, or its answers cannot be read.
    """
    with nullcontext() if folder is None else claim(folder, manifest):
        if folder is None:
            yield Kept()
            return
        path = folder / ANSWERS
        with open_log(path) as file:
            yield Kept(_read(path, retry_failed=retry_failed), file)


def _read(path: Path, *, retry_failed: bool) -> dict[tuple[str, int], Answer]:
    known: dict[tuple[str, int], Answer] = {}
    for number, line in whole_lines(path):
        try:
            answer = Answer.model_validate_json(line)
        except ValidationError as error:
            raise InputError(
                f"{path}:{number}: is no answer of a probe ({complaint(error)}); name another --out"
            ) from None
        known[answer.place, answer.draw] = answer
    if retry_failed:
        known = {place: answer for place, answer in known.items() if answer.failure is None}
    return known


async def ask_all(
    asked: Sequence[Asked],
    kept: Kept,
    *,
    draws: int,
    with_words: bool,
    seed: int,
    concurrency: int,
    on_change: Callable[[int], None],
) -> None:
    """Ask at every place as often as ``draws`` says; once where the shopper says how likely each move is.

    Stops where the same failure has happened five times and nothing has succeeded.

    Raises:
        InputError: A part lacks what every answer needs, such as a key; or answers cannot be kept.
    """
    waiting, watch, done = iter(asked), Watch(), 0

    async def worker() -> None:
        nonlocal done
        for each in waiting:
            for draw in range(draws):
                answer = kept.answers.get((each.place.key, draw))
                if answer is None:
                    if not await watch.may_begin(lambda: kept.stopped):
                        kept.stopped = True
                        return
                    try:
                        answer = await _answer(each, draw, with_words=with_words, seed=seed)
                        kept.add(answer)
                        if answer.failure is not None:
                            at.fail(f"an answer failed: {answer.failure}", LOG, place=each.place.key)
                        if answer.usage is not None and answer.usage.cost_usd is not None:
                            at.cost_usd += answer.usage.cost_usd
                        watch.count(None if answer.failure is None else Failure(reason=answer.failure))
                    finally:
                        watch.left()
                if answer.probabilities is not None:
                    break
            done += 1
            at.at(done)
            on_change(done)

    try:
        with step("asking the shopper", len(asked), unit="places") as at:
            async with asyncio.TaskGroup() as group:
                for _ in range(max(1, min(concurrency, len(asked)))):
                    group.create_task(worker())
    except ExceptionGroup as several:
        if (refused := several.subgroup(InputError)) is None:
            raise
        raise refused.exceptions[0] from None


async def _answer(asked: Asked, draw: int, *, with_words: bool, seed: int) -> Answer:
    """Ask once; whatever is raised but an InputError of convsim's own is a failure of this answer alone."""
    place, shopper = asked.place, asked.shopper
    own = child_seed(seed, "probe", place.key, draw)
    known: dict[str, object] = {"place": place.key, "draw": draw}
    spent: list[Usage] = []
    try:
        prefix = place.prefix
        if isinstance(shopper, Decider):
            wants_item = bool(place.message and place.message.accepted) and len(shown_at(place)) > 1
            decided = await shopper.decide(prefix, place.persona, seed=own, with_item=wants_item)
            spent.append(decided.usage)
            known |= {name: getattr(decided, name) for name in ("action", "probabilities", "item", "items")}
        if not isinstance(shopper, Decider) or (with_words and draw == 0):
            move = await _spoken(shopper, asked, own, spent, decided=isinstance(shopper, Decider))
            known |= move
    except InputError:
        raise
    except ModelError as error:
        if isinstance(error, NoMoveError):
            spent.append(error.usage)
        known = {"place": place.key, "draw": draw, "failure": _reason(str(error))}
    except (Exception, SystemExit) as error:  # a plugin's own mistake must not lose other answers
        failure = f"the shopper raised {described(error)}"
        known = {"place": place.key, "draw": draw, "failure": _reason(failure)}
    with suppress(ValidationError):  # more than a usage may be
        known["usage"] = Usage.sum(spent)
    return Answer.model_validate(known)


async def _spoken(
    shopper: Shopper, asked: Asked, seed: int, spent: list[Usage], *, decided: bool
) -> dict[str, object]:
    """Let a shopper speak; of one that has decided only the words are taken, and lacking ones are no failure."""
    try:
        move = await shopper.speak(asked.place.prefix, asked.place.persona, seed=seed)
    except NoMoveError as error:
        if not decided:
            raise
        spent.append(error.usage)
        return {}
    except ModelError:
        if not decided:
            raise
        return {}
    spent.append(move.usage)
    if decided:
        return {"text": move.text}
    item = move.accepted[0] if move.accepted else None
    return {"action": move.action, "probabilities": move.probabilities, "item": item, "text": move.text}


def _reason(said: str) -> str:
    return one_line(said.encode("utf-8", "backslashreplace").decode())[:MAX_REASON] or "failed"
