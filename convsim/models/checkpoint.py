"""Loads a causal language model and its tokenizer from a folder or a GGUF file, without any network."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from convsim._inputs import read_input
from convsim._text import one_line
from convsim.errors import InputError, MissingExtraError, ModelError
from convsim.models.chat_template import check_template
from convsim.models.model_size import MAX_CONFIG_BYTES, check_gguf_layers, check_layers, check_size

if TYPE_CHECKING:
    import torch

Dtype = Literal["auto", "bfloat16", "float32"]


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to run, with its tokenizer; ``context`` is the most tokens that it reads and writes."""

    model: Any
    tokenizer: Any
    context: int
    ends: tuple[int, ...]
    """Tokens that end an answer: those the model names, and every control token, as no answer holds one."""


def check_path(path: Path) -> None:
    """Check that ``path`` may be a model, before anything is imported.

    Raises:
        InputError: There is neither a folder with a config.json nor a GGUF file.
    """
    if path.is_file() and path.suffix == ".gguf":
        return
    if not path.exists():
        raise InputError(f"no model at {path}: give a folder with config.json and weights, or a .gguf file")
    if not (path / "config.json").is_file():
        if (path / "checkpoints").is_dir():
            raise InputError(
                f"{path} is not a model yet: its training has not finished; run the same convsim train command again"
            )
        raise InputError(f"{path} is not a model: it has no config.json and is not a .gguf file")


def require_packages(*names: str, extra: str = "local") -> None:
    """Check that the packages of an extra are installed.

    Raises:
        MissingExtraError: One is missing.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(f"a model in this process (the package {name} is missing)", extra)


def needs_torchao(folder: Path) -> bool:
    """Tell whether the weights in a folder are torchao's, as its config.json says.

    Raises:
        OSError, ValueError: There is no config.json, or it is no JSON.
    """
    config = json.loads(read_input(folder / "config.json", MAX_CONFIG_BYTES))
    how = config.get("quantization_config") if isinstance(config, dict) else None
    return isinstance(how, dict) and how.get("quant_method") == "torchao"


def load_checkpoint(path: Path, *, dtype: Dtype) -> Checkpoint:
    """Load the model and the tokenizer at ``path``: safetensors only, no code of the checkpoint's own.

    Raises:
        InputError: It cannot be loaded, or is not a causal language model.
        MissingExtraError: The extra "local" is not installed.
    """
    check_path(path)
    is_gguf = path.suffix == ".gguf"
    require_packages("torch", "transformers", *(("accelerate", "gguf") if is_gguf else ()))
    # torch's threads spin while they wait for one another; beside another busy process, on two cores, that made a
    # turn take four to fourteen times as long. Asleep they cost some 5 %. It is read when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        if not is_gguf and needs_torchao(path):
            require_packages("torchao", extra="lean")
        with quiet():
            if is_gguf:
                check_gguf_layers(path)
            else:
                check_layers(path)
                check_size(path)
            model, tokenizer = _load(path, _precision(dtype), is_gguf=is_gguf)
        check_template(tokenizer)
    except (
        OSError,
        ValueError,
        ModelError,
        KeyError,
        RuntimeError,
        ImportError,
        AttributeError,
        SafetensorError,
        StrictDataclassError,
    ) as error:
        raise InputError(f"the model at {path} cannot be loaded: {one_line(error)}") from error
    return _ready(path, model, tokenizer)


def _load(path: Path, dtype: torch.dtype, *, is_gguf: bool) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    models: Any = AutoModelForCausalLM
    where: dict[str, Any] = {
        "pretrained_model_name_or_path": path.parent if is_gguf else path,
        "local_files_only": True,
    }
    source: dict[str, Any] = {"gguf_file": path.name} if is_gguf else {}
    # Packed GGUF weights can be neither saved nor run in batches on every device; unpacked ones can.
    weights: dict[str, Any] = (
        {"quantization_config": GgufConfig(dequantize=True)} if is_gguf else {"use_safetensors": True}
    )
    tokenizer = AutoTokenizer.from_pretrained(**where, **source, trust_remote_code=False)
    model, found = models.from_pretrained(
        **where, **source, **weights, dtype=dtype, trust_remote_code=False, output_loading_info=True
    )
    stated, kind = model.config.architectures or [], type(model).__name__
    if stated and kind not in stated:
        raise ValueError(f"it is not a causal language model, but {stated[0]}")
    if missing := sorted(found["missing_keys"]):
        raise ValueError(f"its weights do not fit a {kind}: {missing[0]} is missing")
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), tokenizer


def _ready(path: Path, model: Any, tokenizer: Any) -> Checkpoint:
    from transformers import GenerationConfig

    config: Any = GenerationConfig
    stated = model.generation_config.eos_token_id
    ends = {
        tokenizer.eos_token_id,
        *(stated if isinstance(stated, list) else [stated]),
        *tokenizer.all_special_ids,
    }
    ends.discard(None)
    if not ends:
        raise InputError(
            f"the model at {path} has no end-of-answer token; name one in generation_config.json"
        )
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends)
    # What a checkpoint recommends (top_k, repetition_penalty, …) would change the distribution unseen.
    model.generation_config = config(pad_token_id=pad, eos_token_id=sorted(ends), use_cache=True)
    tokenizer.padding_side = "left"
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return Checkpoint(model, tokenizer, context or 1_000_000, tuple(sorted(ends)))


def multiplies_bfloat16() -> bool:
    """Tell whether this machine multiplies bfloat16: on a GPU, or with a processor that can."""
    import torch

    has = torch.cpu.get_capabilities()
    return torch.cuda.is_available() or any(has.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _precision(dtype: Dtype) -> torch.dtype:
    import torch

    if dtype == "bfloat16" or (dtype == "auto" and multiplies_bfloat16()):
        return torch.bfloat16
    return torch.float32


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back transformers' own bars and log lines, which would break into ours, and torchao's.

    transformers imports torchao wherever it is installed, which then tells of kernels that other machines need.
    """

    def is_error(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR

    others = [logging.getLogger(name) for name in ("torchao", "torch.utils._pytree")]
    for other in others:
        other.addFilter(is_error)
    from transformers.utils import logging as transformers_logging

    settings: Any = transformers_logging
    level, bars = settings.get_verbosity(), settings.is_progress_bar_enabled()
    settings.set_verbosity_error()
    settings.disable_progress_bar()
    try:
        yield
    finally:
        settings.set_verbosity(level)
        if bars:
            settings.enable_progress_bar()
        for other in others:
            other.removeFilter(is_error)
