"""``--baseline``: an earlier scorecard at the command line, read before any work is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from convsim._text import plain
from convsim.cli.console import result
from convsim.cli.options import Gate
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.evaluation.baseline import Baseline
    from convsim.schema.versions import Versions

NEEDED = (
    "--fail-on worse needs --baseline FILE, the findings.json that this command wrote earlier with --out DIR"
)


def read_baseline(path: Path | None, fail_on: Gate | None, *, annotated: bool) -> Baseline | None:
    """Read the earlier scorecard, and its simulated conversations where they are as they were judged.

    Args:
        path: A findings.json, or its folder; None where there is no baseline.
        fail_on: What the gate fails on.
        annotated: Whether conversations are labelled first; those of the baseline are not labelled again.

    Raises:
        InputError: It cannot be read, or ``--fail-on worse`` has none.
    """
    if path is None:
        if fail_on is Gate.worse:
            raise InputError(NEEDED)
        return None
    from convsim.evaluation.baseline import Baseline
    from convsim.report.document import read_scorecard
    from convsim.report.html.sections import taking_part
    from convsim.report.html.transcripts import find_transcripts

    card = read_scorecard(path)
    name = plain(str(path), limit=200)
    if annotated:
        return Baseline(name, card, None, "the baseline's conversations are not labelled again")
    found = find_transcripts(card.simulated, "simulated", near=path if path.is_dir() else path.parent)
    if found.conversations is None or found.notes:
        return Baseline(name, card, None, "; ".join(found.notes))
    kept = taking_part(found.conversations, card.simulated)
    if len(kept) != card.simulated.n:
        return Baseline(name, card, None, "the baseline's conversations are not all there")
    return Baseline(name, card, kept)


def tell_versions(versions: Versions) -> None:
    """Say on stderr what got better and worse, and list with values what is worse."""
    from convsim.report.versions import version_line, worse_lines

    result().print(version_line(versions))
    if versions.note:
        result().print(plain(versions.note))
    for line in worse_lines(versions):
        result().print(f"  {line}")
