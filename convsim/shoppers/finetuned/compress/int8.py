"""Rewrites a model's weights in eight bits."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from convsim._text import one_line
from convsim.errors import InputError
from convsim.models.checkpoint import check_path, needs_torchao, quiet, require_packages

WEIGHTS = "*.safetensors*"
"""Weights in one file or in several, with their index."""


def quantize_int8(folder: Path) -> None:
    """Rewrite the weights of a model's folder in int8, one scale a row; embeddings and activations stay as they are.

    New files are written beside the folder and then put in place, the configuration last: a folder that was left
    between the two cannot be loaded, and is never loaded as something else.

    Raises:
        InputError: The folder holds no model that can be loaded, or one in int8.
        MissingExtraError: The extra "lean" is not installed.
        OSError: The files cannot be written.
    """
    require_packages("torch", "transformers", "torchao", extra="lean")
    check_path(folder)
    if needs_torchao(folder):
        raise InputError(f"the model at {folder} is already quantized")
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-int8-"))
    try:
        with quiet():
            _save_int8(folder, beside)
        made = {file.name for file in beside.glob(WEIGHTS)}
        for old in folder.glob(WEIGHTS):
            if old.name not in made:
                old.unlink()
        for name in (*sorted(made), "config.json"):
            (beside / name).replace(folder / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _save_int8(folder: Path, into: Path) -> None:
    import torch
    from safetensors import SafetensorError
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import AutoModelForCausalLM, TorchAoConfig

    models: Any = AutoModelForCausalLM
    rows: Any = TorchAoConfig
    try:
        model = models.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.bfloat16,
            quantization_config=rows(Int8WeightOnlyConfig()),
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(f"the model at {folder} cannot be loaded: {one_line(error)}") from error
    model.save_pretrained(into)
