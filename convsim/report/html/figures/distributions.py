"""Distributions of people and simulated shoppers, one over the other: metrics, and a classifier's scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from convsim.metrics import Metrics, measure_both
from convsim.report.html.conversation_scores import scores_of, words_view
from convsim.report.html.explained import explanation
from convsim.report.html.figures.canvas import MAX_MAGNITUDE, PEOPLE, SIMULATED, Picture, canvas, draw
from convsim.report.html.figures.distances import ranked
from convsim.report.html.text import metric_name, name
from convsim.report.tables import number
from convsim.schema import Finding, Metric
from convsim.schema.conversation import Conversation
from convsim.schema.details import DistanceDetails

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from convsim.schema.arrays import FloatArray

    Histogram = tuple[FloatArray, FloatArray, FloatArray]

N_WORST = 6
N_BINS_OF_METRICS = 24
MAX_VALUES = 14
"""Whole numbers of so few different values get a bar each."""
HEIGHT_PX = 160
NO_FURTHER: Mapping[str, Metric] = {}
LEGEND = (("people-fill", "people"), ("simulated-line", "simulated"))


def overlays(
    findings: Sequence[Finding],
    real: Sequence[Conversation],
    simulated: Sequence[Conversation],
    further: Mapping[str, Metric] = NO_FURTHER,
) -> tuple[list[Picture], list[str]]:
    """Draw the distributions of the metrics that lie farthest apart, at most six.

    Args:
        findings: What was judged.
        real: The people's conversations.
        simulated: The simulated conversations.
        further: The metrics that are not built in; all of them, and every label, are measured again.

    Returns:
        The pictures, and the metrics that had to be left out, since nobody handed them in.
    """
    corpora = measure_both(real, simulated, metrics=Metrics(further=further))
    pictures: list[Picture] = []
    left_out: list[str] = []
    for finding in ranked(findings):
        if len(pictures) == N_WORST:
            break
        if not all(finding.metric in corpus.table for corpus in corpora):
            left_out.append(finding.metric)
            continue
        people, shoppers = (_known(corpus.table[finding.metric].to_numpy()) for corpus in corpora)
        if len(people) and len(shoppers):
            pictures.append(_overlay(len(pictures), finding, people, shoppers))
    return pictures, left_out


def histograms(people: FloatArray, shoppers: FloatArray) -> Histogram:
    """Return the proportions of both sides in common bins, and the bins' edges; outliers are in the last bins."""
    import numpy as np

    pooled = np.concatenate([people, shoppers])
    values = np.unique(pooled)
    if (
        len(values) <= MAX_VALUES
        and np.array_equal(values, np.round(values))
        and np.ptp(values) <= MAX_VALUES
    ):
        edges = np.arange(values[0] - 0.5, values[-1] + 1.5)
    else:
        low, high = np.quantile(pooled, [0.005, 0.995])
        edges = np.linspace(low, high if high > low else low + 1, N_BINS_OF_METRICS + 1)
    shares = [np.histogram(np.clip(v, edges[0], edges[-1]), edges)[0] / len(v) for v in (people, shoppers)]
    return shares[0], shares[1], edges


def draw_histograms(histogram: Histogram, width: int, *, label: str) -> Figure:
    """Draw people filled and the simulated side as a line over them."""
    figure, axes = canvas(width, HEIGHT_PX, left=40, right=12, top=8, bottom=38)
    people, shoppers, edges = histogram
    axes.stairs(people, edges, fill=True, color=PEOPLE, alpha=0.45, linewidth=0)
    axes.stairs(shoppers, edges, color=SIMULATED, linewidth=2.2)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, max(people.max(), shoppers.max()) * 1.04 or 1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.locator_params(axis="both", nbins=5)
    axes.grid(axis="y")
    axes.set_xlabel(label)
    return figure


def _overlay(place: int, finding: Finding, people: FloatArray, shoppers: FloatArray) -> Picture:
    import numpy as np

    unit = name(_unit(finding) or "value", limit=40)
    middles = [float(np.median(values)) for values in (people, shoppers)]
    return draw(
        f"overlay-{place}", partial(draw_histograms, histograms(people, shoppers), label=unit),
        title=metric_name(finding.metric), explained=explanation(finding), small=True, legend=LEGEND,
        says=f"Distance {number(finding.estimate)}. Median ({unit}): {number(middles[0])} (people), "
        f"{number(middles[1])} (simulated).",
    )  # fmt: skip


def _known(values: FloatArray) -> FloatArray:
    import numpy as np

    known: FloatArray = values[np.isfinite(values) & (np.abs(values) <= MAX_MAGNITUDE)]
    return known


def _unit(finding: Finding) -> str | None:
    return finding.details.metric_unit if isinstance(finding.details, DistanceDetails) else None


LABEL = "probability of “human”"
N_BINS = 20


def score_histograms(findings: Sequence[Finding]) -> list[Picture]:
    """Draw the scores of both sides, and those of two halves of the people where the findings keep them."""
    import numpy as np

    pictures = []
    sides = (scores_of(findings, "real"), scores_of(findings, "simulated"))
    edges = np.linspace(0, 1, N_BINS + 1)
    if all(sides):
        values = [np.fromiter(scores.values(), float) for scores in sides]
        shares = [np.histogram(v, edges)[0] / len(v) for v in values]
        pictures.append(
            draw(
                "scores", partial(draw_histograms, (shares[0], shares[1], edges), label=LABEL),
                title="People and simulated shoppers", small=True, legend=LEGEND,
                says=f"Mean score: {number(float(values[0].mean()))} (people), "
                f"{number(float(values[1].mean()))} (simulated).",
            )
        )  # fmt: skip
    halves = _control(findings)
    if halves is not None:
        shares = [np.asarray(half) / sum(half) for half in halves]
        pictures.append(
            draw(
                "scores-control",
                partial(
                    draw_histograms, (shares[0], shares[1], np.linspace(0, 1, len(halves[0]) + 1)), label=LABEL
                ),
                title="Human baseline: two halves of people", small=True,
                legend=(("people-fill", "one half of the people"), ("simulated-line", "the other half")),
                says="The same classifier on two random halves of the people, which it cannot tell apart.",
            )
        )  # fmt: skip
    return pictures


def _control(findings: Sequence[Finding]) -> tuple[Sequence[int], Sequence[int]] | None:
    """Return the counts of both halves in equal bins from 0 to 1; None where they are not kept."""
    found = words_view(findings)
    if found is None:
        return None
    halves = found.control_histogram.first, found.control_histogram.second
    return halves if len(halves[0]) == len(halves[1]) and all(any(half) for half in halves) else None
