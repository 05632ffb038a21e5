"""How many requests an endpoint takes at a time: found by what it does with a few more, or a few less."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

START = 8
"""Requests at a time before anything is known: what a laptop's server takes, and a paid one shrugs at."""
MOST = 256
FAST, FINE = 1.5, 1.2
"""By how much a trial is larger: before an endpoint has shown any bound, and after."""
WORTH = 0.3
"""Of what a larger number promises, the share of throughput that must come true; a lower one may lose so much."""
DECREASE = 0.7
"""What is left of the limit after an endpoint has pushed back."""
FULL = 0.8
"""Of the limit: with fewer requests in flight on average nothing is learned of it."""
TOLERANCE = 4.0
"""By how much the time of a unit may be longer than its least for a larger number to be tried."""
CHANGED = 1.7
"""By how much the time of a unit differs where the endpoint itself has become slower or faster."""
AGES = 1.02
"""By how much the least time of a unit grows with each measurement: what was long ago counts no more."""
FIRST_REST, LONGEST_REST = 2, 32
"""Measurements between a trial that failed and the next."""
FIRST_WALL_S, LONGEST_WALL_S = 60.0, 900.0
"""How long a number that was pushed back is not tried again."""
LONGEST_PAUSE_S = 8.0
"""Of a pause that the endpoint has not asked for."""


@dataclass
class _Measured:
    """What came of one limit: requests in flight on average, and seconds for each unit of an answer."""

    in_flight: float
    unit_s: float

    @property
    def throughput(self) -> float:
        """Units a second, by Little's law."""
        return self.in_flight / self.unit_s


@dataclass
class Pace:
    """The limit of one endpoint, as its answers make it; times are seconds of any clock that only moves on.

    The limit grows while throughput grows with it: by half at first, then in small steps. A step that brings less than
    ``WORTH`` of what it promises is taken back, and tried again later; in between a smaller limit is tried, and kept if
    nearly as much comes of it: the others were only waiting there. What is measured is the time of a unit of output, so
    that long answers do not look like a slow server. A push-back (429, 503, a time-out) takes the limit down to
    ``DECREASE`` of what was in flight, once for all requests that were on their way, and what was pushed back is not
    tried again for a while.

    Source: additive increase and multiplicative decrease as in RFC 5681; the comparison of throughputs after
    TCP Vegas (Brakmo and Peterson, 1995).
    """

    limit: int = START
    most: int = MOST
    on_change: Callable[[str], None] = field(default=lambda why: None, repr=False)
    in_flight: int = field(init=False, default=0)
    highest: int = field(init=False)
    paused_until: float = field(init=False, default=-math.inf)
    pushed_back: int = field(init=False, default=0)
    """Answers that pushed back."""
    answered: int = field(init=False, default=0)
    barren: int = field(init=False, default=0)
    """Push-backs in a row without an answer between; those of requests that were on their way at once are one."""

    def __post_init__(self) -> None:
        self.limit = max(1, min(self.limit, self.most))
        self.highest = self.limit
        self._begun_after = -math.inf  # requests that began earlier were under another limit
        self._open = math.inf  # when the first that began under this limit came back
        self._is_fast = True
        self._base: _Measured | None = None
        self._base_limit: int | None = None  # of a trial: what is gone back to
        self._least = math.inf
        self._rest, self._next_rest = 0, FIRST_REST
        self._failed_up = False
        self._wall, self._wall_until, self._wall_s = math.inf, -math.inf, FIRST_WALL_S
        self._episode_from = -math.inf
        self._answered_before = 0
        self._silent_from, self._answered_by_then = math.inf, -1
        self._n = 0
        self._seconds = self._units = 0.0
        self._area, self._seen = 0.0, 0.0

    def was_silent(self, now: float) -> None:
        """Learn that a request found nobody who answers it."""
        if self.answered != self._answered_by_then:
            self._silent_from, self._answered_by_then = now, self.answered

    def silent_s(self, now: float) -> float | None:
        """Return for how long nobody has been answered who asked; None where whoever came last was."""
        return now - self._silent_from if self.answered == self._answered_by_then else None

    def begin(self, now: float) -> None:
        """Count a request in."""
        self._area += self.in_flight * (now - self._seen)
        self._seen = now
        self.in_flight += 1

    def end(self, now: float) -> None:
        """Count a request out, however it has ended."""
        self._area += self.in_flight * (now - self._seen)
        self._seen = now
        self.in_flight -= 1

    def has_answered(self, begun: float, now: float, units: float, *, adapts: bool = True) -> None:
        """Learn of an answer to a request that began at ``begun``; without ``adapts`` the limit bound nobody.

        It is called before ``end``.
        """
        self.answered += 1
        if not adapts or begun < self._begun_after:
            return
        if begun < self._open:
            if self._open == math.inf:
                self._measure_from(now)
            return
        self._n += 1
        self._seconds += now - begun
        self._units += units
        if self._n >= self.limit + START:
            self._look(now)

    def was_pushed_back(
        self,
        begun: float,
        now: float,
        *,
        asked_s: float | None = None,
        least_s: float = 0.0,
        why: str,
        adapts: bool = True,
    ) -> None:
        """Learn that an endpoint pushed a request back.

        Args:
            begun: When it began.
            now: When it was pushed back; before ``end``.
            asked_s: How long the endpoint asks to wait; all requests to it do.
            least_s: The shortest pause where nothing is asked and the endpoint answers nobody; it doubles.
            why: For the log.
            adapts: Without it the limit bound nobody, and stays as it is.
        """
        self.pushed_back += 1
        self.was_silent(now)
        if asked_s is not None:
            self.paused_until = max(self.paused_until, now + asked_s)
        if begun <= self._episode_from:
            # On its way when the limit was lowered; what was taken of that number is what remains.
            if self._wall > self.limit:
                self._wall -= 1
            return
        self._episode_from = now
        self.barren = self.barren + 1 if self.answered == self._answered_before else 0
        self._answered_before = self.answered
        if self.barren and asked_s is None:
            pause = min(least_s * 2.0 ** (self.barren - 1), LONGEST_PAUSE_S)
            self.paused_until = max(self.paused_until, now + pause)
        if adapts:
            self._decrease(now, why)

    def _decrease(self, now: float, why: str) -> None:
        had = min(self.in_flight, self.limit)
        # Near the number that was pushed back before: it is a bound, and worth fewer trials.
        is_known = now < self._wall_until + self._wall_s and had >= DECREASE * self._wall
        self._wall_s = min(2 * self._wall_s, LONGEST_WALL_S) if is_known else FIRST_WALL_S
        self._wall, self._wall_until = had - 1, now + self._wall_s
        self._is_fast, self._base, self._base_limit = False, None, None
        self._rest, self._next_rest = 0, FIRST_REST
        self._to(int(had * DECREASE), now, why)

    def _look(self, now: float) -> None:
        """Decide what one measurement says."""
        passed = now - self._open
        if passed <= 0:  # a clock that stands still between two looks
            return
        found = _Measured(self._area / passed, self._seconds / self._units)
        self._measure_from(now)
        if found.in_flight < FULL * self.limit or found.unit_s <= 0:
            return
        self._least = min(found.unit_s, self._least * AGES)
        if self._base is not None and self._base_limit is not None:
            self._judge(found, self._base, self._base_limit, now)
            return
        if self._base is None:
            self._base = found
        else:
            change = found.unit_s / self._base.unit_s
            if not 1 / CHANGED < change < CHANGED:
                self._base, self._rest, self._next_rest = found, 0, FIRST_REST
                self._failed_up = change > 1
            else:
                self._base.unit_s += 0.3 * (found.unit_s - self._base.unit_s)
                self._base.in_flight += 0.3 * (found.in_flight - self._base.in_flight)
        if self._rest > 0:
            self._rest -= 1
            return
        self._try(now)

    def _judge(self, found: _Measured, base: _Measured, base_limit: int, now: float) -> None:
        """Keep a trial, or go back."""
        promised = found.in_flight / base.in_flight - 1
        came = found.throughput / base.throughput - 1
        goes_up = self.limit > base_limit
        share = came / promised if promised else 0.0
        is_kept = share >= WORTH if goes_up else share <= WORTH
        if is_kept:
            self._base, self._base_limit, self._next_rest = found, None, FIRST_REST
            self._failed_up = False
            if goes_up and share < 2 * WORTH:
                self._is_fast = False
            self._try(now, down=not goes_up)
            return
        self._is_fast, self._base_limit = False, None
        self._rest, self._next_rest = self._next_rest, min(2 * self._next_rest, LONGEST_REST)
        self._failed_up = goes_up
        said = "more brought no more" if goes_up else "fewer brought less"
        self._to(base_limit, now, f"{said}: {came:+.0%} throughput for {promised:+.0%}")

    def _try(self, now: float, *, down: bool | None = None) -> None:
        """Begin a trial: of fewer where answers have become slower, and of more otherwise, in turn."""
        assert self._base is not None
        slower = self._base.unit_s / self._least
        if down is None:
            down = self._failed_up
        factor = FAST if self._is_fast or (down and slower > FAST) else FINE
        if down:
            to, why = min(self.limit - 1, int(self.limit / factor)), "as much may come of them"
        else:
            to, why = max(self.limit + 1, round(self.limit * factor)), "throughput grows"
            if now < self._wall_until:
                to = min(to, math.floor(self._wall))
            if slower > TOLERANCE or to <= self.limit:
                self._failed_up = True
                return
        to = max(1, min(to, self.most))
        if to == self.limit:
            self._failed_up = not down
        else:
            self._base_limit = self.limit
            self._to(to, now, f"trying {'fewer' if down else 'more'}: {why}")

    def _to(self, limit: int, now: float, why: str) -> None:
        before, self.limit = self.limit, max(1, min(limit, self.most))
        self.highest = max(self.highest, self.limit)
        self._begun_after, self._open = now, math.inf
        if self.limit != before:
            self.on_change(why)

    def _measure_from(self, now: float) -> None:
        self._open = now
        self._area, self._seen = 0.0, now
        self._n, self._seconds, self._units = 0, 0.0, 0.0
