"""Deliver a scorecard: write it, print it, and fail a gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from convsim._files import Content, write_set
from convsim._text import listed, plain
from convsim.cli import console
from convsim.cli.baseline import tell_versions
from convsim.cli.gating import add_summary, tell, write_junit
from convsim.cli.options import Format, Gate
from convsim.cli.output import has_schema, taking_folder
from convsim.cli.report import PAGE
from convsim.cli.tracking import Tracker, end_if, is_lost
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim import evaluation
    from convsim.evaluation import Scorecard
    from convsim.metrics import Metrics
    from convsim.schema import Finding
    from convsim.schema.conversation import Conversation

FINDINGS = "findings.json"
MAX_NAMED = 8
"""Findings that the gate's line names."""


@contextmanager
def taking(out: Path | None, *, force: bool) -> Iterator[None]:
    """Take the folder of a scorecard's files, before anything is computed; raises InputError as ``taking_folder``."""
    with taking_folder(out, (FINDINGS, PAGE), made_before=has_schema(FINDINGS, "findings"), force=force):
        yield


def deliver(
    card: Scorecard,
    sides: tuple[Sequence[Conversation] | None, Sequence[Conversation]] | None = None,
    *,
    out: Path | None,
    output: Format,
    fail_on: Gate | None,
    gate: evaluation.Gate | None = None,
    summary: Path | None = None,
    junit: Path | None = None,
    metrics: Metrics | None = None,
    log_to: Tracker | None = None,
) -> None:
    """Write findings.json and report.html into ``out``, print the scorecard, and exit 1 where a gate fails.

    Args:
        card: What was found.
        sides: The people (None where nothing was held against people) and the simulated side, as they were read;
            None writes no page.
        out: Folder for the files, which is taken.
        output: How the scorecard is printed.
        fail_on: The verdict that fails.
        gate: A team's gate, whose margins the validators had; beside ``fail_on``, either fails.
        summary: A file that gets a summary in Markdown, at its end.
        junit: A file that is written as JUnit.
        metrics: What was judged, where it is not the default: the page draws it too.
        log_to: Where it is logged; what a tracker does not take changes no verdict's exit code, and else it is 3.

    Raises:
        ConvsimError: A validator failed; its finding says why.
        InputError: A file cannot be written; or the gate asks for what no finding is called.
    """
    from convsim.io.provenance import command

    refused: InputError | None = None
    if card.made_by is not None:
        card = card.but(made_by=card.made_by.but(command=command()))
    if gate is not None:
        try:
            card = card.but(gate=gate.judge(card, margins_applied=True))
        except InputError as error:  # what was found is kept all the same
            refused = error
    try:
        if out:
            _write(out, card, sides, metrics)
        if summary:
            _summarise(summary, card)
        write_junit(junit, lambda: _junit(card, fail_on))
    except Exception:
        show(card, output, fail_on=fail_on)  # on a full disk the result of the work is on screen at least
        raise
    show(card, output, fail_on=fail_on)
    lost = is_lost(log_to, card, folder=out)
    if refused is not None:
        raise refused
    if card.failed:
        if card.gate is not None:
            tell(card.gate)
        traced = _traceback(card, out, output)
        raise ConvsimError(
            f"{_what(card.failed[0])} failed, and its finding says why{traced}; the other findings are complete"
        )
    if _tell_gates(card, fail_on):
        raise typer.Exit(1)
    end_if(lost)


def _tell_gates(card: Scorecard, fail_on: Gate | None) -> bool:
    """Say what became of each gate; True where one fails."""
    if card.gate is not None:
        tell(card.gate)
    if card.baseline is not None:
        tell_versions(card.baseline)
    failing = fail_on is not None and card.fails(fail_on.value)
    if fail_on is not None and failing:
        console.result().print(_gate(card, fail_on))
    return failing or (card.gate is not None and not card.gate.passed)


def _junit(card: Scorecard, fail_on: Gate | None) -> str:
    from convsim.report.junit import to_junit

    return to_junit(card, fail_on.value if fail_on else None)


def _summarise(path: Path, card: Scorecard) -> None:
    from convsim.report.summary import scorecard_summary

    add_summary(path, scorecard_summary(card))


def _write(
    out: Path,
    card: Scorecard,
    sides: tuple[Sequence[Conversation] | None, Sequence[Conversation]] | None,
    metrics: Metrics | None,
) -> None:
    """Write the files of a scorecard together; a page of older findings does not stay."""
    files: dict[str, Content] = {FINDINGS: card.to_json()}
    if sides:
        from convsim.report.html import to_html

        files[PAGE] = to_html(card, *sides, metrics=metrics.further if metrics else {})
    write_set(out, files, stale=[] if sides else [PAGE])
    page = f" and {PAGE}" if sides else ""
    console.err().print(f"wrote {out / FINDINGS}{page}")


def _gate(card: Scorecard, fail_on: Gate) -> str:
    """Say how many findings failed the gate, and name the first of them."""
    if fail_on is Gate.worse and card.baseline is not None:
        worse = [f"{each.kind} {each.name}" for each in card.baseline.worse]
        return plain(f"gate failed (--fail-on worse): {listed(worse, MAX_NAMED)} worse than the baseline")
    failing, judged = card.failing(fail_on.value), len(card.judged)
    named = [finding.metric for finding in failing[:MAX_NAMED]]
    more = [f"and {len(failing) - MAX_NAMED} more"] if len(failing) > MAX_NAMED else []
    return plain(
        f"gate failed (--fail-on {fail_on.value}): {len(failing)} of {judged} findings: {', '.join([*named, *more])}"
    )


def _traceback(card: Scorecard, out: Path | None, output: Format) -> str:
    """Say where the first traceback is, or how to see it; empty where there is none."""
    traced = [number for number, finding in enumerate(card.findings) if "traceback" in finding.details]
    if not traced:
        return ""
    place = f"findings[{traced[0]}].details.traceback"
    if out:
        return f" (traceback: {place} in {out / FINDINGS})"
    return (
        f" (traceback: {place})"
        if output is Format.json
        else " (for the traceback: --format json or --out DIR)"
    )


def _what(failed: Finding) -> str:
    """Name what failed: a metric that could not be measured, or a validator, whose finding is called after it."""
    if failed.metric == failed.validator:
        return f"the validator {failed.validator}"
    return f"the metric {failed.metric}"


def show(card: Scorecard, output: Format, *, fail_on: Gate | None = None) -> None:
    """Print a scorecard on stdout."""
    from convsim.report import print_scorecard, to_markdown

    if output is Format.json:
        console.echo_json(card.to_json())
    elif output is Format.md:
        typer.echo(to_markdown(card))
    elif output is Format.junit:
        typer.echo(_junit(card, fail_on), nl=False)
    else:
        print_scorecard(card, console.out())
