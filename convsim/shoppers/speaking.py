"""Asks a model for a shopper's words until they are usable, and counts what went wrong."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from convsim.errors import EmptyAnswerError, ModelError
from convsim.schema import Completion
from convsim.schema.chat_model import NothingSaidError
from convsim.schema.conversation import Usage
from convsim.seeds import child_seed


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    text = files("convsim.shoppers").joinpath("slips.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(re.compile(line, re.IGNORECASE) for line in lines)


def slip(text: str) -> str | None:
    """Return the passage by which ``text`` breaks the shopper's character, or None."""
    for pattern in _patterns():
        if found := pattern.search(text):
            return found.group().strip()
    return None


LABEL = "Shopper:"
ATTEMPTS = 2


@dataclass
class Spent:
    """What a move has cost so far, and what went wrong on the way."""

    completions: list[Completion] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: {"role_slips": 0, "empty_answers": 0, "truncated_answers": 0}
    )

    @property
    def usage(self) -> Usage:
        """What all completions cost together."""
        return Usage.sum(self.completions)


async def speak_in_role(
    attempt: Callable[[int], Awaitable[Completion]],
    spent: Spent,
    *,
    who: str,
    max_tokens: int,
    seed: int,
    may_be_silent: bool | Callable[[], bool] = False,
    refused: Callable[[str], str | None] = lambda _: None,
    attempts: int = ATTEMPTS,
) -> str:
    """Return the words of the first attempt that stays in the shopper's role, is whole and is not empty.

    Args:
        attempt: Asks the model, with a seed.
        spent: What is added to.
        who: The model's name, for the error.
        max_tokens: The bound on an answer, for the error.
        seed: Moves every draw.
        may_be_silent: Whether no words at all are an answer too; a function is asked after each attempt.
        refused: Returns what of usable words is not wanted all the same, and what is; None of words that are wanted.
        attempts: How often the model is asked.

    Raises:
        ModelError: No attempt was usable.
    """
    problem = ""
    for number in range(attempts):
        try:
            completion = await attempt(child_seed(seed, "say", number))
        except EmptyAnswerError as error:
            spent.counts["empty_answers"] += 1
            problem = f"said nothing ({error})"
            if isinstance(error, NothingSaidError):
                spent.completions.append(error.completion)
            continue
        spent.completions.append(completion)
        text = _bare(completion.text)
        if not text and (may_be_silent() if callable(may_be_silent) else may_be_silent):
            return ""
        if not text:
            spent.counts["empty_answers"] += 1
            problem = "said nothing"
        elif found := slip(text):
            spent.counts["role_slips"] += 1
            problem = f"broke character: {found[:80]!r}"
        elif completion.finish_reason == "length":
            spent.counts["truncated_answers"] += 1
            problem = f"was cut off after {max_tokens} tokens"
        elif unwanted := refused(text):
            problem = unwanted
        else:
            return text
    raise ModelError(f"{who} {problem}, {attempts} times in a row")


def _bare(text: str) -> str:
    """Take off white space, one leading label and one pair of quotation marks around the whole."""
    text = text.strip().removeprefix(LABEL).strip()
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        text = text[1:-1].strip()
    return text
