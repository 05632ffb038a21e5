"""Reads a ConvApparel archive, ``.zip`` or ``.json`` (Meshi et al., EACL 2026, arXiv 2602.16938).

A conversation's id is its source and its index in the file, from 0: ``convapparel-v1-00000``. Task and arm
come from the task id: a suffix ``_bad`` is the bad arm, all else the good one. Ratings become labels by the
survey map; the rest of them, the task id and the survey's version stay in ``metadata``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue, ValidationError

from convsim._text import listed
from convsim.errors import TranscriptError
from convsim.io.documents import Document
from convsim.io.download import cards
from convsim.io.formats.foreign import ForeignPart, ListOrNull, ObjectOrNull
from convsim.io.problems import MalformedError, first_problem, shown
from convsim.io.survey import Survey
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.record import Name, Text


def _listed(value: object) -> object:
    return () if value is None else (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed)]


class Recommendation(ForeignPart):
    """One item of the carousel; ``description`` and ``features`` are a text or a list of texts."""

    item_id: Name
    title: Text | None = None
    description: Texts = ()
    features: Texts = ()
    image_url: Text | None = None


class ArchivedTurn(ForeignPart):
    """What the user said, the agent's answer, and what the user later said about it."""

    user_utterance: Text | None
    assistant_utterance: Text | None
    ratings: ObjectOrNull = Field(default_factory=dict)
    recommendations: ListOrNull[Recommendation] = ()


class ArchivedConversation(ForeignPart):
    """One conversation; ``ratings`` are of the whole session."""

    task_id: Name
    version: Text | None = None
    ratings: ObjectOrNull = Field(default_factory=dict)
    turns: tuple[ArchivedTurn, ...]


UNKNOWN = "convapparel"
STATED = re.compile(r"(?:convapparel[ _-]*)?v?([12])(?:\.\d+)*", re.IGNORECASE)
NAMED = re.compile(r"convapparel(?:[ _-]*v([12]))?", re.IGNORECASE)


def source_of(path: Path, sha256: str, versions: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Return ``convapparel-v1``, ``convapparel-v2`` or ``convapparel``, and warnings.

    The archive's SHA-256 decides where it is known; then what its conversations state, then the file's name.

    Args:
        path: The file.
        sha256: Hexadecimal, of the file's bytes.
        versions: The distinct ``version`` fields of its conversations.

    Raises:
        TranscriptError: Some conversations state V1 and others V2.
    """
    for card in cards():
        if card.sha256 == sha256:
            return card.name, ()
    stated = {found[1] for version in versions if (found := STATED.fullmatch(version.strip()))}
    if len(stated) > 1:
        raise TranscriptError(
            path,
            "contains ConvApparel V1 and V2, which must never be pooled; give each its own file",
        )
    by_name = NAMED.fullmatch(path.name.split(".")[0])
    named = {by_name[1] or "1"} if by_name else set()
    if stated and named and stated != named:
        return UNKNOWN, (f"the name says ConvApparel V{named.pop()}, but the conversations V{stated.pop()}",)
    if stated:
        return f"{UNKNOWN}-v{stated.pop()}", ()
    if named:
        version = named.pop()
        return f"{UNKNOWN}-v{version}", (f"assumed to be ConvApparel V{version}, from the file name only",)
    seen = ", ".join(shown(version) for version in sorted(versions)[:5]) or "none"
    return UNKNOWN, (f"neither ConvApparel V1 nor V2 (versions found: {seen})",)


CATEGORIES = frozenset({"footwear", "outerwear", "tops", "bottoms"})
MAX_NAMED = 10


def read_convapparel(document: Document, *, skip_bad: bool, survey_map: Path | None) -> Transcripts:
    """Make conversations of an archive; raises TranscriptError, and InputError for a survey map of no use."""
    survey = Survey(survey_map)
    path, sha256 = document.path, document.sha256
    metadata, documents = _parts(path, document.content)
    archived = [_archived(index, entry) for index, entry in enumerate(documents)]
    good = [conversation for conversation in archived if isinstance(conversation, ArchivedConversation)]
    source, warnings = source_of(path, sha256, {conversation.version or "" for conversation in good})
    survey.study("session", (conversation.ratings for conversation in good))
    survey.study("turn", (turn.ratings for conversation in good for turn in conversation.turns))
    survey.settle()
    making = _Making(source, survey)
    gathering = Gathering(path, skip_bad=skip_bad)
    for index, conversation in enumerate(archived):
        gathering.take(None, partial(making.conversation, index, conversation))
    warnings = (*warnings, *making.warnings(), *_note(metadata))
    conversations = gathering.finish()
    return Transcripts(
        path,
        sha256,
        conversations,
        "convapparel",
        warnings,
        gathering.skipped,
        survey.report(),
        _instructions(metadata),
    )


def _instructions(metadata: dict[str, JsonValue]) -> dict[str, str]:
    told = metadata.get("instructions")
    return (
        {task: text for task, text in told.items() if isinstance(text, str)} if isinstance(told, dict) else {}
    )


def _parts(path: Path, document: JsonValue) -> tuple[dict[str, JsonValue], list[JsonValue]]:
    """Return the archive's metadata and its conversations."""
    if not isinstance(document, dict):
        raise TranscriptError(path, f"must be an object, as ConvApparel is, but is {shown(document)}")
    conversations, metadata = document.get("conversations"), document.get("metadata") or {}
    if not isinstance(conversations, list):
        found = shown(conversations) if "conversations" in document else "missing"
        raise TranscriptError(
            path, f"must be a list, as ConvApparel has it, but is {found}", field="conversations"
        )
    if not isinstance(metadata, dict):
        raise TranscriptError(path, f"must be an object, but is {shown(metadata)}", field="metadata")
    return metadata, conversations


def _archived(index: int, document: JsonValue) -> ArchivedConversation | MalformedError:
    try:
        return ArchivedConversation.model_validate(document)
    except ValidationError as error:
        return first_problem(error, document).inside(f"conversations[{index}]")


def _note(metadata: dict[str, JsonValue]) -> Iterator[str]:
    note = metadata.get("note")
    if isinstance(note, str):
        yield f"note in the file: {shown(note, limit=300)}"


@dataclass
class _Making:
    """Makes conversations of archived ones, and remembers what to warn of."""

    source: str
    survey: Survey
    unknown_tasks: set[str] = field(default_factory=set)
    n_null: int = 0

    def conversation(self, index: int, archived: ArchivedConversation | MalformedError) -> Conversation:
        if isinstance(archived, MalformedError):
            raise archived
        task = archived.task_id.removesuffix("_bad").removesuffix("_good")
        arm = "bad" if archived.task_id.endswith("_bad") else "good"
        if task not in CATEGORIES or archived.task_id not in (task, f"{task}_{arm}"):
            self.unknown_tasks.add(archived.task_id)
        labels, left = self.survey.labels("session", archived.ratings)
        metadata: dict[str, JsonValue] = {**archived.__pydantic_extra__, "task_id": archived.task_id}
        if archived.version is not None:
            metadata["version"] = archived.version
        return Conversation(
            id=f"{self.source}-{index:05d}",
            task=task,
            agent=f"{arm}-agent",
            arm=arm,
            source=self.source,
            messages=tuple(message for turn in archived.turns for message in self._messages(turn)),
            labels=labels,
            metadata=metadata | _ratings(left),
        )

    def _messages(self, turn: ArchivedTurn) -> tuple[Message, Message]:
        """Return the turn's two messages; its ratings are labels of the user's."""
        self.n_null += (turn.user_utterance is None) + (turn.assistant_utterance is None)
        labels, left = self.survey.labels("turn", turn.ratings)
        return (
            Message(
                role="user",
                content=turn.user_utterance or "",
                labels=labels,
                metadata=turn.__pydantic_extra__ | _ratings(left),
            ),
            Message(
                role="assistant",
                content=turn.assistant_utterance or "",
                items=tuple(map(_item, turn.recommendations)),
            ),
        )

    def warnings(self) -> Iterator[str]:
        """Yield what the caller must know of what was made."""
        if self.unknown_tasks:
            named = _named(sorted(self.unknown_tasks))
            yield f"unknown task ids, read as the bad arm if they end in _bad: {named}"
        if self.n_null:
            yield f"{self.n_null} utterances are null and were read as empty"


def _named(names: Sequence[str]) -> str:
    return listed([shown(name) for name in names], MAX_NAMED)


def _ratings(left: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"ratings": left} if left else {}


def _item(shown_item: Recommendation) -> Item:
    attributes: dict[str, JsonValue] = {}
    if shown_item.description:
        attributes["description"] = "\n".join(shown_item.description)
    if shown_item.features:
        attributes["features"] = list(shown_item.features)
    if shown_item.image_url:
        attributes["image_url"] = shown_item.image_url
    return Item(
        id=shown_item.item_id,
        title=shown_item.title or "",
        attributes=attributes,
        metadata=shown_item.__pydantic_extra__,
    )
