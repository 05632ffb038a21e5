"""Holds two sides of conversations against one another: read, guard, measure, validate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convsim.battery.guards import drop_failures, find_overlap, mix_warnings, one_sided_labels
from convsim.battery.scorecard import Scorecard, SideSummary
from convsim.contracts import Corpus, Finding, Validator
from convsim.conversation import Conversation
from convsim.errors import ConvsimError, InputError, PluginError
from convsim.metrics import measure_both
from convsim.plugins import installed, load, make
from convsim.readers import Transcripts, read

Source = str | Path | Transcripts | Sequence[Conversation]
"""A file of conversations, a run folder, what `convsim.read` returned, or conversations."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which conversations take part; an empty collection keeps all."""

    tasks: Collection[str] = ()
    arms: Collection[str] = ()
    allow_failures: bool = False


def validate(
    real: Source,
    simulated: Source,
    *,
    seed: int,
    validators: Iterable[str | Validator] | None = None,
    tasks: Collection[str] = (),
    arms: Collection[str] = (),
    allow_overlap: bool = False,
    allow_failures: bool = False,
) -> Scorecard:
    """Ask every validator whether the simulated conversations are like the real ones.

    Which side is human is decided by position, so that people can be held against people.

    Args:
        real: The people's conversations.
        simulated: The simulated conversations.
        seed: Moves every random draw.
        validators: Names or instances; by default all that are installed and need not be asked for.
        tasks: Keep only these tasks on both sides; all by default.
        arms: Keep only these arms on both sides; all by default.
        allow_overlap: Judge a simulator even on conversations that it learned from.
        allow_failures: Go on although more than 5 % of a side's conversations failed.

    Raises:
        InputError: A side cannot be read, is empty after the filters, or failed too often.
        PluginError: No such validator.
    """
    chosen = find_validators(validators)
    selection = Selection(tasks=tasks, arms=arms, allow_failures=allow_failures)
    real_side = Side.of(real, "real", selection)
    simulated_side = Side.of(simulated, "simulated", selection)
    warnings = mix_warnings(real_side.conversations, simulated_side.conversations)
    return judge(real_side, simulated_side, chosen, seed=seed, warnings=warnings, allow_overlap=allow_overlap)


@dataclass(frozen=True)
class Side:
    """One side, read, filtered and summarised."""

    conversations: Sequence[Conversation]
    summary: SideSummary
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, source: Source, name: str, selection: Selection) -> Side:
        """Read a side and keep what ``selection`` names."""
        transcripts = read(source) if isinstance(source, str | Path) else source
        path = sha256 = None
        warnings: list[str] = []
        if isinstance(transcripts, Transcripts):
            path, sha256 = str(transcripts.path), transcripts.sha256
            warnings += [f"{name} side: {warning}" for warning in transcripts.warnings]
            if transcripts.skipped:
                warnings.append(f"{name} side: {transcripts.skipped} bad lines were skipped")
            conversations: Sequence[Conversation] = transcripts.conversations
        else:
            conversations = transcripts
        conversations = _selected(conversations, selection, name)
        kept, warning = drop_failures(conversations, side=name, allow_failures=selection.allow_failures)
        if warning:
            warnings.append(warning)
        return cls(kept, SideSummary.of(kept, path=path, sha256=sha256), tuple(warnings))

    def keep(self, wanted: Callable[[Conversation], bool]) -> Side:
        """Return the side with only the conversations that are wanted."""
        kept = [conversation for conversation in self.conversations if wanted(conversation)]
        summary = SideSummary.of(kept, path=self.summary.path, sha256=self.summary.sha256)
        return Side(kept, summary, self.warnings)


def judge(
    real: Side | None,
    simulated: Side,
    validators: Iterable[Validator],
    *,
    seed: int,
    warnings: Iterable[str] = (),
    allow_overlap: bool = False,
) -> Scorecard:
    """Measure both sides, run every validator, and judge nobody on the people it copied.

    Args:
        real: The people; None where nothing is held against people, and validators get an empty corpus.
        simulated: The simulated side.
        validators: What is asked.
        seed: Moves every random draw.
        warnings: What else the reader is to be warned of.
        allow_overlap: Judge a simulator even on conversations that it learned from.
    """
    people = real.conversations if real else ()
    said = [*(real.warnings if real else ()), *simulated.warnings, *warnings]
    reason = None
    if real is not None:
        overlap = find_overlap(
            people, simulated.conversations, hashes=(real.summary.sha256, simulated.summary.sha256)
        )
        reason = overlap.reason
        said += ["both sides are the same file"] if overlap.same_file else []
        said += [reason] if reason else []
    corpora = measure_both(people, simulated.conversations)
    if real is not None:
        said += one_sided_labels(*corpora)
    findings = [f for validator in validators for f in run_validator(validator, *corpora, seed=seed)]
    said += [f"{f.validator}: {f.reason}" for f in findings if f.details.get("failed")]
    if reason and not allow_overlap:
        findings = [f.but(verdict="undecided", reason=reason) for f in findings]
    return Scorecard(
        real=real.summary if real else None,
        simulated=simulated.summary,
        warnings=tuple(said),
        findings=tuple(findings),
    )


def _selected(conversations: Sequence[Conversation], selection: Selection, side: str) -> list[Conversation]:
    for field, wanted in (("task", selection.tasks), ("arm", selection.arms)):
        present = {getattr(conversation, field) for conversation in conversations}
        if missing := sorted(set(wanted) - present):
            known = ", ".join(sorted(str(value)[:40] for value in present - {None})[:20]) or "none"
            raise InputError(f"the {side} side has no {field} {missing[0]!r}; it has: {known}")
    kept = [
        conversation
        for conversation in conversations
        if (not selection.tasks or conversation.task in selection.tasks)
        and (not selection.arms or conversation.arm in selection.arms)
    ]
    if not kept:
        raise InputError(
            f"the {side} side holds no conversation{' of that task and arm' if conversations else ''}"
        )
    return kept


def find_validators(wanted: Iterable[object] | None) -> list[Validator]:
    """Make validators by name; instances pass through. None stands for all that do not wait to be named.

    Raises:
        PluginError: No such validator, or something that is none.
    """
    wanted = default_validators() if wanted is None else wanted
    validators = [make("validators", v) if isinstance(v, str) else v for v in wanted]
    for validator in validators:
        if not isinstance(validator, Validator):
            raise PluginError(
                f"{validator!r} is no validator: it needs a name and validate(real, simulated, *, seed)"
            )
    return [validator for validator in validators if isinstance(validator, Validator)]


def default_validators() -> list[str]:
    """Name the installed validators that do not wait to be named (``on_request``)."""
    names = installed("validators")
    return [name for name in names if not getattr(load("validators", name), "on_request", False)]


def run_validator(validator: Validator, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
    """Run one validator; one that raises yields an undecided finding with the reason, and loses no other's work."""
    try:
        return list(validator.validate(real, simulated, seed=seed))
    except ConvsimError:
        raise
    except Exception as error:
        return [
            Finding(
                validator=validator.name,
                metric=validator.name,
                question="Did the validator run?",
                unit="-",
                verdict="undecided",
                reason=f"the validator failed: {type(error).__name__}: {error}",
                n_real=len(real),
                n_simulated=len(simulated),
                seed=seed,
                version=str(getattr(validator, "version", "unknown")),
                source=type(validator).__module__,
                details={"failed": True},
            )
        ]
