"""Tries again what may pass: a request that came too early, a server that is starting anew, a failure of the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TypeVar

from convsim._async import clocks_stopped
from convsim._loggers import logger_of
from convsim._progress import innermost, kind_of
from convsim._secrets import without_keys
from convsim.errors import TIMED_OUT, ConvsimError, ModelError
from convsim.models.failures import BUSY, PassingError
from convsim.models.gates import Gate
from convsim.seeds import child_seed

LOG = logger_of(__name__)
FIRST_WAIT_S = 0.5
LONGEST_BACK_OFF_S = 8.0
MAX_WAIT_S = 120.0
"""The longest wait that a server may ask for, where nothing else is said."""
PATIENCE = 20
"""How often, for each retry, a request may come too early to an endpoint that answers others."""
OUTAGE_S = 120.0
"""For how long an endpoint that has answered before may answer nobody without that being counted as failed tries."""
EACH_ANSWER = 32
"""Tokens that the beginning of any answer is worth, in time."""
Result = TypeVar("Result")
_waits_out: ContextVar[bool] = ContextVar(
    "whether an endpoint that may come back is waited for", default=True
)


@contextmanager
def not_waiting_out() -> Iterator[None]:
    """Let requests within it not wait for an endpoint that may come back: somebody else can be asked."""
    token = _waits_out.set(False)
    try:
        yield
    finally:
        _waits_out.reset(token)


async def with_retries(
    call: Callable[[], Awaitable[Result]],
    *,
    gate: Gate,
    waits: Callable[[], None] = lambda: None,
    max_retries: int,
    seed: int,
    max_wait_s: float = MAX_WAIT_S,
) -> Result:
    """Await ``call`` up to ``max_retries`` + 1 times; the jitter of the waits is drawn from ``seed``.

    Each try waits for its turn at ``gate``; ``waits`` is told of each that begins to wait. These do not count: one that
    is pushed back while the endpoint answers others, since it only came too early; and, where there may be retries at
    all, one that finds nobody there in the first ``OUTAGE_S`` seconds in which an endpoint that has answered before
    answers nobody, since it may be starting anew. Where it has never answered, or not for so long, what it pushes back
    of others counts, too: they wait for each other, and each would find out by itself.

    Raises:
        ModelError: The last failure, with the number of tries; or the server asks for too long a wait.
    """
    tries = counted = 0
    answered, failed = gate.answered, None
    enough = max(max_retries, gate.barren)

    def is_dead() -> bool:
        is_out = not gate.answered or (gate.silent_s or 0.0) >= OUTAGE_S
        return is_out and gate.barren > enough

    while True:
        waits()
        place = await gate.enter(is_dead)
        if place is None:
            raise _given_up(failed, gate, tries) from failed
        tries += 1
        try:
            result = await call()
        except PassingError as error:
            failed = error
        except BaseException as error:
            if isinstance(error, ConvsimError) and error.kind == TIMED_OUT:
                place.pushed_back(TIMED_OUT, asked_s=None, least_s=0.0)
            else:
                place.failed()
            raise
        else:
            place.answered(_units_of(result))
            return result
        is_busy = failed.kind in BUSY
        is_too_long = failed.wait_s is not None and failed.wait_s > max_wait_s
        if is_busy:
            asked_s = None if is_too_long else failed.wait_s or None
            place.pushed_back(failed.kind, asked_s=asked_s, least_s=FIRST_WAIT_S)
        elif failed.kind == TIMED_OUT:
            place.pushed_back(TIMED_OUT, asked_s=None, least_s=0.0)
        elif failed.is_away:
            place.found_nobody()
        else:
            place.failed()
        is_only_early = is_busy and gate.answered > answered
        answered = gate.answered
        may_pass = is_only_early or (failed.is_away and _may_come_back(gate))
        counted += not (may_pass and tries - counted <= PATIENCE * max_retries)
        if counted > max_retries or (is_busy and is_dead()):
            raise _given_up(failed, gate, tries) from failed
        if is_too_long:
            raise ModelError(
                f"{failed}; it asks to wait {failed.wait_s:.0f} s, longer than max_wait_s = {max_wait_s:g} "
                "(--max-wait)"
            ) from failed
        # "At once" is what a server that has too much to do cannot mean.
        wait_s = failed.wait_s or back_off(tries, seed=seed)
        _tell_of_retry(failed, wait_s, counted, max_retries)
        with clocks_stopped() if is_busy else nullcontext():
            await asyncio.sleep(wait_s)


def _may_come_back(gate: Gate) -> bool:
    """Tell whether an endpoint that has answered before has answered nobody for less than an outage may last."""
    silent_s = gate.silent_s
    return gate.answered > 0 and _waits_out.get() and silent_s is not None and silent_s < OUTAGE_S


def _given_up(failed: PassingError | None, gate: Gate, tries: int) -> ModelError:
    if failed is None and gate.answered:
        return ModelError(
            f"{without_keys(gate.address)} has answered nobody for {gate.silent_s or 0.0:.0f} s, and pushed back with "
            f"{gate.why_pushed_back}"
        )
    if failed is None:
        return ModelError(
            f"{without_keys(gate.address)} has answered nobody, and pushed back {gate.pace.pushed_back} requests, the "
            f"last with {gate.why_pushed_back}"
        )
    return ModelError(f"{failed} (tried {_times(tries)})")


def _units_of(result: object) -> float:
    """Return how much was answered, in tokens or what may be as many, and what any answer takes."""
    tokens = getattr(result, "output_tokens", None)
    said = getattr(result, "text", None) or getattr(result, "body", None) or ""
    return EACH_ANSWER + (tokens if isinstance(tokens, int) else len(said) / 4)


def _tell_of_retry(error: PassingError, wait_s: float, counted: int, max_retries: int) -> None:
    said = f"{error}; trying again in {wait_s:.1f} s (try {counted + 1} of {max_retries + 1})"
    if (at := innermost()) is not None:
        at.retry(said, LOG, kind=kind_of(str(error)), tries=counted, wait_s=round(wait_s, 3))
    else:
        LOG.info("%s", said, extra={"fields": {"tries": counted, "wait_s": round(wait_s, 3)}})


def back_off(tries: int, *, seed: int) -> float:
    """Return the seconds to wait after ``tries`` failures: doubling, with jitter down to one half."""
    longest = min(FIRST_WAIT_S * 2.0 ** min(tries - 1, 30), LONGEST_BACK_OFF_S)
    jitter = child_seed(seed, "back-off", tries) / 2**63
    return longest * (0.5 + jitter / 2)


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"
