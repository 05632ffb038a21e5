"""Agreement between annotators: labels held against those of people or of another annotator."""

from convsim.annotation.agreement.check import check
from convsim.annotation.agreement.document import Agreement, ClassScore, Confusion, Published, Reliability
from convsim.stats.agreement import Estimate

__all__ = ["Agreement", "ClassScore", "Confusion", "Estimate", "Published", "Reliability", "check"]
