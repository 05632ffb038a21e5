"""Options of commands that put a study together: its file, and what is said instead of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli.console import err, parse_settings
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.simulation import Workers
    from convsim.simulation.config import StudyConfig


class Where(StrEnum):
    """On which machines a command works."""

    local = "local"
    ray = "ray"


Study = Annotated[
    Path | None, typer.Argument(metavar="[STUDY.toml]", help="Study file; options override it.")
]
Shopper = Annotated[str | None, typer.Option(help="Shopper plugin (default resample).")]
Agent = Annotated[str | None, typer.Option(help="Agent plugin (default retrieval).")]
Model = Annotated[str | None, typer.Option(help="Model plugin for prompted and icl (default embedded).")]
N = Annotated[int | None, typer.Option(help="Conversations per arm (default 20).")]
MaxTurns = Annotated[
    int | None, typer.Option(help="Hard turn limit; most conversations end earlier (default 10).")
]
Concurrency = Annotated[
    str | None,
    typer.Option(
        metavar="N|auto",
        help="Conversations at a time: a number, or auto for as many as servers take (default auto).",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Random seed (default 0).")]
Real = Annotated[
    Path | None, typer.Option(help="Real conversations that icl, resample and replay learn from.")
]
LearnArm = Annotated[str | None, typer.Option(help="Learn only from this arm.")]
Catalogue = Annotated[Path | None, typer.Option(help="Catalogue of the items that the agent recommends.")]
Personas = Annotated[
    Path | None, typer.Option(help="File of personas, .toml or .jsonl (default: drawn from --real).")
]
Domain = Annotated[
    str | None,
    typer.Option(help="What is talked about, e.g. films (default: told from the catalogue or the logs)."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="model.FIELD=VALUE, shopper.… or agent.…, e.g. shopper.k=3; may be repeated.",
    ),
]
Arm = Annotated[list[str] | None, typer.Option(help="Name of an arm; may be repeated (default good).")]
Fault = Annotated[
    list[str] | None,
    typer.Option(
        help="FAULT=SEVERITY, 0 to 1: add an arm whose agent has this fault; your own is module:thing."
    ),
]
BudgetUsd = Annotated[float | None, typer.Option(help="Start no new conversation once this is spent.")]
MaxWait = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Longest wait that a model's server may ask for (default 120); a longer one is a failure.",
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Processes that hold conversations, each its share of those at a time (default 1; ray: all processors).",
    ),
]
Engine = Annotated[
    Where, typer.Option(help="Where they run: on this machine, or on a Ray cluster (needs the extra ray).")
]
JudgedOn = Annotated[
    Where,
    typer.Option("--engine", help="Where validators run: here, or on a Ray cluster (needs the extra ray)."),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="Ray cluster that this machine has joined (default: one is started here)."
    ),
]


def workers_of(processes: int | None, engine: Where, address: str | None) -> Workers:
    """Say where conversations are held; raises InputError where the options do not fit together."""
    from convsim.simulation import Workers

    return Workers(processes=processes, engine=engine.value, address=address)


def stated_config(
    *,
    study: Path | None,
    shopper: str | None,
    agent: str | None,
    model: str | None,
    n: int | None,
    max_turns: int | None,
    concurrency: str | None,
    seed: int | None,
    real: Path | None,
    learn_arm: str | None,
    catalogue: Path | None,
    personas: Path | None,
    domain: str | None,
    settings: list[str] | None,
    arm: list[str] | None,
    fault: list[str] | None,
    budget_usd: float | None,
    max_wait: float | None,
) -> StudyConfig:
    """Read a study's file, if there is one, and put in its place what was said on the command line.

    Raises:
        InputError: Something of it cannot be used.
    """
    from convsim.simulation.config import StudyConfig

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
    stated = _stated_in(study) if study else StudyConfig()
    if max_wait is not None and model is None and stated.model is None:
        raise InputError("--max-wait: no model's server is asked; name one with --model, or in [model]")
    return stated.with_flags(flags, arms=arm or None, faults=fault or ())


def _stated_in(file: Path) -> StudyConfig:
    """Read a study's file; what a command that makes one run leaves out is said."""
    from convsim.simulation.config import OF_WHOLE_STUDIES, config_of, read_study_file

    tables = read_study_file(file)
    config = config_of(tables, file)
    if left := [f"[{table}]" for table in OF_WHOLE_STUDIES if table in tables]:
        err().print(f"{file}: {' and '.join(left)} left out: one run is made; convsim study reads all of it")
    return config
