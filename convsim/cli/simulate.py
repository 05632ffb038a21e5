"""``convsim simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._text import one_line, plain
from convsim.cli.console import err, parse_settings
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.simulation import Outcome, Study

WORDS_A_TURN = 12
TOKENS_A_PROMPT = 350
MAX_UNREAD = 5


def simulate(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY.toml]", help="Study file; options override it.")
    ] = None,
    shopper: Annotated[str | None, typer.Option(help="Shopper plugin (default resample).")] = None,
    agent: Annotated[str | None, typer.Option(help="Agent plugin (default retrieval).")] = None,
    model: Annotated[
        str | None, typer.Option(help="Model plugin for prompted and icl (default embedded).")
    ] = None,
    n: Annotated[int | None, typer.Option(help="Conversations per arm (default 20).")] = None,
    max_turns: Annotated[
        int | None, typer.Option(help="Hard turn limit; most conversations end earlier (default 10).")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(help="Conversations at a time (default 8).")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed (default 0).")] = None,
    real: Annotated[
        Path | None, typer.Option(help="Real conversations that icl, resample and replay learn from.")
    ] = None,
    learn_arm: Annotated[str | None, typer.Option(help="Learn only from this arm.")] = None,
    catalogue: Annotated[
        Path | None, typer.Option(help="Catalogue of the items that the agent recommends.")
    ] = None,
    personas: Annotated[
        Path | None, typer.Option(help="File of personas, .toml or .jsonl (default: drawn from --real).")
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(help="What is talked about, e.g. films (default: told from the catalogue or the logs)."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="model.FIELD=VALUE, shopper.… or agent.…, e.g. shopper.k=3; may be repeated.",
        ),
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="Name of an arm; may be repeated (default good).")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="FAULT=SEVERITY, 0 to 1: add an arm whose agent has this fault; your own is module:thing."
        ),
    ] = None,
    budget_usd: Annotated[
        float | None, typer.Option(help="Start no new conversation once this is spent.")
    ] = None,
    max_wait: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Longest wait that a model's server may ask for (default 120); a longer one is a failure.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Run folder; the same command again continues it.")] = Path(
        "runs/study"
    ),
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run failed conversations again.")
    ] = False,
    allow_failures: Annotated[
        bool,
        typer.Option("--allow-failures", help="Exit 0 although more than 5 % of the conversations failed."),
    ] = False,
    no_fail_fast: Annotated[
        bool,
        typer.Option(
            "--no-fail-fast", help="Go on although the same failure has happened 5 times and nothing else."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
) -> None:
    """Let simulated shoppers talk to a recommender agent."""
    from convsim.simulation import Assembly
    from convsim.simulation.config import StudyConfig, read_study

    given = parse_settings(settings or [], ("model", "shopper", "agent"))
    if max_wait is not None:
        given["model"]["max_wait_s"] = max_wait
    flags: dict[str, dict[str, object]] = {
        "study": {
            "n": n, "max_turns": max_turns, "concurrency": concurrency, "seed": seed, "budget_usd": budget_usd,
            "domain": domain,
        },
        "data": {"real": real, "learn_arm": learn_arm, "catalogue": catalogue, "personas": personas},
        "model": {"name": model, "settings": given["model"] or None},
        "shopper": {"name": shopper, "settings": given["shopper"] or None},
        "agent": {"name": agent, "settings": given["agent"] or None},
    }  # fmt: skip
    stated = read_study(study) if study else StudyConfig()
    if max_wait is not None and model is None and stated.model is None:
        raise InputError("--max-wait: no model's server is asked; name one with --model, or in [model]")
    config = stated.with_flags(flags, arms=arm or None, faults=fault or ())
    talk = err()
    assembly = Assembly(config)
    planned = assembly.study()
    for stand_in in assembly.stand_ins:
        talk.print(f"using a default: {stand_in}")
    for warning in assembly.warnings:
        talk.print(f"warning: {warning}")
    talk.print(f"seed {config.study.seed}")
    if dry_run:
        _print_plan(planned)
        return
    outcome = _run(planned, out, retry_failed=retry_failed, fail_fast=not no_fail_fast)
    _report(outcome, allow_failures=allow_failures)


def _print_plan(study: Study) -> None:
    conversations = study.n * len(study.arms)
    turns = conversations * study.max_turns
    names = ", ".join(one_line(arm.name) for arm in study.conditions)
    typer.echo(f"{conversations} conversations, {study.n} per arm: {names}")
    shopper, agent = one_line(study.shopper.name), one_line(study.agent.name)
    typer.echo(f"shopper {shopper}, agent {agent}, {len(study.personas)} personas")
    if study.model is None:
        typer.echo("the shopper uses no language model: no calls, no tokens")
        return
    typer.echo(f"model {one_line(study.model)}: at most {2 * turns} calls")
    typer.echo(
        f"about {2 * turns * TOKENS_A_PROMPT} tokens in and {turns * WORDS_A_TURN * 2} out, at the turn limit"
    )


def _run(study: Study, folder: Path, *, retry_failed: bool, fail_fast: bool) -> Outcome:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from convsim.simulation import Progress
    from convsim.simulation.handles import affordable, file_limit

    talk = err()
    if (affords := affordable(study.concurrency)) < study.concurrency:
        talk.print(
            f"concurrency {study.concurrency} is lowered to {affords}: this process may have only {file_limit()} files "
            "and connections open (ulimit -n)"
        )
    total = study.n * len(study.arms)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=talk, transient=True, disable=not talk.is_terminal) as bar:
        task = bar.add_task("running conversations", total=total)
        told: list[str] = []

        def show(progress: Progress) -> None:
            if progress.stop == "interrupted" and not told:
                told.append(
                    "interrupted: the conversations that are running are finished; Ctrl-C again stops them"
                )
                talk.print(told[0])
            speed = bar.tasks[task].speed
            rate = f", {speed:.1f}/s" if speed else ""
            cost = f", ${progress.cost_usd:.2f}" if progress.cost_usd else ""
            unpriced = ", price unknown" if progress.unpriced else ""
            failed = f", {progress.failed} failed" if progress.failed else ""
            bar.update(
                task,
                completed=progress.ended,
                description=f"running conversations{rate}{cost}{unpriced}{failed}",
            )

        return study.run(folder, retry_failed=retry_failed, fail_fast=fail_fast, on_change=show)


def _report(outcome: Outcome, *, allow_failures: bool) -> None:
    talk = err()
    had = outcome.planned - outcome.held - outcome.missing
    earlier = f" ({had} were done before)" if had else ""
    talk.print(f"{outcome.folder}: ran {outcome.held} of {outcome.planned} conversations{earlier}")
    if outcome.cost_usd:
        talk.print(f"cost ${outcome.cost_usd:.4f}")
    if outcome.slips:
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in outcome.slips.items())
        talk.print(f"unusable answers of the shopper's model: {counts}")
    for what, count in sorted(outcome.unread.items(), key=lambda each: -each[1])[:MAX_UNREAD]:
        talk.print(
            f"warning: {count} answers of the agent held what was not read: {plain(what)}; set agent.items or "
            "agent.fields to the paths of what is meant"
        )
    if outcome.agent_reasoning:
        talk.print(f"taken out of answers of the agent, since it was reasoning: {outcome.agent_reasoning}")
    if outcome.failed:
        share = outcome.failed / max(outcome.held, 1)
        talk.print(
            f"{outcome.failed} failed ({share:.0%}); most common reason: {plain(outcome.commonest_reason or '-')}"
        )
        if outcome.remedy:
            talk.print(f"what helps: {outcome.remedy}")
        talk.print("each record gives its reason; --retry-failed runs them again")
    if outcome.too_many_failed:
        ended = outcome.planned - outcome.missing
        talk.print(
            f"{outcome.failed_in_all} of the {ended} conversations in {outcome.folder} have failed: more than 5 %, so "
            "validate refuses them"
            + ("" if allow_failures else " and this is exit 3 (--allow-failures takes them)")
        )
    if outcome.missing:
        why = {
            "budget": "the budget is spent",
            "failing": "stopped: all failed for the same reason; --no-fail-fast goes on all the same",
        }.get(outcome.stop, outcome.stop)
        talk.print(
            f"{outcome.missing} conversations are missing ({why}); run the same command again to continue"
        )
        raise typer.Exit(3)
    if outcome.too_many_failed and not allow_failures:
        raise typer.Exit(3)
