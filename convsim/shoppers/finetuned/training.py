"""Trains a shopper in one call, in Python."""

from __future__ import annotations

from pathlib import Path

from convsim.io import Source, Transcripts, read_source
from convsim.shoppers.finetuned.export import Outcome
from convsim.shoppers.finetuned.settings import checked_settings
from convsim.shoppers.finetuned.train import Training


def train_shopper(
    real: Source,
    folder: Path | str,
    *,
    base: str = "embedded",
    learn_arm: str | None = None,
    exclude: Source = (),
    **settings: object,
) -> Outcome:
    """Fine-tune a model to talk as users in real conversations do: ``train_shopper(people, "shopper", seed=1)``.

    The same call goes on where it was interrupted; ``make_shopper("sft", model=folder)`` is the shopper.

    Args:
        real: Whom it learns from.
        folder: Where the shopper is kept.
        base: ``embedded``, a folder of transformers, a GGUF file, or a shopper that was trained before.
        learn_arm: Learn only from this arm.
        exclude: Conversations to leave out, with all others by the same users.
        settings: Those of ``TrainingSettings``, such as ``max_steps``, ``lora`` and ``learning_rate``; ``seed`` is 0 if
            it is not given.

    Raises:
        InputError: The conversations, the base, a setting or the folder cannot be used as asked.
        TrainingError: Training failed; the last good checkpoint stays.
        MissingExtraError: The extra ``train`` is not installed.
    """
    checked = checked_settings({"seed": 0, **settings})
    people = read_source(real)
    training = Training(
        list(people),
        base,
        settings=checked,
        sha256=people.sha256 if isinstance(people, Transcripts) else None,
        learn_arm=learn_arm,
        exclude=list(read_source(exclude)),
    )
    return training.run(folder)
