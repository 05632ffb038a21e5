"""The commands put together, and what becomes of an error: one line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from convsim.cli import (
    annotate,
    annotator,
    arena,
    compare,
    counterfactual,
    data,
    demo,
    plugins,
    report,
    show,
    simulate,
    train,
    validate,
)
from convsim.errors import ConvsimError
from convsim.plain import plain

FAILED = ConvsimError.exit_code
MAX_MESSAGE_CHARACTERS = 2000

app = typer.Typer(
    name="convsim",
    help="Tells whether simulated users of a conversational recommender behave like people.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("validate")(validate.validate)
app.command("counterfactual")(counterfactual.counterfactual)
app.command("compare")(compare.compare)
app.command("annotate")(annotate.annotate)
app.command("simulate")(simulate.simulate)
app.command("train")(train.train)
app.command("arena")(arena.arena)
app.command("report")(report.report)
app.command("show")(show.show)
app.add_typer(annotator.app, name="annotator")
app.add_typer(data.app, name="data")
app.command("plugins")(plugins.plugins)


def _version(asked: bool) -> None:
    if asked:
        from convsim.provenance import own_version

        typer.echo(f"convsim {own_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tells whether simulated users of a conversational recommender behave like people."""


def main() -> NoReturn:
    """Run the command line: exit 0 done, 1 a gate failed, 2 used wrongly or bad input, 3 something else failed."""
    try:
        app(auto_envvar_prefix="CONVSIM")
    except ConvsimError as error:
        _stop(str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except OSError as error:
        _stop(f"{error.filename or 'the output'}: {error.strerror or error}", FAILED)
    except MemoryError:
        _stop("out of memory; compare fewer conversations at a time", FAILED)
    sys.exit(0)


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(f"error: {plain(' '.join(message.split()), limit=MAX_MESSAGE_CHARACTERS)}", err=True)
    sys.exit(code)
