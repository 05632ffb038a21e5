"""A crash is never taken for a failed gate: plugins that raise anything, anywhere, in a process of their own."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from convsim.cli.app import run
from convsim.cli.process import Asked
from convsim.errors import InputError
from tests.end_to_end.validating import convsim, line, written
from tests.unit.cli.test_environment import ALL, options_of

PLUGIN = """
import os
what = os.environ["RAISES"]

def now():
    if what == "exit": raise SystemExit(1)
    if what == "base": raise BaseException("no")
    if what == "eof": raise EOFError
    if what == "interrupt": raise KeyboardInterrupt
    import asyncio
    raise asyncio.CancelledError

if os.environ["WHEN"] == "import":
    now()

class Broken:
    name = "broken"
    def __init__(self):
        if os.environ["WHEN"] == "made":
            now()
    def validate(self, real, simulated, *, seed):
        now()
"""


@pytest.fixture
def broken(tmp_path):
    (tmp_path / "broken_plugin.py").write_text(PLUGIN)
    (tmp_path / "tracebacks").mkdir()
    return {"PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path / "tracebacks")}


@pytest.mark.parametrize("when", ["import", "made", "used"])
@pytest.mark.parametrize("what", ["exit", "base", "interrupt"])
def test_a_validator_that_raises_what_is_no_exception_is_no_failed_gate(when, what, broken, real, simulated):
    arguments = ("--validators", "broken_plugin:Broken", "--fail-on", "undecided")
    result = convsim("validate", real, simulated, *arguments, RAISES=what, WHEN=when, **broken)
    assert result.returncode in ((130,) if what == "interrupt" else (2, 3)), result.stderr
    said = [each for each in result.stderr.splitlines() if not each.startswith("seed ")]
    # What ends the validator alone is said at once, and again with all that was found.
    assert len(said) == (2 if (what, when) == ("exit", "used") else 1)
    assert all(each.startswith("error: ") for each in said)


def test_a_terminal_of_ascii_gets_escapes_and_json_stays_json(tmp_path):
    file = written(tmp_path / "a.jsonl", [line(1, text="café – 😀")])
    shown = convsim("show", file, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert shown.returncode == 0, shown.stderr
    assert r"caf\u00e9 \u2013 \ud83d\ude00" in shown.stdout
    described = convsim("data", "describe", file, "--format", "json", PYTHONIOENCODING="ascii")
    assert described.returncode == 0
    assert json.loads(described.stdout)["conversations"] == 1


def test_a_full_disk_is_exit_3_and_one_line(tmp_path):
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("there is no full device here")
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "convsim", "data", "list"], stdout=full, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)}, check=False,
        )  # fmt: skip
    assert result.returncode == 3
    assert result.stderr.count("\n") == 1
    assert "No space left on device" in result.stderr


@pytest.fixture
def unlike(tmp_path):
    return written(
        tmp_path / "unlike.jsonl", [line(n, text="word " * (20 + n), simulator="bot") for n in range(40)]
    )


def test_no_single_variable_lets_a_failing_gate_pass(tmp_path, real, unlike):
    arguments = ("--validators", "marginals", "--set", "marginals.n_resamples=99")
    made = convsim("validate", real, unlike, *arguments, "--out", tmp_path / "out")
    assert made.returncode == 0, made.stderr
    gate = ("report", tmp_path / "out", "--format", "json", "--fail-on", "different")
    assert convsim(*gate).returncode == 1
    for name in ("CONVSIM_VERSION", "CONVSIM_HELP", "CONVSIM_REPORT_HELP", "CONVSIM_REPORT_FAIL_ON"):
        assert convsim(*gate, **{name: "1"}).returncode == 1, name
    assert convsim(*gate, _PYTHON__M_CONVSIM_COMPLETE="source_bash").returncode == 1


def test_no_variable_that_carries_data_lets_validate_pass_what_it_fails(real, unlike, tmp_path, monkeypatch):
    gate = ["validate", str(real), str(unlike), "--validators", "marginals", "--fail-on", "different"]
    gate += ["--set", "marginals.n_resamples=99"]
    monkeypatch.chdir(tmp_path)
    assert run(Asked(), gate) == 1
    for option in options_of(ALL[("validate",)]):
        if option.envvar is not None:
            with monkeypatch.context() as patched:
                patched.setenv(
                    option.envvar, {"--reader": "openai", "--format": "json"}.get(option.opts[0], "1")
                )
                with suppress(InputError):
                    assert run(Asked(), gate) == 1, option.envvar
