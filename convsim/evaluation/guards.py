"""What must hold before a comparison means anything: few failures, and no simulator judged on people it copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from convsim._text import listed
from convsim.annotation.definitions import definitions
from convsim.errors import InputError
from convsim.metrics import ACTS, act_names
from convsim.schema import Corpus, mix_differs
from convsim.schema.conversation import MAX_FAILURE_SHARE, Conversation
from convsim.schema.corpus import undefined_metrics

NONE = "-"
"""Counts what states no task or arm."""
MAX_NAMED = 8
"""How many labels a warning names."""


def drop_failures(
    conversations: Sequence[Conversation], *, side: str, allow_failures: bool
) -> tuple[list[Conversation], str | None]:
    """Leave failed conversations out; return the rest and a warning.

    Raises:
        InputError: More than 5 % failed and ``allow_failures`` is false.
    """
    kept = [conversation for conversation in conversations if conversation.failure is None]
    n_failed = len(conversations) - len(kept)
    if not n_failed:
        return kept, None
    reasons = Counter(c.failure.reason for c in conversations if c.failure is not None)
    most_common = reasons.most_common(1)[0][0][:200]
    said = f"{n_failed} of {len(conversations)} {side} conversations failed (most often: {most_common})"
    if n_failed / len(conversations) > MAX_FAILURE_SHARE and not allow_failures:
        raise InputError(
            f"{said}, more than {MAX_FAILURE_SHARE:.0%}; fix the cause and resume the run, or pass "
            "--allow-failures (in Python allow_failures=True)"
        )
    if not kept:
        raise InputError(f"{said}; no conversation is left to compare")
    return kept, f"{said}; they are left out"


@dataclass(frozen=True)
class Overlap:
    """What the simulated side has of the very conversations that it is compared with."""

    n_learned: int
    n_identical: int
    same_file: bool

    @property
    def reason(self) -> str | None:
        """Why nothing can be decided; None where there is no overlap."""
        if self.n_learned:
            said = (
                f"{self.n_learned} simulated conversations come from a shopper that learned from these people"
            )
        elif self.same_file or self.n_identical:
            said = f"{self.n_identical} simulated conversations are copies of real ones"
        else:
            return None
        return f"{said}: a simulator is not judged on people it copied (use convsim data split, or --allow-overlap)"


def find_overlap(
    real: Sequence[Conversation], simulated: Sequence[Conversation], *, hashes: tuple[str | None, str | None]
) -> Overlap:
    """Compare fingerprints: of what was said on both sides, and of what the simulator learned from.

    Args:
        real: The real side.
        simulated: The simulated side.
        hashes: SHA-256 of both files, None where there is no file.
    """
    spoken = {conversation.fingerprint for conversation in real if any(conversation.user_messages)}
    n_learned = 0
    for conversation in simulated:
        learned = conversation.learned_from
        if learned is None:
            continue
        by_file_alone = (
            not learned.conversations and learned.sha256 is not None and learned.sha256 == hashes[0]
        )
        n_learned += by_file_alone or not spoken.isdisjoint(learned.conversations)
    n_identical = sum(conversation.fingerprint in spoken for conversation in simulated)
    # One file may hold both sides, as a run of MirrorBench does: then nothing that it holds is on both.
    same_file = hashes[0] is not None and hashes[0] == hashes[1] and n_identical > 0
    # A short exchange can happen twice by chance; a tenth of a side cannot.
    copied = n_identical if same_file or n_identical > max(1, len(simulated) / 10) else 0
    return Overlap(n_learned, copied, same_file)


def mix_warnings(real: Sequence[Conversation], simulated: Sequence[Conversation]) -> list[str]:
    """Warn where the sides differ in their mix of tasks or arms: such differences count as difference.

    One task or arm on a side, and none stated on the other, is no mix: it may be the same by another name.
    """
    return [
        warning
        for name in ("task", "arm")
        if (
            warning := _mix_warning(
                name, *(Counter(getattr(c, name) or NONE for c in s) for s in (real, simulated))
            )
        )
    ]


def _mix_warning(name: str, real: Counter[str], simulated: Counter[str]) -> str | None:
    is_one_named = len(real) == len(simulated) == 1 and NONE in {*real, *simulated}
    if is_one_named or not mix_differs(real, simulated):
        return None
    values = sorted(real.keys() | simulated.keys())
    shown = ", ".join(
        f"{v[:40]} {real[v] / real.total():.0%}/{simulated[v] / simulated.total():.0%}" for v in values[:8]
    )
    return (
        f"real and simulated conversations differ in their mix of {name}s (real/simulated: {shown}), which counts as a "
        f"difference here; {_way_out(name, real, simulated)}"
    )


def _way_out(name: str, real: Counter[str], simulated: Counter[str]) -> str:
    """Say what can be done: a filter needs a value that both sides have."""
    if both := sorted((real.keys() & simulated.keys()) - {NONE}):
        return f"choose one that both have with --{name} ({listed([v[:40] for v in both], MAX_NAMED)})"
    for side, counts in (("real", real), ("simulated", simulated)):
        if set(counts) == {NONE}:
            return (
                f'the {side} side states no {name}, so that none can be chosen: state the "{name}" of each of its '
                f"conversations, or give a file of the other side's conversations of the {name} that they had"
            )
    return f"no {name} stands on both sides: name alike what is alike, or compare conversations of the same {name}s"


def undefined_acts(real: Corpus, simulated: Corpus) -> list[str]:
    """Warn of acts that are in no definition: they are compared, but nobody says what they mean."""
    labels = {m.label for side in (real, simulated) for m in side.metrics.values() if m.label}
    sources = {label.source for label in labels if label.name == ACTS}
    given = act_names([*real.conversations, *simulated.conversations], sources)
    unknown = [name for name in given if name not in definitions().act_names]
    if not unknown:
        return []
    return [f"labels use acts that have no definition: {listed([name[:40] for name in unknown], MAX_NAMED)}"]


def one_sided_labels(real: Corpus, simulated: Corpus) -> list[str]:
    """Warn of labels that one side alone carries: nothing is compared by them."""
    warnings = []
    for name, side, other in (("real", real, simulated), ("simulated", simulated, real)):
        alone = [m.name for m in side.metrics.values() if m.label and m.name not in other.metrics]
        if alone:
            warnings.append(
                f"labels that only the {name} conversations have (not compared): {listed(alone, MAX_NAMED)}"
            )
    return warnings


def undefined_in_language(real: Corpus, simulated: Corpus) -> list[str]:
    """Warn of sides in several languages, or in different ones, and of the metrics that have no value for that."""
    spoken = {name: side.language for name, side in (("real", real), ("simulated", simulated)) if len(side)}
    told = {
        name: language for name, language in spoken.items() if language is not None and language.n_letters
    }
    warnings = [f"{name} side: {language.problem}" for name, language in told.items() if language.mixed]
    if len({language.code for language in told.values() if language.code}) > 1:
        between = ", ".join(f"the {name} side is {language}" for name, language in told.items())
        warnings.append(f"{between}: what stands on words is not compared between languages")
    if names := list(undefined_metrics(real, simulated)):
        here = ", ".join(dict.fromkeys(map(str, told.values()))) or "no language"
        warnings.append(f"without a value here ({here}): {listed(names, MAX_NAMED)}; each finding says why")
    return warnings
