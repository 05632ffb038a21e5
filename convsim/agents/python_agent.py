"""An adapter for your own Python: a function, or an object with ``reply``, sync or async."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast

from convsim.agents.answer import to_reply
from convsim.agents.foreign import answer_of
from convsim.agents.seen import as_openai, seen_by_agent
from convsim.agents.target import resolve
from convsim.checks import check_timeout
from convsim.contracts.agent import AgentReply
from convsim.conversation import Conversation
from convsim.errors import InputError


@dataclass(kw_only=True)
class PythonAgent:
    """Asks ``target``: a function, an object with ``reply``, or ``module:attribute`` of one.

    It gets the conversation (``takes = "conversation"``) or a list of OpenAI messages (``"messages"``), and
    the keyword ``seed`` if it takes one. It returns a text, an object with ``content`` and perhaps ``items``,
    or an ``AgentReply``. What is not async runs in a thread of its own, several at once, so it must bear
    that.

    Raises:
        PluginError: ``target`` cannot be imported, or is nothing that can be asked.
        InputError: Another setting cannot be used.
    """

    target: object
    takes: Literal["conversation", "messages"] = "conversation"
    timeout_s: float = 60.0
    name: str = "python"
    _ask: Callable[..., object] = field(init=False, repr=False)
    _takes_seed: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_timeout(self.name, self.timeout_s)
        if self.takes not in ("conversation", "messages"):
            raise InputError(
                f"{self.name}: takes must be 'conversation' or 'messages', but is {self.takes!r}"
            )
        found = resolve(self.name, self.target)
        asked = getattr(found, "reply", found)
        if not callable(asked):
            raise InputError(f"{self.name}: {found!r:.80} is no function and has no 'reply'")
        self._ask = cast("Callable[..., object]", asked)
        self._takes_seed = _has_keyword(asked, "seed")

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Ask the target; raises AgentError when it raises, is late, or answers what cannot be used."""
        seen = seen_by_agent(conversation)
        given = seen if self.takes == "conversation" else as_openai(seen)
        keywords = {"seed": seed} if self._takes_seed else {}
        return to_reply(await answer_of(self.name, self.timeout_s, self._ask, given, **keywords), self.name)


def _has_keyword(function: Callable[..., object], keyword: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in callables have no signature
        return False
    return any(p.name == keyword or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
