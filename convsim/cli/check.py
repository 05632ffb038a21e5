"""``convsim check``."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._progress import step
from convsim.cli import study_options as options
from convsim.cli.console import err, out, print_json
from convsim.cli.gating import check_junit, write_junit
from convsim.cli.options import Junit, TextOrJson

if TYPE_CHECKING:
    from convsim.simulation.check import Checked
    from convsim.simulation.estimate import Estimate

SCHEMA = "convsim.check/1"
FAILED = 3


def check(
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
    format_: Annotated[TextOrJson, typer.Option("--format", help="How it is printed.")] = TextOrJson.text,
    junit: Junit = None,
) -> None:
    """Ask a study's model and agent once, and price the run.

    Says what works, what is asked in another way, and what the run would cost. Takes what simulate takes, and holds
    no conversation. Exit 3 where a server or the agent fails.
    """
    import asyncio

    from convsim.simulation import Assembly
    from convsim.simulation.check import Seen, check_study
    from convsim.simulation.estimate import check_budget, estimated

    check_junit(junit)
    config = options.stated_config(
        study=study, shopper=shopper, agent=agent, model=model, n=n, max_turns=max_turns, concurrency=concurrency,
        seed=seed, real=real, learn_arm=learn_arm, catalogue=catalogue, personas=personas, domain=domain,
        settings=settings, arm=arm, fault=fault, budget_usd=budget_usd, max_wait=max_wait,
    )  # fmt: skip
    assembly = Assembly(config)
    planned = assembly.study()
    check_budget(planned)
    talk = err()
    for warning in assembly.warnings:
        talk.print(f"warning: {warning}")
    seen = Seen()

    async def ask() -> list[Checked]:
        found: list[Checked] = []
        with step("asking the model and the agent") as at:
            async for checked in check_study(planned, catalogue=assembly.sold(), seen=seen):
                found.append(checked)
                at.at(now=checked.part)
                if format_ is TextOrJson.text:
                    _print(checked)
        return found

    # What a server teaches is printed here as what comes of the check.
    log = logging.getLogger("convsim.models")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        found = asyncio.run(ask())
    finally:
        log.setLevel(level)
    plan = estimated(planned, output_tokens=seen.output_tokens)
    failed = any(checked.state == "fails" for checked in found)
    if format_ is TextOrJson.json:
        print_json(
            {
                "schema": SCHEMA,
                "fails": failed,
                "checks": [asdict(each) for each in found],
                "estimate": asdict(plan),
            }
        )
    else:
        _print_plan(plan)
    write_junit(junit, lambda: _junit(found))
    if failed:
        raise typer.Exit(FAILED)


def _junit(found: list[Checked]) -> str:
    from convsim.report.junit import checks_to_junit

    return checks_to_junit(found)


def _print(checked: Checked) -> None:
    console = out()
    console.print(f"{checked.state:<8} {checked.part}, {checked.what}: {checked.said}", soft_wrap=True)
    if checked.setting:
        console.print(f"{'':<8} {checked.setting}", soft_wrap=True)


def _print_plan(plan: Estimate) -> None:
    from convsim.simulation.estimate import said_of

    console = out()
    calls = (
        f"at most {plan.calls} calls of language models, {said_of(plan)}"
        if plan.calls
        else "no language model"
    )
    console.print(f"the run: {plan.conversations} conversations, {calls}", soft_wrap=True)
