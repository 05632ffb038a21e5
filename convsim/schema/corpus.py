"""Conversations plus one table of metrics: what a validator reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from convsim.schema.columns import Columns
from convsim.schema.conversation import Conversation
from convsim.schema.metric import Metric
from convsim.schema.units import independent_unit
from convsim.text.language import Language
from convsim.text.lexicons import Lexicon

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from convsim.schema.arrays import IntArray


@dataclass(frozen=True)
class Corpus:
    """One side of a comparison; validators read its columns, not its objects."""

    conversations: Sequence[Conversation]
    table: pd.DataFrame
    """One row a conversation, one column a metric; NaN where a metric is undefined."""
    metrics: Mapping[str, Metric]
    failed: Mapping[str, str] = field(default_factory=dict)
    """Why a metric that was asked for is not in the table, by its name: somebody's function that raised."""
    undefined: Mapping[str, str] = field(default_factory=dict)
    """Why a metric has no value here and could not have one, by its name: no word list for the language."""
    language: Language | None = None
    """What the users write in; None where nobody has told it."""
    lexicon: Lexicon = field(default_factory=Lexicon)
    """Where word lists stand."""
    flat: Columns | None = field(default=None, repr=False, compare=False)
    """The conversations laid flat, where somebody has done that; see ``columns``."""

    def __len__(self) -> int:
        return len(self.conversations)

    def where(self, keep: Callable[[Conversation], bool]) -> Corpus:
        """Return the part of the corpus whose conversations pass ``keep``."""
        rows = [row for row, conversation in enumerate(self.conversations) if keep(conversation)]
        return self.take(rows)

    def take(self, rows: Sequence[int] | IntArray) -> Corpus:
        """Return the rows named, in that order."""
        kept = [self.conversations[int(row)] for row in rows]
        return replace(self, conversations=kept, table=self.table.iloc[list(rows)], flat=None)

    @cached_property
    def columns(self) -> Columns:
        """The conversations laid flat, for metrics that are not in the table."""
        return self.flat or Columns.of(self.conversations, lexicon=self.lexicon)

    @cached_property
    def units(self) -> npt.NDArray[np.object_]:
        """Shape (n,): the independent unit of each conversation: its user, else its persona, else itself."""
        import numpy as np

        return np.asarray([independent_unit(c) for c in self.conversations], object)

    @cached_property
    def by_contents(self) -> IntArray:
        """Shape (n,): the rows by user or persona, and within these by what is said.

        Where the rows are numbered so, neither the order of a file's lines nor made-up ids move a draw.
        """
        import numpy as np

        said = [[(m.role, m.content) for m in c.messages] for c in self.conversations]
        pairs = zip(self.units, self.conversations, strict=True)
        named = ["" if unit == f"conversation {c.id}" else unit for unit, c in pairs]
        return np.asarray(sorted(range(len(said)), key=lambda row: (named[row], said[row], row)), np.int64)

    @cached_property
    def strata(self) -> npt.NDArray[np.object_]:
        """Shape (n,): task and arm of each conversation."""
        import numpy as np

        return np.asarray([f"{c.task or '-'} / {c.arm or '-'}" for c in self.conversations], object)

    @cached_property
    def user_texts(self) -> list[str]:
        """The user's side of each conversation alone, one message a line."""
        return ["\n".join(m.content for m in c.user_messages) for c in self.conversations]


MIX_ALPHA = 0.01


def mix_differs(first: Counter[str], second: Counter[str]) -> bool:
    """Tell whether two sides' counts of a category differ beyond chance.

    H0: both are draws from one distribution; Pearson's chi-squared test at 1 %.
    """
    from scipy.stats import chi2_contingency

    values = sorted(first.keys() | second.keys())
    if len(values) < 2 or not first or not second:
        return False
    table = [[side[value] for value in values] for side in (first, second)]
    return bool(chi2_contingency(table).pvalue <= MIX_ALPHA)


def refused_labels(real: Corpus, simulated: Corpus) -> dict[str, str]:
    """Name the metrics of both tables that cannot be compared, each with the reason.

    They come from different labels, or could not have varied on a side: what is constant on both sides for want of a
    word list is not alike.
    """
    refused = {
        name: f"labels of the real data are by {metric.label or 'nobody (it is counted)'}, those of the simulated data "
        f"by {other.label or 'nobody (it is counted)'}: only labels of the same source and scale can be compared"
        for name, metric in real.metrics.items()
        if (other := simulated.metrics.get(name)) is not None and other.label != metric.label
    }
    return {**refused, **undefined_metrics(real, simulated)}


def undefined_metrics(real: Corpus, simulated: Corpus) -> dict[str, str]:
    """Say of each metric that is undefined on a side why it is, and on which side."""
    reasons: dict[str, str] = {}
    for name in [*real.undefined, *simulated.undefined]:
        here, there = real.undefined.get(name), simulated.undefined.get(name)
        if here == there and here:
            reasons[name] = f"undefined on both sides: {here}"
        elif here:
            reasons[name] = f"undefined on the real side: {here}"
        elif there:
            reasons[name] = f"undefined on the simulated side: {there}"
    return reasons
