"""What a classifier may look at, and which words and habits give the simulator away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.hashed import MAX_EXACT, hashed_characters, hashed_words
from convsim.stats.ngrams import TextView, character_ngrams, word_ngrams
from convsim.stats.two_sample import Compared
from convsim.stats.view import View
from convsim.text.words import words as words_of

NO_FEATURES = "no word or habit varies or occurs in two conversations, so there is nothing to learn from"
"""Said of a view without columns."""
N_BINS = 6
BIN_WEIGHT = 0.3
"""Of a bin beside the normal score: found by simulation to lose neither shifted nor constant habits."""


def words(texts: Sequence[str], n_real: int, group: IntArray, *, max_exact: int = MAX_EXACT) -> TextView:
    """Word 1-2-grams of the user's side, TF-IDF weighted.

    The vocabulary and its document frequencies are taken from both sides together, without their labels. An n-gram
    that stands in one group alone (a user, a scenario) is left out, however often it stands there: held out, the group
    would be known by how few of its n-grams are.

    Args:
        texts: Of both sides, the real ones first.
        n_real: How many are real.
        group: Shape (texts,): what stays in one fold.
        max_exact: Texts of a side from above which n-grams are hashed, and the classifier streams.
    """
    if _many(n_real, len(texts), max_exact):
        hashed = hashed_words(texts, n_real, group, np.ones(len(texts), bool), {})
        return replace(hashed, compared=[*hashed.compared, *hashed_characters(texts, group)])
    view = word_ngrams(texts, n_real, group, np.ones(len(texts), bool), {})
    return replace(view, compared=[*view.compared, *character_ngrams(texts, group)])


def _many(n_real: int, n: int, max_exact: int) -> bool:
    return max(n_real, n - n_real) > max_exact


def first_words(
    texts: Sequence[str], n_real: int, group: IntArray, *, max_exact: int = MAX_EXACT
) -> TextView:
    """Word 1-2-grams of the user's first w words, w the lower quartile of both sides pooled.

    Whoever said fewer than w words is dropped and counted, so that length itself tells nothing.
    """
    tokens = [words_of(text) for text in texts]
    lengths = np.asarray([len(words) for words in tokens])
    w = max(1, int(np.quantile(lengths, 0.25, method="lower"))) if len(lengths) else 1
    cut = [" ".join(words[:w]) for words, length in zip(tokens, lengths, strict=True) if length >= w]
    make = hashed_words if _many(n_real, len(texts), max_exact) else word_ngrams
    return make(cut, n_real, group[lengths >= w], lengths >= w, {"n_words": w})


def habits(real: Corpus, simulated: Corpus) -> View:
    """The metrics table in place of words; controls, and what others said of the user (labels), are left out.

    So is a metric that one side never has: that is how the side was recorded, and no habit.
    Each metric enters twice: as its normal score, for a habit that is stronger or weaker, and cut into quantile
    bins of lower weight, for one that is a value ("always four turns"). Undefined values are a bin of their own.
    """
    import pandas as pd

    table = pd.concat([real.table, simulated.table], ignore_index=True)
    names: list[str] = []
    features: list[FloatArray] = []
    counted: list[BoolArray] = []
    for metric in real.metrics.values():
        if metric.role == "control" or metric.label or metric.name not in simulated.metrics:
            continue
        if any(side.table[metric.name].isna().all() for side in (real, simulated)):
            continue
        for name, feature, has in _habit(metric.name, np.asarray(table[metric.name], np.float64)):
            names.append(name)
            features.append(feature)
            counted.append(has)
    kept = np.ones(len(table), bool)
    if not names:
        nothing = np.zeros((len(table), 0))
        return View(nothing, names, nothing, [], kept, (0, 0), {})
    stacked = np.column_stack(features)
    compared = [(Compared(stacked, stacked), names)]
    return View(stacked, names, np.column_stack(counted), compared, kept, (0, 0), {})


def _habit(name: str, values: FloatArray) -> Iterator[tuple[str, FloatArray, BoolArray]]:
    from scipy.stats import norm, rankdata

    defined = ~np.isnan(values)
    if not defined.all():
        yield f"{name} undefined", BIN_WEIGHT * ~defined, ~defined
    known = values[defined]
    distinct = np.unique(known)
    if len(distinct) < 2:
        return
    score = np.zeros(len(values))
    score[defined] = norm.ppf((rankdata(known) - 0.5) / len(known))
    middle = float(np.median(known))
    yield f"{name} above {middle:.3g}", score, np.where(defined, values, -np.inf) > middle
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, N_BINS + 1), method="inverted_cdf"))
    cell = np.where(defined, np.searchsorted(cuts, values), -1)
    for index in np.unique(cell[defined]):
        inside = cell == index
        span = _span(float(values[inside].min()), float(values[inside].max()))
        yield f"{name} {span}", BIN_WEIGHT * inside, inside


def _span(low: float, high: float) -> str:
    return f"= {low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
