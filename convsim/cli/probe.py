"""``convsim probe LOGS --shopper X``."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import write_set
from convsim.cli import console, options, study_options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.gating import check_junit, write_junit
from convsim.cli.loading import Loading

if TYPE_CHECKING:
    from convsim.evaluation.probing.document import Probe
    from convsim.schema import ChatModel
    from convsim.simulation import Assembly

DOCUMENT, PAGE = "probe.json", "PROBE.md"
FAILED = 3
MAX_REASONS = 3


class FailOn(StrEnum):
    """What makes the exit code 1."""

    different = "different"
    undecided = "undecided"


def probe(
    logs: Annotated[Path, typer.Argument(metavar="LOGS", help="Real conversations: a file or a run folder.")],
    shopper: Annotated[str, typer.Option(help="Shopper plugin that is asked, such as prompted or sft.")],
    model: study_options.Model = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="shopper.FIELD=VALUE, model.… or ANNOTATOR.…, e.g. shopper.k=3; may be repeated."
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(min=1, max=1000, help="Answers a place, where the shopper does not tell probabilities."),
    ] = 5,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Ask at so many places alone, drawn at random (default: all).")
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0.001, max=0.999, help="Calibration error up to which there is none.")
    ] = 0.1,
    real: Annotated[
        Path | None,
        typer.Option(
            help="Conversations that icl and resample learn from (default: of LOGS, those of other people alone)."
        ),
    ] = None,
    domain: study_options.Domain = None,
    annotate: Annotated[
        str | None,
        typer.Option(
            metavar="ANNOTATOR",
            help="Compare acts too, as rules, classifier:PATH, judge or yours label them; the shopper then speaks.",
        ),
    ] = None,
    words_model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Model in this process that scores people's words: embedded, or a folder."
        ),
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option(
            "--out", help=f"Folder for answers, {DOCUMENT} and {PAGE}; the same command continues it."
        ),
    ] = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="How the result is printed.")
    ] = options.Format.text,
    junit: options.Junit = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(help="Exit 1 if any question has this verdict; undecided includes different."),
    ] = None,
    seed: options.Seed = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Answers at a time.")] = 8,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again where the shopper failed.")
    ] = False,
    task: options.Tasks = None,
    arm: options.Arms = None,
    reader: options.Reader = None,
    control_tokens: options.ControlTokens = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    allow_overlap: Annotated[
        bool,
        typer.Option(
            "--allow-overlap", help="Ask even about what the shopper learned from; replay needs it."
        ),
    ] = False,
    allow_failures: Annotated[
        bool, typer.Option("--allow-failures", help="Exit 0 although more than 5 % of the answers failed.")
    ] = False,
) -> None:
    """Hold what a shopper would do against each move of people.

    It is asked at each place of real conversations where a person moved. No conversation is held: the person's moves so
    far stay as they were. Go on, accept or leave; which item; with --annotate the next act; with --words-model how
    surprising people's words are. A shopper that learns from conversations is never asked about a person whom it
    learned from.
    """
    from convsim.evaluation.probe import transcripts_of
    from convsim.evaluation.probing.run import Plan, probe_with
    from convsim.evaluation.sides import Selection, Side
    from convsim.simulation import Assembly
    from convsim.simulation.config import StudyConfig

    check_junit(junit)
    given = console.parse_settings(settings or [], ["shopper", "model", *owners(annotate)])
    config = StudyConfig().with_flags(
        {
            "shopper": {"name": shopper, "settings": given["shopper"] or None},
            "model": {"name": model, "settings": given["model"] or None},
            "study": {"domain": domain},
        }
    )
    plan = Plan(
        seed=seed, draws=samples, limit=limit, margin=margin, concurrency=concurrency, allow_overlap=allow_overlap,
        retry_failed=retry_failed,
    )  # fmt: skip
    annotator = make_annotator(annotate, model, given) if annotate else None
    scorer = _scorer(words_model) if words_model else None
    loading = Loading(
        reader, skip_bad_lines=skip_bad_lines, survey_map=survey_map, control_tokens=control_tokens
    )
    learned = None if real is None else loading.real(real)
    side = Side.of(
        loading.real(logs), "real", Selection(tasks=task or (), arms=arm or (), allow_failures=allow_failures)
    )
    assembly = Assembly(
        config, transcripts=learned or transcripts_of(side.conversations, sha256=side.summary.sha256)
    )
    talk = console.err()
    talk.print(f"seed {seed}")
    found = probe_with(
        assembly, side, plan, learned=learned, annotator=annotator, words_model=scorer, out=out_dir
    )
    _tell(assembly)

    def as_junit() -> str:
        from convsim.report.junit import probe_to_junit

        return probe_to_junit(found, fail_on.value if fail_on else None, allow_failures=allow_failures)

    _deliver(found, out_dir, output, as_junit)
    write_junit(junit, as_junit)
    _end(found, fail_on, allow_failures=allow_failures)


def _scorer(name: str) -> ChatModel:
    from convsim.simulation import Assembly
    from convsim.simulation.config import StudyConfig

    return Assembly(StudyConfig().with_flags({"model": {"name": name}})).model()


def _tell(assembly: Assembly) -> None:
    for stand_in in assembly.stand_ins:
        console.err().print(f"using a default: {stand_in}")


def _deliver(found: Probe, out: Path | None, output: options.Format, as_junit: Callable[[], str]) -> None:
    """Write the files into ``out`` and print the tables."""
    from convsim.io.provenance import command
    from convsim.report.probed import probe_to_markdown

    if found.made_by is not None:
        found = found.but(made_by=found.made_by.but(command=command()))
    try:
        if out:
            write_set(out, {DOCUMENT: found.to_json(), PAGE: probe_to_markdown(found)})
            console.err().print(f"wrote {out / PAGE} and {DOCUMENT}")
    finally:  # on a full disk the result of the work is on screen at least
        _show(found, output, as_junit)


def _show(found: Probe, output: options.Format, as_junit: Callable[[], str]) -> None:
    from convsim.report.probed import print_probe, probe_to_markdown

    if output is options.Format.json:
        console.echo_json(found.to_json())
    elif output is options.Format.md:
        typer.echo(probe_to_markdown(found), nl=False)
    elif output is options.Format.junit:
        typer.echo(as_junit(), nl=False)
    else:
        print_probe(found, console.out())


def _end(found: Probe, fail_on: FailOn | None, *, allow_failures: bool) -> None:
    """Exit 3 where too much failed, and 1 where the gate fails."""
    talk = console.result()
    if not found.is_complete:
        talk.print("stopped: all answers failed for the same reason; the same command goes on")
    if found.too_many_failed:
        for reason, n in list(found.reasons.items())[:MAX_REASONS]:
            talk.print(f"{n} answers failed: {reason}")
        told = "" if allow_failures else ", and this is exit 3 (--allow-failures takes them)"
        talk.print(
            f"{found.n_failed} of {found.n_failed + found.n_moves} answers failed: more than 5 %{told}"
        )
    if not found.is_complete or (found.too_many_failed and not allow_failures):
        raise typer.Exit(FAILED)
    if fail_on is not None and found.fails(fail_on.value):
        failing = [q.name for q in found.questions if q.verdict == "different" or fail_on is FailOn.undecided]
        talk.print(f"gate failed (--fail-on {fail_on.value}): {', '.join(failing)}")
        raise typer.Exit(1)
