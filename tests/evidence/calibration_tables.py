"""Says what the rows of ``calibration`` hold: size, what is decided, power, and coverage."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import sqrt
from statistics import mean
from typing import Any

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.schema import FAILING
from tests.evidence.calibration import CONTROL, POWER_SIZE, TREATMENT, TRUTH_SIZE
from tests.evidence.tables import Z, as_table, by, in_how_many, proportion_limits

LEVEL, COVERAGE = 0.05, 0.95
FEWEST = 100
"""Intervals, below which coverage is not told."""
HALF_IS_NO_DIFFERENCE = {"AUC", "mean probability of “human”"}
"""The units in which two equal populations are at one half; in all others they are at 0."""
OPEN = ("undecided", "failed")
"""The verdicts that decide nothing."""
Found = dict[str, Any]


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    parts = {part: [row for row in rows if row["asked"]["part"] == part] for part in _SECTIONS}
    said = [write(parts[part]) for part, write in _SECTIONS.items() if parts[part]]
    return "\n\n".join([_INTRO, *said, _coverage(rows)])


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

The proportion of a card's findings that are decided, and in how many cards the headline of all is. Of the findings
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
    headlines = [
        [f["headlines"].get("all", "undecided") != "undecided" for f in found] for found in groups.values()
    ]
    lines.append(["headline decided", *(in_how_many(each) for each in headlines)])
    return as_table(["validator", *(f"{n} a side" for n in groups)], lines)


def _power(rows: list[dict[str, Any]]) -> str:
    tried = {name: found for (name,), found in by(rows, "adversary").items()}
    tried = {name: [f for f in found if "left_out" not in f] for name, found in tried.items()}
    caught: dict[str, dict[str, list[bool]]] = defaultdict(dict)
    for name, found in tried.items():
        for validator in ADVERSARIES[name].caught_by:
            caught[validator][name] = [_fails(f, validator) for f in found]
    lines = []
    for validator, of in sorted(caught.items()):
        missed = [f"`{name}` {sum(each)}/{len(each)}" for name, each in of.items() if not all(each)]
        runs = [each for of_one in of.values() for each in of_one]
        lines.append([f"`{validator}`", str(len(of)), in_how_many(runs), ", ".join(missed) or "-"])
    anything = {
        name: [any(e["fails"] for e in f["findings"]) for f in found] for name, found in tried.items()
    }
    missed = [f"`{name}` {sum(each)}/{len(each)}" for name, each in anything.items() if not all(each)]
    runs = [each for of_one in anything.values() for each in of_one]
    lines.append(["any of them", str(len(anything)), in_how_many(runs), ", ".join(missed) or "-"])
    table = as_table(["validator", "adversaries that it must catch", "caught", "not in every run"], lines)
    n_runs = sorted({len(found) for found in tried.values()})
    return f"""### Power: simulators that are wrong in one way

{len(tried)} adversaries at {POWER_SIZE} people a side, in {" or ".join(map(str, n_runs))} runs each, with other people
in each run: in how many runs the validator that must catch one has a failing finding. CALIBRATION.md says what each
adversary does, and who else catches it.

{table}"""


_SECTIONS: dict[str, Callable[[list[dict[str, Any]]], str]] = {"people": _size, "adversary": _power}


def _coverage(rows: list[dict[str, Any]]) -> str:
    lines = []
    for (part, n), found in sorted(by(rows, "part", "n").items()):
        if part == "people":
            of = _by_validator(found, lambda e: 0.5 if e["unit"] in HALF_IS_NO_DIFFERENCE else 0.0)
            lines += [
                _line(f"`{name}`, people against people", f"{n} a side", each) for name, each in of.items()
            ]
    for n, found, truth in _with_truth(rows, "arms"):
        values = {tuple(e["of"]): e["estimate"] for e in truth["findings"]}
        of = _by_validator(found, partial(_value, values))
        about = f"people of arm {CONTROL} against {TREATMENT}"
        lines += [_line(f"`{name}`, {about}", f"{n} an arm", each) for name, each in of.items()]
    for n, found, truth in _with_truth(rows, "reactions"):
        lines += _of_reactions(f"{n} an arm", found, truth)
    table = as_table(
        ["interval", "n", "cards", "intervals", "cover", "proportion"], [line for line in lines if line]
    )
    fails = [found for _, of, _ in _with_truth(rows, "reactions") for found in of]
    return f"""### Coverage: how often a 95 % interval holds the population's value

People against people have no difference. Of people of one arm against people of the other, and of shifts from one to
the other, the value is the estimate among {TRUTH_SIZE:,} people an arm. Intervals of one card hang together: the
interval of the proportion counts cards. Fewer than {FEWEST} intervals are not told.

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
) -> dict[str, list[list[bool]]]:
    """Tell for each validator and card which of its intervals hold the truth."""
    cards: dict[str, list[list[bool]]] = defaultdict(list)
    for each in found:
        of: dict[str, list[bool]] = defaultdict(list)
        for finding in each["findings"]:
            value = truth(finding)
            if finding["interval"] and value is not None:
                of[finding["of"][0]].append(_holds(finding["interval"], value))
        for name, covered in of.items():
            cards[name].append(covered)
    return dict(sorted(cards.items()))


def _of_reactions(n: str, found: Sequence[Found], truth: Found) -> list[list[str]]:
    people = [
        [
            _holds(shift["interval"], truth["shifts"][name]["estimate"])
            for name, shift in f["shifts"].items()
            if shift["interval"] and name in truth["shifts"]
        ]
        for f in found
    ]
    between = [
        [_holds(e["interval"], 0.0) for e in f["findings"] if e["interval"] and e["of"][1] in f["shifts"]]
        for f in found
    ]
    ratio = [
        [
            _holds(e["interval"], 1.0)
            for e in f["findings"]
            if e["of"][1] == "reaction_ratio" and e["interval"]
        ]
        for f in found
    ]
    return [
        _line(f"shift of people from {CONTROL} to {TREATMENT}", n, people),
        _line("difference between two groups' shifts", n, between),
        _line("reaction ratio", n, [each for each in ratio if each], fewest=1),
    ]


def _line(about: str, n: str, cards: Sequence[Sequence[bool]], *, fewest: int = FEWEST) -> list[str]:
    """Tell a proportion of intervals; intervals of one card hang together, so that its own interval counts cards."""
    total = sum(map(len, cards))
    if total < fewest:
        return []
    covered = sum(map(sum, cards))
    proportion = covered / total
    if max(map(len, cards)) == 1:
        low, high = proportion_limits(covered, total)
    else:
        of_cards = sum((sum(card) - proportion * len(card)) ** 2 for card in cards)
        error = sqrt(of_cards * len(cards) / max(1, len(cards) - 1)) / total
        low, high = max(0.0, proportion - Z * error), min(1.0, proportion + Z * error)
    below = ", below .95" if high < COVERAGE else ""
    return [
        about,
        n,
        str(len(cards)),
        str(total),
        str(covered),
        f"{proportion:.3f} [{low:.3f}, {high:.3f}]{below}",
    ]


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


def _value(values: Mapping[tuple[str, ...], float | None], finding: Found) -> float | None:
    return values.get(tuple(finding["of"]))


def _holds(interval: Sequence[float], value: float) -> bool:
    return interval[0] <= value <= interval[1]


def _validators(found: Iterable[Found]) -> list[str]:
    return sorted({e["of"][0] for f in found for e in f["findings"]})


def _fails(found: Found, validator: str, *, alone: bool = False) -> bool:
    return any(e["fails_alone" if alone else "fails"] for e in found["findings"] if e["of"][0] == validator)
