"""Validators: each asks one question of simulated shoppers, held against people or against a fault of the agent."""

from convsim_validators.copies.copies import Copies
from convsim_validators.counterfactual.counterfactual import Counterfactual
from convsim_validators.dose_response.dose_response import DoseResponse
from convsim_validators.humanlikeness.humanlikeness import HumanLikeness
from convsim_validators.labels.prevalence import Prevalence
from convsim_validators.labels.transitions import Transitions
from convsim_validators.marginals.marginals import Marginals
from convsim_validators.relations.relations import Relations

__all__ = [
    "Copies",
    "Counterfactual",
    "DoseResponse",
    "HumanLikeness",
    "Marginals",
    "Prevalence",
    "Relations",
    "Transitions",
]
