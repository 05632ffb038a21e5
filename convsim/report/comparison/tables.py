"""The comparison as tables of words, whoever prints them: cells are as they are in the document, not yet escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from convsim.evaluation import Comparison, SimulatorReport
from convsim.evaluation.comparison import Distance
from convsim.evaluation.layout import MEAN_DISTANCE, TRANSFER
from convsim.evaluation.pareto import MAX_NAME, MAX_NAMED
from convsim.evaluation.simulators import PEOPLE
from convsim.report.tables import VERDICTS, number
from convsim.schema import FAILING, Estimate, Interval, Verdict
from convsim.stats.proportions import Proportion

FALSE_ALARMS = "false_alarms"
"""The detail of a discriminator's standing that holds the share of people whom it calls simulated."""
NONE = "–"
MARKS = {"aligned": "=", "undecided": "?", "failed": "!"}
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
    if comparison.standing_pairs(TRANSFER):
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
        "simulator", "n", "mean distance", "floor", "= / ≠ / ?", "HLS", "relative HLS", "cost", "front",
    )  # fmt: skip
    of = f"{measured} metrics'" if (measured := _n_measured(comparison)) else "the metrics'"
    notes = (
        f"n: conversations. mean distance: of {of} Kolmogorov-Smirnov distances from people, 0 to 1; floor: two groups "
        "of people of these sizes are nearer than this in 95 of 100 cases.",
        "= / ≠ / ?: metrics aligned, different and undecided, among these what cannot be measured.",
        "HLS: the mean probability of human that a reader of the texts gives who learned to tell both sides apart; "
        "relative HLS: that by what the same reader gives people (1: as people).",
        "cost: of a conversation. front: by the estimates, no other is as near to people for as little.",
    )
    return Table("realism and cost", columns, rows, "\n".join(notes))


def distances(comparison: Comparison) -> Table:
    """A row a metric, a column a simulator: its distance from people and what was decided."""
    metrics = dict.fromkeys(d.metric for each in comparison.simulators for d in each.distances)
    by_name = [{d.metric: d for d in each.distances} for each in comparison.simulators]
    rows = [
        (
            metric,
            *(
                f"{_distance(d.ks)} {mark(d.verdict)}" if (d := known.get(metric)) else NONE
                for known in by_name
            ),
            _distance(_floor(known.get(metric) for known in by_name)),
        )
        for metric in metrics
    ]
    note = (
        f"Kolmogorov-Smirnov distance from people. {MARKS['aligned']} aligned, {DIFFERENT} different, "
        f"{MARKS['undecided']} undecided; {NONE}: cannot be measured, and the JSON says why. floor: two groups of "
        "people are nearer than this in 95 of 100 cases, at the sizes of the simulator where it is largest."
    )
    return Table("distance from people", ("metric", *_names(comparison), "floor"), rows, note)


def generalisation(comparison: Comparison) -> Table:
    """A row a discriminator, a column whom it reads: the share that it calls simulated."""
    names = _names(comparison)
    pairs = comparison.standing_pairs(TRANSFER)
    rows = []
    for trained in names:
        cells = [
            _distance(found.estimate) if (found := pairs.get((applied, trained))) else NONE
            for applied in names
        ]
        own = pairs.get((trained, trained))
        alarms = own.details.get(FALSE_ALARMS) if own else None
        rows.append((trained, *cells, _distance(alarms)))
    notes = [
        "A reader that learned to tell people from the simulator of the row, applied to that of the column: share of "
        "its conversations that it calls simulated (one that learned nothing: 0.5); last, the share of people whom it "
        "calls simulated.",
        *_grouped(
            (name, own.reason)
            for name in names
            if (own := pairs.get((name, name))) is not None and own.estimate is None
        ),
    ]
    return Table("who is caught by whom", ("learned against", *names, PEOPLE), rows, "\n".join(notes))


def reactions(comparison: Comparison) -> Table:
    """A row a simulator: how it reacts from the control arm to the treated one."""
    rows = []
    for each in comparison.simulators:
        found = each.reactions
        counts = [str(found.counts.get(verdict, 0)) if found.counts else NONE for verdict in REACTIONS]
        rows.append((each.name, _written(found.agreement), number(found.joint_p, figures=2), *counts))
    columns = ("simulator", "same direction", "joint p", *(VERDICTS[verdict] for verdict in REACTIONS))
    why = _grouped(
        (each.name, each.reactions.reason or each.reactions.agreement.reason)
        for each in comparison.simulators
        if each.reactions.agreement.estimate is None
    )
    note = (
        "same direction: share of people's established shifts that go the same way. joint p: of no difference between "
        "the shifts of people and simulator, in all metrics together. The others count metrics."
    )
    title = f"reactions from {comparison.control} to {comparison.treatment}"
    return Table(title, columns, rows, "\n".join([note, *why]))


def copying(comparison: Comparison) -> Table:
    """A row for the people and for each simulator: what it has from others."""
    people = comparison.people
    sides = [(PEOPLE, NONE, people.titles_named_early, people.memorisation)]
    sides += [
        (each.name, f"{each.overlap.n_learned} of {each.side.n}", each.titles_named_early, each.memorisation)
        for each in comparison.simulators
    ]
    rows = [
        (name, learned, _share(early), _share(said.messages), _share(said.after_first))
        for name, learned, early, said in sides
    ]
    columns = (
        "copying",
        "learned from these people",
        "titles named early",
        "word for word",
        "without first messages",
    )
    unknown = [(columns[2], [(name, early) for name, _, early, _ in sides])]
    unknown += [(columns[3], [(name, said.messages) for name, _, _, said in sides])]
    why = [
        f"{column}: {reason}"
        for column, shares in unknown
        for reason in _grouped((name, share.reason) for name, share in shares if share.estimate is None)
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
    columns = ("a conversation", "recorded", "tokens in", "tokens out", "seconds", "US dollars", "not known")
    note = "Means of the conversations that record their use, shopper and agent together."
    return Table("cost", columns, rows, note)


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
    note = f"On the compared arms alone: {', '.join(comparison.arms)}." if comparison.arms else ""
    return Table("endings", columns, rows, note)


def price(comparison: Comparison, each: SimulatorReport) -> str:
    """Write a simulator's cost a conversation in the unit of the front."""
    if comparison.cost_axis == "cost_usd":
        return f"${number(each.cost.cost_usd)}" if each.cost.cost_usd is not None else NONE
    return f"{number(each.cost.seconds)} s" if each.cost.seconds is not None else NONE


def mark(verdict: Verdict) -> str:
    """Write a verdict as one character."""
    return DIFFERENT if verdict in FAILING else MARKS.get(verdict, MARKS["aligned"])


def called(name: str) -> str:
    """Cut a name, so that what is said of it is not cut off with the sentence."""
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def span(interval: Interval | None) -> str:
    """Write an interval; nothing where there is none."""
    return f" [{number(interval[0], figures=2)}, {number(interval[1], figures=2)}]" if interval else ""


def _n_measured(comparison: Comparison) -> int:
    """Over how many metrics is the mean distance? The same for all simulators; 0 where nobody says."""
    named = (s.details.get("metrics") for s in comparison.standings if s.metric == MEAN_DISTANCE[1])
    return max((len(metrics) for metrics in named if isinstance(metrics, list)), default=0)


def _grouped(reasons: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Say of whom something is unknown and why, those of one reason together."""
    alike: dict[str, list[str]] = {}
    for name, reason in reasons:
        alike.setdefault(reason, []).append(called(name))
    for reason, names in alike.items():
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        yield f"{', '.join(names[:MAX_NAMED])}{more}: {reason}."


def _distance(value: object) -> str:
    """Write a number between 0 and 1, so that those under one another can be compared at a glance."""
    return f"{value:.2f}" if isinstance(value, int | float) else NONE


def _floor(known: Iterable[Distance | None]) -> float | None:
    return max((d.noise_floor.q95 for d in known if d is not None and d.noise_floor), default=None)


def _written(of: Estimate) -> str:
    return number(of.estimate, figures=2) + span(of.interval)


def _share(of: Proportion) -> str:
    if of.estimate is None:
        return NONE
    limits = f" [{of.interval[0]:.0%}, {of.interval[1]:.0%}]" if of.interval else ""
    return f"{of.estimate:.1%}{limits}"


def _names(comparison: Comparison) -> list[str]:
    return [each.name for each in comparison.simulators]
