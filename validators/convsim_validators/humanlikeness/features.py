"""What a classifier may look at, and which words and habits give the simulator away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from pydantic import JsonValue

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.discriminator import Classifier, equal_prior
from convsim.text.words import words as words_of
from convsim_validators.humanlikeness.two_sample import Compared

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from convsim.stats.discriminator import Features

N_TELLS = 10
MAX_CHARACTERS = 80


def tells(view: View, is_human: BoolArray) -> JsonValue:
    """List the features by how far, on average, they move a conversation of a side towards that side.

    A feature's pull is its coefficient times the difference of its mean values on the two sides, in log-odds, so
    that a rare curiosity does not stand above a common habit. Counts are conversations that have the feature.

    Args:
        view: Features of both sides.
        is_human: Shape (rows,).

    Returns:
        ``{"simulated": [...], "human": [...]}``, each entry ``{feature, pull, n_real, n_simulated}``.
    """
    if not len(view.names) or is_human.all() or not is_human.any():
        return {"simulated": [], "human": []}
    model = logistic_regression()
    model.fit(view.features, is_human, sample_weight=equal_prior(is_human))
    coefficients = np.asarray(model.coef_, np.float64).ravel()  # type: ignore[attr-defined]
    means = [
        np.asarray(view.features[side].mean(axis=0), np.float64).ravel() for side in (is_human, ~is_human)
    ]
    counts = [np.asarray(view.counted[side].sum(axis=0), np.int64).ravel() for side in (is_human, ~is_human)]
    pull = coefficients * (means[0] - means[1])
    listed: dict[str, JsonValue] = {}
    for side, speaks_for in (("simulated", coefficients < 0), ("human", coefficients > 0)):
        ranked = np.argsort(-np.where(speaks_for, pull, -np.inf), kind="stable")[:N_TELLS]
        listed[side] = [
            {
                "feature": view.names[i][:MAX_CHARACTERS],
                "pull": float(pull[i]),
                "n_real": int(counts[0][i]),
                "n_simulated": int(counts[1][i]),
            }
            for i in ranked
            if speaks_for[i] and pull[i] > 0
        ]
    return listed


MAX_NGRAMS = 50_000
"""The most frequent n-grams are kept; bounds memory at any size."""
MAX_CHARACTER_NGRAMS = 20_000
MAX_TEXT = 20_000
"""Characters of a conversation of which n-grams are made; bounds time at any length."""
QUOTES = str.maketrans("’‘“”", "''\"\"")
"""How an apostrophe is typed is a matter of the keyboard, and of the program that wrote the file."""
NO_FEATURES = "no word or habit varies or occurs in two conversations, so there is nothing to learn from"
"""Said of a view without columns."""
N_BINS = 6
BIN_WEIGHT = 0.3
"""Of a bin beside the normal score: found by simulation to lose neither shifted nor constant habits."""


class ReadTexts(Protocol):
    """Makes features of texts, shape (texts, columns), by a vocabulary that stands."""

    def __call__(self, texts: Sequence[str]) -> Features:
        """Weigh all words of the texts."""
        ...


@dataclass(frozen=True)
class View:
    """Features of both sides' conversations, humans first, and the name of each column."""

    features: Features
    names: Sequence[str]
    counted: Features
    """Whether a conversation has the feature at all, 0 or 1, for counting beside the tells."""
    compared: Sequence[tuple[Compared, Sequence[str]]]
    """What the two-sample test compares, with the names of its columns."""
    kept: BoolArray
    """Shape (rows of both sides,): which conversations the view could be made of."""
    n_dropped: tuple[int, int]
    detail: dict[str, int]


@dataclass(frozen=True)
class TextView(View):
    """A view of word n-grams, that further texts can be put into."""

    read: ReadTexts
    """By this view's vocabulary and frequencies."""


def logistic_regression() -> Classifier:
    """Make an unfitted discriminator; the ridge penalty is scikit-learn's default."""
    from sklearn.linear_model import LogisticRegression

    classifier: Classifier = LogisticRegression(max_iter=200)
    return classifier


def words(texts: Sequence[str], n_real: int, group: IntArray) -> TextView:
    """Word 1-2-grams of the user's side, TF-IDF weighted.

    The vocabulary and its document frequencies are taken from both sides together, without their labels. An n-gram
    that stands in one group alone (a user, a scenario) is left out, however often it stands there: held out, the group
    would be known by how few of its n-grams are.

    Args:
        texts: Of both sides, the real ones first.
        n_real: How many are real.
        group: Shape (texts,): what stays in one fold.
    """
    view = _ngrams(texts, n_real, group, np.ones(len(texts), bool), {})
    return replace(view, compared=[*view.compared, *_characters(texts, group)])


def first_words(texts: Sequence[str], n_real: int, group: IntArray) -> TextView:
    """Word 1-2-grams of the user's first w words, w the lower quartile of both sides pooled.

    Whoever said fewer than w words is dropped and counted, so that length itself tells nothing.
    """
    tokens = [words_of(text) for text in texts]
    lengths = np.asarray([len(words) for words in tokens])
    w = max(1, int(np.quantile(lengths, 0.25, method="lower"))) if len(lengths) else 1
    cut = [" ".join(words[:w]) for words, length in zip(tokens, lengths, strict=True) if length >= w]
    return _ngrams(cut, n_real, group[lengths >= w], lengths >= w, {"n_words": w})


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


def _in_several_groups(counts: csr_matrix, group: IntArray) -> IntArray:
    """Find the columns that stand in two groups or more.

    A unit of several conversations would else keep words of its own that one of a single conversation loses: held out,
    the group would be known by how few it has, and dealings that mix such units would differ from the sides.
    """
    from scipy.sparse import csr_matrix

    number = np.unique(group, return_inverse=True)[1]
    members = csr_matrix((np.ones(len(number), np.float32), (number, np.arange(len(number)))))
    n_groups = np.asarray(((members @ counts) > 0).sum(axis=0), np.int64).ravel()
    return np.flatnonzero(n_groups >= min(2, members.shape[0]))


def _characters(texts: Sequence[str], group: IntArray) -> Iterator[tuple[Compared, Sequence[str]]]:
    """Runs of one to three characters with their case, TF-IDF weighted: what words leave out."""
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    vectorizer = CountVectorizer(
        analyzer="char", ngram_range=(1, 3), lowercase=False, min_df=2 if len(texts) > 2 else 1,
        max_features=MAX_CHARACTER_NGRAMS, dtype=np.float32,
    )  # fmt: skip
    try:
        counts = vectorizer.fit_transform([text[:MAX_TEXT].translate(QUOTES) for text in texts])
    except ValueError:  # scikit-learn's "empty vocabulary"
        return
    common = _in_several_groups(counts, group)
    counts = counts[:, common]
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    names = [f"the characters {name!r}" for name in vectorizer.get_feature_names_out()[common]]
    yield Compared(weighted, (counts > 0).astype(np.float32)), names


def _ngrams(
    texts: Sequence[str], n_real: int, group: IntArray, kept: BoolArray, detail: dict[str, int]
) -> TextView:
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    vectorizer = CountVectorizer(
        ngram_range=(1, 2), min_df=2 if len(texts) > 2 else 1, max_features=MAX_NGRAMS,
        tokenizer=words_of, token_pattern=None, lowercase=False, dtype=np.float32,
    )  # fmt: skip
    dropped = (int((~kept[:n_real]).sum()), int((~kept[n_real:]).sum()))
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # scikit-learn's "empty vocabulary": no n-gram stands in two conversations
        nothing = np.zeros((len(texts), 0))
        return TextView(
            nothing, [], nothing, [], kept, dropped, detail, lambda texts: np.zeros((len(texts), 0))
        )
    common = _in_several_groups(counts, group)
    counts = counts[:, common]
    frequencies = TfidfTransformer(sublinear_tf=True).fit(counts)

    def read(texts: Sequence[str]) -> Features:
        weighted: Features = frequencies.transform(vectorizer.transform(texts)[:, common])
        return weighted

    names = vectorizer.get_feature_names_out()[common].tolist()
    weighted = frequencies.transform(counts)
    compared = [(Compared(weighted, (counts > 0).astype(np.float32)), [f"“{name}”" for name in names])]
    return TextView(weighted, names, counts > 0, compared, kept, dropped, detail, read)
