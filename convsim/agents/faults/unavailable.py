"""Something went wrong on the agent's side: it is not asked, and an apology stands for its answer."""

from __future__ import annotations

from convsim.agents.faults.hooks import REPLY, Done, Scene, Silencing
from convsim.agents.faults.sayings import drawn_phrases
from convsim.schema.protocols import AgentReply


def _answer(scene: Scene) -> Done[AgentReply]:
    [apology] = drawn_phrases("unavailable", AgentReply(content=""), scene.draws)
    return Done(AgentReply(content=apology), "the agent was not asked")


UNAVAILABLE = Silencing("unavailable", REPLY, _answer)
