"""Further models that are asked, in their order, where the first one fails; which of them answered is noted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel

from convsim._loggers import logger_of
from convsim._text import one_line
from convsim.errors import EmptyAnswerError, ModelError
from convsim.models.failures import DeclinedError, WrongSettingError
from convsim.models.retries import not_waiting_out
from convsim.models.structured import MisfitError
from convsim.schema.chat_model import ChatMessage, ChatModel, Choice, Completion

LOG = logger_of(__name__)
Answer = TypeVar("Answer")
FALLBACK = "fallback"
"""The note of a message or a label that names the models which answered in place of the first."""
ITS_OWN = (EmptyAnswerError, MisfitError, DeclinedError)
"""What a model that does answer did: another in its place would hide what the simulator is like."""
OF_THE_REQUEST = frozenset({"HTTP 400", "HTTP 413", "HTTP 422"})
"""Kinds of failures by which a server refuses what it was asked; it may answer another request."""
IN_A_ROW = 3
"""Failures of a model after which it is left alone for a while."""
FIRST_REST_S, LONGEST_REST_S = 30.0, 300.0
MAX_REASON = 160
"""Characters of each model's reason, where all have failed."""

_answering: ContextVar[list[str] | None] = ContextVar("fallbacks that answered for a message", default=None)


@contextmanager
def noting_fallbacks() -> Iterator[list[str]]:
    """Yield the names, each once, of the models other than the first ones that answered within it."""
    noted: list[str] = []
    token = _answering.set(noted)
    try:
        yield noted
    finally:
        _answering.reset(token)


@dataclass
class _Rest:
    """How a model fares: one that has failed so often in a row rests, twice as long after each further failure."""

    failed: int = 0
    since: float = 0.0
    until: float = 0.0

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self.until

    def begin(self, asked_at: float) -> float:
        """Count a failure; return for how many seconds the model rests from now on, 0 for not at all."""
        if asked_at < self.since:  # it was on its way when the rest began, and says nothing new
            return 0.0
        self.failed += 1
        if self.failed < IN_A_ROW:
            return 0.0
        seconds = min(FIRST_REST_S * 2.0 ** min(self.failed - IN_A_ROW, 10), LONGEST_REST_S)
        self.since = time.monotonic()
        self.until = self.since + seconds
        return seconds

    def end(self) -> None:
        self.failed, self.until = 0, 0.0


@dataclass(frozen=True)
class Fallback:
    """Asks the first of ``in_order`` and, where that fails after its own tries, the next one, for each call anew.

    A model fails where it cannot be reached, is late or refuses the request. An answer that is empty, declines or does
    not fit is the model's own, and stands; so does a key, address or name of the first model that its server refuses.
    One that failed three times in a row is asked last for 30 s, and for up to five minutes where it goes on failing; a
    refusal of a request, such as one that is too long, says nothing of others.
    It is called, and speaks in the style of, the first; ``noting_fallbacks`` tells which other has answered.

    Raises:
        ModelError: All have failed; it names each with its reason.
    """

    has_own_meter: ClassVar[bool] = True
    in_order: Sequence[ChatModel]
    _rests: Mapping[int, _Rest] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rests", {place: _Rest() for place in range(len(self.in_order))})

    @property
    def name(self) -> str:
        """That of the first model: ids of conversations do not depend on who stands in for it."""
        return self.in_order[0].name

    def __getattr__(self, name: str) -> Any:
        """Give what the first model says of itself, such as its style of prompts and its price."""
        if name.startswith("_") or name in ("in_order", "learned", "check_ready"):
            raise AttributeError(name)
        return getattr(self.in_order[0], name)

    def called(self, place: int) -> str:
        """Return how a model is noted: its name, with its address where another has that name."""
        model = self.in_order[place]
        names = [each.name for each in self.in_order]
        address = getattr(model, "base_url", "")
        return f"{model.name} at {address}" if names.count(model.name) > 1 and address else model.name

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
        """Answer a chat."""
        return await self._asked(
            lambda model: model.complete(
                messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop, schema=schema
            )
        )

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        """Continue a text."""
        return await self._asked(
            lambda model: model.continue_text(
                text, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop
            )
        )

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        """Choose one of ``options``."""
        return await self._asked(
            lambda model: model.choose(messages, options, temperature=temperature, seed=seed)
        )

    async def _asked(self, ask: Callable[[ChatModel], Awaitable[Answer]]) -> Answer:
        reasons: list[str] = []
        for place in sorted(range(len(self.in_order)), key=lambda place: self._rests[place].is_on):
            asked_at = time.monotonic()
            try:
                with not_waiting_out() if len(reasons) + 1 < len(self.in_order) else nullcontext():
                    answer = await ask(self.in_order[place])
            except ITS_OWN:
                self._answered(place)
                raise
            except ModelError as error:
                if isinstance(error, WrongSettingError) and place == 0:
                    raise
                self._failed(place, error, asked_at, counts=error.kind not in OF_THE_REQUEST)
                reasons.append(f"{self.called(place)}: {one_line(error)[:MAX_REASON]}")
                continue
            self._answered(place)
            return answer
        raise ModelError(f"all {len(reasons)} models failed: {'; '.join(reasons)}")

    def _answered(self, place: int) -> None:
        self._rests[place].end()
        noted = _answering.get()
        if place and noted is not None and self.called(place) not in noted:
            noted.append(self.called(place))

    def _failed(self, place: int, error: ModelError, asked_at: float, *, counts: bool) -> None:
        who, seconds = one_line(self.called(place)), self._rests[place].begin(asked_at) if counts else 0.0
        if seconds:
            LOG.warning("%s has failed %d times in a row, and is asked last for %.0f s: %s", who,
                        self._rests[place].failed, seconds, one_line(error))  # fmt: skip
        else:
            LOG.info("%s failed, and the next model is asked: %s", who, one_line(error))
