"""What a worker on a Ray cluster makes of Ray's own failures; a stand-in for Ray, which need not be installed."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from convsim.simulation.holding import Broken, LostError
from convsim.simulation.on_ray import FULL, RayWorker


class RayError(Exception):
    pass


class OutOfDiskError(RayError):
    pass


class ObjectStoreFullError(RayError):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception):
        self.cause = cause


def worker(raised: Exception) -> RayWorker:
    class Actor:
        class hold:  # noqa: N801, as an actor's methods are called
            @staticmethod
            async def remote(argument: object) -> Any:
                raise raised

    made = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=Actor))
    errors = SimpleNamespace(
        RayError=RayError, RayTaskError=RayTaskError, OutOfDiskError=OutOfDiskError,
        ObjectStoreFullError=ObjectStoreFullError,
    )  # fmt: skip
    return RayWorker(cast(ModuleType, SimpleNamespace(remote=lambda _: made, exceptions=errors)), share=1)


@pytest.mark.parametrize("cause", [OutOfDiskError("95 %"), ObjectStoreFullError("80 MB")])
async def test_a_full_object_store_is_said_in_one_line(cause: Exception) -> None:
    assert await worker(RayTaskError(cause)).ask("hold", None) == Broken(FULL)
    assert "\n" not in FULL


async def test_a_mistake_of_a_worker_and_a_worker_that_is_lost_are_told_apart() -> None:
    found = await worker(RayTaskError(ValueError("odd"))).ask("hold", None)
    assert isinstance(found, Broken)
    assert "odd" in found.why
    with pytest.raises(LostError, match="its node has gone"):
        await worker(RayError("its node has gone")).ask("hold", None)
