"""Runs one annotator over many conversations: concurrent, resumable, failures counted."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from convsim._async import in_thread, refuse_in_a_loop, run_to_its_end
from convsim._loggers import logger_of
from convsim._logs import append_line, open_log, whole_lines
from convsim._progress import Step, step
from convsim._text import described, one_line
from convsim._tracing import Value, span
from convsim.annotation.labels import (
    FallbackLabels,
    check_annotation,
    fallback_labels,
    is_labelled_by,
    labelled_by,
    with_labels,
)
from convsim.errors import ConvsimError, InputError, ModelError
from convsim.io import MalformedError, Source, read_source, readable, readable_line
from convsim.lifting import AnnotatorLike, check_ready, lift_annotator, with_parts_of
from convsim.models.crowd import AUTO, Concurrency, Crowd
from convsim.models.hearing import heard
from convsim.models.pace import MOST
from convsim.schema import Annotation, Annotator, BatchAnnotator, ChatModel
from convsim.schema.conversation import Conversation, Usage, used_tokens
from convsim.text.language import name_of, tell_language

LOG = logger_of(__name__)


def content_key(conversation: Conversation, source: str) -> str:
    """Sixteen hexadecimal digits of what an annotator sees and who it is; the same content is labelled once."""
    seen = [
        [m.role, m.content, m.action, m.accepted, [item.model_dump(mode="json") for item in m.items]]
        for m in conversation.messages
    ]
    told = json.dumps([source, conversation.ending, seen], ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


MANY_BYTES = 1 << 20
"""Of labels: from here on it is looked whether their conversation is still short enough to be read."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: str
    annotation: Annotation


class Saved:
    """What has been annotated so far, by content; on disk too where there is a file."""

    def __init__(self, done: dict[str, Annotation], file: io.FileIO | None):
        self.done = done
        self.usage = Usage.sum(annotation.usage for annotation in done.values())
        self._file = file

    def check(self, conversation: Conversation, annotation: Annotation, *, source: str) -> None:
        """Check that what was labelled can be read back once it is written, and what it cost still adds up.

        Raises:
            ModelError: It cannot.
        """
        try:
            # In a conversation labels lie no deeper than this.
            size = len(readable(annotation, inside=b'{"messages": [%b]}'))
            if size > MANY_BYTES:
                readable_line(with_labels(conversation, annotation, source=source))
            Usage.sum((self.usage, annotation.usage))
        except MalformedError as error:
            raise ModelError(f"the labels cannot be kept, since the conversation {error}") from None
        except ValidationError:
            raise ModelError("the usage of these annotations adds up to more than can be kept") from None

    def add(self, key: str, annotation: Annotation) -> None:
        """Keep one annotation; it is on disk before the next one is asked for."""
        self.done[key] = annotation
        self.usage = Usage.sum((self.usage, annotation.usage))
        if self._file is not None:
            line = _Line(key=key, annotation=annotation)
            try:
                append_line(self._file, line.model_dump_json(exclude_defaults=True).encode())
            except OSError as error:
                raise InputError(
                    f"{self._file.name}: annotations cannot be kept there: {error.strerror or error}; "
                    "what was kept is used again: free space and run the same command"
                ) from error


@contextmanager
def open_saved(path: Path | None) -> Iterator[Saved]:
    """Go on with the annotations in ``path``; a half line at its end, left by a kill, is cut off.

    Raises:
        InputError: The file cannot be read or written, is a link, does not hold annotations, or another process keeps
            its own there.
    """
    if path is None:
        yield Saved({}, None)
        return
    busy = InputError(f"{path}: another convsim process is keeping annotations there; wait for it")
    try:
        with open_log(path, busy=busy) as file:
            yield Saved(_read(path), file)
    except OSError as error:
        raise InputError(f"{path}: annotations cannot be kept there ({error.strerror})") from error


def _read(path: Path) -> dict[str, Annotation]:
    done: dict[str, Annotation] = {}
    for number, line in whole_lines(path):
        try:
            saved = _Line.model_validate_json(line)
        except ValidationError as error:
            raise InputError(
                f"{path}:{number}: is not an annotation saved by convsim; delete the file to start again"
            ) from error
        done[saved.key] = saved.annotation
    return done


BATCH = 256
"""Conversations that an annotator with ``annotate_many`` is given at a time."""


@dataclass(frozen=True, kw_only=True)
class Annotated:
    """Conversations with their labels, in the order given; those that could not be labelled are as they were."""

    conversations: Sequence[Conversation]
    source: str
    n_labelled: int
    n_already: int
    """Of these conversations, how many carried labels of this annotator before."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why conversations stayed unlabelled."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Why each of these stayed so, by its id."""
    usage: Usage = field(default_factory=Usage)
    """What all of it cost, earlier calls on the same file included; an unknown price is null."""
    fallbacks: FallbackLabels | None = None
    """How many of this annotator's labels other models than its own gave; None where none did."""

    @property
    def n_failed(self) -> int:
        """How many conversations stayed unlabelled."""
        return self.reasons.total()


def annotate(
    conversations: Source,
    annotator: AnnotatorLike,
    *,
    concurrency: Concurrency = AUTO,
    keep: Path | None = None,
    on_change: Callable[[int], None] = lambda n: None,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
) -> Annotated:
    """Label conversations; what an annotator cannot label stays as it was, and the reason is counted.

    Args:
        conversations: Whatever is to be labelled: a path or conversations.
        annotator: Who labels: an annotator, or a function, as ``convsim.lifting.lift_annotator`` takes it.
        concurrency: Conversations at a time; "auto" is as many as the endpoints of models take, and 8 where none is
            asked.
        keep: A file of annotations that grows as they are made, so that the same call goes on after an interruption.
        on_change: Told how many conversations are done.
        engine: ``ray``: the machines of a Ray cluster label, and this process alone keeps; the labels are the same.
        address: ``HOST:PORT`` of the cluster, which this machine has joined; without one it is started here.

    Raises:
        InputError: ``keep`` cannot be used, or ``annotator`` is none; or an event loop is running already, where it is
            ``await aannotate(…)``.
    """
    refuse_in_a_loop("annotate", "await aannotate(conversations, annotator)")
    if engine == "local" and address is not None:
        raise InputError("--address: is of a Ray cluster; add --engine ray")
    with ExitStack() as stack:
        if engine == "ray":
            from convsim.annotation.on_ray import spread

            annotator = stack.enter_context(spread(lift_annotator(annotator), address))
        return run_to_its_end(
            lambda: aannotate(
                conversations, annotator, concurrency=concurrency, keep=keep, on_change=on_change
            )
        )


async def aannotate(
    conversations: Source,
    annotator: AnnotatorLike,
    *,
    concurrency: Concurrency = AUTO,
    keep: Path | None = None,
    on_change: Callable[[int], None] = lambda n: None,
) -> Annotated:
    """Do as ``annotate`` does, in the caller's own event loop; once cancelled, the same call with ``keep`` goes on.

    Raises:
        InputError: ``keep`` cannot be used, ``annotator`` is not an annotator, or it does not read the conversations'
            language; or a key is missing, or a model cannot be loaded: nothing has been asked then.
    """
    conversations = read_source(conversations)
    lifted = lift_annotator(annotator)
    _refuse_other_languages(lifted, conversations)
    source = lifted.source
    wanted = {content_key(c, source): c for c in conversations if not is_labelled_by(c, source)}
    reasons: dict[str, str] = {}
    is_new = keep is None or not keep.exists()
    if wanted and is_new:  # so that no file is made for what cannot be asked
        await check_ready([lifted])
    with open_saved(keep) as saved:
        missing = {key: c for key, c in wanted.items() if key not in saved.done}
        if missing and not is_new:
            await check_ready([lifted])
        n_before = len(wanted) - len(missing)
        models = (part for part in with_parts_of([annotator]) if isinstance(part, ChatModel))
        told: dict[str, Value] = {"convsim.annotator": lifted.name, "convsim.conversations": len(missing)}
        with (
            step(f"labelling with {lifted.name}", len(wanted), unit="conversations", done=n_before) as at,
            span("convsim.annotation", told) as traced,
            heard(models, record=False),
        ):
            run = _Run(lifted, saved, reasons, on_change, at, done=n_before)
            await run.all(missing, concurrency)
            traced.set({"convsim.failed": len(reasons)})
        LOG.info("%s labelled %d conversations in %.1f s", source, len(missing) - len(reasons), at.seconds)
        return _put_together(conversations, saved, reasons, source)


def _refuse_other_languages(annotator: Annotator, conversations: Sequence[Conversation]) -> None:
    """Refuse conversations in a language that an annotator says it does not read, by its ``languages``."""
    read: Collection[str] = getattr(annotator, "languages", ())
    if not read:
        return
    spoken = tell_language("\n".join(m.content for m in c.user_messages) for c in conversations)
    if spoken.n_letters and (spoken.mixed or spoken.code not in read):
        known = " and ".join(name_of(str(code)) for code in sorted(read))
        raise InputError(
            f"{annotator.name} reads {known} alone, and of these {len(conversations)} conversations the language is "
            f"{spoken}; use another annotator (judge, classifier:PATH, or yours)"
            + (f", or --set {annotator.name}.any_language=true" if hasattr(annotator, "any_language") else "")
        )


@dataclass
class _Run:
    annotator: Annotator
    saved: Saved
    reasons: dict[str, str]
    on_change: Callable[[int], None]
    at: Step
    done: int

    async def all(self, missing: dict[str, Conversation], concurrency: Concurrency) -> None:
        if isinstance(self.annotator, BatchAnnotator):
            many = self.annotator.annotate_many
            keys = list(missing)
            for start in range(0, len(keys), BATCH):
                await self._batch(many, {key: missing[key] for key in keys[start : start + BATCH]})
            return
        queue = iter(missing.items())

        async def one_more() -> bool:
            for key, conversation in queue:
                await self._one(key, conversation)
                return True
            return False

        most = min(MOST if concurrency == AUTO else concurrency, len(missing))
        crowd = Crowd(one_more, AUTO if concurrency == AUTO else most, most=most)
        for failure in await crowd.run(ends_together=True):
            # The disk is full, say: nothing more was asked that could not be kept.
            raise failure

    async def _batch(
        self, many: Callable[[Sequence[Conversation]], Sequence[Annotation]], batch: dict[str, Conversation]
    ) -> None:
        try:
            given = list(batch.values())
            told: dict[str, Value] = {
                "convsim.annotator": self.annotator.name,
                "convsim.conversations": len(given),
            }
            with span("convsim.annotate", told):
                annotations = await in_thread(lambda: many(given))
                pairs = list(zip(batch.items(), annotations, strict=True))
        except Exception:
            # One of them is in the way, whatever it raised: each is asked by itself, and its reason is kept there.
            for key, conversation in batch.items():
                await self._one(key, conversation)
            return
        for (key, conversation), annotation in pairs:
            try:
                self._check(conversation, annotation)
            except ConvsimError as error:
                self._fail(key, str(error))
            else:
                self._keep(key, annotation)

    async def _one(self, key: str, conversation: Conversation) -> None:
        told = {"convsim.annotator": self.annotator.name, "gen_ai.conversation.id": conversation.id}
        try:
            with span("convsim.annotate", told):
                annotation = await labelled_by(self.annotator, conversation)
                self._check(conversation, annotation)
        except ConvsimError as error:
            self._fail(key, str(error))
        except Exception as error:  # somebody else's annotator: whatever it raises is a reason
            self._fail(key, f"the annotator raised {described(error)}")
        else:
            self._keep(key, annotation)

    def _check(self, conversation: Conversation, annotation: Annotation) -> None:
        check_annotation(conversation, annotation, source=self.annotator.source)
        self.saved.check(conversation, annotation, source=self.annotator.source)

    def _keep(self, key: str, annotation: Annotation) -> None:
        self.saved.add(key, annotation)
        self._advance()

    def _fail(self, key: str, reason: str) -> None:
        self.reasons[key] = one_line(reason)
        self.at.fail(f"a conversation could not be labelled: {self.reasons[key]}", LOG)
        self._advance()

    def _advance(self) -> None:
        self.done += 1
        spent = self.saved.usage
        self.at.cost_usd, self.at.unpriced = (
            spent.cost_usd or 0.0,
            spent.cost_usd is None and bool(used_tokens(spent)),
        )
        self.at.at(self.done)
        self.on_change(self.done)


def _put_together(
    conversations: Sequence[Conversation], saved: Saved, reasons: dict[str, str], source: str
) -> Annotated:
    labelled: list[Conversation] = []
    counted: Counter[str] = Counter()
    failures: dict[str, str] = {}
    n_already = 0
    for conversation in conversations:
        key = content_key(conversation, source)
        if is_labelled_by(conversation, source):
            n_already += 1
            labelled.append(conversation)
        elif key in saved.done:
            labelled.append(with_labels(conversation, saved.done[key], source=source))
        else:
            counted[reasons[key]] += 1
            failures[conversation.id] = reasons[key]
            labelled.append(conversation)
    return Annotated(
        conversations=labelled,
        source=source,
        n_labelled=len(conversations) - counted.total(),
        n_already=n_already,
        reasons=counted,
        failures=failures,
        usage=saved.usage,
        fallbacks=fallback_labels(labelled).get(source),
    )
