"""Conversations with one persona in several runs, or arms: what can be looked at side by side."""

from __future__ import annotations

from typing import NamedTuple

from convsim.web.view.index import Index, Place

PAGE_SIZE = 50
MAX_OTHERS = 30


class Other(NamedTuple):
    """Another conversation with the same persona."""

    key: str
    run: str
    arm: str | None
    ending: str
    n_messages: int


class Match(NamedTuple):
    """Two conversations with one persona in the same arm, one of each run."""

    persona: str
    arm: str | None
    left: str
    right: str
    left_opening: str
    right_opening: str
    left_ending: str
    right_ending: str


def others(index: Index, place: Place) -> list[Other]:
    """Return the other conversations with a persona, those in the same arm first; none where it has no persona."""
    with index.connected() as connection:
        rows = connection.execute(
            "SELECT o.key, s.name, o.arm, o.ending, o.n_messages FROM conversation c "
            "JOIN conversation o ON o.persona = c.persona AND o.number != c.number "
            "JOIN source s ON s.number = o.source WHERE c.number = ? "
            "ORDER BY o.arm IS NOT c.arm, o.source = c.source, o.number LIMIT ?",
            (place.number, MAX_OTHERS),
        ).fetchall()
    return [Other(*row) for row in rows]


def matches(index: Index, left: str, right: str, page: int) -> tuple[list[Match], int]:
    """Return a page of what two runs have of the same persona and arm, and how many pairs there are.

    Where a persona has several conversations in an arm, the first ones of each run are paired, then the second ones.
    """
    of = (
        "SELECT key, persona, arm, opening, ending, "
        "row_number() OVER (PARTITION BY persona, arm ORDER BY number) AS nth "
        "FROM conversation WHERE source = (SELECT number FROM source WHERE name = ?) AND persona IS NOT NULL"
    )
    joined = f"FROM ({of}) l JOIN ({of}) r ON l.persona = r.persona AND l.arm IS r.arm AND l.nth = r.nth"
    with index.connected() as connection:
        n = connection.execute(f"SELECT count(*) {joined}", (left, right)).fetchone()[0]
        rows = connection.execute(
            f"SELECT l.persona, l.arm, l.key, r.key, l.opening, r.opening, l.ending, r.ending {joined} "
            "ORDER BY l.persona, l.arm, l.nth LIMIT ? OFFSET ?",
            (left, right, PAGE_SIZE, (page - 1) * PAGE_SIZE),
        ).fetchall()
    return [Match(*row) for row in rows], n
