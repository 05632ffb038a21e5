"""In which languages a metric says something: what it stands on, and why it is undefined without."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.schema import Columns
from convsim.text.language import name_of
from convsim.text.lexicons import COMPLAINTS, CONDUCT, LISTS, QUESTIONS, Lexicon
from convsim.text.segment import SEGMENTED, segmenter_is_installed

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

Reason = Callable[[Columns], str | None]
"""Says why a metric is undefined for a side; None where it is not."""
FOLDER = "name a folder that has one with --lexicon"


def needs_words(columns: Columns) -> str | None:
    """Words that can be told from one another: of a script with spaces, or with a segmenter."""
    spoken = columns.language
    if spoken.has_spaces or (spoken.code in SEGMENTED and segmenter_is_installed()):
        return None
    remedy = (
        "; pip install 'convsim[cjk]' parts its words"
        if spoken.code in SEGMENTED
        else ", and nothing here parts them"
    )
    return f"{spoken} is written without spaces between words{remedy}"


def needs_case(columns: Columns) -> str | None:
    """Letters of a script with capitals."""
    spoken = columns.language
    return None if spoken.has_case or not spoken.n_letters else f"{spoken} is written without capitals"


def needs_final_marks(columns: Columns) -> str | None:
    """A language that ends its sentences with a mark."""
    spoken = columns.language
    return None if spoken.has_final_marks else f"{spoken} is written without marks at the end of a sentence"


def needs_list(name: str) -> Reason:
    """Make the reason of a metric that looks for the entries of ``<language>/<name>.txt``."""
    if name not in LISTS:
        raise ValueError(f"{name} is not a word list; there are {', '.join(sorted(LISTS))}")

    def reason(columns: Columns) -> str | None:
        spoken = columns.language
        if spoken.problem:
            return f"it stands on words of one language, but {spoken.problem}"
        if columns.lexicon.entries(name, spoken.code) is None:
            return f"there is no list {spoken.code}/{name}.txt for {name_of(spoken.code or '')}; {FOLDER}"
        return needs_words(columns) if name == "stop_words" else None

    return reason


def needs_complaints(list_name: str) -> Reason:
    """Make the reason of a metric that looks for a list of ``<language>/complaints.toml``, or for all of them."""

    def reason(columns: Columns) -> str | None:
        spoken = columns.language
        if spoken.problem:
            return f"it stands on words of one language, but {spoken.problem}"
        if list_name in columns.lexicon.complaints(spoken.code):
            return None
        part = f" {list_name}" if list_name else ""
        return f"there is no list{part} in {spoken.code}/{COMPLAINTS}.toml for {name_of(spoken.code or '')}; {FOLDER}"

    return reason


def needs_questions(*names: str) -> Reason:
    """Make the reason of a metric that tells questions and answers by lists of ``<language>/questions.toml``."""
    return _needs_table(QUESTIONS, Lexicon.questions, names)


def needs_conduct(*names: str) -> Reason:
    """Make the reason of a metric that tells what a user does by lists of ``<language>/conduct.toml``."""
    return _needs_table(CONDUCT, Lexicon.conduct, names)


def _needs_table(
    table: str, read: Callable[[Lexicon, str | None], Mapping[str, object]], names: Collection[str]
) -> Reason:
    def reason(columns: Columns) -> str | None:
        spoken = columns.language
        if spoken.problem:
            return f"it stands on words of one language, but {spoken.problem}"
        there = read(columns.lexicon, spoken.code)
        lacking = [name for name in names if name not in there]
        if there and not lacking:
            return None
        part = f" {lacking[0]} in" if there else ""
        return f"there is no list{part} {spoken.code}/{table}.toml for {name_of(spoken.code or '')}; {FOLDER}"

    return reason


@dataclass(frozen=True)
class NeedsLanguage:
    """The reason of a metric that reads some languages alone, by their ISO 639 codes."""

    codes: Collection[str]

    def __call__(self, columns: Columns) -> str | None:
        """Say why the metric is undefined for a side; None where it is not."""
        spoken = columns.language
        if spoken.problem:
            return f"it stands on words of one language, but {spoken.problem}"
        return None if spoken.code in self.codes else f"it reads {_listed(self.codes)}, and this is {spoken}"


def _listed(codes: Collection[str]) -> str:
    return ", ".join(name_of(code) for code in sorted(codes))


def nowhere(columns: Columns) -> FloatArray:
    """Return no value for any conversation."""
    import numpy as np

    return np.full(columns.n, np.nan)
