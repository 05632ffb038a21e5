"""A Ray cluster: the one at an address, or one on this machine alone for as long as the work takes."""

from __future__ import annotations

import importlib.util
import logging
import os
import platform
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from convsim._loggers import logger_of
from convsim._text import one_line
from convsim.errors import ConvsimError, InputError, MissingExtraError

if TYPE_CHECKING:
    from types import ModuleType

LOG = logger_of("convsim.cluster")
ANSWERS_WITHIN_S = 5.0
"""How long an address may take to take a connection."""
JOINS_WITHIN_S = 60.0
"""How long a cluster may take to take this process in; Ray itself gives up on a wrong token after 20 s."""
NODE_WITHIN_S = 120.0
"""How long a node may take to say which convsim it has: it starts Python for that."""
STARTS, TOO_LATE = 3, "timed out during startup"
"""How often a cluster is started here where Ray says this: it gives itself 30 s, which a busy machine may need."""
LOOKS, LOOKS_EVERY_S = 10, 0.2
"""How often it is looked for a free processor before it is said that there is none: ends are told late."""
OWN_STORE_BYTES = 100 << 20
"""Of a cluster on this machine alone: what is sent is small."""
SWITCHES = {"RAY_USAGE_STATS_ENABLED": "0"}
"""Ray reports nothing to its makers while we use it."""
TOKEN = "each machine needs the cluster's token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN as on its first machine"


@contextmanager
def cluster(address: str | None = None, *, cpus: int | None = None) -> Iterator[ModuleType]:
    """Connect to a Ray cluster, and yield Ray; every node has this convsim then.

    Without an address one is started on this machine alone, and stopped in the end. What Ray changes of the
    environment and of signals is put back.

    Args:
        address: ``HOST:PORT`` of the cluster's first machine, as ``ray start`` says it; this one has joined it.
        cpus: Of a cluster on this machine: how many workers it may run at a time; by default as many as processors.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: The address is none, or this process uses Ray already.
        ConvsimError: Nothing answers at the address, it refuses the token, a node has another convsim or none, or none
            has a processor that takes work.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingExtraError("--engine ray", "ray")
    if address is not None:
        _check_answers(address)
    with _put_back():
        os.environ.update(SWITCHES)
        import ray

        if ray.is_initialized():
            raise InputError(
                "--engine ray: this process is connected to a Ray cluster already: ray.shutdown() ends that"
            )
        try:
            _join(ray, address, cpus)
            _check_processors(ray)
            check_nodes(ray)
            _say_if_busy(ray)
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def _put_back() -> Iterator[None]:
    """Put back what Ray changes of this process: its own variables, and what SIGTERM does."""
    before = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    is_main = threading.current_thread() is threading.main_thread()
    on_term = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("RAY_")]:
            del os.environ[name]
        os.environ.update(before)
        if is_main and on_term is not None:
            signal.signal(signal.SIGTERM, on_term)


def _check_answers(address: str) -> None:
    """Check that something listens at an address: Ray itself would wait for minutes, and then end the process."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise InputError(
            f"--address must be HOST:PORT, as `ray start --head` says it, but is {one_line(address)!r}"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWERS_WITHIN_S).close()
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise ConvsimError(
            f"--address {address}: no Ray cluster answers there ({one_line(why)}); start one with: ray start --head"
        ) from error


def _join(ray: ModuleType, address: str | None, cpus: int | None) -> None:
    settings: dict[str, Any] = {
        "address": address or "local", "log_to_driver": False, "logging_level": logging.ERROR
    }  # fmt: skip
    if address is None:
        settings |= {"num_cpus": cpus, "include_dashboard": False, "object_store_memory": OWN_STORE_BYTES}
    raised: list[BaseException] = []
    named = f"--address {address}" if address else "--engine ray"

    def join() -> None:
        try:
            ray.init(**settings)
        except BaseException as error:  # SystemExit, too
            raised.append(error)

    if address is None:
        for _ in range(STARTS):
            raised.clear()
            join()
            if not raised or TOO_LATE not in str(raised[0]):
                break
            ray.shutdown()
    else:
        joining = threading.Thread(target=join, name="convsim-ray", daemon=True)
        with _hushed():
            joining.start()
            joining.join(JOINS_WITHIN_S)
        if joining.is_alive():
            raise ConvsimError(
                f"{named}: the Ray cluster did not take this process in within {JOINS_WITHIN_S:.0f} s"
            )
    if not raised:
        return
    error = raised[0]
    said = one_line(error)[:300]
    if isinstance(error, KeyboardInterrupt):
        raise error
    if isinstance(error, RuntimeError) and "ersion mismatch" in said:
        raise ConvsimError(f"{named}: the cluster has another Ray or Python: {said}") from error
    if address is not None and isinstance(error, ConnectionError):
        raise ConvsimError(
            f"{named}: the Ray cluster does not take this process in: it is no node of it (ray start --address joins), "
            f"or the token is refused: {TOKEN} ({said})"
        ) from error
    raise ConvsimError(f"{named}: Ray could not be started: {type(error).__name__}: {said}") from error


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep what Ray's own library writes to stderr, a line a second where a token is refused, from being seen."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (on Windows it is no path)
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def free_processors(ray: ModuleType) -> int:
    """Return how many processors of the cluster nobody uses."""
    return int(ray.available_resources().get("CPU", 0))


def _check_processors(ray: ModuleType) -> None:
    if not ray.cluster_resources().get("CPU", 0):
        raise ConvsimError(
            "no node of the Ray cluster has a processor that takes work: start one with ray start --num-cpus 1 or more"
        )


def _say_if_busy(ray: ModuleType) -> None:
    """Say so where others use all processors: the work waits then."""
    for _ in range(LOOKS):
        if free_processors(ray):
            return
        time.sleep(LOOKS_EVERY_S)
    LOG.warning(
        "the Ray cluster has no free processor: others use all %.0f; the work begins when one is free",
        ray.cluster_resources().get("CPU", 0),
    )


def _versions() -> tuple[str, str]:
    """Return which convsim and Python there are."""
    return version("convsim"), ".".join(platform.python_version_tuple()[:2])


def check_nodes(ray: ModuleType) -> None:
    """Check that every node of the cluster that takes work has the convsim and the Python that this process has.

    Raises:
        ConvsimError: One has not, or does not answer.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(num_cpus=0, max_retries=0)(_versions)
    asked = [  # by node, of which one machine may have several
        (
            node["NodeManagerAddress"],
            ask.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(),
        )
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU", 0)
    ]
    here = _versions()
    for name, answer in asked:
        try:
            found = ray.get(answer, timeout=NODE_WITHIN_S)
        except ray.exceptions.GetTimeoutError:
            raise ConvsimError(
                f"the node {name} of the Ray cluster did not answer within {NODE_WITHIN_S:.0f} s"
            ) from None
        except ray.exceptions.RayError as error:
            missing = "No module named 'convsim" in str(error)
            why = (
                "has no convsim: install it there"
                if missing
                else f"cannot run convsim: {one_line(error)[-300:]}"
            )
            raise ConvsimError(f"the node {name} of the Ray cluster {why}") from error
        if found != here:
            raise ConvsimError(
                f"the node {name} of the Ray cluster has convsim {found[0]} on Python {found[1]}, and this process "
                f"convsim {here[0]} on Python {here[1]}: install the same on each"
            )
