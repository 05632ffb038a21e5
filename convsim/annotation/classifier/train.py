"""Trains a classifier on labelled conversations, and scores it on people that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from pydantic import JsonValue

from convsim._settings import check_whole
from convsim.annotation.classifier.dataset import Learnable, Place, gather
from convsim.annotation.classifier.features import (
    FEATURES_VERSION,
    Featurizer,
    Level,
    Unit,
    conversation_unit,
    learn_vocabulary,
    message_units,
)
from convsim.annotation.classifier.file import Card
from convsim.annotation.classifier.model import (
    LEVELS,
    Answered,
    Learned,
    LevelModel,
    cut_for_f1,
    cut_for_rate,
    deal,
    fit,
    spoken,
)
from convsim.annotation.classifier.scores import Scores, score
from convsim.annotation.mapping import ActMap
from convsim.errors import InputError
from convsim.io.provenance import own_version
from convsim.schema import Annotation
from convsim.schema.conversation import Conversation, Label, LearnedFrom
from convsim.seeds import child_seed

if TYPE_CHECKING:
    from convsim.annotation.classifier.model import FloatArray, IntArray

OUT_OF_FOLD = "classifier:cv"
"""The source of labels that a model gave to conversations of whose users it saw nothing."""


@dataclass(frozen=True)
class Fitted:
    """The model of one level, and how it does: what its folds said, by place, and the scores of that."""

    model: LevelModel
    said: Mapping[Place, Mapping[str, Label]]
    scores: tuple[Scores, ...]
    """One a target."""


@dataclass(frozen=True)
class LevelData:
    """All units of one level of which anything is known."""

    learnable: Sequence[Learnable]
    places: Sequence[Place]
    units: Sequence[Unit]
    group: IntArray
    """Shape (units,): the user, else the conversation."""
    truth: FloatArray
    """Shape (units, questions of all targets): 1 yes, 0 no, NaN not known."""

    @classmethod
    def of(
        cls, conversations: Sequence[Conversation], learnable: Sequence[Learnable], group_of: Sequence[int]
    ) -> LevelData:
        """Lay out the units; ``group_of`` numbers the user of each conversation.

        Raises:
            InputError: All come from one user.
        """
        import numpy as np

        places = sorted(
            {place for one in learnable for place in one.answers}, key=lambda p: (p[0], p[1] or 0)
        )
        group = np.asarray([group_of[number] for number, _ in places], np.int64)
        if len(np.unique(group)) < 2:
            raise InputError("all labels come from one user: there is nobody to check on what was learned")
        truth = np.hstack([_truth(one, places) for one in learnable])
        return cls(learnable, places, _units(conversations, places), group, truth)

    def model_of(self, rows: IntArray, *, seed: int) -> LevelModel:
        """Fit vocabulary, weights and cuts on some of the rows alone."""
        units = [self.units[row] for row in rows]
        vocabulary = learn_vocabulary(units)
        known = Answered(Featurizer(vocabulary).rows(units), self.truth[rows], self.group[rows])
        cuts = [
            cut_for_f1 if one.target.kind == "acts" else cut_for_rate
            for one in self.learnable
            for _ in range(one.target.n_questions)
        ]
        return LevelModel(vocabulary, fit(known, cuts, seed=seed))

    def said_by(self, model: LevelModel, rows: IntArray) -> dict[Place, Mapping[str, Label]]:
        """Label some of the rows, with what is known of them alone."""
        targets = [one.target for one in self.learnable]
        said: dict[Place, Mapping[str, Label]] = {}
        for row, answers in zip(rows, model.answers([self.units[row] for row in rows]), strict=True):
            place, labels = self.places[row], spoken(targets, answers, OUT_OF_FOLD)
            known = [one.target.name for one in self.learnable if place in one.answers]
            said[place] = {name: labels[name] for name in known}
        return said

    def scored(self, one: Learnable, said: Mapping[Place, Mapping[str, Label]], *, seed: int) -> Scores:
        """Score what the folds said of one target."""
        known = [row for row, place in enumerate(self.places) if place in one.answers]
        truth = [_as_set(one.answers[self.places[row]]) for row in known]
        answers = [_as_set(said[self.places[row]][one.target.name].value) for row in known]
        return score(one.target, truth, answers, self.group[known], seed=child_seed(seed, one.target.name))


def fit_level(data: LevelData, *, folds: int, seed: int) -> Fitted:
    """Fit on everything, and score models that were fitted on all folds but one; two folds at a time."""
    import numpy as np

    fold = deal(data.group, min(folds, len(np.unique(data.group))), seed=seed)

    def judge(held_out: int) -> dict[Place, Mapping[str, Label]]:
        model = data.model_of(np.flatnonzero(fold != held_out), seed=child_seed(seed, "fold", held_out))
        return data.said_by(model, np.flatnonzero(fold == held_out))

    said: dict[Place, Mapping[str, Label]] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        for judged in pool.map(judge, range(int(fold.max()) + 1)):
            said.update(judged)
    scores = tuple(data.scored(one, said, seed=seed) for one in data.learnable)
    return Fitted(data.model_of(np.arange(len(fold)), seed=child_seed(seed, "final")), said, scores)


def _units(conversations: Sequence[Conversation], places: Sequence[Place]) -> list[Unit]:
    units: list[Unit] = []
    of_messages: dict[int, dict[int, Unit]] = {}
    for number, index in places:
        if index is None:
            units.append(conversation_unit(conversations[number]))
            continue
        if number not in of_messages:
            of_messages = {number: dict(message_units(conversations[number]))}
        units.append(of_messages[number][index])
    return units


def _truth(one: Learnable, places: Sequence[Place]) -> FloatArray:
    import numpy as np

    unknown = [np.nan] * one.target.n_questions
    rows = [one.target.asked(one.answers[place]) if place in one.answers else unknown for place in places]
    return np.asarray(rows, np.float64)


def _as_set(value: JsonValue) -> JsonValue:
    return list[JsonValue](sorted({str(act) for act in value})) if isinstance(value, list) else value


@dataclass(frozen=True)
class Trained:
    """A classifier that can be saved, and what it says of its own training set when that is held out."""

    card: Card
    learned: Learned
    out_of_fold: tuple[Annotation, ...]
    """One a conversation that was given, in its order, by the source ``classifier:cv``; labels stand where the truth
    is known."""


def train(
    conversations: Sequence[Conversation],
    *,
    source: str,
    seed: int,
    labels: Sequence[str] | None = None,
    mapping: ActMap | None = None,
    folds: int = 5,
    file: tuple[str, str] | None = None,
) -> Trained:
    """Learn to give the labels that ``source`` gave to user messages and whole conversations.

    Folds, here and where cuts are chosen, keep whole users together, or conversations where no user is known.
    Conversations that failed are left out.

    Args:
        conversations: What carries the labels.
        source: Whose labels, such as ``self`` or ``third_party``.
        seed: Moves the folds and the resampling.
        labels: Names of labels; by default ``acts`` and every label with few ordered values.
        mapping: Turns another scheme's labels into acts.
        folds: From 2 to 20; fewer are made where there are fewer users.
        file: Name and SHA-256 of the file that the conversations came from.

    Raises:
        InputError: Nothing can be learned from these labels, and why.
    """
    check_whole("train", "folds", folds, low=2, high=20)
    used = [conversation for conversation in conversations if conversation.failure is None]
    learnable, warnings = gather(used, labels=labels, source=source, mapping=mapping)
    learnable = tuple(sorted(learnable, key=lambda one: LEVELS.index(one.target.level)))
    group = _groups(used)
    fitted = {}
    for level in LEVELS:
        here = [one for one in learnable if one.target.level == level]
        if here:
            data = LevelData.of(used, here, group)
            fitted[level] = fit_level(data, folds=folds, seed=child_seed(seed, level))
    learned = Learned(
        tuple(one.target for one in learnable), {level: one.model for level, one in fitted.items()}
    )
    card = Card(
        version=learned.version,
        features_version=FEATURES_VERSION,
        source=source,
        targets=learned.targets,
        scores=tuple(scores for one in fitted.values() for scores in one.scores),
        file=file[0] if file else None,
        learned_from=LearnedFrom.of(used, sha256=file[1] if file else None),
        seed=seed,
        folds=folds,
        warnings=(*_left_out(conversations, used), *warnings),
        convsim=own_version(),
        scikit_learn=version("scikit-learn"),
        skops=version("skops"),
    )
    return Trained(card, learned, _annotations(conversations, fitted))


def _left_out(conversations: Sequence[Conversation], used: Sequence[Conversation]) -> list[str]:
    n_failed = len(conversations) - len(used)
    return [f"{n_failed} conversations failed and were left out"] if n_failed else []


def _groups(conversations: Sequence[Conversation]) -> list[int]:
    """Number the users; who has none stands with the same words alone."""
    numbers: dict[tuple[str, str], int] = {}
    keys = (("user", c.user) if c.user is not None else ("said", c.fingerprint) for c in conversations)
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _annotations(
    conversations: Sequence[Conversation], fitted: Mapping[Level, Fitted]
) -> tuple[Annotation, ...]:
    used = [number for number, conversation in enumerate(conversations) if conversation.failure is None]
    messages: list[dict[int, Mapping[str, Label]]] = [{} for _ in conversations]
    whole: list[Mapping[str, Label]] = [{} for _ in conversations]
    for one in fitted.values():
        for (number, index), labels in one.said.items():
            if index is None:
                whole[used[number]] = labels
            else:
                messages[used[number]][index] = labels
    return tuple(Annotation(messages=m, conversation=w) for m, w in zip(messages, whole, strict=True))
