"""The command line: its commands, and one line with the nearest right word for a mistyped one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Annotated, Any, cast, get_type_hints

import typer

from convsim._text import nearest, shown, wrong
from convsim.cli import (
    annotate,
    annotator,
    arena,
    calibrate,
    check,
    compare,
    counterfactual,
    data,
    demo,
    drift,
    guide,
    metrics,
    personas,
    plan,
    plugins,
    probe,
    prompts,
    rank,
    report,
    show,
    simulate,
    study,
    train,
    tune,
    validate,
    view,
)
from convsim.cli.crash import say
from convsim.cli.environment import MAX_WARNINGS, give_variables
from convsim.cli.examples import give_examples
from convsim.cli.progress import Shown
from convsim.cli.talk import TALK, give_talk_options
from convsim.cli.tracing import trace_as_asked
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.cli.process import Asked

UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])
"""From the click that typer bundles or depends on; typer exports only its own errors."""
VARIABLE = re.compile(r" \(env var: '(\w+)'\)")
ONE_OF = re.compile(r"'(?P<said>[^']*)' is not one of (?P<choices>'.*')")

app = typer.Typer(
    name="convsim",
    help="Test whether simulated users of a conversational recommender behave like people.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("validate")(validate.validate)
app.command("counterfactual")(counterfactual.counterfactual)
app.command("compare")(compare.compare)
app.command("plan")(plan.plan)
app.command("rank")(rank.rank)
app.command("drift")(drift.drift)
app.command("calibrate")(calibrate.calibrate)
app.command("probe")(probe.probe)
app.command("tune")(tune.tune)
app.command("annotate")(annotate.annotate)
app.command("check")(check.check)
app.command("simulate")(simulate.simulate)
app.command("study")(study.study)
app.command("history")(study.history)
app.command("train")(train.train)
app.command("arena")(arena.arena)
app.command("report")(report.report)
app.command("show")(show.show)
app.command("view")(view.view)
app.command("guide")(guide.guide)
app.add_typer(annotator.app, name="annotator")
app.add_typer(data.app, name="data")
app.add_typer(personas.app, name="personas")
app.add_typer(prompts.app, name="prompts")
app.command("metrics")(metrics.metrics)
app.command("plugins")(plugins.plugins)


def _version(asked: bool) -> None:
    if asked:
        from convsim.io.provenance import own_version

        typer.echo(f"convsim {own_version()}")
        raise typer.Exit


def _more(said: int) -> int:
    TALK.ask(verbose=said)
    return said


def _less(asked: bool) -> bool:
    TALK.ask(quiet=asked)
    return asked


def _records(context: typer.Context, asked: bool) -> bool:
    TALK.ask(log_json=asked)
    # Of the three options that say how a command talks this is the last, and the last place is behind its name.
    if context.parent is not None and isinstance(shown := getattr(context.obj, "shown", None), Shown):
        shown.command = context.command_path.removeprefix(context.find_root().command_path).strip()
    return asked


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option("--traceback", help="Print the traceback of a failure instead of saving it to a file."),
    ] = False,
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose", "-v", count=True, is_eager=True, expose_value=False, callback=_more, show_default=False,
            metavar="", help="Say what is done; -vv also each request. [env var: CONVSIM_VERBOSE]",
        ),
    ] = 0,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", is_eager=True, expose_value=False, callback=_less,
            help="Say errors and results alone. [env var: CONVSIM_QUIET]",
        ),
    ] = False,
    log_json: Annotated[
        bool,
        typer.Option(
            "--log-json", is_eager=True, expose_value=False, callback=_records,
            help="Write stderr as JSON, an object a line. [env var: CONVSIM_LOG_JSON]",
        ),
    ] = False,
) -> None:  # fmt: skip
    """Test whether simulated users of a conversational recommender behave like people."""
    if context.obj is not None:
        context.obj.traceback = traceback
    trace_as_asked(context)


@app.command("help")
def _help(
    context: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(help="A command, such as data fetch.")] = None,
) -> None:
    """Show the help page of a command, as --help does."""
    page = context.find_root()
    for word in command or ():
        if not hasattr(page.command, "resolve_command"):
            raise InputError(f"{page.command_path} has no commands of its own, so there is no {word!r}")
        name, found, _ = page.command.resolve_command(page, [word])
        page = found.make_context(name, [], parent=page, resilient_parsing=True)
        page.resilient_parsing = False
    typer.echo(page.get_help())


def run(asked: Asked, arguments: Sequence[str] | None = None) -> int:
    """Run what was typed, and return the exit code: 0 done, 1 a gate failed, or what a command said.

    Args:
        asked: Is told what the options before the command say.
        arguments: What was typed; by default the process's own words.

    Raises:
        InputError: A word among the arguments is wrong; all that a command raises is passed on.
    """
    command = whole()
    variables = give_variables(command, os.environ)
    for warning in TALK.begin(os.environ):
        say(warning, kind="warning")
    for warning in islice(variables.warnings(os.environ), MAX_WARNINGS):
        say(warning, kind="warning")
    try:
        code: object = command(
            arguments, obj=asked, standalone_mode=False, complete_var=_completion(arguments)
        )
    except SystemExit as error:
        # Typer ends the process with the exit code of a failed gate where whoever read the output has gone.
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from None
        if _asks_for_completion(arguments):
            return error.code if isinstance(error.code, int) else 0
        raise
    except typer.Abort as error:  # what typer makes of an end of input, and once made of Ctrl-C
        if error.__cause__ is not None:
            raise error.__cause__ from None
        raise
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            with suppress(OSError, ValueError):  # nobody is there to read it
                typer.echo(str(error), err=True)
            return InputError.exit_code
        TALK.log_json = TALK.log_json or "--log-json" in _words(
            arguments
        )  # it may stand behind what is wrong
        raise InputError(_corrected(error)) from None
    return code if isinstance(code, int) else 0


@cache
def whole() -> Any:
    """Return the command that holds all others; made once, for typer takes a tenth of a second."""
    _evaluate_annotations(app)
    command = typer.main.get_command(app)
    give_examples(command)
    give_talk_options(command)
    return command


def _evaluate_annotations(below: typer.Typer) -> None:
    """Evaluate the annotations of every command once; typer would four times, for longer than all else it does."""
    for command in below.registered_commands:
        if command.callback is not None:
            command.callback.__annotations__ = get_type_hints(command.callback, include_extras=True)
    for group in below.registered_groups:
        if group.typer_instance is not None:
            _evaluate_annotations(group.typer_instance)


def _completion(arguments: Sequence[str] | None) -> str | None:
    """Name the variable by which a shell asks how to go on with a line: none where anything was typed, so no gate.

    Shells ask by the variable alone; with a name for it, it would turn every command into completion, and exit 0.
    """
    return "" if _words(arguments) else None


def _asks_for_completion(arguments: Sequence[str] | None) -> bool:
    """Tell whether typer ends the process before any command begins: what it completes, or the script for a shell."""
    first = [*takewhile(lambda word: word.startswith("-"), _words(arguments))]
    return not _words(arguments) or bool({"--show-completion", "--install-completion"} & {*first})


def _words(arguments: Sequence[str] | None) -> Sequence[str]:
    return sys.argv[1:] if arguments is None else arguments


def _corrected(error: Exception) -> str:
    """Say which argument is wrong, the nearest right word, and which help page to read."""
    context = getattr(error, "ctx", None)
    said = str(getattr(error, "message", error))
    if option := getattr(error, "option_name", None):
        known = [name for each in context.command.params for name in each.opts] if context else []
        said = said.rstrip(".") + _meant(option, [*known, "--help"])
    elif hasattr(error, "format_message"):
        said = VARIABLE.sub(
            lambda found: found[0] if os.environ.get(found[1]) else "", error.format_message()
        )
        said = _in_our_words(error, said).replace(". Did you mean", "; did you mean")
        if found := ONE_OF.search(said):
            said = said.rstrip(".") + _meant(found["said"], re.findall(r"'(.*?)'", found["choices"]))
    return f"{said.rstrip('.')} (see {context.command_path} --help)" if context else said


def _in_our_words(error: Exception, said: str) -> str:
    """Say what pydantic, by which typer reads values, finds wrong with one as convsim says it of a file."""
    from pydantic import ValidationError

    cause = error.__cause__ or error.__context__
    first = cause.errors(include_url=False)[0] if isinstance(cause, ValidationError) else None
    if first is None or first["type"] == "value_error" or not said.endswith(first["msg"]):
        return said.replace("Value error, ", "")
    return f"{said.removesuffix(first['msg'])}{wrong(first)}, but is {shown(first['input'])}"


def _meant(said: str, known: Sequence[str]) -> str:
    near = nearest(said, known)
    return f"; did you mean {near}?" if near else ""
