"""Pieces of a computation as tasks of a Ray cluster: what a worker or a node loses there is done again."""

from __future__ import annotations

import pickle
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from convsim._async import stop_if_left
from convsim._cluster import cluster
from convsim._exporting import Trace, going_on, trace_here
from convsim._loggers import logger_of
from convsim._progress import step
from convsim._said_elsewhere import Said, level_here, noted, say_again
from convsim._text import one_line
from convsim.errors import ConvsimError, InputError
from convsim.stats.tasks import spreading

LOG = logger_of("convsim.cluster")
ENGINES = ("local", "ray")
RETRIES = 3
"""How often a piece whose worker or node is lost is done again."""
ASKS_EVERY_S = 0.5
"""How often it is asked meanwhile whether anybody still waits for what is computed."""
HELD = 4
"""As many shared things a worker keeps; one of them are both sides, which every validator asks for."""


@contextmanager
def on_engine(engine: str, address: str | None = None) -> Iterator[None]:
    """Compute what is computed within on this machine, or in tasks of a Ray cluster; the results are the same.

    Args:
        engine: "local" or "ray".
        address: ``HOST:PORT`` of a Ray cluster that this machine has joined; without one, one is started here.

    Raises:
        InputError: There is no such engine, or an address without Ray.
        MissingExtraError: Ray is not installed.
        ConvsimError: No cluster answers at the address, or its nodes have another convsim.
    """
    if engine not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, but is {engine!r}")
    if engine == "local":
        if address is not None:
            raise InputError(f"the address {address!r} is of a Ray cluster: it needs --engine ray")
        yield
        return
    with ExitStack() as entered:
        with step("joining the Ray cluster" if address else "starting Ray on this machine"):
            ray = entered.enter_context(cluster(address))
        processors = int(ray.cluster_resources().get("CPU", 1))
        entered.enter_context(spreading(OnRay(ray, at_once=max(1, processors))))
        yield


class Here(NamedTuple):
    """What a worker has to know of the process that asks it."""

    threads: Mapping[str, int]
    """Of libraries, by kind."""
    level: int
    """From which on its logs are heard."""
    at_once: int
    """How many pieces of a computation are asked for at a time."""
    trace: Trace | None
    """The trace that its spans belong to."""


class Returned(NamedTuple):
    """What a piece's function returned, and what was logged meanwhile."""

    result: object
    said: Sequence[Said]


class Raised(NamedTuple):
    """What it raised, and what was logged before."""

    error: Exception
    said: Sequence[Said]


class Unread(NamedTuple):
    """Why a piece, or what came of it, could not be sent: it is done by whoever asked."""

    reason: str


class OnRay:
    """Does pieces as tasks of Ray."""

    def __init__(self, ray: ModuleType, *, at_once: int) -> None:
        """Use a connected Ray; at most ``at_once`` pieces of a computation are with it at a time."""
        self._ray, self._at_once = ray, at_once

    def __call__(
        self, function: Callable[[Any, Any], Any], pieces: Sequence[Any], shared: Any
    ) -> Iterator[tuple[int, Any]]:
        """Yield the place and the result of each piece as it ends; what cannot be sent is done here.

        Raises:
            ConvsimError: The workers of a piece were lost time and again.
        """
        ray, here = self._ray, Here(_threads(), level_here(), self._at_once, trace_here())
        try:
            held = ray.put(_packed(shared))
        except Exception as error:  # whatever an object of somebody says to being sent
            LOG.warning("this is computed here and not by Ray: %s", one_line(error)[:300])
            yield from ((place, function(shared, piece)) for place, piece in enumerate(pieces))
            return
        work = ray.remote(num_cpus=1, max_retries=RETRIES, retry_exceptions=False)(_work)
        waiting, running = deque(enumerate(pieces)), dict[Any, int]()
        unread = deque[int]()
        try:
            while waiting or running or unread:
                while waiting and len(running) < self._at_once:
                    place, piece = waiting.popleft()
                    try:
                        running[work.remote(_packed((function, piece)), [held], here)] = place
                    except Exception as error:  # as above
                        _say_here(piece, one_line(error))
                        unread.append(place)
                if unread:
                    place = unread.popleft()
                    yield place, function(shared, pieces[place])
                    continue
                stop_if_left()
                for done in ray.wait([*running], num_returns=1, timeout=ASKS_EVERY_S)[0]:
                    place = running.pop(done)
                    answer = self._answer(done, pieces[place])
                    if isinstance(answer, Unread):
                        _say_here(pieces[place], answer.reason)
                        unread.append(place)
                        continue
                    say_again(answer.said)
                    if isinstance(answer, Raised):
                        raise answer.error
                    yield place, answer.result
        finally:
            for task in running:
                ray.cancel(task, force=True, recursive=True)

    def _answer(self, task: Any, piece: object) -> Returned | Raised | Unread:
        try:
            answer: Returned | Raised | Unread = _unpacked(self._ray.get(task))
        except self._ray.exceptions.RayError as error:
            raise ConvsimError(
                f"Ray lost the worker of {_named(piece)} {1 + RETRIES} times, or ended it: {one_line(error)[:300]}"
            ) from error
        return answer


def _work(sent: bytes, held: Sequence[Any], asker: Here) -> bytes:
    """Do one piece in a worker, with as many threads of libraries as where it was asked: sums depend on that.

    Pieces of the piece are tasks, too. While it waits for them Ray gives its processor to them, so that they get one
    even where there is no other.
    """
    import ray
    import scipy.linalg  # noqa: F401  (what is loaded later would not be limited)
    import sklearn.utils  # noqa: F401
    from threadpoolctl import threadpool_limits

    answer: Returned | Raised | Unread
    try:
        function, piece = _unpacked(sent)
        shared = _held(held[0])
    except Exception as error:  # a module that this node lacks, or whatever somebody's object says
        return pickle.dumps(Unread(one_line(error)))
    with threadpool_limits(dict(asker.threads)), noted(asker.level) as said:
        try:
            with going_on(asker.trace), spreading(OnRay(ray, at_once=asker.at_once)):
                answer = Returned(function(shared, piece), said)
        except Exception as error:
            answer = Raised(error, said)
    try:
        packed = _packed(answer)
        if isinstance(answer, Raised):
            _unpacked(packed)  # an exception may be written and not be read again
    except Exception as error:
        return pickle.dumps(Unread(one_line(error)))
    return packed


_of_worker: OrderedDict[str, Any] = OrderedDict()
"""What this process has unpacked last, by its name in the cluster's store."""


def _held(reference: Any) -> Any:
    """Return what is shared, unpacked once a process: arrays as they are here, which may be written to."""
    import ray

    name = reference.hex()
    if name not in _of_worker:
        _of_worker[name] = _unpacked(ray.get(reference))
        while len(_of_worker) > HELD:
            _of_worker.popitem(last=False)
    _of_worker.move_to_end(name)
    return _of_worker[name]


def _packed(thing: object) -> bytes:
    """Write anything, functions of notebooks too, as bytes."""
    from ray import cloudpickle

    packed: bytes = cloudpickle.dumps(thing, pickle.HIGHEST_PROTOCOL)  # type: ignore[no-untyped-call]
    return packed


def _unpacked(packed: bytes) -> Any:
    """Read what ``_packed`` wrote in another process of ours; who can write into the cluster runs code there anyway."""
    return pickle.loads(packed)  # noqa: S301


def _threads() -> dict[str, int]:
    """How many threads the libraries of linear algebra and of OpenMP use here, by kind."""
    import scipy.linalg  # noqa: F401  (so that its threads are there to be counted)
    import sklearn.utils  # noqa: F401
    from threadpoolctl import threadpool_info

    found: dict[str, int] = {}
    for library in threadpool_info():
        kind = str(library["user_api"])
        found[kind] = max(found.get(kind, 1), int(library["num_threads"]))
    return found


def _named(piece: object) -> str:
    return f"the validator {one_line(piece.name)}" if hasattr(piece, "name") else "a part of the work"


def _say_here(piece: object, reason: str) -> None:
    LOG.info("%s is computed where it was asked and not by a worker of Ray: %s", _named(piece), reason[:300])
