"""What a tracker does not take changes no verdict's exit code, and is said after the results are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from convsim.cli.deliver import deliver
from convsim.cli.options import Format, Gate
from convsim.cli.tracking import Tracker, check_tracker
from convsim.errors import MissingExtraError, TrackingError
from convsim.tracking import loggers
from convsim.tracking.entry import Entry
from tests.reports import card, distance


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """A tracker that takes everything, in place of MLflow."""
    entries: list[Entry] = []

    def take(entry: Entry) -> str:
        entries.append(entry)
        print("View run at http://tracker.example")
        return "run-1"

    monkeypatch.setitem(loggers.LOGGERS, "mlflow", take)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    return entries


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracker that takes nothing."""

    def refuse(entry: Entry) -> str:
        raise TrackingError("mlflow did not take the results: connection refused")

    monkeypatch.setitem(loggers.LOGGERS, "mlflow", refuse)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())


def test_what_was_found_is_logged_once_it_is_written_and_stdout_stays_data(
    taken: list[Entry], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(card(distance("turns")), out=tmp_path, output=Format.json, fail_on=None, log_to=Tracker.mlflow)
    said = capsys.readouterr()
    assert json.loads(said.out)["findings"][0]["metric"] == "turns"
    assert said.err.splitlines()[-1] == "logged to mlflow as run run-1"
    assert taken[0].metrics["findings.different"] == 1


@pytest.mark.parametrize(("fail_on", "code"), [(None, 3), (Gate.different, 1)])
def test_a_tracker_that_fails_is_one_line_and_hides_no_failed_gate(
    refused: None, fail_on: Gate | None, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as stopped:
        deliver(
            card(distance("turns")), out=tmp_path, output=Format.json, fail_on=fail_on, log_to=Tracker.mlflow
        )
    assert stopped.value.exit_code == code
    said = capsys.readouterr()
    assert json.loads(said.out)["findings"]
    lines = said.err.splitlines()
    refusal = "error: mlflow did not take the results: connection refused; they are complete in"
    assert [line for line in lines if line.startswith(refusal)]
    assert (tmp_path / "findings.json").is_file()


def test_a_missing_package_is_told_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    check_tracker(None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'logging to wandb needs the extra "wandb"'):
        check_tracker(Tracker.wandb)
