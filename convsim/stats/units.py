"""The resampling unit, and which labels of two sides compare."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convsim.schema import Corpus
from convsim.schema.conversation import Conversation


def independent_units(corpus: Corpus) -> npt.NDArray[np.object_]:
    """Name the independent unit of each conversation; shape (n,).

    The user where it is known. Simulated conversations name none, but the same persona meets every arm with the same
    random numbers, and personas drawn from one real user share that user: there the unit is that user, or else the
    persona. ``Corpus.units``, which compares populations within arms, has no need of this.
    """
    names = [_unit(conversation) for conversation in corpus.conversations]
    return np.asarray(names, object)


def _unit(conversation: Conversation) -> str:
    if conversation.user is not None:
        return f"user {conversation.user}"
    if conversation.persona is None:
        return f"conversation {conversation.id}"
    drawn_from = conversation.persona.metadata.get("drawn_from_user")
    return f"persona {conversation.persona.id}" if drawn_from is None else f"user {drawn_from}"


def refused_labels(real: Corpus, simulated: Corpus) -> dict[str, str]:
    """Name the metrics of both tables that come from different labels, each with the reason why they do not compare."""
    return {
        name: f"the real side's labels are by {metric.label or 'nobody (it is counted)'}, the simulated side's by "
        f"{other.label or 'nobody (it is counted)'}: labels compare only where source and scale are the same"
        for name, metric in real.metrics.items()
        if (other := simulated.metrics.get(name)) is not None and other.label != metric.label
    }
