"""What is said of a difference in typing: in words, with both sides' proportions, examples, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydantic import JsonValue

from convsim.schema.arrays import FloatArray
from convsim.stats.sides import Sides
from convsim_validators.typography.audit import Audit, Marked
from convsim_validators.typography.characters import Runs, has_run
from convsim_validators.typography.formats import formats

N_NAMED = 3
N_EXAMPLES = {"simulated": 3, "people": 1}


class Told(NamedTuple):
    """A difference in words, and what details hold of it."""

    reason: str
    details: dict[str, JsonValue]


@dataclass(frozen=True)
class Written:
    """Both sides with their user messages."""

    sides: Sides
    messages: Marked

    def examples(
        self, values: FloatArray, message: Callable[[int], int | None], *, more: bool
    ) -> list[JsonValue]:
        """List conversations that show it: up to three of the simulator, and one of people.

        Args:
            values: Shape (rows,); NaN where a conversation shows nothing.
            message: Returns of a row the message that shows it; None where none does.
            more: Whether the simulator has more of it; people are then shown with little.
        """
        listed: list[JsonValue] = []
        conversations = [*self.sides.real.conversations, *self.sides.simulated.conversations]
        for side, of_side in (("simulated", ~self.sides.is_human), ("people", self.sides.is_human)):
            sign = 1 if more == (side == "simulated") else -1
            rows = np.flatnonzero(of_side & ~np.isnan(values))
            best = rows[np.argsort(-sign * values[rows], kind="stable")][: N_EXAMPLES[side]]
            listed += [
                {
                    "side": side,
                    "conversation": conversations[row].id,
                    "message": message(row),
                    "value": float(values[row]),
                }
                for row in best.tolist()
            ]
        return listed


def told_of_formats(written: Written, audit: Audit, differing: Sequence[int]) -> Told:
    """Say which formats tell the sides apart, and what to clean or to tell the shopper.

    Args:
        written: Both sides.
        audit: Their formats.
        differing: Columns that are shown to differ, the clearest first; none where only all together do.
    """
    is_human = written.sides.is_human
    means = [_means(audit.proportions[side]) for side in (is_human, ~is_human)]
    listed: list[JsonValue] = [
        {
            "name": audit.formats[c].name,
            "kind": audit.formats[c].kind,
            "says": audit.formats[c].says,
            "real": float(means[0][c]),
            "simulated": float(means[1][c]),
            "advice": audit.formats[c].advice,
        }
        for c in differing
    ]
    if not differing:
        return Told(
            "many formats differ a little, and none of them clearly", {"formats": listed, "advice": []}
        )
    said = [
        f"{audit.formats[c].says}: in {_percent(means[1][c])} of simulated, {_percent(means[0][c])} of people’s"
        for c in differing[:N_NAMED]
    ]
    more = f", and {len(differing) - N_NAMED} more" if len(differing) > N_NAMED else ""
    advice = list(dict.fromkeys(audit.formats[c].advice for c in differing[:N_NAMED]))
    first = differing[0]
    column = formats().index(audit.formats[first])
    simulator_has_more = bool(means[1][first] > means[0][first])
    examples = written.examples(
        audit.proportions[:, first],
        lambda row: _first(written.messages, column, row, with_it=simulator_has_more != bool(is_human[row])),
        more=simulator_has_more,
    )
    details: dict[str, JsonValue] = {
        "formats": listed,
        "advice": list(advice),
        "giveaway": "; ".join(said) + more,
        "examples": examples,
    }
    return Told(f"{'; '.join(said)}{more}. What to do: {'; '.join(advice)}", details)


def told_of_characters(written: Written, runs: Runs, largest: tuple[int, int] | None) -> Told:
    """Say which run of characters differs most, with how often it stands on both sides.

    Args:
        written: Both sides.
        runs: Their runs of characters.
        largest: The kind of features, and the column in it, that differs most; None if none was looked at.
    """
    if largest is None:
        return Told("many runs of characters differ a little", {})
    column = largest[1]
    rates = runs.rates[:, column]
    is_human = written.sides.is_human
    real, simulated = (float(_means(rates[side, None])[0]) for side in (is_human, ~is_human))
    shown = [runs.often(column, rate) for rate in (simulated, real)]
    giveaway = f"{runs.said(column)}: simulated {shown[0]}, people {shown[1]}"
    examples = written.examples(
        rates, lambda row: _first_with_run(written.sides, runs.runs[column], row), more=simulated > real
    )
    return Told(f"the clearest difference: {giveaway}", {"giveaway": giveaway, "examples": examples})


def _first(messages: Marked, column: int, row: int, *, with_it: bool) -> int | None:
    """Return a conversation's first message with a format, or that could have it and does not."""
    shows = messages.could[:, column] & (messages.has[:, column] == with_it)
    found = np.flatnonzero((messages.row == row) & shows)
    return int(messages.number[found[0]]) if len(found) else None


def _first_with_run(sides: Sides, run: str, row: int) -> int | None:
    """Return a conversation's first user message with a run of characters."""
    n_real = len(sides.real)
    side, place = (sides.real, row) if row < n_real else (sides.simulated, row - n_real)
    messages = enumerate(side.conversations[place].messages)
    return next(
        (number for number, message in messages if message.role == "user" and has_run(message.content, run)),
        None,
    )


def _means(proportions: FloatArray) -> FloatArray:
    """Return the mean of each format over conversations that could have it; 0 where none could."""
    known = ~np.isnan(proportions)
    return np.asarray(np.nansum(proportions, axis=0) / np.maximum(known.sum(axis=0), 1), np.float64)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share == 0 or share >= 0.1 else f"{share:.1%}"
