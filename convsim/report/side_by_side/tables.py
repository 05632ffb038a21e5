"""The comparison as tables of words, whoever prints them: cells are as they are in the document, not yet escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from convsim.battery.side_by_side import Comparison, SimulatorReport
from convsim.battery.side_by_side.document import Distance, Estimate
from convsim.battery.side_by_side.shares import Share
from convsim.contracts import FAILING, Interval, Verdict
from convsim.report.words import VERDICTS, number

FALSE_ALARMS = "false_alarms"
"""The detail of a discriminator's standing that holds the share of people whom it calls simulated."""
NONE = "–"
PEOPLE = "people"
MARKS = {"aligned": "=", "undecided": "?"}
DIFFERENT = "≠"
PLACES = {"on": "on the front", "off": "off", "undecided": "undecided"}
REACTIONS: tuple[Verdict, ...] = (
    "reacts_as_people", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way", "undecided",
)  # fmt: skip


class Table(NamedTuple):
    """A table of words; the first column names a row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def tables(comparison: Comparison) -> Iterator[Table]:
    """Yield the tables in the order of the argument."""
    yield overview(comparison)
    if any(each.distances for each in comparison.simulators):
        yield distances(comparison)
    if comparison.standing_pairs("generalisation"):
        yield generalisation(comparison)
    if comparison.control is not None:
        yield reactions(comparison)
    yield copying(comparison)
    yield cost(comparison)
    yield endings(comparison)


def overview(comparison: Comparison) -> Table:
    """A row a simulator: realism, cost, and its place between them."""
    rows = [
        (
            each.name, f"{each.side.n:,}", _written(each.mean_distance),
            number(each.mean_distance_floor.q95 if each.mean_distance_floor else None, figures=2),
            f"{each.habits.aligned} / {each.habits.different} / {each.habits.undecided}", number(each.hls.estimate),
            _written(each.relative_hls), price(comparison, each), PLACES[each.front.place],
        )
        for each in comparison.simulators
    ]  # fmt: skip
    columns = (
        "simulator", "n", "mean distance", "floor", "= / ≠ / ?", "HLS", "of people's", "cost", "front",
    )  # fmt: skip
    note = (
        "mean distance: of the metrics' Kolmogorov-Smirnov distances from people; floor: people from people, 95 % "
        "point. = / ≠ / ?: metrics aligned, different, undecided. HLS: mean probability of human; of people's: as a "
        "share of what people get. cost: a conversation. front: no other is as near to people for as little."
    )
    return Table("realism against cost", columns, rows, note)


def distances(comparison: Comparison) -> Table:
    """A row a metric, a column a simulator: its distance from people and what was decided."""
    metrics = dict.fromkeys(d.metric for each in comparison.simulators for d in each.distances)
    by_name = [{d.metric: d for d in each.distances} for each in comparison.simulators]
    rows = [
        (
            metric,
            *(
                f"{number(d.ks, figures=2)} {mark(d.verdict)}" if (d := known.get(metric)) else NONE
                for known in by_name
            ),
            number(_floor(known.get(metric) for known in by_name), figures=2),
        )
        for metric in metrics
    ]
    note = (
        f"Kolmogorov-Smirnov distance from people. {MARKS['aligned']} aligned, {DIFFERENT} different, "
        f"{MARKS['undecided']} undecided. floor: people from people, 95 % point, the largest of all simulators' sizes."
    )
    return Table("distance from people", ("metric", *_names(comparison), "floor"), rows, note)


def generalisation(comparison: Comparison) -> Table:
    """A row a discriminator, a column whom it reads: the share that it calls simulated."""
    names = _names(comparison)
    pairs = comparison.standing_pairs("generalisation")
    rows = []
    for trained in names:
        cells = [
            number(found.estimate, figures=2) if (found := pairs.get((applied, trained))) else NONE
            for applied in names
        ]
        own = pairs.get((trained, trained))
        alarms = own.details.get(FALSE_ALARMS) if own else None
        rows.append((trained, *cells, number(alarms, figures=2)))
    note = (
        "A reader that learned to tell people from the simulator of the row, applied to that of the column: share of "
        "its conversations that it calls simulated; last, people whom it calls simulated."
    )
    return Table("who is caught by whom", ("learned against", *names, PEOPLE), rows, note)


def reactions(comparison: Comparison) -> Table:
    """A row a simulator: how it reacts from the control arm to the treated one."""
    rows = []
    for each in comparison.simulators:
        found = each.reactions
        counts = [str(found.counts.get(verdict, 0)) if found.counts else NONE for verdict in REACTIONS]
        rows.append((each.name, _written(found.agreement), number(found.joint_p, figures=2), *counts))
    columns = ("simulator", "same direction", "joint p", *(VERDICTS[verdict] for verdict in REACTIONS))
    why = sorted(
        {f"{each.name}: {each.reactions.reason}" for each in comparison.simulators if each.reactions.reason}
    )
    note = "same direction: share of people's shifts that go the same way. The others count metrics."
    title = f"reactions from {comparison.control} to {comparison.treatment}"
    return Table(title, columns, rows, "\n".join([note, *why]))


def copying(comparison: Comparison) -> Table:
    """A row for the people and for each simulator: what it has from others."""
    people = comparison.people
    rows = [
        (PEOPLE, NONE, _share(people.titles_named_early), _share(people.memorisation.messages),
         _share(people.memorisation.after_first))
    ]  # fmt: skip
    for each in comparison.simulators:
        learned = f"{each.overlap.n_learned} of {each.side.n}"
        said = each.memorisation
        rows.append(
            (
                each.name,
                learned,
                _share(each.titles_named_early),
                _share(said.messages),
                _share(said.after_first),
            )
        )
    columns = (
        "copying",
        "learned from these people",
        "titles named early",
        "word for word",
        "without first messages",
    )
    parts = (people.titles_named_early, people.memorisation.messages)
    why = [
        f"{name}: {part.reason}."
        for name, part in zip(columns[2:], parts, strict=False)
        if part.estimate is None
    ]
    note = (
        "learned from these people: conversations of a shopper that did. titles named early: conversations in which "
        "the user names an item in full before the agent shows it. word for word: messages of five words or more that "
        "stand in what was learned from; without first messages, which are often the persona's own, drawn from there."
    )
    return Table("copying", columns, rows, "\n".join([note, *why]))


def cost(comparison: Comparison) -> Table:
    """A row a simulator: what a conversation costs."""
    rows = [
        (
            each.name, f"{each.cost.n_known} of {each.side.n}", number(each.cost.input_tokens),
            number(each.cost.output_tokens), number(each.cost.seconds), number(each.cost.cost_usd),
            "; ".join(dict.fromkeys(each.cost.reasons.values())),
        )
        for each in comparison.simulators
    ]  # fmt: skip
    columns = ("a conversation", "say so", "tokens in", "tokens out", "seconds", "US dollars", "not known")
    return Table("cost", columns, rows)


def endings(comparison: Comparison) -> Table:
    """A row for the people and for each simulator: how conversations end."""
    sides = [(PEOPLE, comparison.people.endings, comparison.people.failures)]
    sides += [(each.name, each.endings, each.failures) for each in comparison.simulators]
    found = sorted({ending for _, counts, _ in sides for ending in counts})
    rows = [
        (
            name,
            *(f"{counts.get(e, 0) / sum(counts.values()):.0%}" if counts else NONE for e in found),
            str(failures),
        )
        for name, counts, failures in sides
    ]
    columns = ("endings", *(ending.replace("_", " ") for ending in found), "failed, left out")
    return Table("endings", columns, rows)


def price(comparison: Comparison, each: SimulatorReport) -> str:
    """Write a simulator's cost a conversation in the unit of the front."""
    if comparison.cost_axis == "cost_usd":
        return f"${number(each.cost.cost_usd)}" if each.cost.cost_usd is not None else NONE
    return f"{number(each.cost.seconds)} s" if each.cost.seconds is not None else NONE


def mark(verdict: Verdict) -> str:
    """Write a verdict as one character."""
    return DIFFERENT if verdict in FAILING else MARKS.get(verdict, MARKS["aligned"])


def span(interval: Interval | None) -> str:
    """Write an interval; nothing where there is none."""
    return f" [{number(interval[0], figures=2)}, {number(interval[1], figures=2)}]" if interval else ""


def _floor(known: Iterable[Distance | None]) -> float | None:
    return max((d.noise_floor.q95 for d in known if d is not None and d.noise_floor), default=None)


def _written(of: Estimate) -> str:
    return number(of.estimate, figures=2) + span(of.interval)


def _share(of: Share) -> str:
    if of.estimate is None:
        return NONE
    limits = f" [{of.interval[0]:.0%}, {of.interval[1]:.0%}]" if of.interval else ""
    return f"{of.estimate:.1%}{limits}"


def _names(comparison: Comparison) -> list[str]:
    return [each.name for each in comparison.simulators]
