"""CUE: any language model that plays a persona by commands that were decoded from a user's dialogue, or drawn."""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from convsim._inputs import read_input
from convsim._settings import Domain, Positive, Temperature, check_settings
from convsim._text import complaint
from convsim.errors import InputError
from convsim.schema import ChatModel, Decision, UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.seeds import child_seed
from convsim.shoppers.prompted import Prompted
from convsim.shoppers.prompts import COMMANDS, PROMPTED, ShopperPrompts, in_one_role

MAX_BYTES = 64 << 20
MAX_COMMANDS, MAX_COMMAND_CHARACTERS = 64, 500
Line = Annotated[str, Field(max_length=4_000)]
Lines = Annotated[tuple[Line, ...], Field(max_length=1_000)]


class Manual(BaseModel):
    """The persona manual of one user, as ``manuals.json`` of CUE's own runs has it; other keys are not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    commands: Lines = ()
    general: Lines = ()
    specific: Lines = ()
    style: Lines = ()
    examples: Lines = ()

    @property
    def told(self) -> list[str]:
        """The commands: those of the three heads where there are any, else the flat list."""
        return _lines((*self.general, *self.specific, *self.style) or self.commands)


def _lines(said: tuple[str, ...]) -> list[str]:
    whole = [in_one_role(" ".join(line.split()))[:MAX_COMMAND_CHARACTERS] for line in said]
    return [line for line in whole if line][:MAX_COMMANDS]


@dataclass(frozen=True)
class CUE:
    """A prompted model that is also told how its user behaves: the persona commands that CUE has written.

    ``manuals`` is the ``manuals.json`` of a run of ``cue --config`` (package cue-simulator), of users who were
    conditioned on dialogues or drawn. Each persona has one manual, by its id, in every conversation and arm. Its
    commands, and the sketches of how such people type, stand in the system's message of a chat whose roles are flipped,
    and before each decision; those are ``prompted``'s, as CUE itself writes single messages and ends nothing.

    Sampling is that of CUE's own runs. ``learned_from`` is None: a file does not say whose dialogues its manuals were
    conditioned on. Do not judge such a shopper by the same people.

    Source:
        Kantharuban and Mueller (2026), CUEing User Simulators: Calibrated User Embeddings for Multi-Turn Benchmarking,
        arXiv:2610.02460, and its code, Handshake-AI-Research/CUE-user-simulator: ``src/cue/manual.py`` (the file),
        ``src/cue/steering.py`` (what stands where), ``src/cue/simulator/base.py`` (roles, temperature .8, 160 tokens).
    """

    name: ClassVar[str] = "cue"
    learned_from: ClassVar[LearnedFrom | None] = None
    model: ChatModel
    manuals: Path | str
    _: KW_ONLY
    temperature: Temperature = 0.8
    max_tokens: Positive = 160
    n_items: Positive = 4
    """How many items of the carousel the shopper sees."""
    domain: Domain | None = None
    """What the conversation is about, such as films; None says nothing of it."""
    prompts: Path | str | None = None
    """A folder whose files stand in for ours, as ``convsim prompts export`` writes them."""

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        _ = self._read, self._player, self._prompts

    @cached_property
    def _player(self) -> Prompted:
        return Prompted(
            self.model, style="chat", temperature=self.temperature, max_tokens=self.max_tokens,
            n_items=self.n_items, domain=self.domain, prompts=self.prompts,
        )  # fmt: skip

    @cached_property
    def _prompts(self) -> ShopperPrompts:
        return ShopperPrompts(self.prompts, self.domain, names=(*PROMPTED, COMMANDS))

    @cached_property
    def _read(self) -> tuple[tuple[Manual, ...], str]:
        """The manuals, and the hash of their file."""
        path = Path(self.manuals)
        try:
            content = read_input(path, MAX_BYTES)
            found = TypeAdapter(tuple[Manual, ...]).validate_json(content)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
        except ValidationError as error:
            raise InputError(f"{path}: is no manuals.json of CUE: {complaint(error)}") from None
        if empty := next((place for place, one in enumerate(found, start=1) if not one.told), None):
            raise InputError(f"{path}: manual {empty} has no commands")
        if not found:
            raise InputError(f"{path}: has no manuals; write some with cue --config")
        return found, hashlib.sha256(content).hexdigest()

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt file and of the manuals, by name."""
        return {**self._prompts.hashes, "manuals": self._read[1]}

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Decide, then say it, as ``prompted`` does; raises ModelError when the model does not stay in its role."""
        return await self._player.move(
            conversation, persona, examples=(), retrieved=(), told=self.told(persona), seed=seed
        )

    async def decide(
        self, conversation: Conversation, persona: Persona, *, seed: int, with_item: bool = False
    ) -> Decision:
        """Decide as a move does, without words; raises ModelError when the model does not decide."""
        return await self._player.decide(
            conversation, persona, told=self.told(persona), seed=seed, with_item=with_item
        )

    def told(self, persona: Persona) -> str:
        """Return what the model is told of how a persona behaves."""
        manuals, _ = self._read
        manual = manuals[child_seed(0, "manual", persona.id) % len(manuals)]
        return self._prompts.commands(manual.told, _lines(manual.examples))
