"""How many conversations an arm a run folder is for: as it was planned, or as it was made larger since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue, ValidationError

from convsim._text import shown
from convsim.errors import InputError, StudyError
from convsim.io.manifest import MANIFEST, Manifest, read_manifest
from convsim.schema.record import Count, Record, Text

GROWING = ("n", "personas")
"""What of a plan changes as a run is made larger: personas that are drawn from people are as many as conversations."""
GROWN = "grown"
"""The key of a manifest that lists how a run was made larger."""


class Grown(Record):
    """One time that a run was made larger: conversations an arm before and after, and when."""

    before: Count
    n: Count
    at: Text


@dataclass(frozen=True)
class Growth:
    """What is asked of a run: to be for ``n`` conversations an arm in place of ``before``."""

    before: int
    n: int
    is_begun: bool = False
    """Whether the run is for ``n`` already: a command that asked for the same did not come to its end."""

    @property
    def added(self) -> int:
        """Conversations an arm by which it is more."""
        return self.n - self.before

    def recorded(self, manifest: Manifest) -> JsonValue:
        """Return what a manifest lists once this has been done."""
        listed = manifest.get(GROWN)
        entry = Grown(before=self.before, n=self.n, at=datetime.now(UTC).isoformat(timespec="seconds"))
        return [*(listed if isinstance(listed, list) else []), entry.model_dump(mode="json")]


def growth_between(found: Manifest, planned: Manifest) -> Growth | None:
    """Return by what the plan ``planned`` is the plan ``found`` made larger; None where it is another plan.

    Where personas are more, those of ``found`` begin the list, and each has had one conversation an arm.
    """
    before, n = found.get("n"), planned.get("n")
    known, drawn = found.get("personas"), planned.get("personas")
    if not isinstance(before, int) or not isinstance(n, int) or not before < n:
        return None
    if not isinstance(known, list) or not isinstance(drawn, list) or known != drawn[: len(known)]:
        return None
    is_drawn = len(known) == before
    if any(found.get(k) != planned.get(k) for k in {*found, *planned} - {*GROWING}):
        return None
    return Growth(before, n) if is_drawn or len(known) == len(drawn) else None


def current_n(folder: Path, n: int) -> int:
    """Return how many conversations an arm a run of ``n`` is for: more, where it was made larger since."""
    if not (folder / MANIFEST).exists():
        return n
    manifest = read_manifest(folder)
    is_earlier = n in {each.before for each in _grown(manifest, folder)}
    return (planned_n(manifest) or n) if is_earlier else n


def growth_of(folder: Path, add: object) -> Growth:
    """Return what adding ``add`` conversations an arm to a run means.

    Where a command that added as many did not come to its end, it is to be finished, and nothing is added again.

    Raises:
        InputError: ``add`` is not a whole number of 1 or more.
        StudyError: There is no such run, or it was made larger by another number and that is not finished.
    """
    if not isinstance(add, int) or isinstance(add, bool) or add < 1:
        raise InputError(f"--add must be a whole number of conversations, 1 or more, but is {shown(add)}")
    if not (folder / MANIFEST).exists():
        raise StudyError(f"{folder}: there is no run to add to; leave out --add to start one")
    manifest = read_manifest(folder)
    n = planned_n(manifest)
    if n is None:
        raise StudyError(f"{folder}: its {MANIFEST} states no number of conversations; nothing can be added")
    last = next(iter(_grown(manifest, folder)[::-1]), None)
    if last is None or last.n != n or _is_complete(manifest, n):
        return Growth(n, n + add)
    if last.n - last.before != add:
        raise StudyError(
            f"{folder}: --add {last.n - last.before} is not finished; run that again first, and then add more"
        )
    return Growth(last.before, n, is_begun=True)


def planned_n(manifest: Manifest) -> int | None:
    """Return how many conversations an arm a run is for; None where its manifest does not say."""
    plan = manifest["plan"]
    n = plan.get("n") if isinstance(plan, dict) else None
    return n if isinstance(n, int) and not isinstance(n, bool) and n > 0 else None


def _grown(manifest: Manifest, folder: Path) -> Sequence[Grown]:
    listed = manifest.get(GROWN, [])
    try:
        return [Grown.model_validate(each) for each in listed] if isinstance(listed, list) else []
    except ValidationError as error:
        raise StudyError(f"{folder / MANIFEST}: {GROWN!r} is not how a run was made larger") from error


def _is_complete(manifest: Manifest, n: int) -> bool:
    """Tell whether the last command that wrote to the run came to its end with nothing missing."""
    plan, outcome = manifest["plan"], manifest.get("outcome")
    arms = plan.get("arms") if isinstance(plan, dict) else None
    held = outcome.get("conversations") if isinstance(outcome, dict) else None
    return isinstance(arms, list) and isinstance(held, int) and held >= n * len(arms)
