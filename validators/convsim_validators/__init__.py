"""Validators: each asks one question of simulated shoppers, held against people."""

from convsim_validators.humanlikeness import HumanLikeness
from convsim_validators.marginals import Marginals

__all__ = ["HumanLikeness", "Marginals"]
