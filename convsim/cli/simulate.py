"""``convsim simulate``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._text import one_line, plain
from convsim.cli import study_options as options
from convsim.cli import until_decided as deciding
from convsim.cli.console import err, result
from convsim.cli.running import checking, run_shown
from convsim.cli.tracking import LogTo, check_tracker, end_if, is_lost
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.io import Growth
    from convsim.models.metering import Measured
    from convsim.simulation import Outcome, Study

MAX_UNREAD = 5


def simulate(
    study: options.Study = None,
    shopper: options.Shopper = None,
    agent: options.Agent = None,
    model: options.Model = None,
    n: options.N = None,
    max_turns: options.MaxTurns = None,
    concurrency: options.Concurrency = None,
    seed: options.Seed = None,
    real: options.Real = None,
    learn_arm: options.LearnArm = None,
    catalogue: options.Catalogue = None,
    personas: options.Personas = None,
    domain: options.Domain = None,
    settings: options.Settings = None,
    arm: options.Arm = None,
    fault: options.Fault = None,
    budget_usd: options.BudgetUsd = None,
    max_wait: options.MaxWait = None,
    processes: options.Processes = None,
    engine: options.Engine = options.Where.local,
    address: options.Address = None,
    out: Annotated[Path, typer.Option(help="Run folder; the same command again continues it.")] = Path(
        "runs/study"
    ),
    add: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Extend the run at --out by N conversations per arm, as if planned so at first.",
        ),
    ] = None,
    until_decided: deciding.UntilDecided = None,
    at_most: deciding.AtMost = None,
    judged_on: deciding.JudgedOn = None,
    control: deciding.Control = None,
    treatment: deciding.Treatment = None,
    annotate: Annotated[
        str | None,
        typer.Option(metavar="ANNOTATOR", help="Labels conversations for --until-decided."),
    ] = None,
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
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Keep the prompt and raw answer of every call of a model, in prompts.jsonl at --out.",
        ),
    ] = False,
    log_to: LogTo = None,
    no_check: Annotated[
        bool,
        typer.Option("--no-check", help="Ask servers nothing before a run of more than 20 conversations."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
) -> None:
    """Let simulated shoppers talk to a recommender agent."""
    from convsim.io import current_n
    from convsim.simulation import Assembly
    from convsim.simulation.estimate import check_budget

    looks = deciding.Deciding(until_decided, at_most, judged_on, control, treatment, annotate)
    looks.check(add=add)
    check_tracker(log_to)
    where = options.workers_of(processes, engine, address)
    if until_decided and n is None and study is None:
        n = looks.first()
    config = options.stated_config(
        study=study, shopper=shopper, agent=agent, model=model, n=n, max_turns=max_turns, concurrency=concurrency,
        seed=seed, real=real, learn_arm=learn_arm, catalogue=catalogue, personas=personas, domain=domain,
        settings=settings, arm=arm, fault=fault, budget_usd=budget_usd, max_wait=max_wait,
    )  # fmt: skip
    talk = err()
    growth, said = _grown_by(add, out, n) if add is not None else (None, None)
    size = growth.n if growth else config.study.n if until_decided else current_n(out, config.study.n)
    if said is None and size != config.study.n:
        said = f"{out}: was extended to {size} conversations per arm; going on with these"
    assembly = Assembly(config.with_flags({"study": {"n": size}}))
    planned = assembly.study()
    for stand_in in assembly.stand_ins:
        talk.print(f"using a default: {stand_in}")
    for warning in assembly.warnings:
        talk.print(f"warning: {warning}")
    talk.print(f"seed {config.study.seed}")
    if said:
        talk.print(said)
    looking = looks.prepared(planned, assembly, out, allow_failures=allow_failures) if until_decided else None
    if dry_run:
        _print_plan(planned, looking.question.at_most if looking else growth.added if growth else planned.n)
        return
    check_budget(planned)
    workers = replace(where, config=assembly.config)
    checks = iter([] if no_check else [checking(planned, assembly)])

    def hold(study: Study, growth: Growth | None) -> Outcome:
        run = partial(
            study.run,
            out,
            add=growth,
            retry_failed=retry_failed,
            fail_fast=not no_fail_fast,
            record=record,
            workers=workers,
        )
        outcome = run_shown(study, partial(run, before=next(checks, None)), workers)  # servers are asked once
        _report(outcome, allow_failures=allow_failures)
        return outcome

    if looking is None:
        hold(planned, growth)
    else:
        deciding.decide(looking, hold)
    end_if(is_lost(log_to, out, folder=out))


def _grown_by(add: int, out: Path, stated_n: int | None) -> tuple[Growth, str]:
    """Return by what ``--add`` makes a run larger, and say it."""
    from convsim.io import current_n, growth_of

    growth = growth_of(out, add)
    if stated_n is not None and current_n(out, stated_n) not in (growth.before, growth.n):
        raise InputError(
            f"--n {stated_n}: {out} has {growth.before} conversations per arm; leave out --n with --add"
        )
    if growth.is_begun:
        said = f"the last --add {add} was not finished: going on to {growth.n} conversations per arm, no more are added"
    else:
        said = f"extending from {growth.before} to {growth.n} conversations per arm"
    return growth, f"{out}: {said}"


def _print_plan(study: Study, n: int) -> None:
    from convsim.simulation.estimate import estimated, said_of

    plan = estimated(study, n=n)
    names = ", ".join(one_line(arm.name) for arm in study.conditions)
    typer.echo(f"{plan.conversations} conversations, {n} per arm: {names}")
    agent = one_line(study.agent.name)
    typer.echo(f"shopper {_speaking(study)}, agent {agent}, {len(study.personas)} personas")
    models = dict.fromkeys([each.model for each in study.mixture] or [study.model])
    if set(models) == {None}:
        typer.echo("the shopper uses no language model: no calls, no tokens")
    if plan.calls:
        named = ", ".join(one_line(model) for model in models if model is not None)
        names = f"model {named}: " if named else ""
        typer.echo(f"{names}at most {plan.calls} calls")
        typer.echo(said_of(plan))


def _speaking(study: Study) -> str:
    """Name the shopper, or those of a mixture with their weights."""
    total = sum(each.weight for each in study.mixture)
    mixed = [f"{one_line(each.name)} {each.weight / total:.2g}" for each in study.mixture]
    return f"mixture of {', '.join(mixed)}" if mixed else one_line(study.shopper.name)


def measured_line(measured: Measured) -> str:
    """Say in a line what models were asked; empty where none was."""
    from convsim.stats.sketch import Sketch

    meters = measured.endpoints.values()
    latency = Sketch.merged(meter.latency_s for meter in meters)
    if latency.p50 is None or latency.p90 is None:
        return ""
    failed, retries = (
        sum(n) for n in zip(*((sum(m.failures.values()), m.retries) for m in meters), strict=True)
    )
    tokens = [(m.input_tokens or 0) + (m.output_tokens or 0) for m in meters]
    counted = "" if any(m.uncounted for m in meters) else f", {sum(tokens):,} tokens"
    return (
        f"{sum(m.requests for m in meters):,} requests of models: p50 {latency.p50:.2g} s, p90 {latency.p90:.2g} s, "
        f"{failed:,} failed, {retries:,} retries{counted}"
    )


def _report(outcome: Outcome, *, allow_failures: bool) -> None:
    talk = result()
    had = outcome.planned - outcome.held - outcome.missing
    earlier = f" ({had} were done before)" if had else ""
    talk.print(f"{outcome.folder}: ran {outcome.held} of {outcome.planned} conversations{earlier}")
    if outcome.cost_usd:
        talk.print(f"cost ${outcome.cost_usd:.4f}")
    if said := measured_line(outcome.measured):
        talk.print(said)
    if outcome.uncounted:
        talk.print(
            f"cost unknown: the server did not count all tokens of {outcome.uncounted} of {outcome.held} conversations"
        )
    if outcome.slips:
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in outcome.slips.items())
        talk.print(f"unusable answers of the shopper's model: {counts}")
    for (who, model), count in sorted(outcome.fallbacks.items()):
        talk.print(
            f"warning: {plain(model)} answered for {count} messages of the {who}, as the model before it failed"
        )
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
        those = "all" if outcome.held == outcome.failed else "all that came last"
        why = {
            "budget": "the budget is spent",
            "uncounted": "the server does not count tokens, so no budget can be kept: leave out --budget-usd",
            "failing": f"stopped: {those} failed for the same reason; --no-fail-fast goes on all the same",
        }.get(outcome.stop, outcome.stop)
        talk.print(
            f"{outcome.missing} conversations are missing ({why}); run the same command again to continue"
        )
        raise typer.Exit(3)
    if outcome.too_many_failed and not allow_failures:
        raise typer.Exit(3)
