"""What the tests of commands stand on: a forked command ends as one in an interpreter of its own does."""

import subprocess
import sys
from pathlib import Path

import pytest

from convsim.errors import InputError
from tests.end_to_end.commands import environment, interpreter, typed
from tests.end_to_end.validating import line, written

PLUGIN = """
import sys
class Leaves:
    name = "leaves"
    def validate(self, real, simulated, *, seed):
        print("on stderr", file=sys.stderr)
        sys.exit(70)
"""
COMMANDS = {
    "done": ("data", "describe", "real.jsonl", "--format", "json"),
    "a gate failed": (
        "validate", "real.jsonl", "sim.jsonl", "--validators", "marginals", "--set", "marginals.n_resamples=19",
        "--fail-on", "undecided",
    ),
    "bad input": ("validate", "real.jsonl", "absent.jsonl"),
    "a plugin of the folder that stops": ("validate", "real.jsonl", "sim.jsonl", "--validators", "mine:Leaves"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "real.jsonl", [line(n) for n in range(12)])
    written(tmp_path / "sim.jsonl", [line(n + 500, simulator="bot") for n in range(12)])
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "tracebacks").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_fork_and_an_interpreter_print_the_same_and_exit_alike(folder, name):
    env = {**environment(), "TMPDIR": str(folder / "tracebacks")}
    fork, own = (run(*COMMANDS[name], cwd=folder, env=env) for run in (typed, interpreter))
    assert (fork.returncode, fork.stdout) == (own.returncode, own.stdout)
    assert without_names(fork.stderr) == without_names(own.stderr)
    assert fork.returncode == {"done": 0, "a gate failed": 1, "bad input": InputError.exit_code}.get(name, 3)


def without_names(said: str) -> list[str]:
    """Leave out the paths of tracebacks, whose names are drawn."""
    return [word for word in said.split() if "/tracebacks/" not in word]


def test_the_installed_command_is_the_module():
    script = Path(sys.executable).with_name("convsim")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == interpreter("--version").stdout
    assert done.stdout.startswith("convsim ")
