"""Makes a smaller shopper of a model: fewer layers, heads, neurons or states, a teacher, weights of eight bits."""

from convsim.shoppers.finetuned.compress.cuts import (
    Cut,
    Cutter,
    Cutting,
    check_steps,
    cut,
    cut_steps,
    n_parameters,
    proportion_cut,
)
from convsim.shoppers.finetuned.compress.distillation import distillation_loss
from convsim.shoppers.finetuned.compress.int8 import quantize_int8
from convsim.shoppers.finetuned.compress.layers import drop_layers
from convsim.shoppers.finetuned.compress.states import StateReduction
from convsim.shoppers.finetuned.compress.structured import Pruning

__all__ = [
    "Cut",
    "Cutter",
    "Cutting",
    "Pruning",
    "StateReduction",
    "check_steps",
    "cut",
    "cut_steps",
    "distillation_loss",
    "drop_layers",
    "n_parameters",
    "proportion_cut",
    "quantize_int8",
]
