"""Bounds on what a simulator may take: which keep within them, which do not, and of which it is not known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from convsim._text import shown
from convsim.errors import InputError
from convsim.evaluation.cost import Cost
from convsim.evaluation.spending import RunUse
from convsim.schema.record import Number, Record, Text

Bound = Literal["latency_p50", "latency_p90", "latency_p99", "usd", "wh"]
UNITS: dict[Bound, str] = {
    "latency_p50": "s", "latency_p90": "s", "latency_p99": "s", "usd": "US dollars", "wh": "Wh",
}  # fmt: skip
"""Latency is of a user message, waits and tries included; money and energy are of a conversation."""
NUMBER = re.compile(
    r"(?P<dollar>\$?)(?P<number>\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})\s?(?P<unit>ms|s|wh|usd)?", re.IGNORECASE
)
TAKEN = {"latency": ("ms", "s"), "usd": ("usd",), "wh": ("wh",)}
OF: dict[Bound, str] = {
    "latency_p50": "a user message", "latency_p90": "a user message", "latency_p99": "a user message",
    "usd": "a conversation", "wh": "a conversation",
}  # fmt: skip
NO_RUN = (
    "no run folder says what its models were asked: name the folder that simulate wrote (earlier versions of convsim "
    "wrote no measures there)"
)


class Budget(Record):
    """One bound that simulators are to keep within."""

    bound: Bound
    most: Number

    @classmethod
    def read(cls, said: str) -> Budget:
        """Read ``NAME=NUMBER``, such as ``latency_p90=1.5s``, ``latency_p50=800ms``, ``usd=0.02`` or ``wh=0.5``.

        Raises:
            InputError: Not of that form, or a bound that there is not.
        """
        name, _, number = said.partition("=")
        found = NUMBER.fullmatch(number.strip())
        bound = next((each for each in UNITS if each == name.strip()), None)
        if bound is None:
            raise InputError(
                f"--budget {shown(said)}: expected NAME=NUMBER, such as latency_p90=1.5s, where NAME is one of "
                f"{', '.join(UNITS)}"
            )
        if found is None:
            raise InputError(
                f"--budget {shown(said)}: {shown(number.strip())} is no number of {UNITS[bound]} from 0, such as 1.5"
            )
        unit = (found["unit"] or "").lower() or ("usd" if found["dollar"] else "")
        if (unit and unit not in TAKEN[bound.partition("_")[0]]) or (found["dollar"] and bound != "usd"):
            raise InputError(f"--budget {shown(said)}: {bound} is in {UNITS[bound]}")
        return cls(bound=bound, most=float(found["number"]) * (0.001 if unit == "ms" else 1.0))

    def __str__(self) -> str:
        return f"{self.bound} {self.most:g} {UNITS[self.bound]}"


class WithinBudget(Record):
    """Whether a simulator keeps within all bounds; unknown where it breaks none that is known, and one is not known."""

    state: Literal["within", "over", "unknown"]
    reason: Text = ""
    """Which bounds are broken and by what, and what is not known."""


def budgets_of(said: Sequence[str | Budget]) -> tuple[Budget, ...]:
    """Read bounds, each once; raises InputError for one that cannot be read or stands twice."""
    budgets = tuple(each if isinstance(each, Budget) else Budget.read(each) for each in said)
    bounds = [each.bound for each in budgets]
    if twice := next((bound for bound in bounds if bounds.count(bound) > 1), None):
        raise InputError(f"--budget: {twice} is given twice; give each bound once")
    return budgets


def within(budgets: Sequence[Budget], cost: Cost, run: RunUse | None) -> WithinBudget | None:
    """Hold a simulator against bounds; None where there are none. A bound of which nothing is known breaks nothing."""
    if not budgets:
        return None
    over: list[str] = []
    why_unknown: dict[str, list[Bound]] = {}
    for each in budgets:
        value, why = _measured(each.bound, cost, run)
        if value is None:
            why_unknown.setdefault(why, []).append(each.bound)
        elif value > each.most:
            over.append(
                f"{each.bound} is {value:.3g} {UNITS[each.bound]} {OF[each.bound]}, over {each.most:g}"
            )
    unknown = [
        f"{', '.join(bounds)} {'is' if len(bounds) == 1 else 'are'} not known: {why}"
        for why, bounds in why_unknown.items()
    ]
    if over:
        return WithinBudget(state="over", reason="; ".join([*over, *unknown]))
    return WithinBudget(state="unknown" if unknown else "within", reason="; ".join(unknown))


def _measured(bound: Bound, cost: Cost, run: RunUse | None) -> tuple[float | None, str]:
    """Return what a simulator takes of what is bounded, or why that is not known."""
    if bound == "usd":
        return cost.cost_usd, cost.reasons.get("cost_usd", "")
    if run is None:
        return None, NO_RUN
    if bound == "wh":
        is_whole = run.energy_wh is not None and run.conversations > 0
        why = run.energy_reason or "the machine tells no energy"
        return (run.energy_wh or 0.0) / run.conversations if is_whole else None, why
    latency = {
        "latency_p50": run.message_p50_s, "latency_p90": run.message_p90_s, "latency_p99": run.message_p99_s,
    }  # fmt: skip
    return latency[bound], "its run measured no message"
