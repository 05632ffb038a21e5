"""Reads dialogues of DialogueKit and UserSimCRS: a JSON list, as ``dialogue_export/`` holds it, or one of them.

The documented export, ``{"agent", "user", "dialogues"}``, names both sides once for all its dialogues.

Source: iai-group/DialogueKit, ``dialoguekit/core/dialogue.py`` (``to_dict``), ``dialoguekit/connector/
dialogue_connector.py`` (a219126d), ``dialoguekit/utils/dialogue_reader.py`` (143b0b0c), ``dialoguekit/participant/
participant.py`` (118f70bb); iai-group/UserSimCRS, ``docs/source/dataset.rst`` (25eeb16c), whose data sets say
``conversation_id``. Unknown keys are kept.

Such a file does not say whether its users are people, how a dialogue ended, or who labelled it. So ``simulator``
is null unless a user's type says otherwise; an id that all dialogues of a file share is no user whose
conversations could be resampled, and stays in ``metadata.user_id``; labels name the file as their source
(``dialoguekit:`` and the first eight digits of its SHA-256), so that they are compared with no other file's.
Dialogue acts become the label ``acts``, with their slots in ``metadata.dialogue_acts``; satisfaction and
feedback keep their names. A dialogue whose metadata records an error is a failure: UserSimCRS writes it there.

Source: ``dialoguekit_schema.py`` names the files; errors: iai-group/UserSimCRS,
``usersimcrs/simulation_platform.py`` (0582feaa); feedback: iai-group/DialogueKit,
``dialoguekit/core/feedback.py`` (4e4a684e).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue, ValidationError

from convsim._text import one_line
from convsim.errors import TranscriptError
from convsim.io.documents import Document, dialogues_in
from convsim.io.formats.foreign import ForeignPart, Id, ListOrNull, ObjectOrNull
from convsim.io.problems import MalformedError, first_problem, shown
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation, Failure, Label, Labels, Message
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


SOURCE = "dialoguekit"


def read_dialoguekit(document: Document, *, skip_bad: bool) -> Transcripts:
    """Make conversations of an export; raises TranscriptError."""
    path, content, place = document.path, document.content, ""
    listed = content
    if isinstance(content, dict):
        place = "dialogues" if "dialogues" in content else ""
        listed = content.get("dialogues", [content] if "conversation" in content else content)
    if not isinstance(listed, list):
        raise TranscriptError(
            path, f"must be a list of dialogues, as DialogueKit's are, but is {shown(listed)}"
        )
    parsed = [_parsed(f"{place}[{index}]", entry) for index, entry in enumerate(dialogues_in(content))]
    users = {d.user.id for d in parsed if isinstance(d, Dialogue) and d.user and d.user.id is not None}
    making = _Making(f"{SOURCE}:{document.sha256[:8]}", one_user=len(users) == 1 and len(parsed) > 1)
    gathering = Gathering(path, skip_bad=skip_bad)
    for index, dialogue in enumerate(parsed):
        gathering.take(None, partial(making.conversation, index, dialogue))
    conversations = gathering.finish()
    warnings = tuple(making.warnings(conversations))
    return Transcripts(path, document.sha256, conversations, "dialoguekit", warnings, gathering.skipped)


def _parsed(place: str, entry: JsonValue) -> Dialogue | MalformedError:
    try:
        return Dialogue.model_validate(entry)
    except ValidationError as error:
        return first_problem(error, entry).inside(place)


@dataclass
class _Making:
    """Makes conversations of dialogues, and remembers what to warn of."""

    label_source: str
    one_user: bool
    ids: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def conversation(self, index: int, dialogue: Dialogue | MalformedError) -> Conversation:
        if isinstance(dialogue, MalformedError):
            raise dialogue
        user = dialogue.user or Participant()
        simulated = (user.type or "").upper() == "SIMULATOR"
        metadata = {**dialogue.others, **dialogue.metadata}
        if user.id is not None and (simulated or self.one_user):
            metadata["user_id"] = user.id
        return Conversation(
            id=self._id(dialogue.conversation_id or f"{SOURCE}-{index:05d}"),
            agent=dialogue.agent.id if dialogue.agent else None,
            user=None if simulated or self.one_user else user.id,
            simulator=(user.id or SOURCE) if simulated else None,
            source=SOURCE,
            messages=tuple(map(self._message, dialogue.conversation)),
            failure=_failure(dialogue.metadata.get("error")),
            metadata=metadata,
        )

    def _id(self, stated: str) -> str:
        """Return the stated id, numbered where it stands already: their ids count whole seconds."""
        self.counts["same id"] += stated in self.ids
        numbered = (f"{stated}-{number}" for number in count(2))
        unique = stated if stated not in self.ids else next(new for new in numbered if new not in self.ids)
        self.ids.add(unique)
        return unique

    def _message(self, utterance: Utterance) -> Message:
        metadata = utterance.others
        labels: Labels = {}
        stated = [act.intent for act in utterance.dialogue_acts] or [utterance.intent]
        if acts := [intent for intent in stated if intent]:
            labels["acts"] = (Label(value=[*acts], source=self.label_source),)
        if utterance.dialogue_acts:
            metadata["dialogue_acts"] = [act.model_dump(mode="json") for act in utterance.dialogue_acts]
        if utterance.satisfaction is not None:
            labels["satisfaction"] = (Label(value=utterance.satisfaction, source=self.label_source),)
        if utterance.utterance_feedback is not None:
            given = Label(value=utterance.utterance_feedback, source="self", scale=(0, 1))
            labels["feedback"] = (given,)
        return Message(
            role="user" if utterance.participant == "USER" else "assistant",
            content=utterance.utterance or "",
            labels=labels,
            metadata=metadata,
        )

    def warnings(self, conversations: Sequence[Conversation]) -> Iterator[str]:
        """Yield what the caller must know of what was made."""
        if all(conversation.simulator is None for conversation in conversations):
            yield "DialogueKit does not record whether its users are people; you must know which file is human"
        if self.one_user:
            yield "all dialogues have the same user id, so it is ignored: each conversation counts as a user of its own"
        if n := self.counts["same id"]:
            yield f"{n} dialogues repeat an earlier id and were renumbered"
        if any(m.labels for c in conversations for m in c.messages):
            yield (
                f"the file does not say who labelled acts and satisfaction; their source is {self.label_source}; no "
                "other file's labels are compared with them"
            )


def _failure(error: JsonValue) -> Failure | None:
    if not error:
        return None
    said = error.get("trace") or error.get("error_type") if isinstance(error, dict) else error
    return Failure(reason=f"DialogueKit: {one_line(said or 'an error without a text')}")
