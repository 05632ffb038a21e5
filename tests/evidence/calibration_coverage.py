"""Says how often the intervals of ``calibration``'s rows hold the population's value."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import sqrt
from typing import Any

from tests.evidence.calibration import CONTROL, TREATMENT, TRUTH_SIZE
from tests.evidence.tables import Z, as_table, by, in_how_many, proportion_limits

LEVEL = 0.95
FEWEST = 40
"""Intervals, below which coverage is not told."""
HALF_IS_NO_DIFFERENCE = {"AUC", "mean probability of “human”"}
"""The units in which two equal populations are at one half; in all others they are at 0."""
ONE_SIDED = {("copies", "near_copies")}
"""The findings whose estimate is the simulated side's alone, and no difference."""
OF_THE_SAMPLE = {"AUC", "root mean square of Cliff's delta", "difference of hazards"}
"""The units of what depends on how many there are: what a classifier learned, which metrics enough people have, the
turn of the largest difference."""
AT_A_TURN = ("endings", "survival")
FEWEST_OF_A_METRIC = 20
Found = dict[str, Any]


def coverage(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say of intervals."""
    lines = []
    people = [row for row in rows if row["asked"]["part"] == "people"]
    sizes = sorted({row["asked"]["n"] for row in people})
    n_said = f"{' to '.join(str(n) for n in dict.fromkeys((sizes[0], sizes[-1])))} a side" if sizes else ""
    of = _by_validator([row["found"] for row in people], _no_difference)
    lines += [_line(f"`{name}`, people against people", n_said, each) for name, each in of.items()]
    for n, found, truth in _with_truth(rows, "arms"):
        of = _by_validator(found, partial(_value, {_name(e): e["estimate"] for e in truth["findings"]}))
        about = f"people of arm {CONTROL} against {TREATMENT}"
        lines += [_line(f"`{name}`, {about}", f"{n} an arm", each) for name, each in of.items()]
    for n, found, truth in _with_truth(rows, "reactions"):
        lines += _of_reactions(f"{n} an arm", found, truth)
    table = as_table(
        ["interval of", "n", "cards", "intervals", "cover", "proportion", "below .95 by itself"],
        [line for line in lines if line],
    )
    fails = [found for _, of, _ in _with_truth(rows, "reactions") for found in of]
    return f"""### Coverage: how often a 95 % interval holds the population's value

People against people have no difference. Of people of one arm against people of the other, and of shifts from one to
the other, the value is the estimate among {TRUTH_SIZE:,} people an arm; left out is what depends on how many people
there are (AUCs, averages over the metrics that enough people have, the turn of the largest difference). Intervals of
one card hang together: the interval of the proportion counts cards. Fewer than {FEWEST} intervals are not told. Of the
metrics, about one in forty is below .95 by itself by chance.

{table}

{_reaction_size(fails)}

{_ASSERTED}"""


def _with_truth(rows: list[dict[str, Any]], part: str) -> list[tuple[int, list[Found], Found]]:
    own = [row for row in rows if row["asked"]["part"] == part]
    truth = next((row["found"] for row in own if row["asked"]["seed"] == "truth"), None)
    if truth is None:
        return []
    groups = by([row for row in own if row["asked"]["seed"] != "truth"], "n")
    return [(n, found, truth) for (n,), found in sorted(groups.items())]


def _by_validator(
    found: Iterable[Found], truth: Callable[[Found], float | None]
) -> dict[str, list[dict[str, bool]]]:
    """Tell for each validator and card which of its intervals hold the truth, by metric."""
    cards: dict[str, list[dict[str, bool]]] = defaultdict(list)
    for each in found:
        of: dict[str, dict[str, bool]] = defaultdict(dict)
        for finding in each["findings"]:
            value = truth(finding)
            if finding["interval"] and value is not None:
                validator, metric = finding["of"]
                of[validator][metric] = _holds(finding["interval"], value)
        for name, covered in of.items():
            cards[name].append(covered)
    return dict(sorted(cards.items()))


def _of_reactions(n: str, found: Sequence[Found], truth: Found) -> list[list[str]]:
    values = {
        name: shift["estimate"] for name, shift in truth["shifts"].items() if shift["estimate"] is not None
    }
    people = [
        {
            name: _holds(shift["interval"], values[name])
            for name, shift in f["shifts"].items()
            if shift["interval"] and name in values
        }
        for f in found
    ]
    between = [
        {
            e["of"][1]: _holds(e["interval"], 0.0)
            for e in f["findings"]
            if e["interval"] and e["of"][1] in f["shifts"]
        }
        for f in found
    ]
    ratio = [
        {"reaction_ratio": _holds(e["interval"], 1.0)}
        for f in found
        for e in f["findings"]
        if e["of"][1] == "reaction_ratio" and e["interval"]
    ]
    return [
        _line(f"shift of people from {CONTROL} to {TREATMENT}", n, people),
        _line("difference between two groups' shifts", n, between),
        _line("reaction ratio", n, ratio, fewest=1),
    ]


def _line(about: str, n: str, cards: Sequence[dict[str, bool]], *, fewest: int = FEWEST) -> list[str]:
    """Tell a proportion of intervals; those of one card hang together, so that its own interval counts cards."""
    total = sum(map(len, cards))
    if total < fewest:
        return []
    covered = sum(sum(card.values()) for card in cards)
    proportion = covered / total
    if max(map(len, cards)) == 1:
        low, high = proportion_limits(covered, total)
    elif covered == total:
        low, high = proportion_limits(len(cards), len(cards))
    else:
        of_cards = sum((sum(card.values()) - proportion * len(card)) ** 2 for card in cards)
        error = sqrt(of_cards * len(cards) / max(1, len(cards) - 1)) / total
        low, high = max(0.0, proportion - Z * error), min(1.0, proportion + Z * error)
    below = ", below .95" if high < LEVEL else ""
    told = f"{proportion:.3f} [{low:.3f}, {high:.3f}]{below}"
    return [
        about,
        n,
        str(len(cards)),
        f"{total:,}",
        f"{covered:,}",
        told,
        ", ".join(_low_metrics(cards)) or "-",
    ]


def _low_metrics(cards: Sequence[dict[str, bool]]) -> Iterator[str]:
    """Name the metrics of which the interval of the coverage lies below .95."""
    for name in sorted({name for card in cards for name in card}):
        of = [card[name] for card in cards if name in card]
        if len(of) >= FEWEST_OF_A_METRIC and proportion_limits(sum(of), len(of))[1] < LEVEL:
            yield f"`{name}` {sum(of)}/{len(of)}"


def _reaction_size(found: Sequence[Found]) -> str:
    if not found:
        return ""
    which = Counter(e["of"][1] for f in found for e in f["findings"] if e["fails"])
    named = ", ".join(f"`{name}` in {n}" for name, n in sorted(which.items()))
    failing = in_how_many([any(e["fails"] for e in f["findings"]) for f in found])
    return (
        f"Of these cards of two groups' reactions, a failing finding is in {failing}: {named or 'none'}. The ratio is "
        f"decided in {in_how_many([_ratio_decided(f) for f in found])}."
    )


def _ratio_decided(found: Found) -> bool:
    return any(e["of"][1] == "reaction_ratio" and e["verdict"] != "undecided" for e in found["findings"])


_ASSERTED = """On populations whose values follow from a formula, `tests/calibration` asserts coverage as well; a test
fails where so few intervals hold the value as happens once in 1,000 (or 100) trials at 95 %: of `marginals` at 100 and
250 a side, and with several conversations a user; of `transitions`; of human-likeness, against other conversations; of
shifts and their differences at 15, 50 and 150 an arm; of the reaction ratio at 100 and 200; of `prevalence` corrected
for an annotator's errors; of the distances that `compare` orders simulators by; of the headline's distance."""


def _no_difference(finding: Found) -> float | None:
    """Return the value of two equal populations."""
    if _name(finding) in ONE_SIDED:
        return None
    return 0.5 if finding["unit"] in HALF_IS_NO_DIFFERENCE else 0.0


def _value(values: Mapping[tuple[str, ...], float | None], finding: Found) -> float | None:
    """Return the value among very many people, where it does not depend on their number."""
    if finding["unit"] in OF_THE_SAMPLE or _name(finding) == AT_A_TURN:
        return None
    return values.get(_name(finding))


def _name(finding: Found) -> tuple[str, ...]:
    return tuple(finding["of"])


def _holds(interval: Sequence[float], value: float) -> bool:
    return interval[0] <= value <= interval[1]
