"""``--log-to``: results go to an experiment tracker too, after they were written and shown."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli.console import err
from convsim.cli.crash import say
from convsim.errors import TrackingError

if TYPE_CHECKING:
    from convsim.evaluation import Comparison, Scorecard
    from convsim.workflow import StudySummary

TRIES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
"""What MLflow's client has where the environment says nothing: its own seven tries wait for four minutes."""


class Tracker(StrEnum):
    """Where results are logged."""

    mlflow = "mlflow"
    wandb = "wandb"


LogTo = Annotated[
    Tracker | None,
    typer.Option(
        "--log-to",
        help="Also log the result to this experiment tracker, set up by its own environment variables.",
    ),
]


def check_tracker(tracker: Tracker | None) -> None:
    """Check, before anything is computed, that the tracker's package is installed; raises MissingExtraError."""
    if tracker is None:
        return
    from convsim.tracking import check_tracker as check

    check(tracker.value)
    for variable, value in TRIES.items():
        os.environ.setdefault(variable, value)


def is_lost(
    tracker: Tracker | None, result: Scorecard | Comparison | StudySummary | Path, *, folder: Path | None
) -> bool:
    """Log a result, if it is to be; where the tracker does not take it, say so in one line and return True."""
    if tracker is None:
        return False
    from convsim.tracking import log_to

    try:
        run = log_to(tracker.value, result, folder=folder)
    except TrackingError as error:
        complete = f"; they are complete in {folder}" if folder else "; they are complete above"
        say(f"{error}{complete}")
        return True
    err().print(f"logged to {tracker.value} as run {run}")
    return False


def end_if(lost: bool) -> None:
    """End the command as one that failed where a tracker did not take the results, and nothing worse was found."""
    if lost:
        raise typer.Exit(TrackingError.exit_code)
