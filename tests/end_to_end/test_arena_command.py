"""``convsim arena`` as a user types it: it serves, ends in good order, and says in one line what is wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.arenas import Client
from tests.end_to_end.validating import convsim, line, written


@contextmanager
def served(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "convsim", "arena", *map(str, arguments), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    (said,) = done.stderr.splitlines()
    return said


def test_it_serves_until_ctrl_c_goes_on_afterwards_and_prints_results(
    real: Path, simulated: Path, tmp_path: Path
) -> None:
    file = tmp_path / "kept.sqlite"
    given = (real, simulated, "--database", file, "--n", 8)
    client = Client(0)
    for place in (1, 2):
        with served(*given) as (process, url):
            client.port = int(url.split(":")[2].strip("/"))
            if place == 1:
                client.joined("Ada")
            assert client.get("/").header("location") == f"/t/{place}"
            client.get(f"/t/{place}")
            assert client.post(f"/t/{place}", "choice=human&confidence=2").status == 303
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
            assert process.returncode == 0
            assert f"stopped; {place} answers are saved" in said
            assert "Traceback" not in said
    done = convsim("arena", "--results", "--database", file, "--format", "json", "--out", tmp_path / "out")
    assert done.returncode == 0
    card = json.loads(done.stdout)
    assert {finding["validator"] for finding in card["findings"]} == {"arena"}
    assert card["findings"][0]["details"]["n_answers"] == 2
    assert json.loads((tmp_path / "out" / "findings.json").read_text()) == card
    listed = tmp_path / "answers.jsonl"
    assert "human_hls" in convsim("arena", "--results", "--database", file, "--answers", listed).stdout
    assert [json.loads(each)["choice"] for each in listed.read_text().splitlines()] == ["human", "human"]
    done = convsim("arena", "--database", file, "--answers", listed)
    assert only_line(done) == f"error: --answers {listed}: belongs to --results; add it"
    assert "human_hls" in convsim("arena", *given, "--results", "--format", "md").stdout.replace("\\", "")


def test_a_network_host_prints_an_address_with_a_token(real: Path, simulated: Path, tmp_path: Path) -> None:
    with served(real, simulated, "--database", tmp_path / "a.sqlite", "--host", "0.0.0.0") as (_, url):
        port, _, token = url.split(":")[2].partition("/?token=")
        assert len(token) >= 32
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10)


def test_a_key_without_a_certificate_is_one_line(real: Path, simulated: Path, tmp_path: Path) -> None:
    done = convsim("arena", real, simulated, "--database", tmp_path / "a.sqlite", "--key", "x.key")
    assert done.returncode == 2
    assert only_line(done) == "error: --key x.key: the certificate is missing; add --certificate FILE"
    assert not (tmp_path / "a.sqlite").exists()


def test_a_port_in_use_is_one_line(real: Path, simulated: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = convsim("arena", real, simulated, "--database", tmp_path / "a.sqlite", "--port", port)
    assert done.returncode == 2
    assert only_line(done) == (
        f"error: port {port} of 127.0.0.1 is in use; pass another --port, or --port 0 for any that is free"
    )


def test_a_host_of_another_machine_is_one_line(real: Path, simulated: Path, tmp_path: Path) -> None:
    done = convsim("arena", real, simulated, "--database", tmp_path / "a.sqlite", "--host", "192.0.2.1")
    assert done.returncode == 2
    assert "of 192.0.2.1 is not of this machine; pass another --host" in only_line(done)


def test_another_study_in_the_file_is_one_line(real: Path, simulated: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    with served(real, simulated, "--database", file):
        pass
    done = convsim("arena", real, simulated, "--database", file, "--mode", "pair", "--port", 0)
    assert done.returncode == 2
    assert "a.sqlite belongs to another study: mode differs; name another --database" in only_line(done)


def test_a_file_that_is_no_database_is_one_line(real: Path, simulated: Path, tmp_path: Path) -> None:
    for arguments in ((real, simulated, "--port", 0), ("--results",)):
        done = convsim("arena", *arguments, "--database", real)
        assert done.returncode == 2
        assert "is not a database, or is damaged" in only_line(done)


def test_a_folder_that_cannot_be_written_is_one_line(real: Path, simulated: Path) -> None:
    done = convsim("arena", real, simulated, "--database", "/proc/arena.sqlite", "--port", 0)
    assert done.returncode == 3
    assert "/proc/arena.sqlite: the database cannot be written" in only_line(done)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "convsim arena needs real conversations and those of at least one simulator; found 0 files"),
        (("nothing.jsonl", "nothing.jsonl"), "nothing.jsonl: "),
        (("--results", "--database", "nothing.sqlite"), "nothing.sqlite: there is no such database"),
    ],
)
def test_missing_files_are_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = convsim("arena", *arguments)
    assert done.returncode == 2
    assert said in only_line(done)


def test_a_side_without_words_is_one_line(real: Path, tmp_path: Path) -> None:
    mute = written(
        tmp_path / "mute.jsonl",
        [line(n, simulator="bot", messages=[{"role": "user", "content": " "}]) for n in range(5)],
    )
    done = convsim("arena", real, mute, "--database", tmp_path / "a.sqlite", "--port", 0)
    assert done.returncode == 2
    assert "no simulated conversation has a user who says anything" in only_line(done)
    assert not (tmp_path / "a.sqlite").exists()
