"""Turns a fitted model into a shopper's folder; what makes it one is written last."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from convsim._async import run_to_its_end
from convsim._text import one_line
from convsim.errors import TrainingError
from convsim.models.checkpoint import quiet
from convsim.models.local import Local
from convsim.schema.conversation import Conversation
from convsim.shoppers.finetuned.base_model import model_hashes
from convsim.shoppers.finetuned.compress import quantize_int8
from convsim.shoppers.finetuned.lora import merged
from convsim.shoppers.finetuned.sampling import Decoding, choose_decoding
from convsim.shoppers.finetuned.settings import TrainingSettings
from convsim.shoppers.finetuned.trained import SHOPPER_FILE, Trained

PARTIAL = "saving"


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Say in one line that the shopper cannot be written.

    Raises:
        TrainingError: The folder cannot be written.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        raise TrainingError(
            f"the shopper cannot be written to {out} ({one_line(error)}); its checkpoints stay: make room and give "
            "the same command again"
        ) from error


def finish(
    out: Path,
    model: Any,
    tokenizer: Any,
    trained: Trained,
    *,
    held_out: Sequence[Conversation],
    settings: TrainingSettings,
    n_calibrate: int,
) -> tuple[Trained, Decoding | None]:
    """Save the model into ``out`` and choose how it is sampled (``n_calibrate`` 0 does not).

    Returns:
        ``trained`` with what is known of the model only now, and how the sampling was chosen.
    """
    partial = out / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    save(merged(model), tokenizer, partial)
    if settings.compress == "int8":
        quantize_int8(partial)
    mode = (partial / "config.json").stat().st_mode
    for file in sorted(partial.iterdir()):
        file.chmod(mode)  # safetensors lets nobody but the owner read the weights
        file.replace(out / file.name)
    partial.rmdir()
    trained = trained.but(weights=model_hashes(out))
    if not n_calibrate:
        return trained, None
    # A copy of its own, read from the folder: what is chosen for is what will be sampled.
    spoken = Local(path=out)
    decoding = run_to_its_end(
        lambda: choose_decoding(spoken, held_out, trained, n=n_calibrate, seed=settings.seed)
    )
    return trained.but(temperature=decoding.temperature, top_p=decoding.top_p), decoding


def seal(out: Path, trained: Trained) -> None:
    """Write ``shopper.json``, which makes a folder a shopper."""
    text = trained.model_dump_json(by_alias=True, exclude={"learned_from": {"metadata"}}, indent=2)
    last = out / f".{SHOPPER_FILE}"
    last.write_text(text + "\n", encoding="utf-8")
    last.replace(out / SHOPPER_FILE)


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save a model as an ordinary folder of transformers, in bfloat16."""
    import torch

    model.generation_config.do_sample = True
    with quiet():
        model.to(torch.bfloat16).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
