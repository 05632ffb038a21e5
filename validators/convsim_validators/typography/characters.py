"""Runs of one to three characters with every letter written as its kind: how people type, whatever they say."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.stats.two_sample import Compared
from convsim.stats.view import View, groups_with

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MAX_TEXT = 4_000
"""Characters of a conversation that are looked at; bounds time at any length."""
MAX_RUNS = 1_500
"""Those that most conversations have are kept; bounds memory at any size."""
MIN_GROUPS = 8
"""A run that fewer users, or what else is independent, ever write is left out: it tells nothing of a side."""
MAX_SYMBOLS = 120
"""Characters that are told apart, the most frequent ones; the others are one."""
EDGE = "\x1e"
"""Stands before and after each message."""
LENGTHS = (1, 2, 3)
WEIGHT = 8.0
"""The sum of the features' variances: how far a classifier trusts them beside its penalty."""
SMALL, CAPITAL, UNCASED, DIGIT, EMOJI = "x", "X", "字", "0", "☺"
ACCENTED_SMALL, ACCENTED_CAPITAL = "ẋ", "Ẋ"
OTHER = "□"
IN_WORDS = {
    SMALL: "a small letter", CAPITAL: "a capital", ACCENTED_SMALL: "a small letter with an accent",
    ACCENTED_CAPITAL: "a capital with an accent", UNCASED: "a letter without case", DIGIT: "a digit",
    EMOJI: "an emoji or sign", OTHER: "any other",
}  # fmt: skip
TINY = 1e-9
"""Standard deviations below are none."""


class _Kinds(dict[int, str]):
    """What each character is written as, found when it is first met."""

    def __missing__(self, code: int) -> str:
        kind = self[code] = _kind(chr(code))
        return kind


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Lu", "Lt", "Ll") and not "\uff00" <= character <= "\uffef":
        accented = unicodedata.decomposition(character) != ""
        if category == "Ll":
            return ACCENTED_SMALL if accented else SMALL
        return ACCENTED_CAPITAL if accented else CAPITAL
    if category in ("Lo", "Lm", "Mc"):
        return UNCASED
    if category == "Nd" and not "\uff00" <= character <= "\uffef":
        return DIGIT
    if category == "So" and character > "\u2000":
        return EMOJI
    return character


_KINDS = _Kinds()


def written_as_kinds(text: str) -> str:
    """Write letters, digits and emoji as their kinds, and leave every other character as it is.

    Small and capital letters stay apart, and so do letters with and without an accent; marks, white space, and
    letters of full width are what they are.
    """
    return text.translate(_KINDS)


@dataclass(frozen=True)
class Runs:
    """How often runs of one to three such characters stand in each conversation's user messages.

    Runs that begin a message, end it, or lie within it, away from its edges, are counted apart, each length for itself:
    a rate is the proportion among all runs of that length in that place. So neither how many messages somebody writes
    nor how long they are moves a feature.
    """

    runs: tuple[str, ...]
    """One a column; an edge is ``EDGE``."""
    rates: FloatArray
    """Shape (rows, columns); NaN where a conversation has no run of that length in that place."""
    view: View

    @classmethod
    def of(cls, corpora: tuple[Corpus, Corpus], group: IntArray) -> Runs:
        """Count them.

        Args:
            corpora: People, then the simulator.
            group: Shape (rows,): what links rows; a run that stands in few groups is left out.
        """
        counted = _Counted.of([_typed_by_the_user(c) for side in corpora for c in side.conversations])
        n_groups = groups_with(counted.shares, group)
        common = np.flatnonzero(n_groups >= MIN_GROUPS)
        common = np.sort(common[np.argsort(-n_groups[common], kind="stable")[:MAX_RUNS]])
        rates = counted.rates(common)
        varies = np.nan_to_num(np.nanstd(rates, axis=0)) > TINY
        kept = tuple(counted.run(column) for column in common[varies])
        return cls(kept, rates[:, varies], _view(rates[:, varies], [in_words(run) for run in kept]))

    def said(self, column: int) -> str:
        """Name a run, and say what its kinds of letters stand for."""
        kinds = [f"{kind} {words}" for kind, words in IN_WORDS.items() if kind in self.runs[column]]
        return in_words(self.runs[column]) + (f" ({', '.join(kinds)})" if kinds else "")

    def often(self, column: int, rate: float) -> str:
        """Write how often it stands there."""
        if EDGE in self.runs[column]:
            return f"{rate:.0%}"
        return f"{100 * rate:.2f} in 100 characters"


def _typed_by_the_user(conversation: Conversation) -> str:
    typed = "".join(f"{EDGE}{message.content}" for message in conversation.user_messages if message.content)
    return written_as_kinds(typed[:MAX_TEXT]) + EDGE


def has_run(message: str, run: str) -> bool:
    """Tell whether a message has a run."""
    return run in f"{EDGE}{written_as_kinds(message[:MAX_TEXT])}{EDGE}"


def in_words(run: str) -> str:
    """Name a run of characters as a reader sees it."""
    shown = "".join(
        c if c == " " or (c.isprintable() and not c.isspace()) else repr(c)[1:-1] for c in run.strip(EDGE)
    )
    if run.startswith(EDGE) and run.endswith(EDGE):
        return f"messages of “{shown}” alone"
    if run.startswith(EDGE):
        return f"messages that begin with “{shown}”"
    if run.endswith(EDGE):
        return f"messages that end in “{shown}”"
    return f"the characters “{shown}”"


def _view(rates: FloatArray, names: list[str]) -> View:
    everything = np.ones(len(rates), bool)
    if not names:
        nothing = np.zeros((len(rates), 0))
        return View(nothing, names, nothing, [], everything, (0, 0), {})
    has = (np.nan_to_num(rates) > 0).astype(np.float64)
    standard = np.nan_to_num((rates - np.nanmean(rates, axis=0)) / np.nanstd(rates, axis=0))
    share = has.mean(axis=0)
    weighed = standard * np.sqrt(WEIGHT * share / share.sum())
    return View(weighed, names, has, [(Compared(weighed, standard), names)], everything, (0, 0), {})


@dataclass(frozen=True)
class _Counted:
    """Runs of texts that begin and end with an edge, before it is chosen which are looked at."""

    symbols: Sequence[str]
    """What a run is made of, numbered from 1."""
    found: IntArray
    """Shape (columns,): the runs, each as a number in the base of the symbols and nothing."""
    place: IntArray
    """Shape (columns,): the length and place of each run."""
    shares: csr_matrix
    """Shape (texts, columns): the proportion among a text's runs of that length and place."""
    n_runs: IntArray
    """Shape (texts, places): how many runs a text has there."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Counted:
        """Count all runs of one to three characters."""
        from scipy.sparse import csr_matrix

        frequent = Counter("".join(texts))
        symbols = [
            OTHER,
            EDGE,
            *sorted(each for each, _ in frequent.most_common(MAX_SYMBOLS) if each != EDGE),
        ]
        number = {symbol: place for place, symbol in enumerate(symbols, start=1)}
        code = np.asarray([number.get(symbol, 1) for text in texts for symbol in text], np.int64)
        row_of = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
        rows, keys, places = [], [], []
        for length in LENGTHS:
            starts, key, place = _windows(code, row_of, length, edge=number[EDGE], base=len(symbols) + 1)
            rows.append(row_of[starts])
            keys.append(key)
            places.append(place)
        row, key, place = (np.concatenate(each) for each in (rows, keys, places))
        n_places = len(LENGTHS) * N_PLACES
        n_runs = np.bincount(row * n_places + place, minlength=len(texts) * n_places).reshape(-1, n_places)
        found, first, column = np.unique(key, return_index=True, return_inverse=True)
        shape = (len(texts), len(found))
        shares = csr_matrix((1 / n_runs[row, place], (row, column)), shape=shape)
        shares.sum_duplicates()
        return cls(symbols, found, place[first], shares, n_runs)

    def rates(self, columns: IntArray) -> FloatArray:
        """Return some of the proportions; NaN where a text has no run of that length in that place."""
        dense = np.asarray(self.shares[:, columns].toarray(), np.float64)
        return np.where(self.n_runs[:, self.place[columns]] > 0, dense, np.nan)

    def run(self, column: int) -> str:
        """Return the characters of a run."""
        key, run = int(self.found[column]), ""
        while key:
            key, symbol = divmod(key, len(self.symbols) + 1)
            run = self.symbols[symbol - 1] + run
        return run


N_PLACES = 3
"""Within a message, at its beginning, at its end."""


def _windows(
    code: IntArray, row_of: IntArray, length: int, *, edge: int, base: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return where the runs of a length start, each as a number, and its length and place."""
    n = max(0, len(code) - length + 1)
    windows = [slice(offset, offset + n) for offset in range(length)]
    key = np.zeros(n, np.int64)
    for window in windows:
        key = key * base + code[window]
    at_edge = code == edge
    beside = np.zeros(len(code), bool)
    beside[1:] |= at_edge[:-1]
    beside[:-1] |= at_edge[1:]
    begins, ends = at_edge[windows[0]], at_edge[windows[-1]]
    across = (
        np.any([at_edge[window] for window in windows[1:-1]], axis=0) if length > 2 else np.zeros(n, bool)
    )
    near = np.any([beside[window] for window in windows], axis=0)
    place = np.where(begins, 1, np.where(ends, 2, 0))
    kept = np.flatnonzero(
        (row_of[windows[0]] == row_of[windows[-1]]) & ~across & ~(begins & ends) & ((place > 0) | ~near)
    )
    return kept, key[kept], place[kept] + (length - 1) * N_PLACES
