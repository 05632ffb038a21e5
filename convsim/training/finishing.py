"""Turns a fitted model into a shopper's folder; what makes it one is written last."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convsim.conversation import Conversation
from convsim.errors import TrainingError
from convsim.models.checkpoint import quiet
from convsim.models.local import Local
from convsim.one_line import one_line
from convsim.shoppers.sft import SHOPPER_FILE, Trained
from convsim.training.adapting import merged
from convsim.training.base import model_hashes
from convsim.training.compressing import quantize_int8
from convsim.training.decoding import Decoding, choose_decoding
from convsim.training.settings import TrainingSettings
from convsim.waiting import run_to_its_end

PARTIAL = "saving"


def finish(
    out: Path,
    model: Any,
    tokenizer: Any,
    trained: Trained,
    *,
    held_out: Sequence[Conversation],
    settings: TrainingSettings,
    n_calibrate: int,
) -> Decoding | None:
    """Save the model into ``out``, choose how it is sampled (``n_calibrate`` 0 does not), and write ``shopper.json``.

    Raises:
        TrainingError: The folder cannot be written.
    """
    partial = out / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    try:
        save(merged(model), tokenizer, partial)
        if settings.compress == "int8":
            quantize_int8(partial)
        for file in sorted(partial.iterdir()):
            file.replace(out / file.name)
        partial.rmdir()
        trained = trained.but(weights=model_hashes(out))
        decoding = None
        if n_calibrate:
            # A copy of its own, read from the folder: what is chosen for is what will be sampled.
            spoken = Local(path=out)
            decoding = run_to_its_end(
                lambda: choose_decoding(spoken, held_out, trained, n=n_calibrate, seed=settings.seed)
            )
            trained = trained.but(temperature=decoding.temperature, top_p=decoding.top_p)
        text = trained.model_dump_json(
            by_alias=True, exclude={"metadata": True, "learned_from": {"metadata"}}, indent=2
        )
        last = out / f".{SHOPPER_FILE}"
        last.write_text(text + "\n", encoding="utf-8")
        last.replace(out / SHOPPER_FILE)
    except (OSError, RuntimeError) as error:
        raise TrainingError(
            f"the shopper cannot be written to {out} ({one_line(error)}); its checkpoints stay: make room and give "
            "the same command again"
        ) from error
    return decoding


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save a model as an ordinary folder of transformers, in bfloat16."""
    import torch

    model.generation_config.do_sample = True
    with quiet():
        model.to(torch.bfloat16).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
