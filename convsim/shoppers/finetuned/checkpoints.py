"""Checkpoints that can be trusted: one counts only once it was written to its end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convsim._text import one_line
from convsim.errors import TrainingError

WHOLE = "whole"
"""An empty file that is written into a checkpoint last."""
PREFIX = "checkpoint-"


def last_good(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written to its end, and take away those that were not."""
    good: list[Path] = []
    for path in folder.glob(f"{PREFIX}*"):
        if (path / WHOLE).exists():
            good.append(path)
        else:
            shutil.rmtree(path)
    return max(good, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """Return the step after which a checkpoint was written."""
    return int(checkpoint.name.removeprefix(PREFIX))


def checkpoint_of(folder: Path, step: int) -> Path:
    """Return where the checkpoint of a step is."""
    return folder / f"{PREFIX}{step}"


@contextmanager
def checkpointing(folder: Path, step: int) -> Iterator[None]:
    """Mark the checkpoint of ``step`` as whole once it is written; take away what is left of one that failed.

    Raises:
        TrainingError: It could not be written.
    """
    from safetensors import SafetensorError

    path = checkpoint_of(folder, step)
    try:
        yield
        (path / WHOLE).touch()
    except (OSError, RuntimeError, SafetensorError) as error:
        shutil.rmtree(path, ignore_errors=True)
        good = last_good(folder)
        stays = f"the one of step {step_of(good)} is kept" if good else "there is no earlier one"
        raise TrainingError(
            f"the checkpoint of step {step} cannot be written to {folder} ({one_line(error)}); {stays}: free space "
            "and run the same command again"
        ) from error
