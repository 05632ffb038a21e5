"""Agreement between annotators: labels held against those of people or of another annotator."""

from convsim.annotation.agreement.checking import check
from convsim.annotation.agreement.document import Agreement, ClassScore, Confusion, Published, Reliability

__all__ = ["Agreement", "ClassScore", "Confusion", "Published", "Reliability", "check"]
