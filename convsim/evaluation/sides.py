"""One side of a comparison: read, filtered, labelled and summarised."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from convsim._async import run_to_its_end
from convsim._text import nearest, path_text
from convsim.annotation import aannotate
from convsim.errors import ConvsimError, InputError
from convsim.evaluation.guards import drop_failures
from convsim.evaluation.scorecard import SideSummary
from convsim.io import Source, Transcripts, read_source
from convsim.lifting import AnnotatorLike
from convsim.plugins import make
from convsim.schema.conversation import Conversation


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which conversations take part; an empty collection keeps all."""

    tasks: Collection[str] = ()
    arms: Collection[str] = ()
    allow_failures: bool = False


@dataclass(frozen=True)
class Side:
    """One side, read, filtered and summarised."""

    conversations: Sequence[Conversation]
    summary: SideSummary
    warnings: tuple[str, ...]
    file: Path | None = None
    """The file or run folder that it was read from; None where conversations were given, or no disk holds it."""

    @cached_property
    def digest(self) -> str:
        """The digest of all that its conversations state, in their order, however they were read and labelled.

        Raises:
            ValueError: One cannot be written as JSON.
            RecursionError: It is nested too deeply.
        """
        digest = hashlib.sha256()
        to_json = Conversation.__pydantic_serializer__.to_json
        for conversation in self.conversations:
            digest.update(to_json(conversation))
            digest.update(b"\n")
        return digest.hexdigest()

    @classmethod
    def of(cls, source: Source, name: str, selection: Selection) -> Side:
        """Read a side and keep what ``selection`` names."""
        transcripts = read_source(source)
        path = sha256 = file = None
        warnings: list[str] = []
        if isinstance(transcripts, Transcripts):
            path, sha256 = path_text(transcripts.path), transcripts.sha256
            file = transcripts.path if transcripts.path.exists() else None
            warnings += [f"{name} data: {warning}" for warning in transcripts.warnings]
            if transcripts.skipped:
                warnings.append(f"{name} data: {transcripts.skipped} bad lines were skipped")
            conversations: Sequence[Conversation] = transcripts.conversations
        else:
            conversations = transcripts
        conversations = _selected(conversations, selection, name)
        kept, warning = drop_failures(conversations, side=name, allow_failures=selection.allow_failures)
        if warning:
            warnings.append(warning)
        return cls(kept, SideSummary.of(kept, path=path, sha256=sha256), tuple(warnings), file)

    def keep(self, wanted: Callable[[Conversation], bool]) -> Side:
        """Return the side with only the conversations that are wanted."""
        kept = [conversation for conversation in self.conversations if wanted(conversation)]
        summary = SideSummary.of(kept, path=self.summary.path, sha256=self.summary.sha256)
        return Side(kept, summary, self.warnings, self.file)

    def labelled_by(self, annotator: str | AnnotatorLike | None, name: str) -> Side:
        """Return the side with an annotator's labels beside those that it has; None adds nothing."""
        if annotator is None:
            return self
        lifted = make("annotators", annotator) if isinstance(annotator, str) else annotator
        done = run_to_its_end(lambda: aannotate(self.conversations, lifted))
        if done.n_failed == len(done.conversations):
            reason = next(iter(done.reasons))
            raise ConvsimError(f"{name} data: {done.source} labelled no conversation: {reason}")
        warnings = [
            f"{name} data: {done.source} left {count} of {len(done.conversations)} conversations unlabelled: {reason}"
            for reason, count in done.reasons.most_common(3)
        ]
        return Side(done.conversations, self.summary, (*self.warnings, *warnings), self.file)


def _selected(conversations: Sequence[Conversation], selection: Selection, side: str) -> list[Conversation]:
    for field, wanted in (("task", selection.tasks), ("arm", selection.arms)):
        present = {getattr(conversation, field) for conversation in conversations}
        if missing := sorted(set(wanted) - present):
            known = ", ".join(sorted(str(value)[:40] for value in present - {None})[:20]) or "none"
            meant = nearest(missing[0], sorted(str(value) for value in present - {None}))
            hint = f"; did you mean {meant[:40]!r}?" if meant else ""
            raise InputError(f"the {side} data have no {field} {missing[0]!r}; they have: {known}{hint}")
    kept = [
        conversation
        for conversation in conversations
        if (not selection.tasks or conversation.task in selection.tasks)
        and (not selection.arms or conversation.arm in selection.arms)
    ]
    if not kept:
        raise InputError(
            f"no {side} conversation{' has that task and arm' if conversations else ' was given'}"
        )
    return kept
