"""A conversation that is to be held, and the name that it gets whenever it is held."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from convsim.schema import Agent, Shopper
from convsim.schema.persona import Persona
from convsim.seeds import child_seed


@dataclass(frozen=True)
class Arm:
    """An experimental condition: its agent, what that is degraded by (None: nothing), and how far (0 to 1)."""

    name: str
    agent: Agent
    fault: str | None = None
    severity: float | None = None


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One conversation to be held; everything that its id derives from."""

    study: str
    shopper: Shopper
    model: str | None
    persona: Persona
    arm: Arm
    repeat: int
    seed: int

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits from all that tells this conversation from others."""
        parts = [
            self.study, self.shopper.name, self.model, self.persona.model_dump(mode="json"), self.arm.agent.name,
            self.arm.name, self.arm.severity, self.repeat, self.seed,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def draws(self) -> int:
        """The seed of the conversation's draws: the same in every arm, so that arms share their random numbers."""
        return child_seed(self.seed, self.persona.id, self.repeat)
