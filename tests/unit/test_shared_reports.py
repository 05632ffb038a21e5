"""The fixture ``convsim_report`` as pytest runs it: one validation for a session, in one process and in several."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from convsim.errors import InputError
from convsim.testing import SharedReports
from tests.end_to_end.validating import line, written
from tests.junit import outcomes
from tests.unit.test_pytest_plugin import pytest_of_a_user

PLUGGED = ("-p", "convsim.pytest_plugin", "-p", "xdist")
SUITE = """
import os
from pathlib import Path

import pytest
from convsim.schema import Finding
from convsim.testing import assert_findings, assert_gate

def counted(real, simulated, *, seed):
    with Path("judged.txt").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    fields = {"question": "?", "unit": "words", "reason": "because", "n_real": 4, "n_simulated": 4, "seed": 1}
    stated = {"validator": "counted", "metric": "words", "verdict": "different", "version": "1", "source": "a test"}
    return [Finding.model_validate({**fields, **stated})]

def simulated():
    with Path("made.txt").open("a") as file:
        file.write("made\\n")
    return "sim.jsonl"

@pytest.fixture(scope="session")
def card(convsim_report):
    return convsim_report.validate("real.jsonl", simulated, seed=3, validators=[counted])

@pytest.mark.parametrize("n", range(6))
def test_passes(card, n):
    assert_findings(card, allow=("different",))

def test_again_by_hand(convsim_report, card):
    assert convsim_report.validate("real.jsonl", simulated, seed=3, validators=[counted]) == card

def test_fails(card):
    assert_findings(card)

def test_other(convsim_report):
    with pytest.raises(Exception, match="'validation' is a validation with other arguments"):
        convsim_report.validate("real.jsonl", simulated, seed=4, validators=[counted])

def test_fails_without_it():
    assert False
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    written(tmp_path / "real.jsonl", [line(n) for n in range(6)])
    written(tmp_path / "sim.jsonl", [line(n + 500, simulator="bot") for n in range(6)])
    return tmp_path


@pytest.mark.parametrize("processes", [0, 3])
def test_one_validation_and_one_report_serve_all_tests_of_all_processes(suite: Path, processes: int) -> None:
    spread = ("-n", str(processes), "--dist", "load") if processes else ()
    ran = pytest_of_a_user(
        suite, SUITE, *PLUGGED, *spread, "--convsim-report", "kept", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "2 failed, 8 passed" in ran.stdout
    assert len((suite / "judged.txt").read_text().splitlines()) == 1
    assert (suite / "made.txt").read_text() == "made\n"
    page, junit = suite / "kept/validation/report.html", suite / "kept/junit.xml"
    failure, _, rest = ran.stdout.partition("convsim report")[2].partition("\n")[2].partition("\n")
    assert failure == str(page)
    assert rest.count("convsim report") == 1  # at the end, and not below the test that does without it
    assert ran.stdout.rstrip().count(str(junit)) == 1
    assert page.read_text(encoding="utf-8").startswith("<!")
    assert outcomes(junit.read_text(encoding="utf-8"))["validation: counted"] == {"words": "failure"}
    assert (suite / "kept/summary.md").read_text(encoding="utf-8").startswith("### convsim: ")
    [finding] = json.loads((suite / "kept/validation/findings.json").read_text())["findings"]
    assert (finding["validator"], finding["verdict"]) == ("counted", "different")


def test_the_folder_may_stand_in_pytests_settings_and_is_written_anew(suite: Path) -> None:
    options = ("-o", "convsim_report=kept", "-k", "passes or again", *PLUGGED)
    for n in (1, 2):
        ran = pytest_of_a_user(suite, SUITE, *options, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert len((suite / "judged.txt").read_text().splitlines()) == n
    assert str(suite / "kept/junit.xml") in ran.stdout


def test_without_a_folder_a_failure_names_a_page_that_stays_and_nothing_else_is_written(suite: Path) -> None:
    ran = pytest_of_a_user(suite, SUITE, *PLUGGED, "-k", "fails", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    [page] = [Path(line) for line in ran.stdout.splitlines() if line.endswith("report.html")]
    assert page.is_file()
    assert not page.is_relative_to(suite)
    assert {each.name for each in suite.iterdir()} <= {
        "real.jsonl", "sim.jsonl", "test_suite.py", "judged.txt", "made.txt", "__pycache__",
    }  # fmt: skip


def test_a_folder_of_somebody_elses_is_not_written_over(suite: Path) -> None:
    theirs = suite / "kept/validation/report.html"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs", encoding="utf-8")
    options = ("--convsim-report", "kept", "-k", "passes and 1", *PLUGGED)
    ran = pytest_of_a_user(suite, SUITE, *options, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert "report.html is there already and was not written by this command" in ran.stdout
    assert theirs.read_text(encoding="utf-8") == "theirs"


@pytest.mark.parametrize("what", ["theirs", "a folder"])
def test_a_report_that_cannot_be_written_is_one_line_and_fails_the_session(suite: Path, what: str) -> None:
    junit = suite / "kept/junit.xml"
    if what == "theirs":
        junit.parent.mkdir()
        junit.write_text("theirs", encoding="utf-8")
    else:
        junit.mkdir(parents=True)
    options = ("--convsim-report", "kept", "-k", "passes and 1", *PLUGGED)
    ran = pytest_of_a_user(suite, SUITE, *options, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
    [said] = [each for each in ran.stdout.splitlines() if each.startswith("ERROR: ")]
    assert said.startswith("ERROR: the report of all validations is not written: ")
    assert str(junit) not in ran.stdout.splitlines()
    assert (what == "theirs") == junit.is_file()


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 81, "ä"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="must be up to 80 letters"):
        SharedReports(tmp_path / "shared").validate("real.jsonl", "sim.jsonl", name=name)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_a_validation_that_fails_leaves_nothing_and_is_tried_again(suite: Path) -> None:
    reports = SharedReports(suite / "shared")
    for _ in range(2):
        with pytest.raises(InputError, match=r"nowhere\.jsonl"):
            reports.validate(str(suite / "nowhere.jsonl"), "sim.jsonl")
    assert reports.pages == {}
