"""Trains a classifier on labelled conversations, and scores it on people that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from convsim._settings import check_whole
from convsim.annotation.classifier.card import Card
from convsim.annotation.classifier.features import FEATURES_VERSION
from convsim.annotation.classifier.fit import Fitted, LevelData, fit_level
from convsim.annotation.classifier.learnable import gather
from convsim.annotation.classifier.learned import LEVELS, Learned
from convsim.annotation.classifier.units import Level
from convsim.annotation.mapping import ActMap
from convsim.io.provenance import own_version
from convsim.schema import Annotation
from convsim.schema.conversation import Conversation, Label, LearnedFrom
from convsim.seeds import child_seed


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
