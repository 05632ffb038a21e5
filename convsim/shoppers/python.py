"""An adapter for your own Python: a function, or an object with ``speak``, sync or async."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from convsim.lifting import TIMEOUT_S, lift_shopper
from convsim.schema import Shopper, UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona


@dataclass(kw_only=True)
class PythonShopper:
    """Asks ``target``: a function, an object with ``speak``, a class of one, or ``module:attribute``.

    ``lift_shopper`` says what it is given and what it may answer. It is called as the target is, unless ``name`` says
    otherwise. What is not async runs in a thread of its own, several at once, so it must bear that.

    Raises:
        PluginError: ``target`` cannot be imported, or is nothing that can be asked.
        InputError: ``timeout_s`` cannot be used.
    """

    target: object
    timeout_s: float = TIMEOUT_S
    name: str = ""
    _lifted: Shopper = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._lifted = lift_shopper(self.target, name=self.name or None, timeout_s=self.timeout_s)
        self.name = self._lifted.name

    @property
    def learned_from(self) -> LearnedFrom | None:
        """What the target says that it learned from; None where it says nothing."""
        return self._lifted.learned_from

    @property
    def model(self) -> object:
        """The target's model, where it has one."""
        return getattr(self._lifted, "model", None)

    @property
    def prompt_hashes(self) -> Mapping[str, str]:
        """SHA-256 of the target's prompts, by name, where it states them."""
        hashes: Mapping[str, str] = getattr(self._lifted, "prompt_hashes", {})
        return hashes

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Ask the target; raises ModelError when it raises, is late, or answers what cannot be used."""
        return await self._lifted.speak(conversation, persona, seed=seed)
