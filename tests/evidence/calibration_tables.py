"""Says what the rows of ``calibration`` hold: size, and what is decided; power and coverage are beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from statistics import mean
from typing import Any

from convsim.schema import FAILING
from tests.evidence.calibration_coverage import coverage
from tests.evidence.calibration_power import CALIBRATION, power
from tests.evidence.tables import as_table, by, in_how_many, proportion_limits

LEVEL = 0.05
OPEN = ("undecided", "failed")
"""The verdicts that decide nothing."""
Found = dict[str, Any]


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    people = [row for row in rows if row["asked"]["part"] == "people"]
    size = [_size(people)] if people else []
    return "\n\n".join([_INTRO, *size, power(CALIBRATION.read_text(encoding="utf-8")), coverage(rows)])


_INTRO = f"""## Size, power and coverage

Stand-in people, who do not exist and of whom any number can be drawn (`python -m tests.demo_data.crowd`), so that every
card has people of its own and the population's values are known. Cards have the acts and experience that rules find,
and all validators with their common correction. The level is {LEVEL:.2f} a card: a simulator like people may have a
failing finding in one card of twenty."""


def _size(rows: list[dict[str, Any]]) -> str:
    groups = {n: found for (n,), found in sorted(by(rows, "n").items())}
    every = [found for of in groups.values() for found in of]
    names = _validators(every)

    def line(name: str, fails: Callable[[Found], bool], alone: Callable[[Found], bool] | None) -> list[str]:
        told = [in_how_many([fails(found) for found in of]) for of in (*groups.values(), every)]
        return [name, *told, in_how_many([alone(found) for found in every]) if alone else "-"]

    lines = [
        line(f"`{name}`", partial(_fails, validator=name), partial(_fails, validator=name, alone=True))
        for name in names
    ]
    lines.append(line("any of them", lambda f: any(each["fails"] for each in f["findings"]), None))
    lines.append(line("headline", lambda f: f["headlines"].get("all") in FAILING, None))
    head = ["validator", *(f"{n} a side" for n in groups), "all sizes", "all sizes, by itself"]
    which = Counter("`" + ".".join(e["of"]) + "`" for f in every for e in f["findings"] if e["fails"])
    failed = ", ".join(f"{name} {n}" for name, n in sorted(which.items())) or "none"
    verdicts = Counter(e["verdict"] for f in every for e in f["findings"])
    decided = {verdict: n for verdict, n in verdicts.items() if verdict not in OPEN}
    return f"""### Size: people against people

In how many cards each validator had a failing finding: in the card, and by itself, before the card's validators are
counted.

{as_table(head, lines)}

{_off(every, names)} Findings that failed: {failed}.

### Decided: how much a perfect simulator is told

The proportion of a card's findings that are decided, and in how many cards each headline is. Of the findings
decided, {verdicts["aligned"]:,} of {sum(decided.values()):,} are aligned, as people are.

{_decided(groups, names)}"""


def _off(every: Sequence[Found], names: Sequence[str]) -> str:
    counts = {
        **{f"`{name}` in a card": [_fails(f, name) for f in every] for name in names},
        **{f"`{name}` by itself": [_fails(f, name, alone=True) for f in every] for name in names},
        "a card": [any(e["fails"] for e in f["findings"]) for f in every],
    }
    limits = {name: proportion_limits(sum(each), len(each)) for name, each in counts.items()}
    above = [f"{name} [{low:.2f}, {high:.2f}]" for name, (low, high) in limits.items() if low > LEVEL]
    if above:
        return f"Above the level of {LEVEL:.2f} lies the interval of {', '.join(above)}."
    return f"No interval over all sizes lies above the level of {LEVEL:.2f}."


def _decided(groups: dict[int, list[Found]], names: Sequence[str]) -> str:
    lines = []
    for name in (*names, None):
        cells = []
        for found in groups.values():
            judged = [[e for e in f["findings"] if name in (None, e["of"][0])] for f in found]
            proportions = [mean(e["verdict"] not in OPEN for e in each) for each in judged if each]
            cells.append(f"{mean(proportions):.2f}" if proportions else "-")
        lines.append([f"`{name}`" if name else "all findings", *cells])
    decided = _headlines_decided(groups)
    lines += [[f"headline {name}", *map(in_how_many, each)] for name, each in decided.items()]
    return as_table(["validator", *(f"{n} a side" for n in groups)], lines) + _less_with_more(
        decided, [*groups]
    )


def _headlines_decided(groups: dict[int, list[Found]]) -> dict[str, list[list[bool]]]:
    """Tell of each headline, size and card whether it is decided."""
    names = dict.fromkeys(name for found in groups.values() for f in found for name in f["headlines"])
    return {
        name: [[f["headlines"].get(name, OPEN[0]) not in OPEN for f in found] for found in groups.values()]
        for name in names
    }


def _less_with_more(decided: dict[str, list[list[bool]]], sizes: Sequence[int]) -> str:
    """Name the headlines that are decided clearly less often with more people, which nobody would expect."""
    said = []
    for name, each in decided.items():
        limits = [proportion_limits(sum(cards), len(cards)) for cards in each]
        for at in range(1, len(sizes)):
            if limits[at][1] < limits[at - 1][0]:
                before, after = (f"{in_how_many(each[i])} at {sizes[i]}" for i in (at - 1, at))
                said.append(f"{name}: {before}, {after}")
    return f"\n\nDecided less often with more people: {'; '.join(said)}." if said else ""


def _validators(found: Iterable[Found]) -> list[str]:
    return sorted({e["of"][0] for f in found for e in f["findings"]})


def _fails(found: Found, validator: str, *, alone: bool = False) -> bool:
    return any(e["fails_alone" if alone else "fails"] for e in found["findings"] if e["of"][0] == validator)
