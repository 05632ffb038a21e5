"""Reads MirrorBench: one episode's JSON, or a run folder with ``artifacts/UNIT/EPISODE.json``.

Source: SAP/mirrorbench, ``mirrorbench/io/artifacts.py`` (``serialize_episode_artifact``) and
``mirrorbench/core/models/plan.py`` (``EvalUnit.unit_id``), of version 0.0.1, whose ``mirrorbench/core/executor/
sync_backend.py`` (1c14571e) writes the files. Unknown keys are kept.

An episode holds a synthetic dialogue and the real one that it mirrors: the reader ``mirrorbench`` reads the
former, ``mirrorbench-people`` the latter. Who played the user is told by the folder alone, whose name is
``proxy|dataset|split|metric|seed``. MirrorBench holds an episode once for every metric: one of them is read, the
first by the metric's name. It says nothing of the agent or of how a dialogue ended, and an episode that failed
leaves no file. Judges' verdicts and metrics stay in ``metadata``.

Source: ``mirrorbench_schema.py`` names the files; turns: SAP/mirrorbench, ``mirrorbench/tasks/
mirror_conversation.py`` (1c14571e).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, JsonValue, ValidationError

from convsim._text import one_line
from convsim.errors import TranscriptError
from convsim.io.documents import Document, load_document
from convsim.io.files import MAX_FILE_BYTES
from convsim.io.formats.foreign import ForeignPart, ListOrNull, ObjectOrNull
from convsim.io.problems import TOO_MUCH, MalformedError, first_problem, shown
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation, Failure, Message, Usage
from convsim.schema.record import Name, Number, Text

if TYPE_CHECKING:
    from hashlib import _Hash

NotNegative = Annotated[Number, Field(ge=0)]


class Spoken(ForeignPart):
    """A message of the synthetic dialogue, or of the real one that it mirrors."""

    role: Literal["system", "user", "assistant", "tool"]
    content: Text | None
    metadata: ObjectOrNull = Field(default_factory=dict)


class Spec(ForeignPart):
    """What an episode mirrors; ``chat_history`` is the real dialogue."""

    episode_id: Name
    task_tag: Text | None = None
    chat_history: tuple[Spoken, ...] = ()
    metadata: ObjectOrNull = Field(default_factory=dict)


class Telemetry(ForeignPart):
    """What one answer of a language model took; seconds and USD."""

    tokens_input: NotNegative | None = None
    tokens_output: NotNegative | None = None
    total_response_time: NotNegative | None = None
    cost_usd: NotNegative | None = None


class Episode(ForeignPart):
    """One episode; ``turns`` is the synthetic dialogue."""

    spec: Spec
    turns: tuple[Spoken, ...]
    telemetry: ListOrNull[Telemetry | None] = ()
    errors: ListOrNull[JsonValue] = ()


ARTIFACTS = "artifacts"
MAX_EPISODES = 200_000


class Unit(NamedTuple):
    """What a folder of episodes is called after, and the file in it."""

    proxy: str
    dataset: str
    split: str
    metric: str
    seed: str
    file: str

    @classmethod
    def of(cls, path: Path) -> Unit | None:
        """Read the unit off an episode's path; None where the path does not tell.

        Names may hold a ``/``, and are folders in folders then.
        """
        _, _, below = path.absolute().as_posix().rpartition(f"/{ARTIFACTS}/")
        names = below.split("|", 4)
        if len(names) < 5:
            return None
        seed, _, file = names[4].partition("/")
        return cls(names[0], names[1], names[2], names[3], seed, file)


def episode_files(folder: Path) -> tuple[Path, list[Path]]:
    """List the episodes of a run or of one unit, sorted; return the folder that they are told from, and them.

    Raises:
        TranscriptError: There is none, or there are more than are read.
    """
    root = folder / ARTIFACTS if (folder / ARTIFACTS).is_dir() else folder
    files: list[Path] = []
    size = 0
    for file in root.rglob("*.json"):
        files.append(file)
        size += file.stat().st_size if file.is_file() else 0
        if len(files) > MAX_EPISODES or size > MAX_FILE_BYTES:
            most = f"{MAX_EPISODES:,} episodes or {MAX_FILE_BYTES >> 30} GiB"
            raise TranscriptError(folder, f"contains more than {most}, the limit")
    if not files:
        raise TranscriptError(folder, "contains no MirrorBench episode (no .json file)")
    return root, sorted(files)


SOURCE = "mirrorbench"
MAX_PLACE_CHARACTERS = 200


def read_episode(document: Document, *, skip_bad: bool, people: bool) -> Transcripts:
    """Make a conversation of one episode's file; raises TranscriptError."""
    making = _Making(people)
    gathering = Gathering(document.path, skip_bad=skip_bad)
    gathering.take(None, partial(making.conversation, document))
    return making.transcripts(document.path, document.sha256, gathering)


def read_episodes(folder: Path, *, skip_bad: bool, people: bool) -> Transcripts:
    """Make conversations of all episodes of a run, or of one unit; raises TranscriptError."""
    root, files = episode_files(folder)
    making = _Making(people)
    gathering = Gathering(folder, skip_bad=skip_bad)
    digest = hashlib.sha256()
    for file in files:
        if making.is_new(file):
            place = file.relative_to(root).as_posix()
            gathering.take(None, partial(making.conversation_of_file, file, place, digest))
    return making.transcripts(folder, digest.hexdigest(), gathering)


@dataclass
class _Making:
    """Makes conversations of episodes, and remembers which it has and what to warn of."""

    people: bool
    held: set[tuple[str, ...]] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    n_again: int = 0

    def is_new(self, file: Path) -> bool:
        """Tell whether an episode was not read already, for another metric (or, of people, another proxy)."""
        if (unit := Unit.of(file)) is None:
            return True
        by_whom = () if self.people else (unit.proxy, unit.seed)
        key = (*by_whom, unit.dataset, unit.split, unit.file)
        again = key in self.held
        self.n_again += again
        self.held.add(key)
        return not again

    def conversation_of_file(self, file: Path, place: str, digest: _Hash) -> Conversation:
        where = shown(place, limit=MAX_PLACE_CHARACTERS)
        try:
            document = load_document(file)
            digest.update(f"{place}\0{document.sha256}\n".encode(errors="surrogateescape"))
            return self.conversation(document)
        except TranscriptError as error:
            raise MalformedError(error.problem, field=where) from None
        except MalformedError as bad:
            raise MalformedError(bad.problem, field=f"{where}: {bad.field}" if bad.field else where) from None

    def conversation(self, document: Document) -> Conversation:
        try:
            episode = Episode.model_validate(document.content)
        except ValidationError as error:
            raise first_problem(error, document.content) from None
        made = (_real if self.people else _synthetic)(episode, Unit.of(document.path))
        if made.id in self.ids:
            raise MalformedError(
                f"must be unique, but {shown(made.id)} occurs twice", field="spec.episode_id"
            )
        self.ids.add(made.id)
        return made

    def transcripts(self, path: Path, sha256: str, gathering: Gathering) -> Transcripts:
        conversations = gathering.finish()
        warnings = () if self.people else tuple(self._warnings(conversations))
        return Transcripts(path, sha256, conversations, "mirrorbench", warnings, gathering.skipped)

    def _warnings(self, conversations: Sequence[Conversation]) -> Iterator[str]:
        yield "MirrorBench gives a synthetic dialogue as many turns as the real one, so lengths cannot be compared"
        proxies = sorted({c.simulator or "-" for c in conversations})
        if len(proxies) > 1:
            named = ", ".join(shown(proxy) for proxy in proxies[:5])
            yield f"{len(proxies)} user proxies are in this folder: {named}; to judge one, give its unit's folder"
        if self.n_again:
            yield f"{self.n_again} files repeat an episode for another metric and were skipped"


def _synthetic(episode: Episode, unit: Unit | None) -> Conversation:
    spec = episode.spec
    place = (unit.proxy, unit.dataset, unit.split, unit.seed) if unit else ()
    metadata: dict[str, JsonValue] = {**episode.others, **_metadata(episode, unit)}
    if unit is not None:
        metadata["seed"] = unit.seed
    return Conversation(
        id="|".join((*place, spec.episode_id)),
        task=spec.task_tag,
        simulator=unit.proxy if unit else SOURCE,
        source=SOURCE,
        messages=tuple(map(_message, episode.turns)),
        failure=_failure(episode.errors),
        usage=_usage([told for told in episode.telemetry if told is not None]),
        metadata=metadata,
    )


def _real(episode: Episode, unit: Unit | None) -> Conversation:
    spec = episode.spec
    if not spec.chat_history:
        raise MalformedError("contains no message: the real dialogue is missing", field="spec.chat_history")
    return Conversation(
        id="|".join((*((unit.dataset, unit.split) if unit else ()), spec.episode_id)),
        task=spec.task_tag,
        source=SOURCE,
        messages=tuple(map(_message, spec.chat_history)),
        metadata=_metadata(episode, unit),
    )


def _metadata(episode: Episode, unit: Unit | None) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {"dataset": unit.dataset, "split": unit.split} if unit else {}
    return {"episode": episode.spec.metadata, **told}


def _message(spoken: Spoken) -> Message:
    metadata = {**spoken.others, **spoken.metadata}
    return Message(role=spoken.role, content=spoken.content or "", metadata=metadata)


def _failure(errors: Sequence[JsonValue]) -> Failure | None:
    return Failure(reason=f"MirrorBench: {one_line(errors[0])}") if errors else None


def _usage(telemetry: Sequence[Telemetry]) -> Usage | None:
    if not telemetry:
        return None
    costs = [one.cost_usd for one in telemetry if one.cost_usd is not None]
    try:
        return Usage(
            input_tokens=round(sum(one.tokens_input or 0 for one in telemetry)),
            output_tokens=round(sum(one.tokens_output or 0 for one in telemetry)),
            seconds=sum(one.total_response_time or 0.0 for one in telemetry),
            cost_usd=sum(costs) if len(costs) == len(telemetry) else None,
        )
    except (ValidationError, OverflowError) as error:
        raise MalformedError(TOO_MUCH, field="telemetry") from error
