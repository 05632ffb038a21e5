"""A model in this process: any causal language model of transformers, from a folder or a GGUF file."""

from __future__ import annotations

import math
import threading
import time
from asyncio import to_thread
from bisect import bisect
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from convsim._async import in_thread
from convsim._settings import Positive, TopP, check_settings
from convsim._text import one_line
from convsim.errors import ModelError
from convsim.models.chat import (
    PLAIN_STOPS,
    answer_tokens,
    chat_tokens,
    has_template,
    option_tokens,
    text_tokens,
)
from convsim.models.checkpoint import Checkpoint, Dtype, check_path, load_checkpoint
from convsim.models.generation import Batcher, Options, Prompt, Ticket, Written, weigh, write
from convsim.models.metering import IN_PROCESS, measured_call, used
from convsim.models.structured import check_options, complete_as
from convsim.schema.chat_model import ChatMessage, Choice, Completion
from convsim.schema.conversation import Usage
from convsim.seeds import child_seed
from convsim.text.reasoning import opens_thought, split_reasoning

CONTENT_FREE = "N/A"
FIRST_ROOM, MOST_ROOM = 2_048, 8_192
"""Tokens beyond a limit for a model that is found to think: at first, and at most."""
MARK_TOKENS = 32
"""Of the end of a prompt: no mark of a thought has more."""


@dataclass(kw_only=True)
class Local:
    """Runs the model at ``path``, a folder of transformers or a GGUF file, on the GPU if torch sees one.

    Requests that wait at the same time are run together, ``max_batch`` at most, whatever their temperatures,
    seeds, lengths and stop strings. Each draws from a generator of its own seed, so what batching does not
    allow is one thing only: the same rounding. Padding and the size of a batch change the last bits of a
    logit, and now and then a token: alone and among seven others, 3 of 24 short texts of the embedded model
    differed in bfloat16, none in float32. A run that must repeat to the letter sets ``max_batch`` to 1.
    ``dtype`` "auto" is bfloat16 where the processor multiplies it, else float32.

    Sampling is by temperature and ``top_p`` alone; what else a checkpoint recommends is not applied. A prompt
    is never truncated: one that leaves no room for the answer is a ModelError. A completion's seconds include
    waiting for the others. A model of one's own has no price. ``thinking_tokens`` is room beyond each limit of a
    chat's answer, for models that think first; where it is not set, room is made once an answer was cut off in it.

    A choice is by the likelihood of each option. A small model has a liking for some options whatever it is
    asked, the short ones first; with ``calibrate_choices`` that liking, read off the same chat without its
    content, is taken out.

    Source:
        Zhao, Wallace, Feng, Klein and Singh (2021), Calibrate before use, ICML (content-free inputs).
    """

    has_own_meter: ClassVar[bool] = True

    path: Path | str
    name: str = ""
    max_batch: Positive = 8
    dtype: Dtype = "auto"
    top_p: TopP = 1.0
    calibrate_choices: bool = True
    thinking_tokens: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        self._check_source()
        self.name = self.name or Path(self.path).absolute().name
        self._checkpoint: Checkpoint | None = None
        self._loading, self._room = threading.Lock(), 0
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="convsim-model")
        self._writer = Batcher(self._write_batch, max_batch=self.max_batch, worker=worker)
        self._weigher = Batcher(self._weigh_batch, max_batch=self.max_batch, worker=worker)

    def load(self) -> Checkpoint:
        """Load the model now, or return it if it is loaded; the first request does it otherwise.

        Raises:
            InputError: It cannot be loaded, or is not a causal language model.
            MissingExtraError: The extra "local" is not installed.
        """
        with self._loading:
            if self._checkpoint is None:
                self._checkpoint = load_checkpoint(self._source(), dtype=self.dtype)
            return self._checkpoint

    async def check_ready(self) -> None:
        """Load the model; raises as ``load`` does."""
        await in_thread(self.load)

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
        top_p: float | None = None,
    ) -> Completion:
        """Answer a chat; an answer may be empty. ``top_p`` stands in for the model's own.

        Raises:
            InputError: The model cannot be loaded.
            ModelError: The prompt is too long, the chat template or, twice, the schema refuses.
        """
        checkpoint = await to_thread(self.load)
        ends = tuple(stop) if has_template(checkpoint) else (*stop, *PLAIN_STOPS)
        nucleus = self.top_p if top_p is None else top_p

        async def ask(prompt: Sequence[ChatMessage], seed: int) -> Completion:
            tokens = chat_tokens(checkpoint, prompt)
            spent: list[Completion] = []
            while True:
                room = self._room_for(checkpoint, len(tokens), max_tokens)
                asked = Prompt(tokens, max_tokens + room, temperature, seed, ends, nucleus)
                spent.append(
                    await self._write(checkpoint, asked, is_open=opens_thought(_end(checkpoint, tokens)))
                )
                if not self._needs_room(spent[-1], checkpoint, tokens, max_tokens, room):
                    break
            both = Usage.sum(spent)
            return spent[-1].but(
                text=spent[-1].text.strip(),
                input_tokens=both.input_tokens,
                output_tokens=both.output_tokens,
                reasoning_characters=both.reasoning_characters,
                seconds=both.seconds,
            )

        if schema is None:
            return await ask(messages, seed)
        return await complete_as(schema, messages, ask=ask, seed=seed, who=self.name)

    async def continue_text(
        self,
        text: str,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        top_p: float | None = None,
    ) -> Completion:
        """Continue a text; a continuation may be empty. Raises as ``complete`` does."""
        checkpoint = await to_thread(self.load)
        tokens = text_tokens(checkpoint, text)
        nucleus = self.top_p if top_p is None else top_p
        prompt = Prompt(tokens, max_tokens, temperature, seed, tuple(stop), nucleus)
        return await self._write(checkpoint, prompt)

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        """Choose by the likelihood of the model saying just that, drawn at ``temperature``; 0 takes the best.

        Raises:
            InputError: The model cannot be loaded.
            ModelError: The prompt is too long, or its chat template refuses it.
            ValueError: No options, or two that are the same.
        """
        check_options(options)
        checkpoint = await to_thread(self.load)
        answers = [option_tokens(checkpoint, option) for option in options]
        return await self._choose(
            checkpoint, messages, options, answers,
            temperature=temperature, seed=seed, calibrate=self.calibrate_choices,
        )  # fmt: skip

    async def _choose(
        self,
        checkpoint: Checkpoint,
        messages: Sequence[ChatMessage],
        options: Sequence[str],
        answers: Sequence[Sequence[int]],
        *,
        temperature: float,
        seed: int,
        calibrate: bool = False,
    ) -> Choice:
        start = time.perf_counter()
        tokens = chat_tokens(checkpoint, messages)
        self._check_room(checkpoint, len(tokens), max(len(answer) for answer in answers))
        with measured_call(self.name, IN_PROCESS):
            likelihoods = await self._weigher.submit(Options(tokens, answers))
            if calibrate:
                emptied = [message.model_copy(update={"content": CONTENT_FREE}) for message in messages]
                liking = await self._weigher.submit(Options(chat_tokens(checkpoint, emptied), answers))
                likelihoods = [told - liked for told, liked in zip(likelihoods, liking, strict=True)]
        index = draw(likelihoods, temperature=temperature, seed=seed)
        weights = weights_of(likelihoods, temperature=temperature)
        completion = Completion(
            text=options[index],
            finish_reason="stop",
            input_tokens=len(tokens),
            output_tokens=len(answers[index]),
            seconds=time.perf_counter() - start,
        )
        self._count(completion)
        return Choice(
            index=index, completion=completion, probabilities=tuple(w / sum(weights) for w in weights)
        )

    async def surprise(
        self, asked: Sequence[ChatMessage] | str, said: str, *, opening: str = ""
    ) -> tuple[float, int]:
        """Return how surprised the model is by an answer, in bits, and its number of tokens, the end's included.

        A text to continue ends its answer with a line break; a chat as its template does. ``opening`` is what the
        answer begins with, and surprises nobody. Raises as ``complete`` does.
        """
        checkpoint = await to_thread(self.load)
        if isinstance(asked, str):
            tokens = text_tokens(checkpoint, asked)
            answer = text_tokens(checkpoint, f" {said}\n", is_start=False)
        else:
            begun = answer_tokens(checkpoint, asked, opening)[:-1] if opening else []
            tokens = [*chat_tokens(checkpoint, asked), *begun]
            answer = answer_tokens(checkpoint, asked, f"{opening} {said}" if opening else said)
            # An opening whose last token runs into the first word is followed by the words' own tokens.
            is_begun = list(answer[: len(begun)]) == begun
            answer = answer[len(begun) :] if is_begun else option_tokens(checkpoint, f" {said}")
        self._check_room(checkpoint, len(tokens), len(answer))
        [likelihood] = await self._weigher.submit(Options(tokens, [answer]))
        return -likelihood / math.log(2), len(answer)

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Return how many tokens a chat has, up to where the answer begins. Raises as ``complete`` does."""
        return len(chat_tokens(await to_thread(self.load), messages))

    async def draw_opening(
        self, messages: Sequence[ChatMessage], openings: Sequence[str], *, seed: int
    ) -> Choice:
        """Draw how the answer to a chat begins, by likelihood at temperature 1. Raises as ``choose`` does."""
        check_options(openings)
        checkpoint = await to_thread(self.load)
        begun = [answer_tokens(checkpoint, messages, opening)[:-1] for opening in openings]
        return await self._choose(checkpoint, messages, openings, begun, temperature=1.0, seed=seed)

    async def complete_opened(
        self,
        messages: Sequence[ChatMessage],
        opening: str,
        *,
        max_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
    ) -> Completion:
        """Complete an answer that begins with ``opening``, which is not part of the text; it may be empty.

        Raises as ``complete`` does.
        """
        checkpoint = await to_thread(self.load)
        tokens = [*chat_tokens(checkpoint, messages), *answer_tokens(checkpoint, messages, opening)[:-1]]
        ends = () if has_template(checkpoint) else PLAIN_STOPS
        said = await self._write(checkpoint, Prompt(tokens, max_tokens, temperature, seed, ends, top_p))
        return said.but(text=said.text.strip())

    def _source(self) -> Path:
        return Path(self.path)

    def _check_source(self) -> None:
        check_path(Path(self.path))

    def _room_for(self, checkpoint: Checkpoint, read: int, max_tokens: int) -> int:
        """Return the tokens for thinking that an answer may have, as far as the context reaches."""
        wanted = self._room if self.thinking_tokens is None else self.thinking_tokens
        return max(0, min(wanted, checkpoint.context - read - max_tokens))

    def _needs_room(
        self, said: Completion, checkpoint: Checkpoint, tokens: Sequence[int], max_tokens: int, had: int
    ) -> bool:
        """Make more room, for this model's other answers too, where thinking has used up an answer's."""
        if (
            self.thinking_tokens is not None
            or said.finish_reason != "length"
            or not said.reasoning_characters
        ):
            return False
        self._room = max(self._room, min(4 * had or FIRST_ROOM, MOST_ROOM))
        return self._room_for(checkpoint, len(tokens), max_tokens) > had

    async def _write(self, checkpoint: Checkpoint, prompt: Prompt, *, is_open: bool = False) -> Completion:
        self._check_room(checkpoint, len(prompt.tokens), prompt.max_tokens)
        start = time.perf_counter()
        with measured_call(self.name, IN_PROCESS):
            written = await self._writer.submit(prompt)
        said, thought = split_reasoning(written.text, is_open=is_open)
        completion = Completion(
            text=said,
            finish_reason="stop" if written.ended else "length",
            input_tokens=len(prompt.tokens),
            output_tokens=written.tokens,
            reasoning_characters=len(thought),
            seconds=time.perf_counter() - start,
        )
        self._count(completion)
        return completion

    def _count(self, said: Completion) -> None:
        used(
            self.name, IN_PROCESS, input_tokens=said.input_tokens, output_tokens=said.output_tokens,
            cost_usd=said.cost_usd,
        )  # fmt: skip

    def _check_room(self, checkpoint: Checkpoint, read: int, written: int) -> None:
        if read + written > checkpoint.context:
            raise ModelError(
                f"{self.name} has a context of {checkpoint.context:,} tokens, but the prompt has {read:,} and "
                f"the answer may have {written:,}: shorten one of them"
            )

    def _write_batch(self, batch: Sequence[Ticket[Prompt, Written]]) -> list[Written]:
        with self._one_line_errors():
            return write(self.load(), batch)

    def _weigh_batch(self, batch: Sequence[Ticket[Options, list[float]]]) -> list[list[float]]:
        with self._one_line_errors():
            return weigh(self.load(), [ticket.job for ticket in batch])

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise ModelError(f"{self.name} failed in torch: {one_line(error)}") from error


def _end(checkpoint: Checkpoint, tokens: Sequence[int]) -> str:
    """Return how a prompt ends, as text: far enough for any mark."""
    text: str = checkpoint.tokenizer.decode(list(tokens[-MARK_TOKENS:]))
    return text


def draw(likelihoods: Sequence[float], *, temperature: float, seed: int) -> int:
    """Draw an index from the softmax of log-likelihoods over ``temperature``; at 0 the highest."""
    weights = weights_of(likelihoods, temperature=temperature)
    if temperature == 0:
        return weights.index(1.0)
    point = child_seed(seed, "choose") / 2**63 * sum(weights)
    return min(bisect(list(accumulate(weights)), point), len(weights) - 1)


def weights_of(likelihoods: Sequence[float], *, temperature: float) -> list[float]:
    """Return what the softmax of log-likelihoods over ``temperature`` is proportional to; at 0 the best alone."""
    highest = max(likelihoods)
    if temperature == 0:
        best = likelihoods.index(highest)
        return [float(place == best) for place in range(len(likelihoods))]
    return [math.exp((likelihood - highest) / temperature) for likelihood in likelihoods]
