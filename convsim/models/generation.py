"""Writes one batch of answers with a model in this process: its own seed and temperature for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convsim.models.answer import cut_at
from convsim.models.batcher import Ticket
from convsim.models.checkpoint import Checkpoint

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Prompt:
    """The tokens to continue, and how."""

    tokens: Sequence[int]
    max_tokens: int
    temperature: float
    seed: int
    stop: Sequence[str]
    top_p: float = 1.0


@dataclass(frozen=True)
class Written:
    """What was written: its text up to a stop string, whether it came to an end by itself, and its tokens."""

    text: str
    ended: bool
    tokens: int


def write(checkpoint: Checkpoint, batch: Sequence[Ticket[Prompt, Written]]) -> list[Written]:
    """Continue each prompt; a row depends on its neighbours by rounding alone.

    Adding Gumbel noise to the logits and taking the highest draws a token from their softmax, and lets each
    row have a generator of its own.

    Source: Gumbel (1954), Statistical Theory of Extreme Values, National Bureau of Standards 33.
    """
    import torch
    from transformers import LogitsProcessorList, StoppingCriteriaList

    prompts = [ticket.job for ticket in batch]
    model = checkpoint.model
    width = max(len(prompt.tokens) for prompt in prompts)
    tokens, mask = padded([prompt.tokens for prompt in prompts], model.generation_config.pad_token_id)
    with torch.inference_mode():
        rows = model.generate(
            input_ids=tokens.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=max(prompt.max_tokens for prompt in prompts),
            do_sample=False,
            logits_processor=LogitsProcessorList([_noise(prompts)]),
            stopping_criteria=StoppingCriteriaList([_stops(checkpoint.tokenizer, batch, width)]),
        )
    return [
        _read(checkpoint, row[width:].tolist(), prompt) for row, prompt in zip(rows, prompts, strict=True)
    ]


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay rows of tokens flush right; returns tokens and attention mask, both of shape (rows, longest)."""
    import torch

    width = max(len(row) for row in rows)
    tokens = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return tokens, mask


def _read(checkpoint: Checkpoint, tokens: list[int], prompt: Prompt) -> Written:
    own = tokens[: prompt.max_tokens]
    end = next((place for place, token in enumerate(own) if token in checkpoint.ends), None)
    # The last character may be cut within its bytes, which decode to U+FFFD.
    said = checkpoint.tokenizer.decode(own[:end], skip_special_tokens=True).rstrip("\ufffd")
    text, stopped = cut_at(said, prompt.stop)
    return Written(text, stopped or end is not None, len(own) if end is None else end + 1)


def _noise(prompts: Sequence[Prompt]) -> Callable[..., torch.Tensor]:
    import torch
    from transformers import TopPLogitsWarper

    generators = [torch.Generator().manual_seed(prompt.seed) for prompt in prompts]
    temperatures = torch.tensor([[prompt.temperature or 1.0] for prompt in prompts])
    is_drawn = torch.tensor([[prompt.temperature > 0] for prompt in prompts])
    warper: Any = TopPLogitsWarper
    nuclei = {top_p: warper(top_p) for top_p in {prompt.top_p for prompt in prompts} if top_p < 1}
    rows = {top_p: [row for row, prompt in enumerate(prompts) if prompt.top_p == top_p] for top_p in nuclei}

    def add_noise(input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        logits = scores.float() / temperatures.to(scores.device)
        for top_p, nucleus in nuclei.items():
            logits[rows[top_p]] = nucleus(input_ids[rows[top_p]], logits[rows[top_p]])
        drawn = [torch.empty(scores.shape[1]).exponential_(generator=own) for own in generators]
        noise = -torch.stack(drawn).log().to(scores.device)
        noisy: torch.Tensor = torch.where(is_drawn.to(scores.device), logits + noise, logits)
        return noisy

    return add_noise


def _stops(
    tokenizer: Any, batch: Sequence[Ticket[Prompt, Written]], width: int
) -> Callable[..., torch.Tensor]:
    import torch

    # A token is at least one byte of text, so this many tokens hold the longest stop string.
    reach = 8 + max((len(mark.encode()) for ticket in batch for mark in ticket.job.stop), default=0)

    def is_done(ticket: Ticket[Prompt, Written], tokens: torch.Tensor) -> bool:
        prompt = ticket.job
        if ticket.is_abandoned or len(tokens) >= prompt.max_tokens:
            return True
        return bool(prompt.stop) and cut_at(tokenizer.decode(tokens[-reach:]), prompt.stop)[1]

    def are_done(input_ids: torch.Tensor, _scores: object, **_: object) -> torch.Tensor:
        done = [is_done(ticket, row[width:]) for ticket, row in zip(batch, input_ids, strict=True)]
        return torch.tensor(done, device=input_ids.device)

    return are_done
