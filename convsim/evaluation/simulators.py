"""Who is compared: each simulator under a name of its own, read once, with the arms that it has."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from convsim._text import one_line, path_text
from convsim.errors import InputError, StudyError
from convsim.evaluation.sides import Selection, Side
from convsim.io import MANIFEST, Source, Transcripts, read_source, stem_of
from convsim.io.manifest import VARIANT, read_manifest
from convsim.lifting import AnnotatorLike
from convsim.schema.conversation import Conversation

Simulators = Mapping[str, Source] | Sequence[Source]
"""Simulated sides, by name or in a row."""
Loaded = Transcripts | Sequence[Conversation]
"""A side that has been read."""
POLICY = "policy"
"""Of a plan's hashes, that of the policy by which ``hybrid`` decides; nobody knows a policy's name."""
MAX_SETTINGS, MAX_SETTING, MAX_READ, HASH_SHOWN, MAX_KIND = 20, 60, 4_000, 8, 40
"""What is kept of a plan: settings, and characters of one, and of the policy's hash and kind; ``MAX_READ`` are looked
at."""
PEOPLE = "people"
"""What the real data are called in every table."""
NO_SIDES = (
    "simulators must be a list of paths or conversations, or a dict of them; put a single one into a list"
)
NOBODY = 'no simulator to compare; give at least one, as {"name": path} or [path, …]'


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which conversations take part, and what is asked of them."""

    tasks: Collection[str] = ()
    arms: Collection[str] = ()
    control: str | None = None
    treatment: str | None = None
    allow_failures: bool = False

    def __post_init__(self) -> None:
        if (self.control is None) != (self.treatment is None):
            raise InputError(
                "--control and --treatment go together: name the arm to start from and the arm to go to"
            )
        if self.control is not None and self.control == self.treatment:
            raise InputError(f"control and treatment are the same arm, {self.control!r}; name two")

    @property
    def compared(self) -> tuple[str, ...]:
        """The arms on which all but reactions is computed: those named, else the control arm; empty for all."""
        return tuple(self.arms) or ((self.control,) if self.control is not None else ())

    @property
    def shift(self) -> tuple[str, ...]:
        """Both arms of the shift test; empty where none is asked for."""
        return (
            (self.control, self.treatment) if self.control is not None and self.treatment is not None else ()
        )


@dataclass(frozen=True, kw_only=True)
class ComparedSide:
    """One side of the comparison: its part on the compared arms, and its part on both arms of the shift test."""

    name: str
    compared: Side
    shift: Side | None
    n_failed: int
    not_judged: str | None = None
    """Why it has no part on the compared arms."""
    no_shift: str = ""
    """Why it has no part of the shift test."""

    @classmethod
    def of(
        cls, source: Loaded, name: str, question: Question, annotator: str | AnnotatorLike | None
    ) -> ComparedSide:
        """Read what the question needs of a side; an arm named by ``arms`` that is not there is an error.

        Raises:
            InputError: The side holds nothing of that task and arm, or failed too often.
        """
        everything = source.conversations if isinstance(source, Transcripts) else source
        of_task = [c for c in everything if not question.tasks or c.task in question.tasks]
        present = {c.arm for c in of_task}
        wanted = dict.fromkeys([*question.compared, *question.shift])
        gathered = [arm for arm in wanted if arm in present or arm in question.arms]
        missing = {arm: _missing(arm, present) for arm in wanted if arm not in present}
        if wanted and not gathered:
            gone = missing[question.compared[0]]
            empty = Side.of(source, name, Selection(tasks=question.tasks, allow_failures=True)).keep(
                lambda c: False
            )
            return cls(name=name, compared=empty, shift=None, n_failed=0, not_judged=gone, no_shift=gone)
        selection = Selection(tasks=question.tasks, arms=gathered, allow_failures=question.allow_failures)
        side = Side.of(source, name, selection).labelled_by(annotator, name)
        compared = side.keep(lambda c: not question.compared or c.arm in question.compared)
        not_judged = None
        if not len(compared.conversations):
            not_judged = missing.get(question.compared[0], "no conversation in these arms is left")
        lacking = [missing[arm] for arm in question.shift if arm in missing]
        shift = side.keep(lambda c: c.arm in question.shift) if question.shift and not lacking else None
        return cls(
            name=name,
            compared=compared,
            shift=shift,
            n_failed=sum(
                c.failure is not None and (not question.compared or c.arm in question.compared)
                for c in of_task
            ),
            not_judged=not_judged,
            no_shift="; ".join(lacking) or "not tested (use --control ARM --treatment ARM)",
        )


def named(simulators: Simulators) -> dict[str, Loaded]:
    """Give every simulator a name; files are called by their names, or by their paths where two have the same.

    Raises:
        InputError: No simulator, an empty name or that of the real side, or one file twice.
    """
    if isinstance(simulators, str | bytes | Path | Transcripts):
        raise InputError(NO_SIDES)
    if not simulators:
        raise InputError(NOBODY)
    if any(isinstance(source, Conversation) for source in simulators):
        raise InputError(NO_SIDES)
    if not isinstance(simulators, Mapping):
        sources = [loaded(source) for source in simulators]
        _check_distinct(sources)
        return _by_file(sources)
    if any(not name.strip() for name in simulators):
        raise InputError("a simulator's name is empty; give it one")
    if PEOPLE in simulators:
        raise InputError(f"a simulator is called {PEOPLE!r}, as the real data are; give it another name")
    by_name = {name: loaded(source) for name, source in simulators.items()}
    _check_distinct(by_name.values())
    return by_name


def loaded(source: Source) -> Loaded:
    """Read a side, so that it is read once."""
    return read_source(source)


def settings_of(source: Loaded) -> dict[str, str]:
    """Return what the shopper of a run folder was set to, in words; nothing where no plan states it.

    Two runs of one shopper are told apart by it. Settings that are the default are not in a plan; what the shopper says
    of itself is (its ``variant``), and of a policy, which is a folder, the beginning of its hash.
    """
    if not isinstance(source, Transcripts) or not (source.path / MANIFEST).is_file():
        return {}
    try:
        manifest = read_manifest(source.path)
    except StudyError:  # what is compared is its conversations, which have been read
        return {}
    plan = _object(manifest["plan"])
    stated = _object(_object(plan.get("settings")).get("shopper"))
    told = {one_line(key): _written(value) for key, value in stated.items() if key != "name"}
    told |= {one_line(key): _written(value) for key, value in _object(manifest.get(VARIANT)).items()}
    if isinstance(policy := _object(plan.get("prompts")).get(POLICY), str):
        told[POLICY] = f"{told.get(POLICY, '')[:MAX_KIND]} {one_line(policy)[:HASH_SHOWN]}".strip()
    return {key[:MAX_SETTING]: value[:MAX_SETTING] for key, value in [*told.items()][:MAX_SETTINGS]}


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _written(value: JsonValue) -> str:
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:MAX_READ])


def _by_file(sources: Sequence[Loaded]) -> dict[str, Loaded]:
    short = [_name(source, number) for number, source in enumerate(sources, start=1)]
    result: dict[str, Loaded] = {}
    for name, source in zip(short, sources, strict=True):
        if (short.count(name) > 1 or name == PEOPLE) and isinstance(source, Transcripts):
            name = path_text(source.path)
        if name in result:
            raise InputError(f"{name} is named twice; compare each simulator once")
        result[name] = source
    return result


def _name(source: Loaded, number: int) -> str:
    return stem_of(source.path) if isinstance(source, Transcripts) else f"simulator {number}"


def _check_distinct(sources: Iterable[Loaded]) -> None:
    seen: dict[str, str] = {}
    for source in sources:
        if isinstance(source, Transcripts):
            if source.sha256 in seen:
                raise InputError(
                    f"{source.path} is the same file as {seen[source.sha256]}; compare each simulator once"
                )
            seen[source.sha256] = path_text(source.path)


def _missing(arm: str, present: Collection[str | None]) -> str:
    known = ", ".join(sorted(a[:40] for a in present if a is not None)[:20]) or "none"
    return f"it has no arm {arm!r}; it has: {known}"


def require_all(people: ComparedSide, question: Question) -> None:
    """Check that the people have every arm that is asked about; raises InputError."""
    lacking = people.not_judged or (people.no_shift if question.shift and people.shift is None else None)
    if lacking:
        raise InputError(f"the real data: {lacking}")
