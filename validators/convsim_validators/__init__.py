"""Validators: each asks one question of simulated shoppers, held against people or against a fault of the agent."""

from convsim_validators.counterfactual import Counterfactual
from convsim_validators.dose_response import DoseResponse
from convsim_validators.humanlikeness import HumanLikeness
from convsim_validators.marginals import Marginals
from convsim_validators.prevalence import Prevalence
from convsim_validators.relations import Relations
from convsim_validators.transitions import Transitions

__all__ = [
    "Counterfactual",
    "DoseResponse",
    "HumanLikeness",
    "Marginals",
    "Prevalence",
    "Relations",
    "Transitions",
]
