"""Weighs stated answers to a chat by how likely a model in this process is to give each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING

from convsim.models.checkpoint import Checkpoint
from convsim.models.generation import padded

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Options:
    """A prompt, and the answers to weigh, as tokens; each answer ends with the token that ends an answer."""

    tokens: Sequence[int]
    answers: Sequence[Sequence[int]]


def weigh(checkpoint: Checkpoint, batch: Sequence[Options]) -> list[list[float]]:
    """Return the log-likelihood of each answer, summed over its tokens, for each prompt of the batch.

    With its end included, an answer's likelihood is the probability that the model says just that. It is not
    divided by the length: such a mean is no probability, and favors answers whose later tokens follow from
    the earlier ones. Answers of very unlike lengths are therefore not comparable; word options alike.

    The prompt is read once: its keys and values are copied for each answer.
    """
    import torch

    model, pad = checkpoint.model, checkpoint.model.generation_config.pad_token_id
    tokens, mask = (part.to(model.device) for part in padded([one.tokens for one in batch], pad))
    owner = torch.tensor([row for row, one in enumerate(batch) for _ in one.answers], device=model.device)
    answers = [list(answer) for one in batch for answer in one.answers]
    longest = max(len(answer) for answer in answers)
    after = torch.tensor(
        [answer + [pad] * (longest - len(answer)) for answer in answers], device=model.device
    )
    length = torch.tensor([[len(answer)] for answer in answers], device=model.device)
    with torch.inference_mode():
        read = model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=_positions(mask),
            use_cache=True,
            **({"logits_to_keep": 1} if "logits_to_keep" in signature(model.forward).parameters else {}),
        )
        read.past_key_values.batch_select_indices(owner)
        is_said = torch.arange(longest, device=model.device) < length
        whole = torch.cat([mask[owner], is_said.long()], dim=1)
        said = model(
            input_ids=after,
            attention_mask=whole,
            position_ids=_positions(whole)[:, -longest:],
            past_key_values=read.past_key_values,
            use_cache=True,
        )
        logits = torch.cat([read.logits[owner, -1:], said.logits[:, :-1]], dim=1).float()
        each = logits.log_softmax(-1).gather(-1, after.unsqueeze(-1)).squeeze(-1)
        sums = (each * is_said).sum(1).tolist()
    found = iter(sums)
    return [[next(found) for _ in one.answers] for one in batch]


def _positions(mask: torch.Tensor) -> torch.Tensor:
    return (mask.cumsum(-1) - 1).clamp(min=0)
