"""What of a model is trained: all its weights, a few of its layers, or LoRA's small matrices beside them."""

from __future__ import annotations

import warnings
from typing import Any

from convsim.shoppers.finetuned.compress import drop_layers
from convsim.shoppers.finetuned.settings import TrainingSettings


def adapt(model: Any, settings: TrainingSettings) -> Any:
    """Return what is trained of ``model``: a smaller one, one with LoRA beside it, or itself.

    Source:
        Hu et al. (2022), LoRA: Low-rank adaptation of large language models, ICLR; here on every linear layer.

    Raises:
        InputError: The layers cannot be found, or are not more than are kept.
    """
    if settings.keep_layers is not None:
        model = drop_layers(model, settings.keep_layers)
    if not settings.lora:
        return model
    from peft import LoraConfig, get_peft_model

    rank = settings.lora_rank
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with warnings.catch_warnings():
        # peft reads an attribute that transformers has renamed.
        warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
        return get_peft_model(model, config)


def merged(model: Any) -> Any:
    """Return a model with LoRA's matrices added to its own; any other as it is."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
