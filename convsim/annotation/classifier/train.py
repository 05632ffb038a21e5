"""Trains a classifier on labelled conversations, and scores it on people that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from convsim._settings import check_setting
from convsim.annotation.agreement import AgreementReport, check
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
from convsim.annotation.labels import with_labels
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
    """The model of one level, and what its folds said, by place."""

    model: LevelModel
    said: Mapping[Place, Mapping[str, Label]]


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
            raise InputError("all labels come from one user: no other user is left to test on")
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


def fit_level(data: LevelData, *, folds: int, seed: int) -> Fitted:
    """Fit on everything, and label each fold by a model that was fitted on all others; two folds at a time."""
    import numpy as np

    fold = deal(data.group, min(folds, len(np.unique(data.group))), seed=seed)

    def label(held_out: int) -> dict[Place, Mapping[str, Label]]:
        model = data.model_of(np.flatnonzero(fold != held_out), seed=child_seed(seed, "fold", held_out))
        return data.said_by(model, np.flatnonzero(fold == held_out))

    said: dict[Place, Mapping[str, Label]] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        for labelled in pool.map(label, range(int(fold.max()) + 1)):
            said.update(labelled)
    return Fitted(data.model_of(np.arange(len(fold)), seed=child_seed(seed, "final")), said)


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
    check_setting("train", "folds", folds, Annotated[int, Field(ge=2, le=20)])
    used = [conversation for conversation in conversations if conversation.failure is None]
    learnable, warnings = gather(used, labels=labels, source=source, mapping=mapping)
    learnable = tuple(sorted(learnable, key=lambda one: LEVELS.index(one.target.level)))
    group = _groups(used)
    models: dict[Level, LevelModel] = {}
    said: dict[Place, Mapping[str, Label]] = {}
    for level in LEVELS:
        here = [one for one in learnable if one.target.level == level]
        if here:
            fitted = fit_level(LevelData.of(used, here, group), folds=folds, seed=child_seed(seed, level))
            models[level] = fitted.model
            said |= fitted.said
    out_of_fold = _annotations(len(used), said)
    truth = _annotations(len(used), _truths(learnable, source))
    learned = Learned(tuple(one.target for one in learnable), models)
    card = Card(
        version=learned.version,
        features_version=FEATURES_VERSION,
        source=source,
        targets=learned.targets,
        agreement=_agreement(
            used, group, out_of_fold, truth, source=source, seed=child_seed(seed, "agreement")
        ),
        file=file[0] if file else None,
        learned_from=LearnedFrom.of(used, sha256=file[1] if file else None),
        seed=seed,
        folds=folds,
        warnings=(*_left_out(conversations, used), *warnings),
        convsim=own_version(),
        scikit_learn=version("scikit-learn"),
    )
    given = iter(out_of_fold)
    return Trained(
        card, learned, tuple(next(given) if c.failure is None else Annotation() for c in conversations)
    )


def _left_out(conversations: Sequence[Conversation], used: Sequence[Conversation]) -> list[str]:
    n_failed = len(conversations) - len(used)
    return [f"{n_failed} conversations failed and were skipped"] if n_failed else []


def _groups(conversations: Sequence[Conversation]) -> list[int]:
    """Number the users; who has none stands with the same words alone."""
    numbers: dict[tuple[str, str], int] = {}
    keys = (("user", c.user) if c.user is not None else ("said", c.fingerprint) for c in conversations)
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _annotations(n: int, labels: Mapping[Place, Mapping[str, Label]]) -> list[Annotation]:
    """Lay labels out by conversation, of which there are ``n``."""
    messages: list[dict[int, Mapping[str, Label]]] = [{} for _ in range(n)]
    whole: list[Mapping[str, Label]] = [{} for _ in range(n)]
    for (number, index), given in labels.items():
        if index is None:
            whole[number] = given
        else:
            messages[number][index] = given
    return [Annotation(messages=m, conversation=w) for m, w in zip(messages, whole, strict=True)]


def _truths(learnable: Sequence[Learnable], source: str) -> dict[Place, dict[str, Label]]:
    """Write what was learned from as labels: acts that a map gave too."""
    truths: dict[Place, dict[str, Label]] = {}
    for one in learnable:
        for place, value in one.answers.items():
            label = Label(value=value, source=source, scale=one.target.scale)
            truths.setdefault(place, {})[one.target.name] = label
    return truths


def _agreement(
    conversations: Sequence[Conversation],
    group: Sequence[int],
    out_of_fold: Sequence[Annotation],
    truth: Sequence[Annotation],
    *,
    source: str,
    seed: int,
) -> AgreementReport:
    """Hold the labels that were given out of fold against the truth; users are those that the folds kept whole."""
    annotated, reference = [], []
    for number, conversation in enumerate(conversations):
        if not (truth[number].messages or truth[number].conversation):
            continue
        messages = tuple(message.model_copy(update={"labels": {}}) for message in conversation.messages)
        bare = conversation.model_copy(
            update={"id": str(number), "user": str(group[number]), "messages": messages, "labels": {}}
        )
        annotated.append(with_labels(bare, out_of_fold[number], source=OUT_OF_FOLD))
        reference.append(with_labels(bare, truth[number], source=source))
    return check(annotated, reference, source=OUT_OF_FOLD, against=source, seed=seed)
