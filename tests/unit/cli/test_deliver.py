"""What was found is shown, whatever becomes of the files."""

import json
from pathlib import Path

import pytest
import typer

from convsim.cli.deliver import deliver
from convsim.cli.options import Format
from convsim.errors import InputError
from convsim.evaluation import Gate
from convsim.report import read_scorecard
from tests.reports import card, distance


def test_a_full_disk_still_shows_the_scorecard_and_keeps_the_older_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import resource

    older = {name: f"older {name}" for name in ("findings.json", "report.html")}
    for name, content in older.items():
        (tmp_path / name).write_text(content)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(InputError, match=r"findings\.json: cannot be written: File too large"):
            deliver(card(distance("turns")), out=tmp_path, output=Format.json, fail_on=None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    shown = capsys.readouterr()
    assert json.loads(shown.out)["findings"][0]["metric"] == "turns"
    assert "wrote" not in shown.err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == older


def test_findings_without_a_page_do_not_leave_an_older_page_beside_them(tmp_path: Path) -> None:
    for name in ("findings.json", "report.html"):
        (tmp_path / name).write_text("older")
    deliver(card(distance("turns")), out=tmp_path, output=Format.json, fail_on=None)
    assert [path.name for path in tmp_path.iterdir()] == ["findings.json"]


def test_what_a_gate_found_is_kept_with_the_findings_and_fails_at_the_end(tmp_path: Path) -> None:
    gate = Gate.model_validate({"metric": {"turns": {"pass": "alike"}}})
    with pytest.raises(typer.Exit) as stopped:
        deliver(card(distance("turns")), out=tmp_path, output=Format.json, fail_on=None, gate=gate)
    assert stopped.value.exit_code == 1
    kept = read_scorecard(tmp_path)
    assert kept.gate is not None
    assert [(check.name, check.passed) for check in kept.gate.checks] == [("turns", False)]


def test_a_gate_that_asks_for_what_no_finding_is_called_is_refused_and_what_was_found_is_kept(
    tmp_path: Path,
) -> None:
    gate = Gate.model_validate({"metric": {"zeal": {}}})
    with pytest.raises(InputError, match=r"\[metric\.zeal\]: no finding is called so; there are turns"):
        deliver(card(distance("turns")), out=tmp_path, output=Format.json, fail_on=None, gate=gate)
    kept = read_scorecard(tmp_path)
    assert (kept.gate, len(kept.findings)) == (None, 1)
