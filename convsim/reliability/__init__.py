"""Reliability: how far labels may be trusted, held against those of people or of another annotator."""

from convsim.reliability.checking import check
from convsim.reliability.document import Agreement, ClassScore, Confusion, Published, Reliability
from convsim.stats.count_resampling import Estimate

__all__ = ["Agreement", "ClassScore", "Confusion", "Estimate", "Published", "Reliability", "check"]
