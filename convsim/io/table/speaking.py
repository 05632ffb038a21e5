"""Which speaker is the user: by names where they say so, else by what each writes; what is not clear is not guessed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from convsim.io.table.mapping import ANY, Speaker
from convsim.io.table.profile import Column
from convsim.io.table.structure import Groups
from convsim.io.table.wording import hints, speakers, truth

CLEAR = 3.0
"""Points of evidence that settle who is the user where names do not."""
CERTAIN = 0.75
"""How well a name must be known for the other of two to be told by it."""
OFFERS = re.compile(
    r"https?://|[$€£¥₹]\s?\d|\d\s?(?:€|£|USD|EUR|RMB|元|円|원)|^[ \t]*(?:\d{1,2}[.)]|[-*•])\s", re.MULTILINE
)
FEW = 12
MOST_AGENTS = 200
EITHER = "system_or_agent"
"""Names such as ``SYSTEM``, who is the agent where no other one is there."""


@dataclass(frozen=True)
class Roles:
    """Who is who, why, and which values nobody knows."""

    of: dict[str, Speaker]
    why: str
    unknown: tuple[str, ...] = ()

    @property
    def clear(self) -> bool:
        """Tell whether a user and an agent are known, and nobody is not."""
        return {"user", "agent"} <= set(self.of.values()) and not self.unknown


def by_name(column: Column) -> Roles:
    """Tell roles by the values' words, or of yes and no by the column's own."""
    values = list(column.counts)
    if (flag := _flag(column)) is not None:
        return Roles(flag, f"{column.name!r} says yes or no")
    meant = {value: role for value in values if (role := by_score(value)) is not None}
    beside: Speaker = "system" if "agent" in meant.values() else "agent"
    of: dict[str, Speaker] = {
        value: beside if role == EITHER else role  # type: ignore[misc]
        for value, role in meant.items()
    }
    unknown = tuple(value for value in values if value not in of)
    sides = set(of.values()) & {"user", "agent"}
    if (
        len(values) == 2
        and len(unknown) == 1
        and len(sides) == 1
        and max(speakers(next(iter(of))).values()) >= CERTAIN
    ):
        other: Speaker = "agent" if "user" in sides else "user"
        return Roles({**of, unknown[0]: other}, f"their names; {unknown[0]!r} is who is left")
    return Roles(of, "their names", unknown)


def _flag(column: Column) -> dict[str, Speaker] | None:
    answers = {value: truth(value) for value in column.counts}
    if sorted(map(str, answers.values())) != ["False", "True"]:
        return None
    named = {role: score for role, score in speakers(column.name).items() if role in ("user", "agent")}
    if not named or len(set(named.values())) < len(named):
        return None
    role = max(named, key=lambda name: named[name])
    other: Speaker = "agent" if role == "user" else "user"
    return {value: role if yes else other for value, yes in answers.items()}  # type: ignore[misc]


def by_content(
    column: Column, text: Column, groups: Groups | None, others: Sequence[Column]
) -> tuple[Roles | None, list[str]]:
    """Tell which of two speakers is the user by what they write; with what was found, also where it settles nothing.

    Whoever opens and writes less is the user where nothing speaks against it, such as one greeting for all.

    Args:
        column: Who speaks.
        text: What they say.
        groups: The conversations.
        others: Columns that may hold items or names of authors.
    """
    values = [value for value, _ in column.counts.most_common()]
    if len(values) != 2:
        return None, []
    first, second = values
    rows = {value: [at for at, cell in enumerate(column.cells) if cell == value] for value in values}
    found: list[tuple[float, str]] = []
    evidence: tuple[tuple[float, str, Callable[[str], float]], ...] = (
        (3.0, "more different authors", lambda side: _authors(side, rows, others)),
        (-3.0, "shows items", lambda side: _lists(rows[side], others)),
        (-2.0, "names prices, links or lists", lambda side: _offers(rows[side], text)),
        (-2.0, "repeats whole texts", lambda side: _repeats(rows[side], text)),
    )
    for weight, what, amount in evidence:
        a, b = amount(first), amount(second)
        if max(a, b) >= 0.1 and max(a, b) >= 3 * min(a, b):
            found.append((weight if a > b else -weight, f"{(first if a > b else second)!r} {what}"))
    a, b = (_words(rows[side], text) for side in values)
    writes = asks = 0.0
    if max(a, b) >= 1.5 * min(a, b):
        writes = -1.0 if a > b else 1.0
        found.append((writes, f"{(first if a > b else second)!r} writes more"))
    if groups is not None and groups.rows:
        opens = Counter(column.cells[of[0]] for of in groups.rows)
        opener, n = opens.most_common(1)[0]
        if n >= 0.9 * len(groups.rows) and opener in values:
            opening = 0.5 if opener == first else -0.5
            found.append((opening, f"{opener!r} opens"))
            openings = {text.cells[of[0]] for of in groups.rows}
            asks = opening if 2 * len(openings) >= len(groups.rows) else 0.0
    points = sum(weight for weight, _ in found)
    said = [why for _, why in found]
    agreed = writes * asks > 0 and all(weight * points > 0 for weight, _ in found)
    if abs(points) < CLEAR and not agreed:
        return None, said
    user, agent = (first, second) if points > 0 else (second, first)
    return Roles({user: "user", agent: "agent"}, "what they write: " + "; ".join(said)), said


def _authors(side: str, rows: dict[str, list[int]], others: Sequence[Column]) -> float:
    """Return the most different values that a column of authors has for a side: one that tells the sides apart."""
    best = 0.0
    for column in others:
        if column.numbers or column.forms or column.lists or column.texts > 0.5:
            continue
        of = {value: {column.cells[at] for at in at_rows} for value, at_rows in rows.items()}
        if not set.intersection(*of.values()) and min(map(len, of.values())) < 0.5 * min(
            map(len, rows.values())
        ):
            best = max(best, float(len(of[side])))
    return best


def _lists(rows: Sequence[int], others: Sequence[Column]) -> float:
    shares = [
        sum(column.cells[at] not in ("", "[]", "{}") for at in rows) / max(1, len(rows))
        for column in others
        if column.lists or hints(column.name).get("items", 0.0) >= 0.6
    ]
    return max(shares, default=0.0)


def _offers(rows: Sequence[int], text: Column) -> float:
    return sum(OFFERS.search(text.cells[at][:2000]) is not None for at in rows) / max(1, len(rows))


def _repeats(rows: Sequence[int], text: Column) -> float:
    """Return the share of longer texts that stand there more than once."""
    said = Counter(text.cells[at] for at in rows if len(text.cells[at]) > FEW)
    return sum(n for n in said.values() if n > 1) / max(1, said.total())


def _words(rows: Sequence[int], text: Column) -> float:
    return sum(len(text.cells[at]) for at in rows) / max(1, len(rows))


def by_authors(column: Column, groups: Groups) -> Roles | None:
    """Tell roles where many are named: the agents are the few of whom nearly every conversation has exactly one."""
    named: dict[str, Speaker] = {value: "agent" for value in column.counts if by_score(value) == "agent"}
    in_groups = [{column.cells[at] for at in rows} - {""} for rows in groups.rows if len(rows) > 1]
    agents = set(named) or _covering(in_groups)
    others = column.distinct - len(agents)
    good = sum(len(who & agents) == 1 and len(who) == 2 for who in in_groups)
    if not agents or len(agents) > MOST_AGENTS or good < 0.9 * len(in_groups) or others < 3 * len(agents):
        return None
    of: dict[str, Speaker] = dict.fromkeys(sorted(agents), "agent")
    return Roles(
        {**of, ANY: "user"}, f"{len(agents)} of {column.distinct} names are in nearly all conversations"
    )


def by_score(value: str) -> str | None:
    """Return the role whose words a name has, if one is clear."""
    found = sorted(((score, role) for role, score in speakers(value).items()), reverse=True)
    return found[0][1] if found and (len(found) == 1 or found[0][0] > found[1][0]) else None


def _covering(groups: Sequence[set[str]]) -> set[str]:
    """Return few names of which nearly every conversation has exactly one."""
    n_of = Counter(name for who in groups for name in who)
    chosen: set[str] = set()
    left = [who for who in groups if len(who) > 1]
    total = len(left)
    for name, _ in n_of.most_common(MOST_AGENTS):
        if len(left) <= 0.02 * total:
            break
        if not any(name in who and who & chosen for who in groups):
            chosen.add(name)
            left = [who for who in left if name not in who]
    return chosen


def says_who(column: Column) -> float:
    """Return how far a column's values say who speaks: 2 where both sides are named."""
    if column.distinct > FEW or column.distinct < 2:
        return 0.0
    roles = by_name(column)
    known = sum(n for value, n in column.counts.items() if value in roles.of) / column.n_filled
    return known * (2 if {"user", "agent"} <= set(roles.of.values()) else 0.5)
