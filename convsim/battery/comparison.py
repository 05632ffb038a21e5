"""Holds two sides of conversations against one another: read, guard, measure, validate."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convsim.battery.guards import drop_failures, find_overlap, mix_warnings
from convsim.battery.scorecard import Scorecard, SideSummary
from convsim.contracts import Corpus, Finding, Validator
from convsim.conversation import Conversation
from convsim.errors import ConvsimError, InputError, PluginError
from convsim.metrics import measure
from convsim.plugins import installed, make
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
        validators: Names or instances; all that are installed by default.
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
    warnings = [*real_side.warnings, *simulated_side.warnings]
    warnings += mix_warnings(real_side.conversations, simulated_side.conversations)
    hashes = (real_side.summary.sha256, simulated_side.summary.sha256)
    overlap = find_overlap(real_side.conversations, simulated_side.conversations, hashes=hashes)
    if overlap.same_file:
        warnings.append("both sides are the same file")
    if overlap.reason:
        warnings.append(overlap.reason)

    corpora = measure(real_side.conversations), measure(simulated_side.conversations)
    findings = [f for validator in chosen for f in run_validator(validator, *corpora, seed=seed)]
    warnings += [f"{f.validator}: {f.reason}" for f in findings if f.details.get("failed")]
    if overlap.reason and not allow_overlap:
        findings = [f.but(verdict="undecided", reason=overlap.reason) for f in findings]
    return Scorecard(
        real=real_side.summary,
        simulated=simulated_side.summary,
        warnings=tuple(warnings),
        findings=tuple(findings),
    )


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
    """Make validators by name; instances pass through.

    Raises:
        PluginError: No such validator, or something that is none.
    """
    validators = [
        make("validators", v) if isinstance(v, str) else v for v in wanted or installed("validators")
    ]
    for validator in validators:
        if not isinstance(validator, Validator):
            raise PluginError(
                f"{validator!r} is no validator: it needs a name and validate(real, simulated, *, seed)"
            )
    return [validator for validator in validators if isinstance(validator, Validator)]


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
