"""The scores that a discriminator gave each conversation, and its control: people against people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from convsim.report.html.conversation_scores import scores_of, words_view
from convsim.report.html.figures.figure import Picture, draw
from convsim.report.html.figures.overlays import LEGEND, draw_histograms
from convsim.report.words import number
from convsim.schema import Finding

LABEL = "probability of human"
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
                title="Simulated and people", small=True, legend=LEGEND,
                says=f"The mean score is {number(float(values[0].mean()))} among people and "
                f"{number(float(values[1].mean()))} among simulated shoppers.",
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
                title="Control: people and people", small=True,
                legend=(("people-fill", "one half of the people"), ("simulated-line", "the other half")),
                says="The same discriminator on two halves of the people. What cannot be told apart coincides.",
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
