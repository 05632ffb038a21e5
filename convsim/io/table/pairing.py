"""Finds the two columns of texts of a table with a turn a row: what the user wrote, and what the agent answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from convsim.errors import InputError
from convsim.io.problems import shown
from convsim.io.table.mapping import TableMapping
from convsim.io.table.profile import ALIKE, MOST_CANDIDATES, NAMED, Column
from convsim.io.table.refusing import quoted
from convsim.io.table.speaking import FEW, by_content, says_who
from convsim.io.table.structure import Groups


def paired(path: Path, columns: Sequence[Column], mapping: TableMapping) -> tuple[Column, Column, str] | None:
    """Find two columns of texts, the user's and the agent's, and why they are; None where rows are no turns.

    Raises:
        InputError: There are two, but whose is whose is not clear.
    """
    asked = mapping.columns.stated()
    named = {column.name: column for column in columns}
    user, agent = asked.get("user_text"), asked.get("agent_text")
    if user and agent:
        return named[user], named[agent], "stated by the mapping"
    if not mapping.guess or {"text", "speaker"} & asked.keys():
        return None
    texts = [c for c in columns if c.texts >= 0.2 and c.distinct > 0.2 * c.n_filled and c.words >= 1.5]
    if any(says_who(column) >= 2 for column in columns) or len(texts) < 2:
        return None
    users = [c for c in texts if c.hints.get("user_text", 0) >= NAMED and c.name != agent]
    agents = [c for c in texts if c.hints.get("agent_text", 0) >= NAMED and c.name != user]
    if users and agents:
        first = max(users, key=lambda c: c.hints["user_text"] - c.hints.get("agent_text", 0))
        second = max(agents, key=lambda c: c.hints["agent_text"] - c.hints.get("user_text", 0))
        if first != second:
            return first, second, "a text of its own for each side, by their names"
    return _by_content(path, columns, texts)


def _by_content(
    path: Path, columns: Sequence[Column], texts: list[Column]
) -> tuple[Column, Column, str] | None:
    """Tell two columns apart by what stands in them; raises InputError where that is not clear."""
    if any(_alternates(column, columns) for column in columns):
        return None
    texts = sorted(texts, key=lambda column: column.like_text, reverse=True)
    if len(texts) > 2 and texts[1].like_text - texts[2].like_text < ALIKE:
        return None
    a, b = sorted(texts[:2], key=lambda column: column.place)
    n = len(a.cells)
    side = Column("(column)", 0, (a.name,) * n + (b.name,) * n)
    said = Column("(text)", 0, a.cells + b.cells)
    roles, evidence = by_content(side, said, None, ())
    if roles is None:
        found = f" ({'; '.join(evidence)})" if evidence else ""
        raise InputError(
            f"{path}: no column tells who speaks, and {shown(a.name)} and {shown(b.name)} both hold texts: "
            f"which is the user's is not clear{found}; state it in a file for --map, such as columns.user_text = "
            f'{quoted(a.name)} and columns.agent_text = {quoted(b.name)}, or columns.speaker = "…"'
        )
    user = a if roles.of[a.name] == "user" else b
    return user, (b if user is a else a), roles.why


def _alternates(column: Column, columns: Sequence[Column]) -> bool:
    if column.hints.get("speaker", 0) >= NAMED and 2 <= column.distinct <= FEW:
        return True
    if not 2 <= column.distinct <= FEW:
        return False
    groups = [Groups.of(other) for other in columns if other is not column and other.repeats]
    return any(of.both(column) > 0.8 and of.alternation(column) > 0.5 for of in groups[:MOST_CANDIDATES])
