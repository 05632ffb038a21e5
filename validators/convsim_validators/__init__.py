"""Validators: each asks one question of simulated shoppers, held against people or against a fault of the agent."""

from convsim_validators.by_stratum.by_stratum import ByStratum
from convsim_validators.coherence.coherence import Coherence
from convsim_validators.consistency.consistency import Consistency
from convsim_validators.copies.copies import Copies
from convsim_validators.counterfactual.counterfactual import Counterfactual
from convsim_validators.disclosure.disclosure import Disclosure
from convsim_validators.diversity.diversity import Diversity
from convsim_validators.dose_response.dose_response import DoseResponse
from convsim_validators.endings.endings import Endings
from convsim_validators.humanlikeness.humanlikeness import HumanLikeness
from convsim_validators.joint.joint import Joint
from convsim_validators.labels.prevalence import Prevalence
from convsim_validators.labels.transitions import Transitions
from convsim_validators.leakage.leakage import Leakage
from convsim_validators.marginals.marginals import Marginals
from convsim_validators.relations.relations import Relations
from convsim_validators.typography.typography import Typography

__all__ = [
    "ByStratum",
    "Coherence",
    "Consistency",
    "Copies",
    "Counterfactual",
    "Disclosure",
    "Diversity",
    "DoseResponse",
    "Endings",
    "HumanLikeness",
    "Joint",
    "Leakage",
    "Marginals",
    "Prevalence",
    "Relations",
    "Transitions",
    "Typography",
]
