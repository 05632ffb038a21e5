"""Labels compare only where the same annotator gave them, on the same scale."""

from __future__ import annotations

from convsim.schema import Corpus


def refused_labels(real: Corpus, simulated: Corpus) -> dict[str, str]:
    """Name the metrics of both tables that come from different labels, each with the reason why they do not compare."""
    return {
        name: f"the real side's labels are by {metric.label or 'nobody (it is counted)'}, the simulated side's by "
        f"{other.label or 'nobody (it is counted)'}: labels compare only where source and scale are the same"
        for name, metric in real.metrics.items()
        if (other := simulated.metrics.get(name)) is not None and other.label != metric.label
    }
