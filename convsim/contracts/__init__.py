"""The seams: what convsim and its plugins promise one another."""

from convsim.contracts.columns import WORD, Columns, ratio
from convsim.contracts.corpus import Corpus
from convsim.contracts.finding import FAILING, Finding, Interval, NoiseFloor, Verdict
from convsim.contracts.metric import Metric
from convsim.contracts.validator import Validator

__all__ = [
    "FAILING",
    "WORD",
    "Columns",
    "Corpus",
    "Finding",
    "Interval",
    "Metric",
    "NoiseFloor",
    "Validator",
    "Verdict",
    "ratio",
]
