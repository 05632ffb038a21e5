"""What a recommender agent does: one reply, from the conversation alone."""

from typing import Protocol, runtime_checkable

from pydantic import Field

from convsim.schema.conversation import Conversation, Fault, Item, Usage
from convsim.schema.record import Flag, Name, Record, Text


class AgentReply(Record):
    """One reply; ``ends`` says that the agent closes the conversation with it."""

    content: Text
    items: tuple[Item, ...] = ()
    faults: tuple[Fault, ...] = ()
    ends: Flag = False
    usage: Usage = Field(default_factory=Usage)


@runtime_checkable
class Agent(Protocol):
    """A recommender under test; stateless, so that any turn can be replayed alone."""

    @property
    def name(self) -> Name:
        """What the agent is called in records."""
        ...

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Answer the last user message of ``conversation``; raises AgentError when it cannot."""
        ...
