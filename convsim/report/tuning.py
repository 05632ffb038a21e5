"""What tuning found, as text and Markdown: one line that says it, the weights, and what a sample of them is like."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from convsim._text import plain
from convsim.evaluation.tuning import Distance, Part, Tuning
from convsim.report.markdown import table_cell
from convsim.report.tables import VERDICTS

WIDTH = 80
MAX_NAMED = 4
"""Parts that the first line names."""
MAX_ROWS = 12
MAX_NAME = 32
UNITS = {"runs": "run", "personas": "persona", "tasks": "task", "settings": "candidate"}


def tuned_line(tuning: Tuning) -> str:
    """Say in one line what tuning came to."""
    before, after = _distance(tuning.before), _distance(tuning.after)
    heaviest = _name(tuning.heaviest)
    gain = f"{_number(tuning.gain.estimate)} {_interval(tuning.gain.interval)}"
    if tuning.outcome == "one":
        return (
            f"no mixture: all weight lies on {heaviest}; distance to held-out people {after}, of the equal mixture "
            f"{before}"
        )
    if tuning.outcome == "nothing_gained":
        tuned = heaviest if tuning.over == "settings" else "the mixture"
        return (
            f"nothing gained: {tuned} lies {after} from held-out people, {tuning.gain.over} {before}; the gain of "
            f"{gain} is not shown to be above 0"
        )
    return f"tuned: distance to held-out people {before} -> {after}; {_weights(tuning)}"


def tuning_lines(tuning: Tuning) -> list[str]:
    """Return everything that is said of a tuning, in lines of 80 columns."""
    lines = wrap(tuned_line(tuning), WIDTH)
    lines += ["", *_table(tuning), ""]
    for said in _sentences(tuning):
        lines += wrap(said, WIDTH, subsequent_indent="  ")
    return lines


def tuning_to_markdown(tuning: Tuning) -> str:
    """Write a tuning as Markdown."""
    rows = [
        f"| {table_cell(part.name, MAX_NAME)} | {part.n} | {part.weight:.3g} | {_alone(part)} |"
        for part in _shown(tuning)
    ]
    return "\n".join(
        [
            f"**{table_cell(tuned_line(tuning))}**",
            "",
            f"| {UNITS[tuning.over]} | conversations | weight | distance alone |",
            "|---|---:|---:|---|",
            *rows,
            "",
            *(f"- {table_cell(said)}" for said in _sentences(tuning)),
        ]
    )


def _sentences(tuning: Tuning) -> list[str]:
    said = [
        f"{tuning.n_learned} people were learned from and {tuning.n_held_out} held out (seed {tuning.seed}); distance "
        f"is the root mean square of location and spread over {len(tuning.metrics)} metrics, 0.15 at its margin; on "
        f"the held-out people {tuning.gain.over} has {_distance(tuning.before)}, the tuned "
        f"{_distance(tuning.after)}: a gain of {_number(tuning.gain.estimate)} {_interval(tuning.gain.interval)}.",
    ]
    if tuning.over != "settings":
        said.append(
            f"The weighted conversations are worth {tuning.effective_size:.0f} equally weighted ones (Kish)."
        )
    if tuning.sampled is not None:
        verdicts = "; ".join(f"{each.name} {VERDICTS[each.verdict]}" for each in tuning.sampled.headlines)
        said.append(
            f"{tuning.sampled.n} conversations drawn by the weights, against the held-out people: "
            f"{verdicts or 'nothing was judged'}."
        )
    said.append(
        "Intervals are of 95 %, people and simulated conversations drawn anew by user or persona; weights as learned."
    )
    return [*said, *(f"warning: {plain(warning, limit=400)}" for warning in tuning.warnings)]


def _table(tuning: Tuning) -> list[str]:
    shown = _shown(tuning)
    width = max(len(UNITS[tuning.over]), *(len(_name(part)) for part in shown))
    lines = [f"{UNITS[tuning.over]:<{width}}  conversations  weight  distance alone"]
    for part in shown:
        lines.append(f"{_name(part):<{width}}  {part.n:>13}  {part.weight:>6.3f}  {_alone(part)}".rstrip())
    if left := len(tuning.parts) - len(shown):
        lines.append(f"and {left} more (--format json has them all)")
    return lines


def _shown(tuning: Tuning) -> Sequence[Part]:
    ordered = (
        sorted(tuning.parts, key=lambda part: -part.weight) if len(tuning.parts) > MAX_ROWS else tuning.parts
    )
    return ordered[:MAX_ROWS]


def _weights(tuning: Tuning) -> str:
    if tuning.over == "settings":
        return f"settings: {_name(tuning.heaviest)}"
    worth = f"(worth {tuning.effective_size:.0f} conversations)"
    if len(tuning.parts) > MAX_NAMED:
        moved = sum(part.weight > 0 for part in tuning.parts)
        return f"weights of {moved} of {len(tuning.parts)} {tuning.over} {worth}"
    return f"weights: {', '.join(f'{_name(part)} {part.weight:.2g}' for part in tuning.parts)} {worth}"


def _name(part: Part) -> str:
    return plain(part.name, limit=MAX_NAME)


def _distance(distance: Distance) -> str:
    return f"{distance.estimate:.2f} {_interval(distance.interval)}"


def _alone(part: Part) -> str:
    return "" if part.distance is None else _distance(part.distance)


def _interval(interval: tuple[float, float]) -> str:
    return f"[{_number(interval[0])}, {_number(interval[1])}]"


def _number(value: float) -> str:
    """Write a number to two places, 0 without a sign."""
    return f"{round(value, 2) + 0.0:.2f}"
