"""Every command that writes, killed at twenty moments: what stands there is the old or the new, each file whole.

``simulate`` and ``train`` are killed beside their own tests, which go on with what was kept.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from convsim.io import read, write
from convsim.web.blind_test import Database
from convsim.web.blind_test.answers import answers
from tests.end_to_end.arenas import Client
from tests.end_to_end.commands import Started, forks
from tests.end_to_end.validating import PEOPLE, line, written

pytestmark = pytest.mark.faults
N_KILLS = 20
QUICK = ("--validators", "marginals", "--set", "marginals.n_resamples=99")
COMMANDS: dict[str, tuple[str, ...]] = {
    "validate": ("validate", "people.jsonl", "{side}.jsonl", *QUICK, "--out", "out"),
    "counterfactual": (
        "counterfactual", "people.jsonl", "{side}.jsonl", "--control", "good", "--treatment", "bad", "--out", "out",
    ),
    "compare": (
        "compare", "people.jsonl", "{side}.jsonl", "other.jsonl", *QUICK[:2], "--metrics", "turns", "--out", "out",
    ),
    "data split": ("data", "split", "{side}.jsonl", "--by", "conversation", "--out", "out", "--force"),
    "data convert": ("data", "convert", "{side}.jsonl", "out.jsonl", "--force"),
    "personas from": ("personas", "from", "{side}.jsonl", "--out", "out.jsonl", "--force"),
    "data import": ("data", "import", "{side}.people.jsonl", "--out", "out.jsonl", "--save-map", "out.toml", "--force"),
    "annotate": ("annotate", "{side}.jsonl", "--out", "out.jsonl", "--force"),
    "annotator train": ("annotator", "train", "{side}.people.jsonl", "--source", "self", "--out", "out.npz", "--force"),
    "report": ("report", "{side}.findings", "--out", "out.html", "--force"),
}  # fmt: skip
SIDES = ("old", "new")


def started(folder: Path, command: str, side: str) -> Started:
    arguments = [part.replace("{side}", side) for part in COMMANDS[command]]
    if command == "data split":  # what it writes is called as the file that it reads
        shutil.copy(folder / f"{side}.jsonl", folder / "side.jsonl")
        arguments[2] = "side.jsonl"
    return forks().start(*arguments, cwd=folder)


def stands(folder: Path) -> dict[str, bytes]:
    """Return what a command has written: files by name, none that are not finished."""
    files = (path for path in (folder / "out").parent.rglob("*") if path.is_file())
    own = {
        str(path.relative_to(folder)): path
        for path in files
        if path.relative_to(folder).parts[0].startswith("out")
    }
    return {
        name: path.read_bytes()
        for name, path in own.items()
        if not Path(name).name.startswith(".") and ".convsim-" not in name
    }


def clear(folder: Path) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    for path in [*folder.glob("out*"), *folder.glob(".*out*")]:
        path.unlink()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for name, first, simulator in (
        ("people", 0, None),
        ("old", 100, "old"),
        ("new", 200, "new"),
        ("other", 300, "other"),
    ):
        lines = [
            line(
                first + n, arm=("good", "bad")[n % 2], text=f"{name} boots {n} " + "please " * (n % 5),
                user=f"u{first + n}", **({"simulator": simulator} if simulator else {}),
            )
            for n in range(24)
        ]  # fmt: skip
        written(folder / f"{name}.jsonl", lines)
    people = read(PEOPLE).conversations
    write(folder / "old.people.jsonl", people[:60])
    write(folder / "new.people.jsonl", people[60:120])
    for side in SIDES:
        done = (
            forks()
            .start(
                "validate", "people.jsonl", f"{side}.jsonl", *QUICK, "--out", f"{side}.findings", cwd=folder
            )
            .ended()
        )
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_twenty_moments_what_stands_is_the_old_or_the_new(
    inputs: Path, tmp_path: Path, command: str
) -> None:
    shutil.copytree(inputs, tmp_path, dirs_exist_ok=True)
    whole: dict[str, dict[str, bytes]] = {}
    seconds = 0.0
    for side in SIDES:
        clear(tmp_path)
        begun = time.monotonic()
        done = started(tmp_path, command, side).ended()
        seconds = time.monotonic() - begun
        assert done.returncode == 0, done.stderr
        whole[side] = stands(tmp_path)
        assert whole[side]
    assert whole["old"] != whole["new"]
    draw, killed, seen = Random(command), 0, set()
    for kill in range(N_KILLS):
        process = started(tmp_path, command, SIDES[kill % 2])
        # Half of them fall into the last third, in which it writes.
        time.sleep(seconds * (draw.uniform(0.0, 1.1) if kill % 4 < 2 else draw.uniform(0.65, 1.05)))
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        status = process.ended().returncode
        assert status in (0, -signal.SIGKILL)
        killed += status != 0
        found = stands(tmp_path)
        of = [side for side in SIDES if found.items() <= whole[side].items()]
        assert of, f"after kill {kill}: {sorted(found)} are of neither side, or of both"
        seen.update(of)
    assert killed >= N_KILLS // 4
    for side in SIDES:
        done = started(tmp_path, command, side).ended()
        assert done.returncode == 0, done.stderr
        assert stands(tmp_path) == whole[side]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def test_killed_at_twenty_moments_a_blind_test_has_every_answer_that_was_accepted(tmp_path: Path) -> None:
    real = written(tmp_path / "real.jsonl", [line(n) for n in range(150)])
    simulated = written(tmp_path / "sim.jsonl", [line(500 + n, simulator="bot") for n in range(150)])
    file, draw, accepted = tmp_path / "arena.sqlite", Random(5), 0
    for kill in range(N_KILLS):
        port = free_port()
        process = forks().start(
            "arena", real, simulated, "--database", file, "--n", 300, "--port", port, cwd=tmp_path
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.01)
        told = [0]
        rater = threading.Thread(target=rate, args=(port, f"rater {kill}", told))
        rater.start()
        while told[0] < 2 and rater.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.5))
        os.kill(process.pid, signal.SIGKILL)
        assert process.ended().returncode == -signal.SIGKILL
        rater.join()
        accepted += told[0]
        kept = answers(Database(file))
        assert len({(answer.rater, answer.trial) for answer in kept}) == len(kept)
        assert accepted <= len(kept) <= accepted + kill + 1  # one may be kept whose answer nobody was told of
    assert accepted > N_KILLS


def rate(port: int, name: str, told: list[int]) -> None:
    """Answer trial after trial until nobody is there any more; count what was accepted."""
    client = Client(port)
    try:
        client.joined(name.replace(" ", "+"))
        for place in range(1, 300):
            client.get(f"/t/{place}")
            if client.post(f"/t/{place}", "choice=human&confidence=2").status != 303:
                return
            told[0] += 1
    except (OSError, IndexError, ValueError, AssertionError):
        return
