"""Agreement between annotators: labels held against those of people or of another annotator."""

from convsim.annotation.agreement.checking import check
from convsim.annotation.agreement.document import Agreement, AgreementReport, ClassScore, Confusion, Published

__all__ = ["Agreement", "AgreementReport", "ClassScore", "Confusion", "Published", "check"]
