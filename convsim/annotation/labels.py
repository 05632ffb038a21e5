"""A conversation with one annotator's labels put beside those that it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from convsim.errors import ModelError
from convsim.models.fallback import FALLBACK, noting_fallbacks
from convsim.schema import Annotation, Annotator
from convsim.schema.conversation import Conversation, Label, Labels


def is_labelled_by(conversation: Conversation, source: str) -> bool:
    """Tell whether ``source`` has labelled the conversation or a message of it."""
    return source in sources_of([conversation])


def sources_of(conversations: Iterable[Conversation]) -> set[str]:
    """Name everybody who gave a label to a conversation or to a message of its user."""
    return {label.source for label in _labels_of(conversations)}


def _labels_of(conversations: Iterable[Conversation]) -> Iterator[Label]:
    for conversation in conversations:
        for labels in (conversation.labels, *(m.labels for m in conversation.user_messages if m.labels)):
            for given in labels.values():
                yield from given


@dataclass
class FallbackLabels:
    """How many of one annotator's labels a fallback answered for."""

    n: int = 0
    """All of the annotator's labels."""
    n_noted: int = 0
    """Those for which another model answered, or helped to."""
    models: Counter[str] = field(default_factory=Counter)
    """Labels by the model that answered in place of the first."""


def fallback_labels(conversations: Iterable[Conversation]) -> dict[str, FallbackLabels]:
    """Count the labels for which another model than the annotator's own answered, by who gave them.

    Annotators all of whose labels are their own are left out.
    """
    found: dict[str, FallbackLabels] = {}
    for label in _labels_of(conversations):
        counted = found.setdefault(label.source, FallbackLabels())
        counted.n += 1
        names = label.metadata.get(FALLBACK) if label.metadata else None
        if isinstance(names, list) and names:
            counted.n_noted += 1
            counted.models.update(map(str, names))
    return {source: counted for source, counted in found.items() if counted.n_noted}


async def labelled_by(annotator: Annotator, conversation: Conversation) -> Annotation:
    """Ask an annotator; where a fallback answered and it does not say for which labels, it may be any of them."""
    with noting_fallbacks() as noted:
        annotation = await annotator.annotate(conversation)
    if not noted:
        return annotation
    return annotation.but(
        messages={place: _noted(given, noted) for place, given in annotation.messages.items()},
        conversation=_noted(annotation.conversation, noted),
    )


def _noted(given: Mapping[str, Label], names: list[str]) -> dict[str, Label]:
    return {name: label.but(metadata={**label.metadata, FALLBACK: [*names]}) for name, label in given.items()}


def check_annotation(conversation: Conversation, annotation: Annotation, *, source: str) -> None:
    """Check that an annotation is of this conversation and signed by its annotator.

    Raises:
        ModelError: It is signed by somebody else, or labels a message that is not the user's.
    """
    for place, given in annotation.messages.items():
        if place >= len(conversation.messages) or conversation.messages[place].role != "user":
            raise ModelError(f"the annotator labelled message {place}, which is not a user message")
        _check_source(given, source)
    _check_source(annotation.conversation, source)


def with_labels(conversation: Conversation, annotation: Annotation, *, source: str) -> Conversation:
    """Return the conversation with the labels added; nobody else's label is touched.

    Raises:
        ModelError: The annotation is not the annotator's own, or labels a message that is not the user's.
    """
    check_annotation(conversation, annotation, source=source)
    # Only labels change, and they are validated: validating every message again would take most of the time.
    messages = tuple(
        message.model_copy(update={"labels": _added(message.labels, annotation.messages[place])})
        if place in annotation.messages
        else message
        for place, message in enumerate(conversation.messages)
    )
    changes = {"messages": messages, "labels": _added(conversation.labels, annotation.conversation)}
    return conversation.model_copy(update=changes)


def _check_source(given: Mapping[str, Label], source: str) -> None:
    for name, label in given.items():
        if label.source != source:
            raise ModelError(
                f"the annotator {source!r} gave a label {name!r} with the source {label.source!r}"
            )


def _added(labels: Labels, given: Mapping[str, Label]) -> Labels:
    return {**labels, **{name: (*labels.get(name, ()), label) for name, label in given.items()}}
