"""How surprised a model is by what people said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from convsim.models.checkpoint import multiplies_bfloat16
from convsim.shoppers.finetuned.encode import IGNORED, Example

MAX_SURPRISE = 700.0
"""In nats; a little more, and its exponential overflows."""


def user_perplexity(model: Any, examples: Sequence[Example], *, batch: int) -> float | None:
    """Return the perplexity of the users' words, per token, each message's end included; None without words.

    It is infinite where the model gives them no probability.

    Openings are left out, as a model that was never trained could not know them; so are ends without words. Tokens
    are the model's own: only models with the same tokenizer are comparable.

    Args:
        model: A causal language model of transformers.
        examples: Sequences with the places of the users' messages.
        batch: Sequences at a time.
    """
    import torch

    was_training = model.training
    model.eval()
    surprise, n_tokens = 0.0, 0
    reduced = torch.autocast(model.device.type, torch.bfloat16, enabled=multiplies_bfloat16())
    with torch.inference_mode(), reduced:
        for start in range(0, len(examples), batch):
            rows = examples[start : start + batch]
            tokens, mask, labels = laid_out(rows, [_words(row) for row in rows])
            tokens, mask, labels = (part.to(model.device) for part in (tokens, mask, labels))
            logits = model(input_ids=tokens, attention_mask=mask).logits[:, :-1].float()
            losses = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum"
            )
            surprise += float(losses)
            n_tokens += int((labels[:, 1:] >= 0).sum())
    model.train(was_training)
    if not n_tokens:
        return None
    # Infinite too where the model's own numbers are none, as those of weights that diverged.
    return math.exp(surprise / n_tokens) if surprise / n_tokens < MAX_SURPRISE else math.inf


def laid_out(examples: Sequence[Example], labels: Sequence[Sequence[int]]) -> tuple[Any, Any, Any]:
    """Lay sequences flush left; returns tokens, attention mask and labels, each of shape (rows, longest)."""
    import torch

    width = max(len(example.tokens) for example in examples)

    def padded(rows: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
        return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows])

    mask = [[1] * len(example.tokens) for example in examples]
    return padded([e.tokens for e in examples], 0), padded(mask, 0), padded(labels, IGNORED)


def _words(example: Example) -> list[int]:
    labels = [IGNORED] * len(example.tokens)
    for span in example.spans:
        if span.n_words:
            labels[span.words : span.end] = example.tokens[span.words : span.end]
    return labels
