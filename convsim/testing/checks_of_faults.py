"""Whether a fault keeps its contract."""

from __future__ import annotations

from collections.abc import Iterable

from convsim._async import run_to_its_end
from convsim._text import one_line
from convsim.agents import degrade
from convsim.agents.faults import FaultLike
from convsim.errors import ConvsimError
from convsim.schema import AgentReply
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Item
from convsim.testing.samples import ITEMS, SEED, name_of, reason_of, require, sample_conversations

SEVERITIES = (0.0, 0.3, 0.6, 1.0)


class _Shopkeeper:
    """An agent to degrade: it repeats what it heard, and shows items."""

    def __init__(self, items: tuple[Item, ...]):
        self.name, self.items = "shopkeeper", items

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        heard = " | ".join(message.content for message in conversation.user_messages)
        return AgentReply(content=f"I heard: {heard[:2_000]}. How about these boots?", items=self.items)


def check_fault(
    fault: FaultLike, *, conversations: Iterable[Conversation] = (), catalogue: Catalogue | None = None
) -> None:
    """Assert that a fault is recorded, leaves the agent alone at severity 0, and hits more the greater the severity.

    Args:
        fault: A function of a reply, what ``convsim.fault`` makes of one, a fault's name or ``module:thing``.
        conversations: Further conversations to try; it must have something to degrade in one.
        catalogue: What the agent sells, for a fault that needs to know.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    agent = _Shopkeeper(tuple(item.to_shown() for item in catalogue.items[:3]) if catalogue else ITEMS)
    try:
        degraded = {severity: degrade(agent, fault, severity, catalogue=catalogue) for severity in SEVERITIES}
    except ConvsimError as error:
        raise AssertionError(f"{name_of(fault)} is not a fault: {one_line(error)}") from None
    acted = False
    name = "".join(degraded[1.0].faults)

    def reply(place: str, conversation: Conversation, severity: float, seed: int = SEED) -> AgentReply:
        before = conversation.to_json()
        try:
            answered = run_to_its_end(lambda: degraded[severity].reply(conversation, seed=seed))
        except Exception as error:  # whatever somebody else's fault raises
            raise AssertionError(f"{name}: {place}: {reason_of(error)}") from None
        require(conversation.to_json() == before, f"{name}: {place}: it changed the conversation")
        return answered

    for place, conversation in sample_conversations(conversations).items():
        bare = run_to_its_end(lambda talk=conversation: agent.reply(talk, seed=SEED))  # type: ignore[misc]
        alone, whole = reply(place, conversation, 0.0), reply(place, conversation, 1.0)
        require(alone == bare, f"{name}: {place}: at severity 0 it is not the agent alone")
        require(
            whole == reply(place, conversation, 1.0),
            f"{name}: {place}: another reply to the same conversation and seed",
        )
        require(len(whole.faults) == 1, f"{name}: {place}: it is not recorded once on the reply")
        [record] = whole.faults
        require(
            record.acted or whole.but(faults=()) == bare,
            f"{name}: {place}: it is recorded as not having acted, but the reply is another",
        )
        acted = acted or record.acted
        for seed in range(4) if record.acted else ():
            hit = [any(f.acted for f in reply(place, conversation, s, seed).faults) for s in SEVERITIES]
            require(hit == sorted(hit), f"{name}: {place}: it acts at a severity and not at a greater one")
    require(acted, f"{name}: it acted on none of the replies, not even at severity 1")
