"""Makes a smaller shopper of a model: fewer layers, a teacher to learn from, weights of eight bits."""

from convsim.shoppers.finetuned.compress.distillation import distillation_loss
from convsim.shoppers.finetuned.compress.int8 import quantize_int8
from convsim.shoppers.finetuned.compress.layers import drop_layers

__all__ = ["distillation_loss", "drop_layers", "quantize_int8"]
