"""The words that raters clicked: what gave people and simulators away to a human reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import JsonValue

from convsim.web.blind_test.answers import Answer
from convsim.web.blind_test.study import ArenaStudy

MAX_TELLS = 30
MAX_WORD_CHARACTERS = 60
EDGES = ".,;:!?…\"'“”‘’()[]{}<>*_"


def clicked_words(study: ArenaStudy, answers: Iterable[Answer]) -> tuple[int, dict[str, JsonValue]]:
    """Count clicks, and list the words clicked most in simulated and in human conversations.

    Returns:
        The number of clicks, and ``{"simulated": […], "human": […]}``: entries ``{feature, n_real, n_simulated}`` in
        which the two numbers are clicks in conversations of people and of simulators, most first.
    """
    clicks: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for answer in answers:
        trial = study.trials[answer.trial]
        shown: tuple[int | None, ...]
        if study.mode == "single":
            shown = (trial.human if trial.human is not None else trial.simulated,)
        else:
            shown = (trial.human, trial.simulated) if answer.human_left else (trial.simulated, trial.human)
        for side, message, word in answer.words:
            place = shown[side] if side < len(shown) else None
            text = study.conversations[place].shown.word(message, word) if place is not None else None
            if text:
                plain = text.strip(EDGES).casefold()[:MAX_WORD_CHARACTERS] or text[:MAX_WORD_CHARACTERS]
                clicks[place == trial.human][plain] += 1
    return sum(clicks[True].values()) + sum(clicks[False].values()), {
        "simulated": _listed(clicks[False], clicks),
        "human": _listed(clicks[True], clicks),
    }


def _listed(side: Counter[str], clicks: dict[bool, Counter[str]]) -> list[JsonValue]:
    ordered = sorted(side.items(), key=lambda entry: (-entry[1], entry[0]))
    return [
        {"feature": word, "n_real": clicks[True][word], "n_simulated": clicks[False][word]}
        for word, _ in ordered[:MAX_TELLS]
    ]
