"""``convsim counterfactual``: three ways to ask whether shoppers notice a worse recommender."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli import options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.baseline import read_baseline
from convsim.cli.console import err, parse_settings, say_cached
from convsim.cli.deliver import deliver, taking
from convsim.cli.gating import check_junit, check_summary, read_gate, with_margins
from convsim.cli.loading import Loading
from convsim.cli.study_options import Address, JudgedOn, Where
from convsim.cli.tracking import LogTo, check_tracker
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.evaluation import Scorecard
    from convsim.evaluation.baseline import Baseline
    from convsim.io import Transcripts
    from convsim.schema import Finding
    from convsim.schema.conversation import Conversation

USAGE = (
    "expected REAL SIM --control ARM --treatment ARM, or --ladder FAULT SIM, or --relations [FILE.toml] SIM"
)


def counterfactual(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="[REAL|FILE.toml] SIM", help="Files of conversations or run folders."),
    ],
    control: Annotated[str | None, typer.Option(help="Control arm: the better agent.")] = None,
    treatment: options.Treatment = None,
    saw_both: Annotated[
        Path | None, typer.Option(help="Run of a simulator that learned from both arms, to compare SIM with.")
    ] = None,
    ladder: Annotated[
        str | None,
        typer.Option(
            metavar="FAULT", help="Dose-response: test reactions over the recorded severities of this fault."
        ),
    ] = None,
    relations: Annotated[
        bool,
        typer.Option(
            "--relations", help="Test metamorphic relations: the built-in ones, or those in a file."
        ),
    ] = False,
    agent: Annotated[
        str | None, typer.Option(help="With --relations: check that severity 0 leaves this agent unchanged.")
    ] = None,
    catalogue: Annotated[Path | None, typer.Option(help="That agent's catalogue.")] = None,
    out_dir: Annotated[Path | None, options.OUT] = None,
    output: Annotated[options.Format, options.FORMAT] = options.Format.text,
    seed: options.Seed = 0,
    fail_on: options.FailOn = None,
    baseline: options.Baseline = None,
    gate: options.GateFile = None,
    summary: options.Summary = None,
    junit: options.Junit = None,
    log_to: LogTo = None,
    settings: Annotated[list[str] | None, options.settings("counterfactual.margin_sd=0.3")] = None,
    metrics: options.MetricNames = None,
    lexicon: options.LexiconFolder = None,
    task: options.Tasks = None,
    annotate: options.Annotate = None,
    model: options.Model = None,
    reader: options.Reader = None,
    real_reader: options.RealReader = None,
    simulated_reader: options.SimulatedReader = None,
    control_tokens: options.ControlTokens = None,
    simulator: options.SimulatorName = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    allow_overlap: options.AllowOverlap = False,
    allow_failures: options.AllowFailures = False,
    no_cache: options.NoCache = False,
    engine: JudgedOn = Where.local,
    address: Address = None,
    force: options.Force = False,
) -> None:
    """Test whether shoppers react to a worse recommender.

    Reads recorded conversations; simulates nothing.
    """
    from convsim import evaluation as battery

    mode = _mode(control, treatment, ladder, relations=relations)
    named = [*files, *([saw_both] if saw_both else [])]
    _check(mode, files, saw_both=saw_both, agent=agent)
    if baseline is not None and mode != "shift":
        raise InputError("--baseline needs --control and --treatment")
    earlier = read_baseline(baseline, fail_on, annotated=True)
    measured = options.chosen_metrics(metrics, lexicon)
    owner = {"shift": "counterfactual", "ladder": "dose_response", "relations": "relations"}[mode]
    gate_asked = read_gate(gate, (owner,), measured)
    check_summary(summary)
    check_junit(junit)
    check_tracker(log_to)
    given = with_margins(gate_asked, parse_settings(settings or [], (owner, "agent", *owners(annotate))))
    annotator = make_annotator(annotate, model, given) if annotate else None

    loading = Loading(
        reader, real_reader, simulated_reader, skip_bad_lines, survey_map, control_tokens, simulator
    )
    with taking(out_dir, force=force):
        card: Scorecard
        people: Sequence[Conversation] | None = None
        tasks = task or ()
        if mode == "shift":
            sides = [loading.real(files[0]), *map(loading.simulated, named[1:])]
            people, side = sides[0].conversations, sides[1]
            if fail_on or gate_asked:
                battery.refuse_simulated_people(people, side.conversations)
            if earlier is not None:
                _check_baseline(
                    earlier, sides[0], (str(control), str(treatment)), tasks, allow_failures=allow_failures
                )
            err().print(f"seed {seed}")
            card = battery.counterfactual(
                sides[0], sides[1], control=str(control), treatment=str(treatment), seed=seed,
                saw_both=sides[2] if saw_both else None, tasks=tasks, settings=given[owner],
                metrics=measured, annotator=annotator, allow_overlap=allow_overlap, allow_failures=allow_failures,
                cache=not no_cache, on_cached=say_cached, engine=engine.value, address=address,
            )  # fmt: skip
            if earlier is not None:
                card = card.but(baseline=earlier.reactions_against(card))
        elif mode == "ladder":
            side = loading.simulated(files[0])
            err().print(f"seed {seed}")
            card = battery.dose_response(
                side, str(ladder), seed=seed, tasks=tasks, settings=given[owner], metrics=measured, annotator=annotator,
                allow_failures=allow_failures, engine=engine.value, address=address,
            )  # fmt: skip
        else:
            side = loading.simulated(files[-1])
            err().print(f"seed {seed}")
            card = battery.check_relations(
                side, files[0] if len(files) == 2 else None, seed=seed, tasks=tasks, settings=given[owner],
                metrics=measured, annotator=annotator, further=_asked(agent, given["agent"], catalogue, side, seed),
                allow_failures=allow_failures, engine=engine.value, address=address,
            )  # fmt: skip
        deliver(
            card, (people, side.conversations), out=out_dir, output=output, fail_on=fail_on, gate=gate_asked,
            summary=summary, junit=junit, log_to=log_to,
        )  # fmt: skip


def _check_baseline(
    earlier: Baseline,
    real: Transcripts,
    arms: tuple[str, str],
    tasks: Sequence[str],
    *,
    allow_failures: bool,
) -> None:
    from convsim.evaluation.sides import Selection, Side
    from convsim.plugins import load

    selection = Selection(tasks=tasks, arms=arms, allow_failures=allow_failures)
    version = str(getattr(load("validators", "counterfactual"), "version", "unknown"))
    earlier.check_reactions(Side.of(real, "real", selection).summary, arms, version)


def _mode(control: str | None, treatment: str | None, ladder: str | None, *, relations: bool) -> str:
    asked = {
        "shift": control is not None or treatment is not None,
        "ladder": ladder is not None,
        "relations": relations,
    }
    chosen = [name for name, wanted in asked.items() if wanted]
    if len(chosen) != 1 or (chosen == ["shift"] and (control is None or treatment is None)):
        said = " and ".join(
            name
            for name, wanted in (
                ("--control", control), ("--treatment", treatment), ("--ladder", ladder), ("--relations", relations),
            )
            if wanted
        )  # fmt: skip
        raise InputError(f"{USAGE}; found {said or 'none of these options'}")
    return chosen[0]


def _check(mode: str, files: list[Path], *, saw_both: Path | None, agent: str | None) -> None:
    wanted = {"shift": (2,), "ladder": (1,), "relations": (1, 2)}[mode]
    if len(files) not in wanted:
        raise InputError(f"{USAGE}; found {len(files)} files")
    if mode == "relations" and len(files) == 2 and files[0].suffix != ".toml":
        raise InputError(f"--relations {files[0]}: expected a .toml file of relations; {USAGE}")
    if saw_both is not None and mode != "shift":
        raise InputError("--saw-both needs --control and --treatment")
    if agent is not None and mode != "relations":
        raise InputError("--agent needs --relations")


def _asked(
    agent: str | None, settings: dict[str, object], catalogue: Path | None, side: Transcripts, seed: int
) -> list[Finding]:
    """Ask the agent itself whether severity 0 leaves it alone, under every fault at once."""
    if agent is None:
        return []
    from convsim.agents import degrade
    from convsim.agents.faults import FAULTS
    from convsim.evaluation import check_severity_zero
    from convsim.simulation import Assembly
    from convsim.simulation.config import StudyConfig

    flags: dict[str, dict[str, object]] = {
        "agent": {"name": agent, "settings": settings or None},
        "data": {"catalogue": catalogue},
    }
    assembly = Assembly(StudyConfig().with_flags(flags))
    bare = assembly.agent()
    for stand_in in assembly.stand_ins:
        err().print(f"using a default: {stand_in}")
    wrapped = degrade(bare, "+".join(FAULTS), 0.0, catalogue=assembly.catalogue())
    return [check_severity_zero(bare, wrapped, side.conversations, seed=seed)]
