"""Does a degraded agent at severity 0 answer every recorded conversation exactly as the bare agent does?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsim._async import run_to_its_end
from convsim.errors import AgentError
from convsim.evaluation.layout import SECTIONS
from convsim.schema import Agent, AgentReply, Finding
from convsim.schema.conversation import Conversation
from convsim.seeds import child_seed
from convsim.simulation import reply_of

QUESTION = "Does the degraded agent at severity 0 reply to each recorded conversation as the bare agent does?"


def check_severity_zero(
    bare: Agent, wrapped: Agent, conversations: Sequence[Conversation], *, seed: int, limit: int = 200
) -> Finding:
    """Ask both agents for every recorded reply again, with the same seed, and compare them byte by byte.

    An agent that draws words on its own (a language model at a temperature) differs from itself; its differences from
    itself are left out and counted.

    Args:
        bare: The agent as it is.
        wrapped: The same agent, degraded at severity 0.
        conversations: What was recorded.
        seed: Moves the agents' draws.
        limit: The most replies that are asked for.
    """
    recorded = list(_moments(conversations))
    finding = run_to_its_end(lambda: _finding(bare, wrapped, recorded[:limit], seed))
    return finding.but(details={**finding.details, "n_recorded": len(recorded)})


def _moments(conversations: Sequence[Conversation]) -> Iterator[Conversation]:
    """Yield each recorded conversation as it stood before each of the agent's answers."""
    for conversation in conversations:
        for index, message in enumerate(conversation.messages):
            if message.role == "assistant" and index:
                yield conversation.model_copy(update={"messages": conversation.messages[:index]})


async def _finding(bare: Agent, wrapped: Agent, asked: Sequence[Conversation], seed: int) -> Finding:
    differing = unstable = failed = 0
    for number, conversation in enumerate(asked):
        draw = child_seed(seed, "severity 0", number)
        try:
            first, again = [await reply_of(bare, conversation, seed=draw) for _ in range(2)]
            other = await reply_of(wrapped, conversation, seed=draw)
        except AgentError:
            failed += 1
            continue
        if _said(first) != _said(again):
            unstable += 1
        elif _said(first) != _said(other):
            differing += 1
    compared = len(asked) - failed - unstable
    reason = f"{differing} of {compared} replies differ"
    if failed or unstable:
        reason += f"; {failed} failed, and in {unstable} the bare agent differs from itself when asked again"
    return Finding(
        validator=SECTIONS["relations"],
        metric="severity_zero_agents",
        question=QUESTION,
        estimate=1 - differing / compared if compared else None,
        unit="proportion of replies",
        verdict="different" if differing else "aligned" if compared else "undecided",
        reason=reason,
        n_real=0,
        n_simulated=len({conversation.id for conversation in asked}),
        seed=seed,
        version="1",
        source="convsim: the identity that every degradation starts from",
        details={
            "agents": [bare.name, wrapped.name],
            "n_replies": len(asked),
            "n_differing": differing,
            "n_unstable": unstable,
            "n_failed": failed,
        },
    )


def _said(reply: AgentReply) -> str:
    return reply.model_dump_json(exclude={"usage"})
