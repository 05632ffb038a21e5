"""A trained shopper's folder, and a model in this process that opens and says what it is told."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from convsim.models import Scripted
from convsim.models.scripted import Line
from convsim.schema import ChatMessage, Choice, Completion
from convsim.shoppers.finetuned import SHOPPER_FILE


def trained_folder(folder: Path, **changes: object) -> Path:
    """Write what training says of a shopper; a field that is changed to None is left out."""
    stated = {
        "schema": "convsim.shopper/1",
        "learned_from": {"file": "f" * 64, "conversations": ["a" * 16, "b" * 16], "arms": ["good"]},
        "n_items": 3,
        "max_prompt_tokens": 10_000,
        "max_tokens": 40,
        "temperature": 0.8,
        "top_p": 0.9,
        **changes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in stated.items() if value is not None}
    (folder / SHOPPER_FILE).write_text(json.dumps(kept))
    return folder


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked of the model."""

    kind: Literal["draw", "complete"]
    messages: tuple[ChatMessage, ...]
    openings: tuple[str, ...]
    seed: int
    max_tokens: int = 0
    temperature: float = 0.0
    top_p: float = 0.0


@dataclass(kw_only=True)
class Opening(Scripted):
    """Draws an opening by its stated weight and says ``says``, one after the other or as a function of the request.

    Tokens are words. ``cut_short`` is how many of the first answers are cut off.
    """

    path: Path | str
    answers: Sequence[Line] | Callable[..., Line] = ()
    weights: Mapping[str, float] = field(default_factory=lambda: {"say:": 1.0})
    says: Sequence[Line] | Callable[[Request], Line] = ("red ones",)
    cut_short: int = 0
    name: str = "opening"
    requests: list[Request] = field(default_factory=list)

    async def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return sum(len(message.content.split()) for message in messages)

    async def draw_opening(
        self, messages: Sequence[ChatMessage], openings: Sequence[str], *, seed: int
    ) -> Choice:
        request = Request(kind="draw", messages=tuple(messages), openings=tuple(openings), seed=seed)
        self.requests.append(request)
        weights = [self.weights.get(opening, 0.0) for opening in openings]
        index = random.Random(seed).choices(range(len(openings)), weights)[0]
        read = await self.count_tokens(messages)
        said = Completion(text=openings[index], finish_reason="stop", input_tokens=read, output_tokens=1)
        return Choice(index=index, completion=said)

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
        request = Request(
            kind="complete",
            messages=tuple(messages),
            openings=(opening,),
            seed=seed,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
        )
        number = len(self.completed)
        self.requests.append(request)
        said = self.says(request) if callable(self.says) else self.says[number]
        if isinstance(said, Exception):
            raise said
        read = await self.count_tokens(messages) + len(opening.split())
        return Completion(
            text=said,
            finish_reason="length" if number < self.cut_short else "stop",
            input_tokens=read,
            output_tokens=len(said.split()),
        )

    @property
    def completed(self) -> list[Request]:
        """What words were asked for."""
        return [request for request in self.requests if request.kind == "complete"]
