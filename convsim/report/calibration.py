"""A calibration at a terminal and in Markdown: a table for each number of people, adversaries by validators."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from convsim._text import listed, plain
from convsim.evaluation.calibration import OFTEN, Calibration, Trial
from convsim.report.markdown import row, rule, table_cell
from convsim.report.tables import filled

N_NAMED = 12
COLUMNS = ("adversary", "must be caught by", "also caught by", "by any", "headline")


def summary_of(calibration: Calibration) -> list[str]:
    """Sum each size up in a sentence: how many were caught, who was not, and how often people were."""
    return [_summary(calibration, n) for n in calibration.sizes]


def _summary(calibration: Calibration, n: int) -> str:
    tried = [t for t in calibration.of_size(n) if t.n_runs and not t.is_null]
    null = next((t for t in calibration.of_size(n) if t.is_null), None)
    passed = [t.adversary for t in calibration.passed(n)]
    said = f"{n} a side: {len(tried) - len(passed)} of {len(tried)} adversaries are caught in {OFTEN:.0%} of runs"
    if passed:
        said += f", and {len(passed)} not: {listed(passed, N_NAMED)}"
    if null is not None and null.n_runs:
        said += f"; other people are in {null.caught_by_any} of {null.n_runs}"
    return f"{said}."


def notes(calibration: Calibration) -> Iterator[str]:
    """Say what else a reader has to know: validators that did not run, adversaries that were not tried."""
    for n in calibration.sizes:
        if missed := [f"{trial.adversary} by {name}" for trial, name in calibration.missed(n)]:
            yield f"{n} a side, not caught by the validator that must catch it: {listed(missed, N_NAMED)}."
    if calibration.not_installed:
        yield f"Not judged by {', '.join(calibration.not_installed)}: no validator of that name ran."
    for reason, names in _left_out(calibration).items():
        yield f"Not tried ({reason}): {listed(names, N_NAMED)}."


def _left_out(calibration: Calibration) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for trial in calibration.trials:
        if trial.left_out:
            found.setdefault(f"{trial.n} a side: {trial.left_out}", []).append(trial.adversary)
    return found


def trial_line(trial: Trial) -> str:
    """Say in one line how a trial went."""
    if trial.left_out:
        return f"{trial.n} a side, {trial.adversary}: not tried, {trial.left_out}"
    by = ", ".join(f"{name} {n}" for name, n in trial.caught.items()) or "nothing"
    return f"{trial.n} a side, {trial.adversary}: caught in {trial.caught_by_any} of {trial.n_runs} by {by}"


def print_calibration(calibration: Calibration, console: Console) -> None:
    """Print a calibration: a sentence and a table for each number of people."""
    for warning in (*calibration.warnings, *calibration.failed):
        console.print(Text(f"warning: {plain(warning)}", style="yellow"))
    for n, said in zip(calibration.sizes, summary_of(calibration), strict=True):
        console.print(Text(f"\n{plain(said)}", style="bold"))
        cells = (_cells(calibration, trial) for trial in calibration.of_size(n) if trial.n_runs)
        console.print(filled(COLUMNS, cells, left=COLUMNS))
    for note in notes(calibration):
        console.print(Text(plain(note), style="dim"))


def _cells(calibration: Calibration, trial: Trial) -> tuple[str, ...]:
    own = [
        f"{name} {_of(trial.caught.get(name, 0), trial) if name in calibration.validators else '(did not run)'}"
        for name in trial.must_catch
    ]
    also = [f"{name} {_of(n, trial)}" for name, n in trial.caught.items() if name not in trial.must_catch]
    return (
        plain(trial.adversary, limit=60),
        ", ".join(own) or "nothing",
        ", ".join(also) or "–",
        _of(trial.caught_by_any, trial),
        _of(trial.failing_headline, trial),
    )


def _of(n: int, trial: Trial) -> str:
    return f"{n}/{trial.n_runs}"


def calibration_to_markdown(calibration: Calibration) -> str:
    """Return the calibration as GitHub-flavoured Markdown, a matrix of adversaries by validators for each size."""
    parts = ["# Calibration", *_how(calibration)]
    parts += [f"> warning: {table_cell(warning)}" for warning in (*calibration.warnings, *calibration.failed)]
    for n, said in zip(calibration.sizes, summary_of(calibration), strict=True):
        parts += [f"## {n} people a side", table_cell(said, 4000), "\n".join(_matrix(calibration, n))]
    parts += [table_cell(note, 4000) for note in notes(calibration)]
    return "\n\n".join([*parts, "\n".join(_catalogue(calibration))]) + "\n"


def _how(calibration: Calibration) -> Iterator[str]:
    runs = "run" if calibration.n_runs == 1 else "runs"
    yield (
        "Simulators that are wrong in one way each, made of people's conversations and held against other people: "
        "which validator catches which. `convsim calibrate` makes this page."
    )
    yield (
        f"A cell: in how many of {calibration.n_runs} {runs} the validator had a failing finding, in a card of all "
        "validators with their common correction. Bold: the validator that must catch it. The first row is other "
        "people, whom nothing may catch. `by any`: the gate `--fail-on different` fails. `headline`: so does the "
        "scorecard's first line."
    )
    made_by = calibration.made_by
    version = f", convsim {made_by.convsim}" if made_by else ""
    words = " ".join(made_by.command) if made_by else ""
    command = f": convsim {table_cell(words)}" if words else ""
    yield f"{calibration.n_people:,} people, seed {calibration.seed}{version}{command}"


def _matrix(calibration: Calibration, n: int) -> Iterator[str]:
    columns = ("adversary", *calibration.validators, "by any", "headline")
    yield row(columns)
    yield rule(len(columns))
    for trial in calibration.of_size(n):
        if trial.n_runs:
            cells = [_marked(trial, name) for name in calibration.validators]
            ends = [_of(trial.caught_by_any, trial), _of(trial.failing_headline, trial)]
            yield f"| {table_cell(trial.adversary)} | {' | '.join([*cells, *ends])} |"


def _marked(trial: Trial, validator: str) -> str:
    n = trial.caught.get(validator, 0)
    if validator in trial.must_catch:
        return f"**{_of(n, trial)}**"
    return _of(n, trial) if n else "·"


def _catalogue(calibration: Calibration) -> Iterator[str]:
    yield row(("adversary", "what it does", "must be caught by"))
    yield rule(3)
    for name, trial in {trial.adversary: trial for trial in calibration.trials}.items():
        yield row((name, trial.line, ", ".join(trial.must_catch) or "nothing"))
