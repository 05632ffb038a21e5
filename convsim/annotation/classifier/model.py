"""What a classifier has learned, as plain arrays: terms, weights, cuts, and the labels that they give."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from convsim.annotation.classifier.dataset import Target
from convsim.annotation.classifier.features import (
    BLOCKS,
    FEATURES_VERSION,
    N_NUMBERS,
    Featurizer,
    Level,
    Terms,
    Unit,
    Vocabulary,
)
from convsim.schema.conversation import Label
from convsim.seeds import generator

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from scipy.sparse import csr_matrix

    BoolArray = npt.NDArray[np.bool_]
    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]
    Arrays = Mapping[str, npt.NDArray[np.generic]]

INVERSE_PENALTY = 1.0
"""scikit-learn's C, at its default."""
CERTAIN = 20.0
"""The log odds of an answer that never varied in training."""
INNER_FOLDS = 3

Cut = Callable[["FloatArray", "BoolArray"], float]
"""Chooses the probability from which a question is answered yes, given out-of-fold probabilities and the truth."""


@dataclass(frozen=True)
class Questions:
    """Fitted weights of q questions about rows of p features, and the probability from which each is a yes."""

    weights: FloatArray
    """Shape (q, p)."""
    intercepts: FloatArray
    """Shape (q,)."""
    cuts: FloatArray
    """Shape (q,)."""

    def answer(self, rows: csr_matrix) -> BoolArray:
        """Return the answers; shape (rows, q)."""
        answers: BoolArray = _probabilities(rows, self.weights, self.intercepts) >= self.cuts
        return answers


@dataclass(frozen=True)
class Answered:
    """Rows, what is known of them, and which of them stay together."""

    rows: csr_matrix
    truth: FloatArray
    """Shape (rows, q): 1 yes, 0 no, NaN not known."""
    group: IntArray


def fit(known: Answered, cuts: Sequence[Cut], *, seed: int) -> Questions:
    """Fit each question on the rows where its answer is known; the cuts come from folds inside these rows."""
    import numpy as np

    inner = deal(known.group, INNER_FOLDS, seed=seed)
    held_out = np.full(known.truth.shape, np.nan)
    for fold in range(INNER_FOLDS):
        test = inner == fold
        if test.any() and not test.all():
            weights, intercepts = _fit_weights(known.rows[~test], known.truth[~test], seed=seed)
            held_out[test] = _probabilities(known.rows[test], weights, intercepts)
    weights, intercepts = _fit_weights(known.rows, known.truth, seed=seed)
    chosen = []
    for cut, truth, probability in zip(cuts, known.truth.T, held_out.T, strict=True):
        usable = ~np.isnan(truth) & ~np.isnan(probability)
        chosen.append(cut(probability[usable], truth[usable] == 1))
    return Questions(weights, intercepts, np.asarray(chosen, np.float64))


def deal(group: IntArray, n_folds: int, *, seed: int) -> IntArray:
    """Deal whole groups to folds in random order; shape (rows,)."""
    import numpy as np

    groups, group_of = np.unique(group, return_inverse=True)
    fold = generator(seed, "folds").permutation(len(groups)) % n_folds
    return np.asarray(fold[group_of], np.int64)


def cut_for_f1(probability: FloatArray, truth: BoolArray) -> float:
    """Return the cut of the highest F1; one half where there is no example."""
    import numpy as np

    if not truth.any():
        return 0.5
    order = np.argsort(-probability, kind="stable")
    ranked, hits = probability[order], np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + truth.sum())
    last_of_ties = np.append(ranked[1:] < ranked[:-1], True)
    best = int(np.argmax(np.where(last_of_ties, f1, -1.0)))
    return _between(ranked, best)


def cut_for_rate(probability: FloatArray, truth: BoolArray) -> float:
    """Return the cut that says yes as often as the truth does, as nearly as ties allow."""
    import numpy as np

    wanted = int(truth.sum())
    if wanted in (0, len(truth)):
        return 0.5
    ranked = -np.sort(-probability, kind="stable")
    ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
    return _between(ranked, int(ends[np.argmin(np.abs(ends + 1 - wanted))]))


def _between(ranked: FloatArray, last: int) -> float:
    """Cut midway between the last probability that is a yes and the next."""
    return float(ranked[last] if last + 1 == len(ranked) else (ranked[last] + ranked[last + 1]) / 2)


def _fit_weights(rows: csr_matrix, truth: FloatArray, *, seed: int) -> tuple[FloatArray, FloatArray]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    weights, intercepts = np.zeros((truth.shape[1], rows.shape[1])), np.zeros(truth.shape[1])
    for question, answers in enumerate(truth.T):
        known = ~np.isnan(answers)
        yes = answers[known] == 1
        if not yes.any() or yes.all():
            intercepts[question] = CERTAIN if yes.any() else -CERTAIN
            continue
        model = LogisticRegression(
            C=INVERSE_PENALTY, class_weight="balanced", solver="liblinear", random_state=seed % 2**32
        )
        model.fit(rows[known], yes)
        weights[question], intercepts[question] = model.coef_[0], model.intercept_[0]
    return weights, intercepts


def _probabilities(rows: csr_matrix, weights: FloatArray, intercepts: FloatArray) -> FloatArray:
    from scipy.special import expit

    probabilities: FloatArray = expit(rows @ weights.T + intercepts)
    return probabilities


AT_ONCE = 5_000
LEVELS: tuple[Level, ...] = ("message", "conversation")


@dataclass(frozen=True)
class LevelModel:
    """What is asked of messages, or of whole conversations."""

    vocabulary: Vocabulary
    questions: Questions

    @cached_property
    def _featurizer(self) -> Featurizer:
        return Featurizer(self.vocabulary)

    def answers(self, units: Sequence[Unit]) -> list[list[bool]]:
        """Return each unit's answers, one a question."""
        answers: list[list[bool]] = []
        for start in range(0, len(units), AT_ONCE):
            answers += self.questions.answer(self._featurizer.rows(units[start : start + AT_ONCE])).tolist()
        return answers


@dataclass(frozen=True)
class Learned:
    """The targets, and the models that answer their questions in the targets' order."""

    targets: tuple[Target, ...]
    models: Mapping[Level, LevelModel]

    def at(self, level: Level) -> tuple[Target, ...]:
        """Return the targets of one level."""
        return tuple(target for target in self.targets if target.level == level)

    def label(self, level: Level, units: Sequence[Unit], source: str) -> list[dict[str, Label]]:
        """Label units of a level that has a model; returns a label a target for each."""
        targets = self.at(level)
        return [spoken(targets, answers, source) for answers in self.models[level].answers(units)]

    @cached_property
    def version(self) -> str:
        """Twelve hexadecimal digits of what decides on labels: the same for the same data, seed and libraries."""
        digest = hashlib.sha256(f"features {FEATURES_VERSION}\n".encode())
        for target in self.targets:
            # The empty ``metadata`` that every record once had is part of the versions that labels name.
            digest.update(b'{"metadata":{},' + target.model_dump_json().encode()[1:] + b"\n")
        for name, array in sorted(self.arrays().items()):
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
        return digest.hexdigest()[:12]

    def arrays(self) -> Arrays:
        """Lay everything out as plain arrays of numbers; terms as UTF-8, one a line."""
        import numpy as np

        arrays: dict[str, npt.NDArray[np.generic]] = {}
        for level, model in self.models.items():
            for block, terms in model.vocabulary.items():
                text = "\n".join(terms.names).encode()
                arrays[f"{level}.{block}.terms"] = np.frombuffer(text, np.uint8)
                arrays[f"{level}.{block}.weights"] = terms.weights
            arrays[f"{level}.weights"] = model.questions.weights
            arrays[f"{level}.intercepts"] = model.questions.intercepts
            arrays[f"{level}.cuts"] = model.questions.cuts
        return arrays

    @classmethod
    def of(cls, targets: tuple[Target, ...], arrays: Arrays) -> Learned:
        """Put together what ``arrays`` took apart.

        Raises:
            ValueError: An array is missing or left over, of another type or shape, or does not hold numbers.
        """
        left = dict(arrays)
        models = {}
        for level in LEVELS:
            n_questions = sum(target.n_questions for target in targets if target.level == level)
            if n_questions:
                models[level] = _model(left, level, n_questions)
        if left:
            raise ValueError(f"it contains {sorted(left)[0]!r}, which no target needs")
        return cls(targets, models)


def spoken(targets: Sequence[Target], answers: Sequence[bool], source: str) -> dict[str, Label]:
    """Turn one unit's answers, in the targets' order, into a label a target."""
    labels, start = {}, 0
    for target in targets:
        end = start + target.n_questions
        labels[target.name] = target.said(answers[start:end], source)
        start = end
    return labels


def _model(left: dict[str, npt.NDArray[np.generic]], level: Level, n_questions: int) -> LevelModel:
    vocabulary = {}
    for block in BLOCKS:
        text = _taken(left, f"{level}.{block}.terms", None, "|u1").tobytes().decode()
        names = tuple(text.split("\n")) if text else ()
        if len(set(names)) < len(names):
            raise ValueError(f"{level}.{block}.terms contains a term twice")
        vocabulary[block] = Terms(names, _taken(left, f"{level}.{block}.weights", (len(names),)))
    n_features = N_NUMBERS + sum(len(terms.names) for terms in vocabulary.values())
    questions = Questions(
        weights=_taken(left, f"{level}.weights", (n_questions, n_features)),
        intercepts=_taken(left, f"{level}.intercepts", (n_questions,)),
        cuts=_taken(left, f"{level}.cuts", (n_questions,)),
    )
    return LevelModel(vocabulary, questions)


def _taken(
    left: dict[str, npt.NDArray[np.generic]], name: str, shape: tuple[int, ...] | None, dtype: str = "<f8"
) -> npt.NDArray[np.float64]:
    import numpy as np

    array = left.pop(name, None)
    if array is None:
        raise ValueError(f"{name} is missing")
    if array.dtype.str != dtype or array.ndim != len(shape or (0,)) or (shape and array.shape != shape):
        expected = f"{dtype} of shape {shape}"
        raise ValueError(f"{name} is {array.dtype.str} of shape {array.shape}, not {expected}")
    if not np.isfinite(array.astype(np.float64)).all():
        raise ValueError(f"{name} contains a value that is not a finite number")
    return np.asarray(array)
