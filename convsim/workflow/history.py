"""The studies of a project, the oldest first, each beside the last one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convsim.errors import InputError
from convsim.report.answers import headline_words
from convsim.workflow.study import SUMMARY, read_summary
from convsim.workflow.summary import StudySummary, VariantSummary

DEEPEST = 4
"""Folders below the project's that are looked into."""
MOST_FOLDERS = 100_000


@dataclass(frozen=True)
class Past:
    """One study, and what is otherwise than in the study of the same name before it."""

    folder: Path
    summary: StudySummary
    before: Path | None
    """The study that it is held beside; None for the first of its name."""
    changes: tuple[str, ...]
    """Verdicts that are others now, such as ``run, words: different → alike``. No test says that they are."""
    same_people: bool
    """Whether both were held against the same conversations."""


def past_studies(project: Path | str) -> list[Past]:
    """Find the studies in a project's folder.

    Raises:
        InputError: There is no such folder.
    """
    project = Path(project)
    if not project.is_dir():
        raise InputError(f"{project}: is not a folder; name the one that holds your studies")
    found = sorted(_summaries(project), key=lambda each: (each[1].finished, str(each[0])))
    past: list[Past] = []
    last: dict[str, tuple[Path, StudySummary]] = {}
    for folder, summary in found:
        before = last.get(summary.name)
        past.append(
            Past(
                folder,
                summary,
                before=before[0] if before else None,
                changes=tuple(_changes(before[1], summary)) if before else (),
                same_people=before is not None and before[1].real == summary.real,
            )
        )
        last[summary.name] = folder, summary
    return past


def _summaries(project: Path) -> Iterator[tuple[Path, StudySummary]]:
    depth = len(project.parts)
    for number, (place, folders, files) in enumerate(os.walk(project)):
        if number >= MOST_FOLDERS:
            raise InputError(
                f"{project}: has over {MOST_FOLDERS:,} folders; name the one that holds your studies"
            )
        folder = Path(place)
        if SUMMARY in files and (summary := read_summary(folder / SUMMARY)) is not None:
            folders.clear()
            yield folder, summary
            continue
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and len(folder.parts) - depth < DEEPEST
        )


def _changes(before: StudySummary, after: StudySummary) -> Iterator[str]:
    earlier = {_called(each): each for each, *_ in before.together}
    for each, *_ in after.together:
        if _called(each) not in earlier:
            continue
        was, now = _verdicts(earlier[_called(each)]), _verdicts(each)
        for name in now:
            if name in was and was[name] != now[name]:
                yield f"{_called(each)}, {name}: {was[name]} → {now[name]}"


def _called(each: VariantSummary) -> str:
    return each.simulator or each.name


def _verdicts(each: VariantSummary) -> dict[str, str]:
    return {h.name: headline_words(h) for h in (*each.headlines, *each.reactions) if h.name != "all"}
