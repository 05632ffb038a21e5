"""``--junit FILE``: of every command that gives verdicts, beside what is printed, and over nobody's file."""

import pytest
import typer

from convsim.cli.app import app
from tests.end_to_end.validating import convsim
from tests.junit import outcomes
from tests.unit.cli.test_environment import commands

QUICK = ("--validators", "marginals", "--metrics", "turns", "--set", "marginals.n_resamples=49")
VERDICTS = {
    ("annotator", "check"), ("arena",), ("calibrate",), ("check",), ("compare",), ("counterfactual",), ("drift",),
    ("probe",), ("rank",), ("report",), ("study",), ("validate",),
}  # fmt: skip


def test_every_command_that_gives_verdicts_has_it():
    has = {
        path
        for path, each in commands(typer.main.get_command(app))
        if any(p.name == "junit" for p in each.params)
    }
    assert has == VERDICTS


def test_it_is_written_beside_what_is_printed_and_written_anew(real, simulated, tmp_path):
    junit = tmp_path / "junit.xml"
    for seed in (1, 2):
        done = convsim(
            "validate", real, simulated, *QUICK, "--seed", seed, "--junit", junit, "--format", "md"
        )
        assert done.returncode == 0, done.stderr
        assert f"wrote {junit}" in done.stderr
        assert "| turns |" in done.stdout
    found = outcomes(junit.read_text(encoding="utf-8"))
    assert found["marginals"]["turns"] in {"passed", "skipped"}
    printed = convsim("validate", real, simulated, *QUICK, "--seed", 2, "--format", "junit")
    assert printed.stdout == junit.read_text(encoding="utf-8")


def test_a_comparison_and_a_report_write_it_too(real, simulated, tmp_path):
    two = ("compare", real, simulated, "--validators", "marginals", "--metrics", "turns")
    done = convsim(*two, "--junit", tmp_path / "compared.xml")
    assert done.returncode == 0, done.stderr
    assert "sim: marginals" in outcomes((tmp_path / "compared.xml").read_text(encoding="utf-8"))
    assert convsim("validate", real, simulated, *QUICK, "--out", tmp_path / "out").returncode == 0
    done = convsim("report", tmp_path / "out", "--junit", tmp_path / "again.xml", "--format", "text")
    assert done.returncode == 0, done.stderr
    assert "turns" in outcomes((tmp_path / "again.xml").read_text(encoding="utf-8"))["marginals"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("gate.toml", "exists already and is not JUnit that convsim wrote"),
        ("", "--junit is empty"),
        ("nowhere/junit.xml", "expected a file name in an existing folder"),
        (".", "expected a file name in an existing folder"),
    ],
)
def test_a_file_of_somebody_elses_is_not_replaced_and_nothing_is_judged(
    real, simulated, tmp_path, asked, says
):
    (tmp_path / "gate.toml").write_text("[default]\n", encoding="utf-8")
    junit = tmp_path / asked if asked not in ("", ".") else (asked and tmp_path)
    done = convsim("validate", real, simulated, *QUICK, "--junit", junit)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "seed" not in done.stderr
    assert (tmp_path / "gate.toml").read_text(encoding="utf-8") == "[default]\n"


def test_junit_is_a_format_of_drift_rank_and_tune_and_no_text_in_its_place(tmp_path):
    for command in ("drift", "rank", "probe", "calibrate", "study", "tune"):
        assert "junit" in convsim(command, "--help").stdout.partition("--format")[2].partition("\n")[0]
