"""Where nobody can read stderr, stdout and the exit code are the same as elsewhere."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.commands import environment, typed
from tests.end_to_end.validating import line, written

OFTEN = {"_CONVSIM_PROGRESS": "0.001,0.001"}
DESCRIBE = ("data", "describe", "logs.jsonl", "--format", "json")
SLOW = "import time\n\ndef label(conversation):\n    time.sleep(0.1)\n    return {'mood': 1}\n"
PATIENCE_S = 60
"""After which a command counts as one that hangs."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("unread")
    written(made / "logs.jsonl", [line(n) for n in range(6)])
    (made / "slowly.py").write_text(SLOW)
    return made


@pytest.fixture(scope="module")
def expected(folder: Path) -> bytes:
    said = typed(*DESCRIBE, cwd=folder)
    assert said.returncode == 0
    return said.stdout.encode()


@pytest.fixture
def broken() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.fixture
def full() -> Iterator[int]:
    disk = os.open("/dev/full", os.O_WRONLY)
    yield disk
    os.close(disk)


@pytest.fixture
def undrained() -> Iterator[int]:
    """A pipe that takes not one line more."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4095)
    yield writing
    os.close(reading)
    os.close(writing)


def begun(folder: Path, stderr: int, *words: str, **variables: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "convsim", *words],
        cwd=folder,
        env={**environment(), **OFTEN, "PYTHONUNBUFFERED": "", **variables},
        stdout=subprocess.PIPE,
        stderr=stderr,
        preexec_fn=as_on_a_terminal,
    )


def as_on_a_terminal() -> None:
    """Let Ctrl-C be heard: it is ignored below whatever a shell runs in the background."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("log_json", ["", "1"])
@pytest.mark.parametrize("stderr", ["broken", "full", "undrained"])
def test_a_command_gives_its_result(
    folder: Path, expected: bytes, stderr: str, log_json: str, request: pytest.FixtureRequest
) -> None:
    with begun(folder, request.getfixturevalue(stderr), *DESCRIBE, CONVSIM_LOG_JSON=log_json) as command:
        try:
            said, _ = command.communicate(timeout=PATIENCE_S)
        finally:
            command.kill()
    assert (command.returncode, said) == (0, expected)


@pytest.mark.parametrize("stderr", ["broken", "full"])
@pytest.mark.parametrize("words", [(), ("--traceback", "data", "describe", "nowhere.jsonl")])
def test_bad_input_has_its_exit_code(
    folder: Path, stderr: str, words: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    with begun(folder, request.getfixturevalue(stderr), *words) as command:
        command.communicate(timeout=PATIENCE_S)
    assert command.returncode == 2


def test_a_terminal_that_goes_away_takes_nothing_with_it(folder: Path) -> None:
    ours, theirs = pty.openpty()
    words = ("annotate", "logs.jsonl", "--with", "slowly:label", "--out", "out.jsonl", "--concurrency", "1")
    with begun(folder, theirs, *words, TERM="xterm") as command:
        os.close(theirs)
        sent = b""
        while b"labelling" not in sent:
            sent += os.read(ours, 65_536)
        os.close(ours)
        command.communicate(timeout=PATIENCE_S)
    assert command.returncode == 0
    assert len((folder / "out.jsonl").read_text().splitlines()) == 6


def test_ctrl_c_ends_a_command_whose_messages_nobody_reads(folder: Path, undrained: int) -> None:
    (folder / "endless.py").write_text(
        "import pathlib, time\n\ndef label(conversation):\n    pathlib.Path('begun').touch()\n    time.sleep(1000)\n"
    )
    words = ("annotate", "logs.jsonl", "--with", "endless:label", "--out", "never.jsonl")
    with begun(folder, undrained, *words) as command:
        while not (folder / "begun").exists():
            time.sleep(0.05)
        command.send_signal(signal.SIGINT)
        try:
            command.communicate(timeout=PATIENCE_S)
        finally:
            command.kill()
    assert command.returncode == 130
