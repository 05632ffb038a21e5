"""A Ray cluster of two nodes on this machine, with a token: what is held there, and what a lost node changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.elsewhere import Costly, kept, study
from tests.end_to_end.ray_nodes import REPOSITORY, TOKEN, Node, TwoNodes, free_port, wait_for_nodes
from tests.hanging import ended_if_it_hangs

pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
pytestmark = pytest.mark.cluster

RUN = """
import sys
from convsim.simulation import Workers
from tests.elsewhere import Telling, study
if __name__ == "__main__":
    agent = Telling(float(sys.argv[3]), file=f"{sys.argv[1]}.asked")
    held = study(agent, n=int(sys.argv[4]), concurrency=8)
    engine = {"engine": "ray", "address": sys.argv[2]} if sys.argv[2] else {}
    def heard(progress):
        if progress.stop == "interrupted":
            print("heard", flush=True)
    print(held.run(sys.argv[1], workers=Workers(processes=2, **engine), on_change=heard))
"""
LABEL = """
import sys
from convsim.annotation import annotate
from convsim.annotation.rules import Rules
from convsim.io import write
from tests.elsewhere import DeadlyLabels
if __name__ == "__main__":
    engine = {"engine": "ray", "address": sys.argv[3]} if sys.argv[3] else {}
    annotator = DeadlyLabels(sys.argv[5]) if sys.argv[4] == "deadly" else Rules(any_language=True)
    write(sys.argv[2], annotate(sys.argv[1], annotator, **engine).conversations)
"""


@pytest.fixture(scope="module")
def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    folder = tmp_path_factory.mktemp("r")  # short: sockets lie in it
    cluster = TwoNodes(folder)
    yield cluster
    cluster.kill()


BUSY = """
import sys, time
import ray
if __name__ == "__main__":
    ray.init(sys.argv[1], log_to_driver=False)
    class Idle:
        def begun(self):
            return True
    held = [ray.remote(Idle).options(num_cpus=1).remote() for _ in range(2)]
    ray.get([each.begun.remote() for each in held])
    print("all in use", flush=True)
    sys.stdin.readline()
    ray.kill(held.pop())
    sys.stdin.readline()
"""
TOLD = (
    """
import logging, sys
logging.basicConfig(format="%(message)s", level=logging.WARNING)
"""
    + RUN
)


def _started(
    folder: Path, address: str, *, seconds: float, n: int, token: Mapping[str, str] = TOKEN, run: str = RUN
) -> subprocess.Popen[str]:
    script = folder.parent / "held.py"
    script.write_text(run, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), address, str(seconds), str(n)], cwd=REPOSITORY, text=True,
        env={**os.environ, **token, "PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def _wait_for_lines(folder: Path, n: int, process: subprocess.Popen[str]) -> None:
    file = folder / "conversations.jsonl"
    while not file.exists() or file.read_bytes().count(b"\n") < n:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_a_driver_that_is_killed_leaves_no_worker_and_the_same_call_goes_on(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    study(Costly(), n=30).run(one)
    first = _started(two, "", seconds=0.2, n=30)
    _wait_for_lines(two, 4, first)
    workers = [int(pid) for pid in Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()]
    first.kill()
    first.communicate()
    while any(Path(f"/proc/{pid}").exists() for pid in workers):  # they end by themselves
        time.sleep(0.05)
    second = _started(two, "", seconds=0.0, n=30)
    out, err = second.communicate()
    assert (second.returncode, err) == (0, "")
    assert "more were there" in out
    assert kept(two) == kept(one)


def test_an_interrupt_finishes_what_all_workers_hold_and_the_same_call_goes_on(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    study(Costly(), n=30).run(one)
    running = _started(two, "", seconds=0.3, n=30)
    _wait_for_lines(two, 2, running)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, err = running.communicate()
    assert (running.returncode, err) == (0, "")
    found = kept(two)
    assert 2 < len(found) < 60
    assert set(found) < set(kept(one))
    _started(two, "", seconds=0.0, n=30).communicate()
    assert kept(two) == kept(one)


def test_a_second_interrupt_stops_all_workers_at_once(tmp_path: Path):
    running = _started(tmp_path / "run", "", seconds=600.0, n=30)
    # Earlier, nobody listens for an interrupt as a run does: it would end the process that is starting.
    while not (tmp_path / "run.asked").exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    workers = [
        int(pid) for pid in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    ]
    os.killpg(running.pid, signal.SIGINT)
    assert running.stdout is not None
    assert running.stdout.readline() == "heard\n", running.communicate()
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate()
    assert err == ""
    assert out.startswith("0 conversations held")
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        time.sleep(0.05)


@pytest.mark.parametrize("first", ["cluster", "processes"])
def test_what_one_engine_began_another_goes_on_with_and_holds_nothing_twice(
    two_nodes: TwoNodes, tmp_path: Path, first: str
):
    one, two = tmp_path / "one", tmp_path / "two"
    study(Costly(), n=30).run(one)
    engines = [two_nodes.address, ""] if first == "cluster" else ["", two_nodes.address]
    begun = _started(two, engines[0], seconds=0.2, n=30)
    _wait_for_lines(two, 4, begun)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.communicate()
    had = kept(two)
    goes_on = _started(two, engines[1], seconds=0.0, n=30)
    _, err = goes_on.communicate()
    assert (goes_on.returncode, err) == (0, "")
    assert 4 <= len(had) < 60
    assert set(had) < set(kept(two))
    assert kept(two) == kept(one)


def test_a_cluster_in_use_by_others_is_waited_for_and_one_free_processor_is_enough(
    two_nodes: TwoNodes, tmp_path: Path
):
    one, two = tmp_path / "one", tmp_path / "two"
    study(Costly(), n=4).run(one)
    others = subprocess.Popen(
        [sys.executable, "-c", BUSY, two_nodes.address], env={**os.environ, **TOKEN}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert others.stdin is not None
    assert others.stdout is not None
    try:
        assert others.stdout.readline() == "all in use\n"
        with ended_if_it_hangs(240):
            running = _started(two, two_nodes.address, seconds=0, n=4, run=TOLD)
            assert running.stderr is not None
            assert running.stderr.readline().startswith(
                "the Ray cluster has no free processor: others use all 2"
            )
            print(file=others.stdin, flush=True)  # one of them is free now
            out, err = running.communicate()
        assert "1 of 2 workers have begun" in err
        assert others.poll() is None
        assert (running.returncode, out[:20]) == (0, "8 conversations held"), err
        assert kept(two) == kept(one)
    finally:
        others.kill()
        others.communicate()


def test_a_cluster_without_processors_is_a_failure_in_one_line(tmp_path_factory: pytest.TempPathFactory):
    folder, port = tmp_path_factory.mktemp("r"), free_port()
    head = ["--head", "--node-ip-address", "127.0.0.1", "--port", str(port), "--temp-dir", str(folder)]
    node = Node(folder / "head", TOKEN, *head, "--include-dashboard", "false", processors=0)
    try:
        wait_for_nodes(f"127.0.0.1:{port}", [node])
        with ended_if_it_hangs(240):
            _, err = _started(folder / "run", f"127.0.0.1:{port}", seconds=0, n=2).communicate()
    finally:
        node.kill()
    assert err.splitlines()[-1].endswith(
        "no node of the Ray cluster has a processor that takes work: start one with ray start --num-cpus 1 or more"
    )


def test_a_token_that_is_wrong_is_a_failure_in_one_line(two_nodes: TwoNodes, tmp_path: Path):
    wrong = {**TOKEN, "RAY_AUTH_TOKEN": "b" * 64}
    _, err = _started(tmp_path / "run", two_nodes.address, seconds=0, n=2, token=wrong).communicate()
    last = err.splitlines()[-1]
    assert last.startswith("convsim.errors.ConvsimError: --address")
    assert "the token is refused" in last
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("annotator", ["rules", "deadly"])
def test_a_cluster_labels_as_this_process_does_also_where_one_of_its_processes_is_killed(
    two_nodes: TwoNodes, tmp_path: Path, annotator: str
):
    study(Costly(), n=20).run(tmp_path / "run")
    script = tmp_path / "label.py"
    script.write_text(LABEL, encoding="utf-8")
    for name, address in (("here.jsonl", ""), ("there.jsonl", two_nodes.address)):
        killing = str(tmp_path) if address else ""
        done = subprocess.run(
            [sys.executable, str(script), str(tmp_path / "run"), str(tmp_path / name), address, annotator, killing],
            env={**os.environ, **TOKEN, "PYTHONPATH": str(REPOSITORY)}, cwd=REPOSITORY, capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "here.jsonl").read_bytes() == (tmp_path / "there.jsonl").read_bytes()
    assert (tmp_path / "labelled").exists() == (annotator == "deadly")


def test_what_a_node_had_in_flight_when_it_was_killed_is_held_on_the_other(
    two_nodes: TwoNodes, tmp_path: Path
):
    one, two = tmp_path / "one", tmp_path / "two"
    study(Costly(), n=40).run(one)
    running = _started(two, two_nodes.address, seconds=0.3, n=40)
    _wait_for_lines(two, 6, running)
    two_nodes.nodes[1].kill()
    out, _ = running.communicate()
    assert running.returncode == 0
    assert out.startswith("80 conversations held")
    assert out.rstrip().endswith("0 failed")
    assert kept(two) == kept(one)
