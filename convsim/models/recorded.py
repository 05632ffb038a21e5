"""A model that replays what another has answered: a public test double."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ValidationError

from convsim._logs import append_line, open_log, whole_lines
from convsim._text import complaint, one_line
from convsim.errors import InputError, ModelError
from convsim.models.scripted import Asked
from convsim.schema.chat_model import ChatMessage, ChatModel, Choice, Completion
from convsim.schema.record import Count, Name, Number, Record

MAX_LINE_BYTES = 10_000_000


class Heard(Record):
    """One line of a store: a request, by key and in full, and its answer; ``index`` is that of a choice."""

    key: Name
    asked: Asked
    completion: Completion
    index: Count | None = None
    probabilities: tuple[Number, ...] = ()
    """How likely each option of a choice was, where the model told."""


@dataclass(kw_only=True)
class Recorded:
    """Replays ``store``, a JSONL file; with a ``model``, asks it what the store lacks, and stores the answer.

    The same request, seed included, has one answer. Failures are not stored. One process writes to a store.
    """

    has_own_meter: ClassVar[bool] = True

    store: Path | str
    model: ChatModel | None = None
    name: str = "recorded"
    _heard: dict[str, Heard] | None = field(init=False, repr=False, default=None)

    async def check_ready(self) -> None:
        """Read the store; raises InputError where it is broken, or is not there and nobody could be asked."""
        self._read_store()

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
    ) -> Completion:
        """Answer as was answered; ModelError for what was not heard, InputError for a broken store."""
        asked = Asked.to_complete(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop, schema=schema
        )
        if (known := self._recall(asked)) is not None:
            return known.completion
        said = await self._asking(asked).complete(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop, schema=schema
        )
        return self._remember(Heard(key=asked.key, asked=asked, completion=said)).completion

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        """Continue a text as it was continued; raises as ``complete`` does."""
        asked = Asked.to_continue(text, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop)
        if (known := self._recall(asked)) is not None:
            return known.completion
        said = await self._asking(asked).continue_text(
            text, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop
        )
        return self._remember(Heard(key=asked.key, asked=asked, completion=said)).completion

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        """Choose as was chosen; raises as ``complete`` does."""
        asked = Asked.to_choose(messages, options, temperature=temperature, seed=seed)
        known = self._recall(asked)
        if known is None:
            choice = await self._asking(asked).choose(messages, options, temperature=temperature, seed=seed)
            known = self._remember(
                Heard(
                    key=asked.key, asked=asked, completion=choice.completion, index=choice.index,
                    probabilities=choice.probabilities,
                )
            )  # fmt: skip
        assert known.index is not None
        return Choice(index=known.index, completion=known.completion, probabilities=known.probabilities)

    def _recall(self, asked: Asked) -> Heard | None:
        return self._read_store().get(asked.key)

    def _read_store(self) -> dict[str, Heard]:
        if self._heard is None:
            self._heard = _read(Path(self.store), must_exist=self.model is None)
        return self._heard

    def _asking(self, asked: Asked) -> ChatModel:
        if self.model is None:
            ends = one_line(asked.words[-60:])
            raise ModelError(
                f"{self.store} has no recording of this ({asked.kind} with seed {asked.seed}, ending {ends!r}): "
                "record it with a real model"
            )
        return self.model

    def _remember(self, heard: Heard) -> Heard:
        assert self._heard is not None
        line = heard.model_dump_json(exclude_defaults=True).encode()
        if len(line) >= MAX_LINE_BYTES:
            raise ModelError(
                f"{self.store}: a recording longer than {MAX_LINE_BYTES:,} bytes could not be read again"
            )
        with open_log(Path(self.store)) as file:
            append_line(file, line)
        return self._heard.setdefault(heard.key, heard)


def _read(store: Path, *, must_exist: bool) -> dict[str, Heard]:
    if not store.exists() and not must_exist:
        return {}
    heard: dict[str, Heard] = {}
    try:
        for number, line in whole_lines(store, limit=MAX_LINE_BYTES):  # noqa: B007, the error names it
            known = Heard.model_validate_json(line)
            heard[known.key] = known
    except ValidationError as error:
        raise InputError(f"{store}:{number}: {complaint(error)}") from None
    except OSError as error:
        raise InputError(f"the store {store} cannot be read: {error.strerror or one_line(error)}") from None
    return heard
