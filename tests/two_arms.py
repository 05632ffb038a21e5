"""Corpora of two arms with shifts that are known exactly, for tests of counterfactual validation."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import norm

from convsim.schema import Corpus, LabelOrigin
from convsim.schema.conversation import Conversation
from tests.corpora import corpus

CONTROL, TREATMENT = "good", "bad"


def scores(n: int, *, seed: int) -> np.ndarray:
    """Return n normal scores, mean 0 and standard deviation about 1, in an order of their own."""
    return np.random.default_rng(seed).permutation(norm.ppf((np.arange(n) + 0.5) / n))


def shifted(shifts: Mapping[str, float], *, n: int, prefix: str, **given) -> Corpus:
    """Make n conversations an arm in which each metric's treated mean lies ``shifts[name]`` above the control's."""
    seed = sum(map(ord, prefix))
    columns = {
        name: np.concatenate([scores(n, seed=seed + 2 * i), scores(n, seed=seed + 2 * i + 1) + shift])
        for i, (name, shift) in enumerate(shifts.items())
    }
    return corpus(columns, arms=[CONTROL] * n + [TREATMENT] * n, prefix=prefix, **given)


def arms_of(control: Mapping[str, Any], treatment: Mapping[str, Any], **given) -> Corpus:
    """Put the values of two arms, one sequence a metric, into one corpus."""
    sizes = [len(next(iter(arm.values()))) for arm in (control, treatment)]
    columns = {name: np.concatenate([control[name], treatment[name]]).astype(float) for name in control}
    return corpus(columns, arms=[CONTROL] * sizes[0] + [TREATMENT] * sizes[1], **given)


def changed(given: Corpus, change: Callable[[Conversation], dict[str, object]]) -> Corpus:
    """Return a corpus whose conversations are changed as ``change`` says."""
    return Corpus([c.but(**change(c)) for c in given.conversations], given.table, given.metrics)


def labelled(given: Corpus, name: str, source: str) -> Corpus:
    """Return a corpus whose metric ``name`` is read from labels by ``source``."""
    origin = LabelOrigin(name, "conversation", source, (0.0, 1.0))
    metrics = {**given.metrics, name: replace(given.metrics[name], label=origin)}
    return Corpus(given.conversations, given.table, metrics)
