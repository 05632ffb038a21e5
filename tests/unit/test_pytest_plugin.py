"""The plugin as pytest runs it: a study by fixture, a gate that fails in words, and no cost where it is not used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "sklearn",
    "matplotlib",
    "openai",
    "torch",
    "transformers",
    "rich",
    "typer",
)
STUDY = 'study={"n": 8, "seed": 3, "max_turns": 3}'
SUITE = f"""
import convsim, pytest
from convsim.testing import assert_findings

@pytest.fixture(scope="module")
def card(convsim_study):
    run = convsim_study(agent=lambda conversation: "Which size?", {STUDY})
    assert (run / "conversations.jsonl").is_file()
    people = {str(REPOSITORY / "data/demo/convapparel_standin.json")!r}
    return convsim.validate(people, run, seed=3, validators=["marginals"], allow_overlap=True)

def test_passes(card):
    assert_findings(card, allow=("aligned", "undecided", "different"))

def test_fails(card):
    assert_findings(card, allow=("reacts_as_people",), metrics=["turns"])
"""


def pytest_of_a_user(
    folder: Path, suite: str, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    (folder / "test_suite.py").write_text(suite, encoding="utf-8")
    paths = [*environment.pop("PATHS", "").split(os.pathsep), str(REPOSITORY), str(REPOSITORY / "validators")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "-q", "--rootdir", str(folder), "-p", "no:cacheprovider",
         *options, str(folder)],
        capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **environment},
    )  # fmt: skip


def test_a_suite_holds_a_study_and_its_gate_fails_in_words(tmp_path: Path) -> None:
    result = pytest_of_a_user(
        tmp_path, SUITE, "-p", "convsim.pytest_plugin", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 failed, 1 passed" in result.stdout
    assert "1 of 1 findings do not pass; what passes: reacts_as_people" in result.stdout
    assert "KS distance" in result.stdout
    assert "def assert_findings" not in result.stdout  # the frame inside convsim is hidden


def test_pytest_finds_the_plugin_by_its_entry_point(tmp_path: Path) -> None:
    installed = tmp_path / "installed" / "example-0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: example\nVersion: 0\n", encoding="utf-8"
    )
    (installed / "entry_points.txt").write_text(
        "[pytest11]\nconvsim = convsim.pytest_plugin\n", encoding="utf-8"
    )
    suite = "def test_it(convsim_study):\n    assert callable(convsim_study)\n"
    (tmp_path / "suite").mkdir()
    result = pytest_of_a_user(tmp_path / "suite", suite, "-p", "no:asyncio", PATHS=str(installed.parent))
    assert result.returncode == 0, result.stdout + result.stderr


def test_each_call_of_the_fixture_has_a_folder_of_its_own(tmp_path: Path) -> None:
    suite = f"def test_it(convsim_study):\n    assert convsim_study({STUDY}) != convsim_study({STUDY})\n"
    result = pytest_of_a_user(
        tmp_path, suite, "-p", "convsim.pytest_plugin", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_suite_that_does_not_use_it_pays_for_no_heavy_import(tmp_path: Path) -> None:
    suite = f"import sys\ndef test_it():\n    assert not set({HEAVY!r}) & set(sys.modules)\n"
    suite += "    assert 'convsim.pytest_plugin' in sys.modules\n"
    result = pytest_of_a_user(
        tmp_path, suite, "-p", "convsim.pytest_plugin", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"
    )
    assert result.returncode == 0, result.stdout + result.stderr


GATED = """
from convsim.evaluation import Scorecard, SideSummary
from convsim.testing import assert_gate

SIDE = SideSummary(path=None, sha256=None, n=9, simulator=None, arms={}, tasks={})

def test_gate(convsim_gate):
    assert_gate(Scorecard(real=SIDE, simulated=SIDE), convsim_gate)
"""


def test_a_gate_is_read_from_where_pytests_settings_say_and_fails_in_words(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[headline.habits]\n", encoding="utf-8")
    options = ("-p", "convsim.pytest_plugin", "-o", "convsim_gate=own.toml")
    result = pytest_of_a_user(tmp_path, GATED, *options, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "headline habits: not judged; passes: alike or needs more data" in result.stdout
    assert "def assert_gate" not in result.stdout


def test_a_study_that_cannot_be_held_is_one_clear_line(tmp_path: Path) -> None:
    suite = "def test_it(convsim_study):\n    convsim_study(study={'n': 0})\n"
    result = pytest_of_a_user(
        tmp_path, suite, "-p", "convsim.pytest_plugin", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"
    )
    assert result.returncode == 1
    assert "StudyError: the study: study.n: must be at least 1, but is 0" in result.stdout


@pytest.mark.parametrize("name", ["assert_findings", "assert_gate", "hold_study"])
def test_what_the_plugin_goes_with_is_public(name: str) -> None:
    import convsim.testing

    assert callable(getattr(convsim.testing, name))
