"""In what proportion of its messages a conversation has each format: features without a word in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.two_sample import Compared
from convsim.stats.view import View, groups_with
from convsim_validators.typography.formats import Format, formats, marked

MIN_GROUPS = 5
"""A format that fewer users, or what else is independent, have or lack is left out: it tells nothing of a side."""
CLIP = 5.0
"""Standard deviations beyond which a rare format counts no further in a classifier."""


@dataclass(frozen=True)
class Marked:
    """The user messages of both sides, people first, and the formats that they have."""

    row: IntArray
    """Shape (messages,): the conversation of each."""
    number: IntArray
    """Shape (messages,): its place among the messages of its conversation, whoever's they are."""
    has: BoolArray
    """Shape (messages, formats)."""
    could: BoolArray

    @classmethod
    def of(cls, corpora: tuple[Corpus, Corpus]) -> Marked:
        """Mark every user message."""
        said = [
            (row, number, message.content)
            for row, conversation in enumerate(c for side in corpora for c in side.conversations)
            for number, message in enumerate(conversation.messages)
            if message.role == "user"
        ]
        places = np.asarray([(row, number) for row, number, _ in said], np.int64).reshape(-1, 2)
        return cls(places[:, 0], places[:, 1], *marked([text for _, _, text in said]))

    def proportions(self, n_rows: int) -> FloatArray:
        """Return by conversation the proportion of messages with each format; NaN where no message could have it."""
        n_with, n_could = np.zeros((2, n_rows, self.has.shape[1]))
        np.add.at(n_with, self.row, self.has)
        np.add.at(n_could, self.row, self.could)
        shares = np.divide(n_with, n_could, out=np.full(n_with.shape, np.nan), where=n_could > 0)
        return np.asarray(shares, np.float64)


@dataclass(frozen=True)
class Audit:
    """The formats that vary between conversations, as features."""

    formats: tuple[Format, ...]
    """One a column."""
    proportions: FloatArray
    """Shape (rows, columns); NaN where no message could have it."""
    standard: FloatArray
    """The same in standard deviations; 0 where no message could have it."""
    view: View

    @classmethod
    def of(cls, messages: Marked, group: IntArray) -> Audit:
        """Make features of what varies; a conversation that could not have a format lies in the middle.

        Args:
            messages: Of both sides.
            group: Shape (rows,): what links rows.
        """
        from scipy.sparse import csr_matrix

        known = formats()
        everything = messages.proportions(len(group))
        ordered = np.sort(everything, axis=0)  # what is undefined stands last
        n_known = (~np.isnan(everything)).sum(axis=0)
        usual = ordered[np.maximum(n_known - 1, 0) // 2, np.arange(len(known))]
        unusual = np.nan_to_num(everything - usual)
        columns = np.flatnonzero(groups_with(csr_matrix(unusual != 0), group) >= MIN_GROUPS)
        proportions = everything[:, columns]
        kept = tuple(known[column] for column in columns)
        standard = _standard(proportions)
        return cls(kept, proportions, standard, _view(proportions, standard, [each.says for each in kept]))


def _standard(proportions: FloatArray) -> FloatArray:
    if not proportions.shape[1]:
        return proportions
    mean, spread = np.nanmean(proportions, axis=0), np.nanstd(proportions, axis=0)
    return np.asarray(np.nan_to_num((proportions - mean) / spread), np.float64)


def _view(proportions: FloatArray, standard: FloatArray, names: list[str]) -> View:
    has = (np.nan_to_num(proportions) > 0).astype(np.float64)
    compared = [(Compared(standard, standard), names)] if names else []
    kept = np.ones(len(proportions), bool)
    return View(standard.clip(-CLIP, CLIP), names, has, compared, kept, (0, 0), {})
