"""Options that the commands which print a scorecard share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.models import OptionInfo

from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.metrics import Metrics


class Format(StrEnum):
    """How a scorecard is printed."""

    text = "text"
    md = "md"
    json = "json"
    junit = "junit"


class TextOrJson(StrEnum):
    """Output format of commands that do not print a scorecard."""

    text = "text"
    json = "json"


class Gate(StrEnum):
    """What makes the exit code 1."""

    different = "different"
    undecided = "undecided"
    worse = "worse"


Seed = Annotated[int, typer.Option(help="Random seed.")]
FailOn = Annotated[
    Gate | None, typer.Option(help="Exit 1 if any finding has this verdict; undecided includes different.")
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="Earlier findings.json, or its folder: what got better and worse since (--fail-on worse).",
    ),
]
GateFile = Annotated[
    Path | None,
    typer.Option(
        "--gate", metavar="FILE", help="Exit 1 if a headline or metric is not what this TOML file asks for."
    ),
]
Summary = Annotated[
    Path | None,
    typer.Option(
        "--summary",
        metavar="FILE",
        help="Append a summary in Markdown to FILE, such as $GITHUB_STEP_SUMMARY.",
    ),
]
Junit = Annotated[
    Path | None,
    typer.Option(
        "--junit", metavar="FILE", help="Also write JUnit, for the dashboard of a CI server, to FILE."
    ),
]
MetricNames = Annotated[
    list[str] | None,
    typer.Option(
        "--metrics",
        metavar="NAMES",
        help="Judge only these: names or module:thing, comma-separated; +NAME adds to the default ones.",
    ),
]
LexiconFolder = Annotated[
    Path | None,
    typer.Option(
        "--lexicon",
        metavar="FOLDER",
        help="Your own word lists, such as FOLDER/it/thanks.txt; they stand in for the built-in ones.",
    ),
]
Validators = Annotated[
    str | None, typer.Option(help="Validators, comma-separated (default: all that do not have to be named).")
]
Treatment = Annotated[str | None, typer.Option(help="Treatment arm: the worse agent.")]
Tasks = Annotated[list[str] | None, typer.Option(help="Compare only this task; may be repeated.")]
Arms = Annotated[list[str] | None, typer.Option(help="Compare only this arm; may be repeated.")]
Reader = Annotated[
    str | None,
    typer.Option(
        help="File format, where it is not told by content: convsim, openai, tau2, mirrorbench-people, …, or yours."
    ),
]
RealReader = Annotated[
    str | None,
    typer.Option(help="File format of REAL alone, where the sides differ, e.g. mirrorbench-people."),
]
SimulatedReader = Annotated[
    str | None, typer.Option(help="File format of SIM alone, where the sides differ.")
]
ControlTokens = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|TOKENS",
        help="More control tokens to cut from users' messages: a TOML file, or tokens divided by commas.",
    ),
]
SimulatorName = Annotated[
    str | None,
    typer.Option(
        "--simulator",
        metavar="NAME",
        help="Name of the simulator, where the file does not say that its users are simulated.",
    ),
]
SkipBadLines = Annotated[bool, typer.Option("--skip-bad-lines", help="Skip and count malformed lines.")]
SurveyMap = Annotated[Path | None, typer.Option(help="TOML that maps survey questions to labels.")]
Model = Annotated[
    str | None, typer.Option(help="Model plugin, where a language model is needed (default embedded).")
]
Annotate = Annotated[
    str | None,
    typer.Option(
        metavar="ANNOTATOR",
        help="First label all conversations, with rules, classifier:PATH, judge or yours.",
    ),
]
AllowOverlap = Annotated[
    bool,
    typer.Option("--allow-overlap", help="Judge a simulator even on conversations that it learned from."),
]
AllowFailures = Annotated[
    bool, typer.Option("--allow-failures", help="Go on although more than 5 % of the conversations failed.")
]


NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache", help="Compute all anew, and keep nothing in .convsim-cache beside the simulated file."
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace files that are there already, whoever wrote them.")
]
OUT: OptionInfo = typer.Option("--out", help="Folder for findings.json.")
FORMAT: OptionInfo = typer.Option("--format", help="How the scorecard is printed.")


def settings(example: str) -> OptionInfo:
    """Return the option ``--set``, with an example."""
    info: OptionInfo = typer.Option("--set", help=f"OWNER.FIELD=VALUE, e.g. {example}; may be repeated.")
    return info


def chosen_metrics(given: list[str] | None, lexicon: Path | None = None) -> Metrics | None:
    """Find what ``--metrics`` names and ``--lexicon`` holds, before anything is read; None where neither was given.

    Raises:
        InputError: ``--metrics`` is empty, or ``--lexicon`` is no usable folder of word lists.
        PluginError: No such metric.
    """
    if given is None and lexicon is None:
        return None
    from convsim.metrics import METRICS, find_metrics

    if given is None:
        return find_metrics(lexicon=lexicon)
    names = [name.strip() for said in given for name in said.split(",") if name.strip()]
    if not names:
        raise InputError(f"--metrics is empty; built in: {', '.join(METRICS)}")
    return find_metrics(names, lexicon=lexicon)
