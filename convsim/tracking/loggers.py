"""Logs a result to an experiment tracker, with the tracker's own client and settings."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from convsim._secrets import redact_json
from convsim._text import shown
from convsim.errors import InputError, MissingExtraError, TrackingError
from convsim.tracking.entry import (
    Entry,
    entry_of_comparison,
    entry_of_run,
    entry_of_scorecard,
    entry_of_study,
)

if TYPE_CHECKING:
    from convsim.evaluation import Comparison, Scorecard
    from convsim.workflow import StudySummary

Tracker = Literal["mlflow", "wandb"]
MAX_TAG_CHARACTERS = 64
"""Of a tag of Weights & Biases."""


def log_to(
    tracker: Tracker,
    result: Scorecard | Comparison | StudySummary | Path | str,
    *,
    folder: Path | str | None = None,
    name: str | None = None,
) -> str:
    """Log a result to MLflow or Weights & Biases, and return the tracker's id of the run.

    A scorecard and a run folder are one run; a comparison and a study are one with a run below it for each simulator or
    variant (in W&B: a group). Parameters say who spoke with whom, seeds, versions and data by hash; metrics are the
    numbers that the headlines stand on and counts of verdicts; verdicts are tags. A number that is undecided is not
    there, and the tag ``absent.NAME`` says why. Where a run of the tracker is active, a scorecard or a run folder goes
    into that one. The tracker's own environment variables say where and as whom.

    Args:
        tracker: ``"mlflow"`` or ``"wandb"``; each needs the extra of that name.
        result: What is logged.
        folder: Where the result was written to, with ``--out`` say: its pages are logged too. They hold transcripts.
        name: What the run is called; by default the simulator or the study.

    Raises:
        InputError: There is no such tracker, its package is not installed, or ``result`` is nothing that can be logged.
        TrackingError: The tracker did not take it.
    """
    check_tracker(tracker)
    entry = _entry(result, None if folder is None else Path(folder), name)
    with contextlib.redirect_stdout(sys.stderr):  # trackers print addresses, and results go to stdout
        return LOGGERS[tracker](entry)


def check_tracker(tracker: str) -> None:
    """Check that a tracker is known and installed.

    Raises:
        InputError: It is not.
    """
    if tracker not in get_args(Tracker):
        raise InputError(f"there is no tracker {shown(tracker)}; there are {' and '.join(get_args(Tracker))}")
    if importlib.util.find_spec(tracker) is None:
        raise MissingExtraError(f"logging to {tracker}", tracker)


def _entry(result: object, folder: Path | None, name: str | None) -> Entry:
    from convsim.evaluation import Comparison, Scorecard
    from convsim.workflow import StudySummary

    if isinstance(result, Scorecard):
        return entry_of_scorecard(result, folder=folder, name=name)
    if isinstance(result, Comparison):
        return entry_of_comparison(result, folder=folder, name=name)
    if isinstance(result, StudySummary):
        return entry_of_study(result, folder=folder, name=name)
    if isinstance(result, Path | str):
        return entry_of_run(Path(result), name=name)
    raise InputError(
        f"log_to takes a scorecard, a comparison, a study's summary or a run folder, but got a {type(result).__name__}"
    )


@contextlib.contextmanager
def _written(entry: Entry) -> Iterator[Path]:
    """Put the files of an entry into a folder of their own for as long as they are sent."""
    with tempfile.TemporaryDirectory(prefix="convsim-") as folder:
        for name, file in entry.files.items():
            place = Path(folder, name)
            if isinstance(file, str):
                place.write_text(redact_json(file), encoding="utf-8")
            else:
                shutil.copyfile(file, place)
        yield Path(folder)


@contextlib.contextmanager
def _as_one_line(tracker: str, failure: type[Exception]) -> Iterator[None]:
    try:
        yield
    except (failure, OSError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise TrackingError(f"{tracker} did not take the results: {said[:500]}") from error


def _to_mlflow(entry: Entry) -> str:
    import mlflow

    def log(each: Entry) -> str:
        run = mlflow.active_run()
        mlflow.log_params(dict(each.params))
        mlflow.log_metrics(dict(each.metrics))
        mlflow.set_tags(dict(each.tags))
        with _written(each) as folder:
            mlflow.log_artifacts(str(folder))
        for part in each.parts:
            with mlflow.start_run(run_name=part.name, nested=True):
                log(part)
        return str(run.info.run_id)

    with _as_one_line("mlflow", mlflow.MlflowException):
        if mlflow.active_run() is not None:
            return log(entry)
        with mlflow.start_run(run_name=entry.name):
            return log(entry)


def _to_wandb(entry: Entry) -> str:
    import wandb

    def log(run: Any, each: Entry) -> str:
        run.config.update(dict(each.params), allow_val_change=True)
        run.summary.update({**each.metrics, **each.tags})
        artifact = wandb.Artifact(name=f"convsim-{run.id}", type=each.kind)
        with _written(each) as folder:
            artifact.add_dir(str(folder))
            run.log_artifact(artifact)
            return str(run.id)

    def start(each: Entry, group: str | None) -> Any:
        verdicts = [f"{key}: {said}" for key, said in each.tags.items() if key.startswith("verdict")]
        return wandb.init(
            name=each.name,
            group=group,
            job_type=each.kind,
            tags=[tag[:MAX_TAG_CHARACTERS] for tag in verdicts],
            reinit="create_new",
            settings=wandb.Settings(console="off"),
        )

    with _as_one_line("wandb", wandb.Error):
        if wandb.run is not None and not entry.parts:
            return log(wandb.run, entry)
        group = entry.name if entry.parts else None
        for part in entry.parts:
            with start(part, group) as run:
                log(run, part)
        with start(entry, group) as run:
            return log(run, entry)


LOGGERS: dict[str, Callable[[Entry], str]] = {"mlflow": _to_mlflow, "wandb": _to_wandb}
