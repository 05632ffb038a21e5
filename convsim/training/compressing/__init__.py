"""Makes a smaller shopper of a model: fewer layers, a teacher to learn from, weights of eight bits."""

from convsim.training.compressing.distillation import distillation_loss
from convsim.training.compressing.int8 import quantize_int8
from convsim.training.compressing.layers import drop_layers

__all__ = ["distillation_loss", "drop_layers", "quantize_int8"]
