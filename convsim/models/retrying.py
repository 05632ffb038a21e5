"""Tries a request again after a failure that may pass: as Retry-After asks, else backing off."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import TypeVar

from convsim.errors import ModelError
from convsim.seeds import child_seed

FIRST_WAIT_S = 0.5
LONGEST_BACK_OFF_S = 8.0
LONGEST_ASKED_WAIT_S = 120.0

Result = TypeVar("Result")


class PassingError(ModelError):
    """A failure that may pass, and how many seconds the server asks to wait, if it does."""

    def __init__(self, reason: str, *, wait_s: float | None = None):
        super().__init__(reason)
        self.wait_s = wait_s


async def with_retries(call: Callable[[], Awaitable[Result]], *, max_retries: int, seed: int) -> Result:
    """Await ``call`` up to ``max_retries`` + 1 times; the jitter of the waits is drawn from ``seed``.

    Raises:
        ModelError: The last failure, with the number of tries; or the server asks for too long a wait.
    """
    for tries in range(1, max_retries + 2):
        try:
            return await call()
        except PassingError as error:
            if tries > max_retries:
                raise ModelError(f"{error} (tried {_times(tries)})") from error
            if error.wait_s is not None and error.wait_s > LONGEST_ASKED_WAIT_S:
                raise ModelError(
                    f"{error}; it asks to wait {error.wait_s:.0f} s, longer than {LONGEST_ASKED_WAIT_S:.0f} s"
                ) from error
            wait_s = back_off(tries, seed=seed) if error.wait_s is None else error.wait_s
        await asyncio.sleep(wait_s)
    raise AssertionError("the loop returns or raises")


def back_off(tries: int, *, seed: int) -> float:
    """Return the seconds to wait after ``tries`` failures: doubling, with jitter down to one half."""
    longest = min(FIRST_WAIT_S * 2.0 ** min(tries - 1, 30), LONGEST_BACK_OFF_S)
    jitter = child_seed(seed, "back-off", tries) / 2**63
    return longest * (0.5 + jitter / 2)


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait from ``retry-after-ms`` or ``retry-after``, a number or a date; None without.

    Source: RFC 9110, section 10.2.3; the milliseconds are OpenAI's own.
    """
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "nan")) / divisor
        except ValueError:
            date = parsedate_tz(headers[name])
            try:
                seconds = mktime_tz(date) - time.time() if date else math.nan
            except (ValueError, OverflowError):
                seconds = math.nan
        if not math.isnan(seconds):
            return max(0.0, seconds)
    return None


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"
