"""What is ready before a step is trained: the base, what it is taught, and how well it did before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsim.errors import InputError
from convsim.models.checkpoint import Checkpoint
from convsim.shoppers.finetuned.base_model import load_base
from convsim.shoppers.finetuned.encode import Encoded, encode
from convsim.shoppers.finetuned.lora import adapt
from convsim.shoppers.finetuned.perplexity import user_perplexity
from convsim.shoppers.finetuned.settings import TrainingSettings
from convsim.shoppers.finetuned.split import Chosen

COUNTED = {
    "cut_conversations": "conversations were longer than {} tokens and cut at a message border",
    "dropped_messages": "user messages were dropped: alone with what they answer they are longer than {} tokens",
    "empty_turns": "user turns without text are shown and not learned",
}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is trained on what; ``perplexity`` is the base's, of the held-out users' words."""

    checkpoint: Checkpoint
    student: Any
    """The model that is trained: the base's own, or one made of it."""
    learned: Encoded
    held_out: Encoded
    max_tokens: int
    """Of a sequence."""
    perplexity: float


def prepare(
    base: Path, chosen: Chosen, settings: TrainingSettings, *, on_note: Callable[[str], None]
) -> Prepared:
    """Load the base, write the conversations as it reads them, and measure it.

    Raises:
        InputError: The base cannot be trained as asked, or nothing can be learned or measured.
        ModelError: The base's chat template refuses a conversation.
    """
    for warning in chosen.warnings:
        on_note(warning)
    checkpoint, is_bare = load_base(base)
    if is_bare:
        on_note("the base has no chat template, so a plain one is used, and saved with the shopper")
    max_tokens = min(settings.max_tokens, checkpoint.context)
    learned, held_out = (
        encode(checkpoint, part, max_tokens=max_tokens, n_items=settings.n_items)
        for part in (chosen.learned, chosen.held_out)
    )
    before = None
    if learned.examples and held_out.examples:
        before = user_perplexity(checkpoint.model, held_out.examples, batch=settings.micro_batch)
    if before is None:
        raise InputError(
            f"no user message is left to learn or to hold out: with what precedes them they are longer than "
            f"{max_tokens} tokens"
        )
    if math.isinf(before):
        raise InputError(f"the base {base} is broken: it gives people's words no probability")
    for count, what in COUNTED.items():
        if n := learned.counts[count] + held_out.counts[count]:
            on_note(f"{n} {what.format(max_tokens)}")
    on_note(
        f"{len(learned.examples)} sequences to learn from, {learned.n_learned_tokens} tokens of users; perplexity "
        f"of the held-out users' words before training: {before:.2f}"
    )
    return Prepared(
        checkpoint=checkpoint,
        student=adapt(checkpoint.model, settings),
        learned=learned,
        held_out=held_out,
        max_tokens=max_tokens,
        perplexity=before,
    )
