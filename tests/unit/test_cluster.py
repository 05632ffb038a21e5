"""What is said of an address before Ray is asked: Ray itself would wait for minutes, and then end the process."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

import pytest

from convsim._cluster import cluster
from convsim.errors import ConvsimError, InputError, MissingExtraError


@pytest.mark.parametrize("address", ["nowhere", "host:", "host:0", "host:99999", ":6379", "ray://host:10001"])
def test_an_address_that_is_none_is_refused_with_what_it_should_be(address: str):
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=r"--address must be HOST:PORT"), cluster(address):
        pass


def test_an_address_at_which_nothing_listens_is_a_failure_at_once():
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, and it does not listen
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with (
            pytest.raises(
                ConvsimError, match=r"no Ray cluster answers there \(Connection refused\)"
            ) as raised,
            cluster(address),
        ):
            pass
    assert raised.value.exit_code == 3


def _one_processor() -> dict[str, float]:
    return {"CPU": 1.0}


@pytest.mark.parametrize(("late", "starts"), [(0, 1), (1, 2), (9, 3)])
def test_where_ray_starts_too_slowly_on_a_busy_machine_it_is_started_again(
    monkeypatch: pytest.MonkeyPatch, late: int, starts: int
):
    ray = pytest.importorskip("ray")
    started: list[object] = []

    def init(**settings: object) -> None:
        started.append(settings)
        if len(started) <= late:
            raise Exception("The current node timed out during startup. This could happen")

    stand_ins: dict[str, Callable[..., object]] = {
        "init": init, "shutdown": lambda: None, "nodes": list, "cluster_resources": _one_processor,
        "available_resources": _one_processor,
    }  # fmt: skip
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(ray, name, stand_in)
    if late < starts:
        with cluster(cpus=1):
            pass
    else:
        with (
            pytest.raises(ConvsimError, match=r"Ray could not be started: Exception: .* timed out"),
            cluster(),
        ):
            pass
    assert len(started) == starts


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r'--engine ray needs the extra "ray"'), cluster():
        pass
