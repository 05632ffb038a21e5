"""Metrics of disclosure: when a user reveals what, and how much of it unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING

from convsim.metrics.language import NeedsLanguage, needs_conduct, needs_list, needs_questions, needs_words
from convsim.metrics.proportions import left_out_if_empty, proportion_found
from convsim.schema import Columns, Metric
from convsim.schema.columns import ratio
from convsim.text.language import ENGLISH
from convsim.text.lexicons import read_character_class
from convsim.text.phrases import WordList
from convsim.text.stated import Stated, stated_in

if TYPE_CHECKING:
    from convsim.schema.arrays import BoolArray, FloatArray, IntArray

FAMILY = "disclosure"
OTHER_AGENT = "another agent asks for other things, and shows others"
REVEALED = (
    "convsim; after Radlinski and Craswell (2017), A theoretical framework for conversational search, CHIIR, on what "
    "users reveal."
)
SHORT = 2
"""Words of a short message at most."""
_QUESTION = read_character_class("question_marks")


def _of_several_turns(columns: Columns, part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide; NaN where the whole is 0, and where there is one turn alone: nothing could come sooner or later."""
    import numpy as np

    return np.where(columns.turns > 1, ratio(part, whole), nan)


def _counted(columns: Columns, counts: FloatArray | IntArray, keep: BoolArray | None = None) -> FloatArray:
    """Sum a count a user message, of those kept, within each conversation; shape (n,)."""
    return columns.sum_over_user((counts if keep is None else counts * keep).tolist())


def told_by(columns: Columns, turn: int) -> FloatArray:
    """Return the proportion of the user's new words that are told by a turn, the first of which is 1; shape (n,)."""
    told = columns.user_told
    by_then = _counted(columns, told, columns.user_turns < turn)
    return _of_several_turns(columns, by_then, _counted(columns, told))


TOLD_FIRST = Metric(
    name="told_first",
    unit="proportion of new words",
    level="conversation",
    description=(
        "Proportion of the words that the user brings into the conversation that stand in the first turn: words that "
        "nobody had said before, small talk and stop words (lexicon/<language>/stop_words.txt) aside. Undefined with "
        "one turn alone, and where the user brings in none."
    ),
    source=REVEALED,
    measure=lambda columns: told_by(columns, 1),
    undefined_for=needs_list("stop_words"),
    judged_by=FAMILY,
)


def _measure_told_at(columns: Columns) -> FloatArray:
    told = columns.user_told
    turns = _counted(columns, told * columns.user_turns)
    return _of_several_turns(columns, turns, _counted(columns, told) * (columns.turns - 1))


TOLD_AT = Metric(
    name="told_at",
    unit="place from 0 to 1",
    level="conversation",
    description=(
        "Mean place of the words that the user brings into the conversation (as for told_first): 0 in the first turn, "
        "1 in the last. Undefined with one turn alone, and where the user brings in none."
    ),
    source="convsim: beside told_first, whether what is kept back comes soon or late.",
    measure=_measure_told_at,
    undefined_for=needs_list("stop_words"),
    moved_by_agent=OTHER_AGENT,
    judged_by=FAMILY,
)


def _wishes(said: Stated) -> Iterator[tuple[str, object]]:
    if said.budget.ceiling is not None:
        yield "price", said.budget.ceiling
    yield from (("size", size) for size in said.sizes)
    yield from (("color", color) for color in said.colors)
    yield from (("not", color) for color in said.unwanted_colors)


def _measure_wishes_first(columns: Columns) -> FloatArray:
    import numpy as np

    stated = [0.0] * len(columns.user_texts)
    known: dict[int, set[tuple[str, object]]] = {}
    for row, (text, owner) in enumerate(zip(columns.user_texts, columns.user_of.tolist(), strict=True)):
        before = known.setdefault(owner, set())
        new = set(_wishes(stated_in(text))) - before
        stated[row] = len(new)
        before |= new
    counts = np.asarray(stated, np.float64)
    first = _counted(columns, counts, columns.user_turns == 0)
    return _of_several_turns(columns, first, _counted(columns, counts))


WISHES_FIRST = Metric(
    name="wishes_first",
    unit="proportion of wishes",
    level="conversation",
    description=(
        "Proportion of the price limits, sizes and colors that the user states, each counted once, that stand in the "
        "first turn; undefined with one turn alone, and where none is stated."
    ),
    source="convsim; as told_first, of what can be read as a wish.",
    measure=_measure_wishes_first,
    undefined_for=NeedsLanguage((ENGLISH,)),
    judged_by=FAMILY,
)


def _asked(columns: Columns) -> BoolArray:
    """Tell of each user message whether its turn follows a question of the agent's; shape (user messages,)."""
    import numpy as np

    asks = np.fromiter((bool(_QUESTION.search(text)) for text in columns.agent_texts), np.bool_)
    before = np.concatenate([[0], np.cumsum(asks)])
    starts, ends = columns.heard.T
    asked: BoolArray = before[ends] > before[starts]
    for row in np.flatnonzero((starts == ends) & (columns.user_turns > 0)).tolist():
        asked[row] = asked[row - 1]
    return asked


def _measure_volunteered(columns: Columns) -> FloatArray:
    told = columns.user_told
    later = columns.user_turns > 0
    return ratio(_counted(columns, told, later & ~_asked(columns)), _counted(columns, told, later))


VOLUNTEERED = Metric(
    name="volunteered",
    unit="proportion of new words",
    level="conversation",
    description=(
        "Proportion of the words that the user brings in after the first turn (as for told_first) that nobody had "
        "asked for: the agent's words before have no question mark. Undefined where the user brings in none after it."
    ),
    source=REVEALED,
    measure=_measure_volunteered,
    undefined_for=needs_list("stop_words"),
    moved_by_agent=OTHER_AGENT,
    judged_by=FAMILY,
)


SHORT_MESSAGES = Metric(
    name="short_messages",
    unit="proportion of messages",
    level="turn",
    description=f"Proportion of the user's non-empty messages of {SHORT} words or fewer.",
    source="convsim: people often answer in a word or two.",
    measure=lambda columns: columns.mean_over_user(
        left_out_if_empty(columns, columns.user_word_counts <= SHORT)
    ),
    undefined_for=needs_words,
    judged_by=FAMILY,
)


def _answers(columns: Columns, hits: Iterator[object]) -> FloatArray:
    """Return the proportion of the non-empty user messages after an agent's that hit."""
    follows = columns.heard[:, 0] < columns.heard[:, 1]
    return columns.mean_over_user(
        hit if after else nan for hit, after in zip(left_out_if_empty(columns, hits), follows, strict=True)
    )


ACKNOWLEDGEMENTS = Metric(
    name="acknowledgements",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user messages after an agent's that only take note: they ask nothing, and hold nothing but "
        "small talk (yes, ok, thanks) and stop words (lexicon/<language>/stop_words.txt). Undefined without a message "
        "after an agent's."
    ),
    source=(
        "convsim; after the dialogue acts acknowledge and accept of Stolcke et al. (2000), Dialogue act modeling, "
        "Computational Linguistics 26(3)."
    ),
    measure=lambda columns: _answers(
        columns,
        (
            not stated and not _QUESTION.search(text)
            for text, stated in zip(columns.user_texts, columns.user_stated, strict=True)
        ),
    ),
    undefined_for=needs_list("stop_words"),
    moved_by_agent=OTHER_AGENT,
    judged_by=FAMILY,
)


def _measure_length_variation(columns: Columns) -> FloatArray:
    import numpy as np

    counts = np.where(columns.user_is_empty, nan, columns.user_word_counts)
    mean = columns.mean_over_user(counts.tolist())
    square = columns.mean_over_user((counts**2).tolist())
    n = columns.sum_over_user((~np.isnan(counts)).tolist())
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    return ratio(spread, np.where(n > 1, mean, 0.0))


LENGTH_VARIATION = Metric(
    name="length_variation",
    unit="standard deviation / mean",
    level="conversation",
    description=(
        "Coefficient of variation of the words of the user's non-empty messages within the conversation; undefined "
        "with fewer than two, and where none has a word."
    ),
    source="convsim: people's messages are long and short in turn, those of language models of one length.",
    measure=_measure_length_variation,
    undefined_for=needs_words,
    judged_by=FAMILY,
)


def _about_what_was_said(columns: Columns) -> Iterator[bool]:
    """Yield of each user message whether it takes up the agent's words or points at them."""
    import numpy as np

    points = columns.lexicon.questions(columns.language.of_lists).get("pointing", WordList(()))
    exchanged = columns.exchanged
    shared = np.asarray(exchanged.user.multiply(exchanged.heard).sum(axis=1)).ravel() > 0
    for text, said, takes_up in zip(columns.user_texts, columns.user_words, shared, strict=True):
        yield bool(takes_up) or points(text, said)


def _measure_questions(columns: Columns, *, about: bool) -> FloatArray:
    asks = (bool(_QUESTION.search(text)) for text in columns.user_texts)
    pairs = zip(asks, _about_what_was_said(columns), strict=True)
    return _answers(columns, (asked and points == about for asked, points in pairs))


CLARIFYING_QUESTIONS = Metric(
    name="clarifying_questions",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user messages after an agent's that ask about what the agent has just said: with a question "
        "mark, and a content word of the agent's or a word that points at it (pointing in "
        "lexicon/<language>/questions.toml: it, these, that one). Undefined without a message after an agent's."
    ),
    source=(
        "convsim; after the requests of information and of clarification of Trippas et al. (2020), Towards a model for "
        "spoken conversational search, Information Processing & Management 57(2)."
    ),
    measure=lambda columns: _measure_questions(columns, about=True),
    undefined_for=needs_questions("pointing"),
    moved_by_agent=OTHER_AGENT,
    judged_by=FAMILY,
)
INFORMATION_QUESTIONS = replace(
    CLARIFYING_QUESTIONS,
    name="information_questions",
    description=(
        "Proportion of the user messages after an agent's that ask about something else than what the agent has just "
        "said: the other questions beside clarifying_questions. Undefined without a message after an agent's."
    ),
    measure=lambda columns: _measure_questions(columns, about=False),
)


HEDGING = replace(
    proportion_found(
        "hedging",
        lambda columns: columns.lexicon.conduct(columns.language.of_lists).get("hedges"),
        undefined_for=needs_conduct("hedges"),
        description=(
            "Proportion of the user's non-empty messages with a hedge (maybe, i think, not sure: hedges in "
            "lexicon/<language>/conduct.toml); undefined in languages without a list."
        ),
        source="Hyland (1998), Hedging in scientific research articles, on hedges; the phrases are ours.",
    ),
    judged_by=FAMILY,
)
