"""Ray clusters of several nodes on this machine, with a token: their processes, and how they are ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 64, "RAY_USAGE_STATS_ENABLED": "0"}
REPOSITORY = Path(__file__).parents[2]
STARTS = 3


class Node:
    """A node of a cluster, and the processes that it is."""

    def __init__(self, folder: Path, env: Mapping[str, str], *arguments: str, processors: int = 1):
        self.folder, self._env, self._starts = folder, env, 0
        self._arguments = [*arguments, "--num-cpus", str(processors)]
        self._log = (folder.parent / f"{folder.name}.log").open("wb")
        self.start()

    def start(self) -> None:
        """Start it; again where Ray, which gives itself 30 s for it, has given up on a busy machine."""
        self._starts += 1
        ray = str(Path(sys.executable).with_name("ray"))
        sized = ["--object-store-memory", "100000000", "--disable-usage-stats", "--block"]
        self.process = subprocess.Popen(
            [ray, "start", *self._arguments, *sized], env={**os.environ, **self._env}, cwd=REPOSITORY,
            stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip

    def see(self) -> None:
        """Start it again where it has ended, a few times."""
        if self.process.poll() is not None:
            said = Path(self._log.name).read_text(encoding="utf-8", errors="replace")[-500:]
            assert self._starts < STARTS, f"the node {self.folder.name} ended: {said}"
            self.start()

    def kill(self) -> None:
        """End all its processes at once, as when the machine loses its power."""
        for pid in _session_of(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self._log.close()


def _session_of(leader: int) -> list[int]:
    """Return the processes of a session: those of one node, and of no other."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(int(stat.parent.name))
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class TwoNodes:
    """The first node, which the tests' processes join, and another one, which can be killed or be different."""

    def __init__(self, folder: Path, other: Mapping[str, str] | None = None):
        """Start them; ``other`` are further variables of the second one."""
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        head = ["--head", "--node-ip-address", "127.0.0.1", "--port", str(port), "--temp-dir", str(folder)]
        self.nodes = [Node(folder / "head", TOKEN, *head, "--include-dashboard", "false")]
        try:
            wait_for_nodes(self.address, self.nodes)
            self.nodes.append(Node(folder / "other", {**TOKEN, **(other or {})}, "--address", self.address))
            wait_for_nodes(self.address, self.nodes)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End all processes of both."""
        for node in reversed(self.nodes):
            node.kill()


def wait_for_nodes(address: str, nodes: Sequence[Node]) -> None:
    """Wait until a cluster has all these nodes."""
    asked = (
        f"import ray, sys; ray.init({address!r}, log_to_driver=False);"
        f"sys.exit(sum(node['Alive'] for node in ray.nodes()) < {len(nodes)})"
    )
    for _ in range(60):
        done = subprocess.run([sys.executable, "-c", asked], env={**os.environ, **TOKEN}, capture_output=True)
        if done.returncode == 0:
            return
        for node in nodes:
            node.see()
        time.sleep(0.5)
    raise AssertionError(f"no {len(nodes)} nodes: {done.stderr.decode()[-500:]}")
