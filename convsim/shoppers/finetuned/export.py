"""Turns a fitted model into a shopper's folder, with what its training came to; what makes it one is written last."""

from __future__ import annotations

import json
import resource
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import JsonValue, ValidationError

from convsim._async import run_to_its_end
from convsim._files import refuse_link, replacing, sync_file
from convsim._inputs import read_input
from convsim._text import one_line
from convsim.errors import InputError, TrainingError
from convsim.io import MANIFEST
from convsim.io.manifest import MAX_MANIFEST_BYTES
from convsim.models.checkpoint import quiet
from convsim.models.local import Local
from convsim.schema.conversation import Conversation
from convsim.schema.record import Count, Number, Record
from convsim.shoppers.finetuned.base_model import model_hashes
from convsim.shoppers.finetuned.compress import Cut, quantize_int8
from convsim.shoppers.finetuned.encode import Encoded
from convsim.shoppers.finetuned.fit import Fitted, merged
from convsim.shoppers.finetuned.sampling import Decoding, choose_decoding
from convsim.shoppers.finetuned.settings import TrainingSettings
from convsim.shoppers.finetuned.split import Chosen
from convsim.shoppers.finetuned.trained import SHOPPER_FILE, Trained


class Outcome(Record):
    """Numbers of a training; perplexities are of the held-out users' words, per token of the model."""

    learned_conversations: Count
    held_out_conversations: Count
    excluded_conversations: Count
    excluded_users_conversations: Count
    sequences: Count
    learned_tokens: Count
    cut_conversations: Count
    dropped_messages: Count
    empty_turns: Count
    perplexity_before: Number
    perplexity_after: Number | None
    """Null where nothing was trained."""
    steps: Count
    best_step: Count | None
    resumed_from: Count
    seconds: Number
    """Of the last call; evaluations and checkpoints included."""
    tokens_per_second: Number | None
    """Null where the last call trained nothing."""
    peak_memory_bytes: Count
    """Of the process; on a GPU, of the GPU."""
    parameters_before: Count | None = None
    """Of the base; null in the outcomes of earlier versions."""
    parameters_after: Count | None = None
    """Of the shopper."""
    cuts: tuple[Cut, ...] = ()
    """What was cut out while the model was trained, and when."""
    decoding: Decoding | None
    """Null where the sampling was not chosen: it was not asked for, or training was too short."""

    @classmethod
    def of(
        cls,
        chosen: Chosen,
        learned: Encoded,
        held_out: Encoded,
        *,
        before: float,
        parameters: tuple[int, int],
        fitted: Fitted | None,
        decoding: Decoding | None,
    ) -> Outcome:
        """Put together what was counted and measured."""
        counts = learned.counts + held_out.counts
        return cls(
            learned_conversations=len(chosen.learned),
            held_out_conversations=len(chosen.held_out),
            excluded_conversations=len(chosen.excluded),
            excluded_users_conversations=chosen.n_excluded_users,
            sequences=len(learned.examples),
            learned_tokens=learned.n_learned_tokens,
            cut_conversations=counts["cut_conversations"],
            dropped_messages=counts["dropped_messages"],
            empty_turns=counts["empty_turns"],
            perplexity_before=before,
            perplexity_after=fitted.perplexity if fitted else None,
            steps=fitted.steps if fitted else 0,
            best_step=fitted.best_step if fitted else None,
            resumed_from=fitted.resumed_from if fitted else 0,
            seconds=fitted.seconds if fitted else 0.0,
            tokens_per_second=fitted.trained_tokens / fitted.seconds
            if fitted and fitted.trained_tokens
            else None,
            peak_memory_bytes=_peak_memory(),
            parameters_before=parameters[0],
            parameters_after=parameters[1],
            cuts=fitted.cuts if fitted else (),
            decoding=decoding,
        )

    def to_plain(self) -> dict[str, JsonValue]:
        """Return it as the manifest holds it."""
        return self.model_dump(mode="json")


def read_outcome(folder: Path) -> Outcome:
    """Read the outcome of a training that is done.

    Raises:
        InputError: The manifest does not hold one.
    """
    path = folder / MANIFEST
    try:
        return Outcome.model_validate(json.loads(read_input(path, MAX_MANIFEST_BYTES))["outcome"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise InputError(f"{path}: is not the outcome of a training; name another --out") from error


def _peak_memory() -> int:
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


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
            f"the shopper cannot be written to {out} ({one_line(error)}); its checkpoints are kept: free space and run "
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
    refuse_link(partial)
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
    """Write ``shopper.json``, which makes a folder a shopper, once all that it names is on disk."""
    text = trained.model_dump_json(by_alias=True, exclude={"learned_from": {"metadata"}}, indent=2)
    for saved in out.iterdir():
        if saved.is_file() and not saved.is_symlink():
            sync_file(saved)
    with replacing(out / SHOPPER_FILE) as file:
        file.write(text.encode("utf-8") + b"\n")


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save a model as an ordinary folder of transformers, in bfloat16."""
    import torch

    model.generation_config.do_sample = True
    with quiet():
        model.to(torch.bfloat16).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
