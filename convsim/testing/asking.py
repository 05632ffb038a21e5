"""Asks a plugin one after another, again in another order, and all at once: the answers are the same."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from convsim._async import run_to_its_end
from convsim.testing.samples import reason_of, require

SPENT = {"usage": True, "seconds": True, "completion": {"seconds": True}}
"""What may differ between two answers to the same question: time passes."""
ROUNDING = 1e-3
"""How far a number may differ: a model that is asked several things at once rounds otherwise."""


class Question(Protocol):
    """What a plugin is asked about, and may not change."""

    def to_json(self) -> str:
        """Return all that it holds."""
        ...


A = TypeVar("A")
Q = TypeVar("Q", bound=Question)


def check_answers(
    name: str,
    ask: Callable[[Q], Awaitable[A]],
    check: Callable[[str, Q, A], None],
    questions: Mapping[str, Q],
    *,
    deterministic: bool,
    called: str = "conversation",
) -> dict[str, A]:
    """Ask every question and check its answer; of a deterministic plugin, require the same answer each time.

    Args:
        name: Who is asked.
        ask: Asks.
        check: Raises AssertionError where an answer breaks the contract; it is told who was asked about what.
        questions: By what is odd about them.
        deterministic: Whether the same question must have the same answer.
        called: What a question is called in messages.

    Returns:
        The first answer to each.

    Raises:
        AssertionError: It raised, changed what it was given, or answered otherwise when asked again.
    """
    __tracebackhide__ = True
    answers: dict[str, A] = {}

    def asked(place: str) -> A:
        question = questions[place]
        before = question.to_json()

        async def answer() -> A:
            return await ask(question)

        try:
            answered = run_to_its_end(answer)
        except Exception as error:  # whatever somebody else's plugin raises
            raise AssertionError(f"{name}: {place}: raised {reason_of(error)}") from None
        require(question.to_json() == before, f"{name}: {place}: it changed the {called} that it was given")
        return answered

    for place, question in questions.items():
        answers[place] = asked(place)
        check(f"{name}: {place}", question, answers[place])
    if not deterministic:
        return answers
    for place in list(questions)[::-1]:
        require(
            _same(asked(place), answers[place]),
            f"{name}: {place}: another answer to the same {called} and seed, after other {called}s",
        )

    async def together() -> list[A]:
        return list(await asyncio.gather(*map(ask, questions.values())))

    try:
        at_once = run_to_its_end(together)
    except Exception as error:
        raise AssertionError(
            f"{name}: asked about several {called}s at once, it raised {reason_of(error)}"
        ) from None
    for place, answer in zip(questions, at_once, strict=True):
        require(
            _same(answer, answers[place]),
            f"{name}: {place}: another answer when several {called}s are asked about at once",
        )
    return answers


def _same(one: object, other: object) -> bool:
    return _alike(_plain(one), _plain(other))


def _plain(answer: object) -> object:
    """Return an answer as JSON, less what was spent on it."""
    dump = getattr(answer, "model_dump", None)
    return dump(mode="json", exclude=SPENT) if callable(dump) else answer


def _alike(one: object, other: object) -> bool:
    """Compare plain values, numbers up to rounding."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, abs_tol=ROUNDING)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return one == other
