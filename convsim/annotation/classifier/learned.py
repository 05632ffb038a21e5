"""What a classifier has learned: terms, weights and cuts, as plain arrays, and the labels that they give."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from convsim.annotation.classifier.features import BLOCKS, FEATURES_VERSION, Featurizer, Terms, Vocabulary
from convsim.annotation.classifier.linear import Questions
from convsim.annotation.classifier.targets import Target
from convsim.annotation.classifier.units import N_NUMBERS, Level, Unit
from convsim.schema.conversation import Label

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Arrays = Mapping[str, npt.NDArray[np.generic]]

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
            ValueError: An array is missing or left over, of another type or shape, or holds what is no number.
        """
        left = dict(arrays)
        models = {}
        for level in LEVELS:
            n_questions = sum(target.n_questions for target in targets if target.level == level)
            if n_questions:
                models[level] = _model(left, level, n_questions)
        if left:
            raise ValueError(f"it holds {sorted(left)[0]!r}, which no target needs")
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
            raise ValueError(f"{level}.{block}.terms hold a term twice")
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
        raise ValueError(f"{name} holds what is no finite number")
    return np.asarray(array)
