"""Writes batches of answers with a model in this process, and weighs stated ones by likelihood."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from convsim.models.chat import cut_at
from convsim.models.checkpoint import Checkpoint

if TYPE_CHECKING:
    import torch

GATHER_S = 0.01
"""How long a batch waits for company: conversations that were answered together ask again together."""

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(eq=False)
class Ticket(Generic[Job, Result]):
    """One waiting request; ``is_abandoned`` once nobody awaits its result any more."""

    job: Job
    result: Future[Result] = field(default_factory=Future)
    is_abandoned: bool = False


class Batcher(Generic[Job, Result]):
    """Runs the jobs that wait together on ``worker``, the oldest first, ``max_batch`` at most.

    It belongs to no event loop: any number of them may submit. ``run`` returns one result a ticket; what it
    raises is the result of every ticket of the batch.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Ticket[Job, Result]]], Sequence[Result]],
        *,
        max_batch: int,
        worker: Executor,
    ):
        self._run, self._max_batch, self._worker = run, max_batch, worker
        self._waiting: list[Ticket[Job, Result]] = []
        self._lock = threading.Lock()

    async def submit(self, job: Job) -> Result:
        """Wait for the result of ``job``; cancelling takes it out of the queue, or abandons it as it runs."""
        ticket: Ticket[Job, Result] = Ticket(job)
        with self._lock:
            self._waiting.append(ticket)
        # One drain a ticket: however they are batched, the last drain finds nothing left to do.
        self._worker.submit(self._drain)
        try:
            return await asyncio.wrap_future(ticket.result)
        except asyncio.CancelledError:
            ticket.is_abandoned = True
            raise

    def _drain(self) -> None:
        if not self._waiting:
            return
        time.sleep(GATHER_S)
        batch = [ticket for ticket in self._take() if ticket.result.set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            results = self._run(batch)
        except Exception as error:
            for ticket in batch:
                ticket.result.set_exception(error)
        else:
            for ticket, result in zip(batch, results, strict=True):
                ticket.result.set_result(result)

    def _take(self) -> list[Ticket[Job, Result]]:
        with self._lock:
            batch = self._waiting[: self._max_batch]
            del self._waiting[: self._max_batch]
        return batch


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
    lengths = [prompt.max_tokens for prompt in prompts]
    with torch.inference_mode():
        rows = model.generate(
            input_ids=tokens.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=max(prompt.max_tokens for prompt in prompts),
            do_sample=False,
            logits_processor=LogitsProcessorList([_noise(prompts)]),
            stopping_criteria=StoppingCriteriaList([_stops(checkpoint.tokenizer, batch, width, lengths)]),
        )
    return [
        _read(checkpoint, row[width : width + length].tolist(), prompt)
        for row, length, prompt in zip(rows, lengths, prompts, strict=True)
    ]


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay rows of tokens flush right; returns tokens and attention mask, both of shape (rows, longest)."""
    import torch

    width = max(len(row) for row in rows)
    tokens = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return tokens, mask


def _read(checkpoint: Checkpoint, own: list[int], prompt: Prompt) -> Written:
    end = next((place for place, token in enumerate(own) if token in checkpoint.ends), None)
    # The last character may be cut within its bytes, which decode to U+FFFD.
    said = checkpoint.tokenizer.decode(own[:end], skip_special_tokens=True).rstrip("\ufffd")
    text, stopped = cut_at(said, prompt.stop)
    ended = stopped or end is not None or len(own) < prompt.max_tokens
    return Written(text, ended, len(own) if end is None else end + 1)


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
    tokenizer: Any, batch: Sequence[Ticket[Prompt, Written]], width: int, lengths: list[int]
) -> Callable[..., torch.Tensor]:
    """Tell which rows are done, and keep how many tokens each has then: padding follows while others write."""
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
        written = input_ids.shape[1] - width
        lengths[:] = [min(was, written) if ends else was for was, ends in zip(lengths, done, strict=True)]
        return torch.tensor(done, device=input_ids.device)

    return are_done


@dataclass(frozen=True)
class Options:
    """A prompt, and the answers to weigh, as tokens; each answer ends with the token that ends an answer."""

    tokens: Sequence[int]
    answers: Sequence[Sequence[int]]


def weigh(checkpoint: Checkpoint, batch: Sequence[Options]) -> list[list[float]]:
    """Return the log-likelihood of each answer, summed over its tokens, for each prompt of the batch.

    With its end included, an answer's likelihood is the probability that the model says just that. It is not
    divided by the length: such a mean is not a probability, and favors answers whose later tokens follow from
    the earlier ones. Answers of very unlike lengths are therefore not comparable; word options alike.

    The prompt is read once: its keys and values are copied for each answer.
    """
    import torch

    model, pad = checkpoint.model, checkpoint.model.generation_config.pad_token_id
    known = signature(model.forward).parameters
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
            **({"logits_to_keep": 1} if "logits_to_keep" in known else {}),
        )
        kept = read.cache if "cache" in known else read.past_key_values
        kept.batch_select_indices(owner)
        is_said = torch.arange(longest, device=model.device) < length
        whole = torch.cat([mask[owner], is_said.long()], dim=1)
        said = model(
            input_ids=after,
            attention_mask=whole,
            position_ids=_positions(whole)[:, -longest:],
            use_cache=True,
            **{"cache" if "cache" in known else "past_key_values": kept},
        )
        logits = torch.cat([read.logits[owner, -1:], said.logits[:, :-1]], dim=1).float()
        each = logits.log_softmax(-1).gather(-1, after.unsqueeze(-1)).squeeze(-1)
        sums = (each * is_said).sum(1).tolist()
    found = iter(sums)
    return [[next(found) for _ in one.answers] for one in batch]


def _positions(mask: torch.Tensor) -> torch.Tensor:
    return (mask.cumsum(-1) - 1).clamp(min=0)
