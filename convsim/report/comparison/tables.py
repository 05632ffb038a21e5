"""The comparison as tables of text for any format; cells are not yet escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from convsim._text import listed
from convsim.evaluation import Comparison, SimulatorReport
from convsim.evaluation.comparison import Distance, JudgedEstimate
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.layout import MEAN_DISTANCE, TRANSFER
from convsim.evaluation.pareto import MAX_NAME, MAX_NAMED
from convsim.evaluation.simulators import PEOPLE
from convsim.evaluation.spending import RunUse
from convsim.report import spending
from convsim.report.answers import marked
from convsim.report.gate import COLUMNS, MAX_SHOWN, gate_line, left_out, not_passed
from convsim.report.gate import rows as checks
from convsim.report.tables import MARKS, VERDICTS, kind_of_verdict, number
from convsim.report.versions import CHANGES, change_row, changed, version_notes
from convsim.schema import Estimate, Headline, Interval, Verdict
from convsim.schema.versions import Versions
from convsim.stats.proportions import Proportion

FALSE_ALARMS = "false_alarms"
"""The detail of a transfer score with the proportion of people whom the classifier takes for simulated."""
NONE = "–"
BASELINE = "the human baseline; two random groups of people of these sizes differ by less in 95 of 100 cases"
PLACES = {"on": "on", "off": "off", "undecided": "needs more data"}
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
    """Yield the tables in the order in which reports show them."""
    if any(headlines_of(each) for each in comparison.simulators):
        yield headlines(comparison)
    yield overview(comparison)
    if any(each.settings for each in comparison.simulators):
        yield set_to(comparison)
    if any(each.gate is not None for each in comparison.simulators):
        yield gate(comparison)
    yield from map(versions_table, comparison.versions)
    if any(each.distances for each in comparison.simulators):
        yield distances(comparison)
    if comparison.score_pairs(TRANSFER):
        yield generalisation(comparison)
    if comparison.control is not None:
        yield reactions(comparison)
    yield copying(comparison)
    yield cost(comparison)
    if runs_of(comparison):
        yield asked(comparison)
    yield endings(comparison)


def headlines(comparison: Comparison) -> Table:
    """One row per simulator: its verdict in each family of questions, and how much more data would decide."""
    known = [{headline.name: headline for headline in headlines_of(each)} for each in comparison.simulators]
    families = [name for name in STANDS_ON if any(name in each for each in known)]
    rows = [
        (each.name, *(marked(of[name]) if name in of else NONE for name in families))
        for each, of in zip(comparison.simulators, known, strict=True)
    ]
    note = (
        f"{MARKS['alike']} shown to be like people within the margin, {MARKS['different']} shown to differ, "
        f"{MARKS['undecided']} neither; {NONE}: not tested. Habits are judged on average over all metrics."
    )
    return Table("like people?", ("simulator", *families), rows, note)


def headlines_of(each: SimulatorReport) -> list[Headline]:
    """Return the headlines of a simulator's scorecards, those of single families."""
    cards = [card for card in (each.validation, each.counterfactual) if card is not None]
    return [headline for card in cards for headline in card.headlines if headline.name != "all"]


def overview(comparison: Comparison) -> Table:
    """One row per simulator: realism, cost, and whether it is on the Pareto front."""
    rows = [
        (
            each.name, f"{each.side.n:,}", _written(each.mean_distance),
            number(each.mean_distance_floor.q95 if each.mean_distance_floor else None, figures=2),
            f"{each.habits.aligned} / {each.habits.different} / {each.habits.undecided}", number(each.hls.estimate),
            _written(each.relative_hls), price(comparison, each), _place(comparison, each),
        )
        for each in comparison.simulators
    ]  # fmt: skip
    columns = (
        "simulator", "n", "mean distance", "baseline", "= / ≠ / ?", "HLS", "relative HLS", "cost", "Pareto front",
    )  # fmt: skip
    over = f"{measured} metrics" if (measured := _n_measured(comparison)) else "all metrics"
    notes = (
        f"n: conversations. mean distance: average Kolmogorov-Smirnov distance from people over {over}, 0 (same) to 1. "
        f"baseline: {BASELINE}.",
        "= / ≠ / ?: metrics that are alike, are different, and need more data or cannot be measured.",
        "HLS: human-likeness score, the average probability of “human” from a classifier trained to tell the two sides "
        "apart; 0.5 is best. relative HLS: HLS divided by the same score of people; 1 is best.",
        "cost: per conversation. Pareto front: not beaten on both mean distance and cost.",
    )
    return Table("realism and cost", columns, rows, "\n".join(notes))


def set_to(comparison: Comparison) -> Table:
    """One row per simulator: its shopper, the model behind it, and what its run set it to."""
    rows = [
        (
            each.name, ", ".join(each.shoppers) or NONE, ", ".join(each.models) or NONE,
            settings_line(each) or NONE,
        )
        for each in comparison.simulators
    ]  # fmt: skip
    note = (
        "set to: as the plan of a run folder states it, defaults left out; of a policy, its kind and the beginning of "
        "its hash."
    )
    return Table("who they are", ("simulator", "shopper", "model", "set to"), rows, note)


def settings_line(each: SimulatorReport) -> str:
    """Write what a simulator's shopper was set to; empty where no plan states it."""
    return ", ".join(f"{key} = {value}" for key, value in each.settings.items())


def gate(comparison: Comparison) -> Table:
    """One row per check that a simulator did not pass, and one for each that passed them all."""
    rows: list[Sequence[str]] = []
    notes = []
    for each in comparison.simulators:
        if each.gate is None:
            continue
        missed = not_passed(each.gate)[:MAX_SHOWN]
        rows += [(each.name, *cells) for cells in checks(missed)]
        notes.append(f"{each.name}: {gate_line(each.gate)}. {left_out(each.gate)}".strip())
    return Table("gate", ("simulator", *COLUMNS), rows, "\n".join(notes))


def versions_table(versions: Versions) -> Table:
    """One row for each headline, and for each metric that got better or worse."""
    title = f"what got better, what got worse: from {called(versions.before)} to {called(versions.after)}"
    return Table(
        title, CHANGES, [change_row(each) for each in changed(versions)], "\n".join(version_notes(versions))
    )


def distances(comparison: Comparison) -> Table:
    """One row per metric, one column per simulator: its distance from people and the verdict."""
    metrics = dict.fromkeys(d.metric for each in comparison.simulators for d in each.distances)
    by_name = [{d.metric: d for d in each.distances} for each in comparison.simulators]
    rows = [
        (
            metric,
            *(
                f"{_distance(d.ks)} {mark(d.verdict)}" if (d := known.get(metric)) else NONE
                for known in by_name
            ),
            _distance(_baseline(known.get(metric) for known in by_name)),
        )
        for metric in metrics
    ]
    note = (
        f"Kolmogorov-Smirnov distance from people. {MARKS['alike']} alike, {MARKS['different']} different, "
        f"{MARKS['undecided']} needs more data; {NONE}: cannot be measured (comparison.json says why). "
        f"baseline: {BASELINE}; the largest of all simulators' is shown."
    )
    return Table("distance from people", ("metric", *_names(comparison), "baseline"), rows, note)


def generalisation(comparison: Comparison) -> Table:
    """One row per classifier, one column per simulator: the proportion that it recognises as simulated."""
    names = _names(comparison)
    pairs = comparison.score_pairs(TRANSFER)
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
        "A classifier trained to tell people from the simulator of the row, applied to the simulator of the column: "
        "proportion of conversations that it recognises as simulated (guessing: 0.5). Last column: proportion of "
        "people's conversations that it takes for simulated.",
        *_grouped(
            (name, own.reason)
            for name in names
            if (own := pairs.get((name, name))) is not None and own.estimate is None
        ),
    ]
    return Table(
        "which classifier recognises whom", ("classifier: people vs", *names, PEOPLE), rows, "\n".join(notes)
    )


def reactions(comparison: Comparison) -> Table:
    """One row per simulator: how it reacts from the control arm to the treated arm."""
    rows = []
    for each in comparison.simulators:
        found = each.reactions
        counts = [str(found.counts.get(verdict, 0)) if found.counts else NONE for verdict in REACTIONS]
        ratio = _ratio(found.ratio) if found.ratio else NONE
        rows.append((each.name, ratio, _written(found.agreement), number(found.joint_p, figures=2), *counts))
    columns = (
        "simulator", "reaction ratio", "same direction", "joint p", *(VERDICTS[verdict] for verdict in REACTIONS),
    )  # fmt: skip
    why = _grouped(
        (each.name, each.reactions.reason or each.reactions.agreement.reason)
        for each in comparison.simulators
        if each.reactions.agreement.estimate is None
    )
    note = (
        "reaction ratio: by what proportion of people's shifts the simulator shifts, over all metrics, with its "
        f"interval; 1 = as people, 0 = does not react. {MARKS['alike']} reacts as people do, {MARKS['different']} "
        f"otherwise, {MARKS['undecided']} needs more data. same direction: proportion of people's established shifts "
        "in which the simulator shifts the same way. joint p: p-value of no difference between people's and the "
        "simulator's shifts, over all metrics. "
        "Other columns count metrics."
    )
    title = f"reactions from {comparison.control} to {comparison.treatment}"
    return Table(title, columns, rows, "\n".join([note, *why]))


def copying(comparison: Comparison) -> Table:
    """One row for people and one per simulator: what they copied."""
    people = comparison.people
    sides = [(PEOPLE, NONE, people.titles_named_early, people.memorisation)]
    sides += [
        (each.name, f"{each.overlap.n_learned} of {each.side.n}", each.titles_named_early, each.memorisation)
        for each in comparison.simulators
    ]
    near = [people.nearness, *(each.nearness for each in comparison.simulators)]
    rows = [
        (
            name, learned, _proportion(early), _proportion(said.messages), _proportion(said.after_first),
            NONE if of is None or of.longest is None else str(of.longest),
            NONE if of is None else _proportion(of.nearer_than_people),
        )
        for (name, learned, early, said), of in zip(sides, near, strict=True)
    ]  # fmt: skip
    columns = (
        "conversations of",
        "learned from these people",
        "titles named early",
        "word for word",
        "without first messages",
        "longest run",
        "nearer than people",
    )
    unknown = [(columns[2], [(name, early) for name, _, early, _ in sides])]
    unknown += [(columns[3], [(name, said.messages) for name, _, _, said in sides])]
    why = [
        f"{column}: {reason}"
        for column, shares in unknown
        for reason in _grouped((name, share.reason) for name, share in shares if share.estimate is None)
    ]
    note = (
        "learned from these people: conversations by a shopper that did. titles named early: conversations in which "
        "the user names an item by its full title before the agent shows it. word for word: messages of five words or "
        "more that also occur in the conversations learned from; then without first messages, which often come from "
        "the persona. longest run: words in a row that somebody said in the conversations learned from. nearer than "
        "people: conversations that lie nearer to one learned from than 95 % of people do, who are 5 %."
    )
    return Table("copying", columns, rows, "\n".join([note, *why]))


def cost(comparison: Comparison) -> Table:
    """One row per simulator: what a conversation costs."""
    rows = [
        (
            each.name, f"{each.cost.n_known} of {each.side.n}", number(each.cost.requests),
            number(each.cost.input_tokens), number(each.cost.output_tokens), number(each.cost.seconds),
            number(each.cost.cost_usd),
            "; ".join(dict.fromkeys(each.cost.reasons.values())),
        )
        for each in comparison.simulators
    ]  # fmt: skip
    columns = (
        "simulator", "recorded", "requests", "tokens in", "tokens out", "seconds", "US dollars", "why unknown",
    )  # fmt: skip
    note = (
        "Means over the conversations that record what they used, shopper and agent together. requests: sent to models "
        "in the whole run; where a shopper that needs no model sent none, tokens and dollars are 0, too. What a system "
        "of your own asks elsewhere is not seen."
    )
    return Table("cost per conversation", columns, rows, "\n".join([note, *_per_decided(comparison)]))


def _per_decided(comparison: Comparison) -> Iterator[str]:
    """Say what each simulator's conversations took for each of its decided findings, as far as they say it."""
    for each in comparison.simulators:
        if each.validation is not None and each.validation.per_decided is not None:
            yield from (f"{each.name}: {said}" for said in spending.of_findings(each.validation.per_decided))


def runs_of(comparison: Comparison) -> dict[str, RunUse]:
    """Return what the run of each simulator measured, by the simulator's name, where it did."""
    cards = {each.name: each.validation for each in comparison.simulators}
    return {name: card.run for name, card in cards.items() if card is not None and card.run is not None}


def asked(comparison: Comparison) -> Table:
    """One row per simulator and endpoint: what its run asked of its models, and how these answered."""
    runs = runs_of(comparison)
    none_asked = [("none", *[NONE] * (len(spending.COLUMNS) - 1))]
    rows = [(name, *row) for name, run in runs.items() for row in spending.rows(run) or none_asked]
    said = [f"{name}: {sentence}" for name, run in runs.items() for sentence in spending.of_run(run)]
    return Table(
        spending.TITLE_OF_SEVERAL, ("simulator", *spending.COLUMNS), rows, "\n".join([spending.NOTE, *said])
    )


def endings(comparison: Comparison) -> Table:
    """One row for people and one per simulator: how conversations end."""
    sides = [(PEOPLE, comparison.people.endings, comparison.people.failures)]
    sides += [(each.name, each.endings, each.failures) for each in comparison.simulators]
    found = sorted({ending for _, counts, _ in sides for ending in counts})
    rows = [
        (
            name,
            *(f"{100 * counts.get(e, 0) / sum(counts.values()):.0f} %" if counts else NONE for e in found),
            str(failures),
        )
        for name, counts, failures in sides
    ]
    columns = ("conversations of", *(ending.replace("_", " ") for ending in found), "failed, left out")
    note = f"In the compared arms only: {', '.join(comparison.arms)}." if comparison.arms else ""
    return Table("endings", columns, rows, note)


def _place(comparison: Comparison, each: SimulatorReport) -> str:
    known = price(comparison, each) != NONE and each.mean_distance.estimate is not None
    return PLACES[each.front.place] if known else NONE


def price(comparison: Comparison, each: SimulatorReport) -> str:
    """Write a simulator's cost a conversation in the unit of the cost axis."""
    if comparison.cost_axis == "cost_usd":
        return f"${number(each.cost.cost_usd)}" if each.cost.cost_usd is not None else NONE
    return f"{number(each.cost.seconds)} s" if each.cost.seconds is not None else NONE


def mark(verdict: Verdict) -> str:
    """Write a verdict as one character."""
    return MARKS[kind_of_verdict(verdict)]


def called(name: str) -> str:
    """Cut a long name, so that the rest of the sentence is not cut off."""
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def span(interval: Interval | None) -> str:
    """Write an interval; nothing where there is none."""
    return f" [{number(interval[0], figures=2)}, {number(interval[1], figures=2)}]" if interval else ""


def _n_measured(comparison: Comparison) -> int:
    """Over how many metrics is the mean distance? The same for all simulators; 0 if unknown."""
    named = (s.details.get("metrics") for s in comparison.standings if s.metric == MEAN_DISTANCE[1])
    return max((len(metrics) for metrics in named if isinstance(metrics, list)), default=0)


def _grouped(reasons: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Name those for whom something is unknown, grouped by reason."""
    alike: dict[str, list[str]] = {}
    for name, reason in reasons:
        alike.setdefault(reason, []).append(called(name))
    for reason, names in alike.items():
        yield f"{listed(names, MAX_NAMED)}: {reason}."


def _distance(value: object) -> str:
    """Write a number between 0 and 1 with two decimals, so that a column is easy to compare."""
    return f"{value:.2f}" if isinstance(value, int | float) else NONE


def _baseline(known: Iterable[Distance | None]) -> float | None:
    return max((d.noise_floor.q95 for d in known if d is not None and d.noise_floor), default=None)


def _written(of: Estimate) -> str:
    return number(of.estimate, figures=2) + span(of.interval)


def _ratio(of: JudgedEstimate) -> str:
    return f"{_written(of)} {mark(of.verdict or 'undecided')}"


def _proportion(of: Proportion) -> str:
    if of.estimate is None:
        return NONE
    limits = f" [{100 * of.interval[0]:.0f}, {100 * of.interval[1]:.0f}]" if of.interval else ""
    return f"{100 * of.estimate:.1f} %{limits}"


def _names(comparison: Comparison) -> list[str]:
    return [each.name for each in comparison.simulators]
