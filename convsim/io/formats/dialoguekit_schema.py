"""The JSON of DialogueKit's dialogues, as its export and UserSimCRS's data sets write it.

Source: iai-group/DialogueKit, ``dialoguekit/core/dialogue.py`` (``to_dict``), ``dialoguekit/connector/
dialogue_connector.py`` (a219126d), ``dialoguekit/utils/dialogue_reader.py`` (143b0b0c), ``dialoguekit/participant/
participant.py`` (118f70bb); iai-group/UserSimCRS, ``docs/source/dataset.rst`` (25eeb16c), whose data sets say
``conversation_id``. Unknown keys are kept.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from convsim.io.formats.foreign import ForeignPart, Id, ListOrNull, ObjectOrNull
from convsim.schema.record import Text


def _named(value: object) -> object:
    return {"id": value} if isinstance(value, str) else value


class Participant(ForeignPart):
    """The agent or the user; what is only named has no type."""

    id: Id | None = None
    type: Text | None = None


class Act(ForeignPart):
    """A dialogue act; its slots are kept as they are."""

    intent: Text | None = None


class Utterance(ForeignPart):
    """What one side said; older exports have one ``intent`` instead of ``dialogue_acts``."""

    participant: Literal["USER", "AGENT"]
    utterance: Text | None
    intent: Text | None = None
    dialogue_acts: ListOrNull[Act] = ()
    satisfaction: JsonValue = None
    utterance_feedback: Literal[0, 1] | None = None


class Dialogue(ForeignPart):
    """One dialogue, which may have no id of its own."""

    conversation_id: Annotated[
        Id | None, Field(validation_alias=AliasChoices("conversation ID", "conversation_id"))
    ] = None
    conversation: tuple[Utterance, ...]
    agent: Annotated[Participant | None, BeforeValidator(_named)] = None
    user: Annotated[Participant | None, BeforeValidator(_named)] = None
    metadata: ObjectOrNull = Field(default_factory=dict)
