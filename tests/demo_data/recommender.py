"""The stand-in recommender: the good one retrieves, answers and asks; the bad one misses the point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.demo_data.draws import Draws
from tests.demo_data.grammar import PhraseBook
from tests.demo_data.need import FACETS, Need, plural
from tests.demo_data.stock import Stock

Arm = Literal["good", "bad"]
BAD_REPLIES = {"partial": 0.45, "offtopic": 0.3, "confusing": 0.25}
AFTER_MOVE = {
    "critique.price": "cheaper",
    "critique": "again",
    "reject": "again",
    "more": "again",
    "complain": "sorry",
}


@dataclass(frozen=True)
class Reply:
    """One reply: its text and items, the facet it asks for, and how well it serves the need, from 0 to 1."""

    text: str
    items: tuple[Stock, ...]
    fit: float
    asked: str = ""
    confusing: bool = False


@dataclass
class Recommender:
    """One arm's recommender in one conversation; it remembers what it has shown and asked."""

    stock: Sequence[Stock]
    book: PhraseBook
    arm: Arm
    draws: Draws
    seen: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    def reply(self, need: Need, move: str, about: Stock | None) -> Reply:
        """Answer a move of that name; ``about`` is the item that the shopper spoke of."""
        reply = self._serve(need, move, about) if self.arm == "good" else self._miss(need)
        self.seen.update(stock.item.id for stock in reply.items)
        return reply

    def close(self, ending: str, about: Stock, need: Need) -> Reply:
        """Answer a shopper who has accepted ``about``, or who leaves."""
        items = (about,) if self.arm == "good" else (about, *self.draws.some(self.stock, 2))
        slots = self._slots(items, items[-1].garment.name, need)
        return Reply(self._say((f"{self.arm}.close.{ending}",), slots), items, need.fit(items))

    def _serve(self, need: Need, move: str, about: Stock | None) -> Reply:
        head, _, topic = move.partition(".")
        manner = AFTER_MOVE.get(move) or AFTER_MOVE.get(head, "show")
        below = about.price if about is not None and manner == "cheaper" else None
        items = tuple(self._retrieve(need, 3 + self.draws.below(4), anew=manner == "again", below=below))
        line = f"good.{manner}"
        if head == "ask" and about is not None:
            items = (about, *(stock for stock in items if stock is not about))[: 2 + self.draws.below(2)]
            line = f"good.about.{topic}"
        open_questions = [facet for facet in FACETS if facet in need.unstated and facet not in self.asked]
        asked = self.draws.pick(open_questions) if open_questions and self.draws.chance(0.65) else ""
        self.asked.add(asked)
        slots = self._slots(items, need.wanted.garment.name, need)
        return Reply(self._say((line, f"good.ask.{asked or 'none'}"), slots), items, need.fit(items), asked)

    def _retrieve(self, need: Need, count: int, *, anew: bool, below: float | None) -> list[Stock]:
        """Rank the category's items; ``anew`` avoids those shown before, ``below`` asks for a lower price."""

        def score(stock: Stock) -> float:
            same = stock.garment.name == need.wanted.garment.name
            met = sum(need.met_by(stock, facet) for facet in need.stated)
            seen = (4.0 if anew else 0.8) * (stock.item.id in self.seen)
            cheaper = 3.0 * (below is not None and stock.price < below)
            return 6.0 * same + met + cheaper - seen + 0.9 * self.draws.noise()

        category = need.wanted.garment.category
        scored = [(score(stock), stock) for stock in self.stock if stock.garment.category == category]
        return [stock for _, stock in sorted(scored, key=lambda pair: -pair[0])[:count]]

    def _miss(self, need: Need) -> Reply:
        manner = self.draws.weighted(BAD_REPLIES)
        if manner == "offtopic":
            elsewhere = [stock for stock in self.stock if stock.garment.name != need.wanted.garment.name]
            kind = self.draws.pick(elsewhere).garment.name
            items = tuple(self.draws.some([stock for stock in self.stock if stock.garment.name == kind], 3))
        else:
            items = tuple(self._half_understood(need))
        slots = self._slots(items, items[0].garment.name, need)
        text = self._say((f"bad.{manner}", "bad.ask.none"), slots)
        return Reply(text, items, need.fit(items), confusing=manner == "confusing")

    def _half_understood(self, need: Need) -> list[Stock]:
        """Search the whole catalogue for one facet alone, or the right garment and nothing else."""
        pool = [stock for stock in self.stock if stock.garment.name == need.wanted.garment.name]
        if need.stated and not self.draws.chance(0.3):
            facet = self.draws.pick(need.stated)
            pool = [stock for stock in self.stock if need.met_by(stock, facet)] or pool
        return self.draws.some(pool, 2 + self.draws.below(5))

    def _say(self, rules: Sequence[str], slots: dict[str, str]) -> str:
        return " ".join(self.book.say(rule, slots, self.draws) for rule in rules).strip()

    def _slots(self, items: Sequence[Stock], garment: str, need: Need) -> dict[str, str]:
        first, second = items[0], items[-1]
        fragment = self.draws.pick([need.phrase_of(facet) for facet in need.stated] or [need.garment])
        reasons = [need.phrase_of(facet) for facet in self.draws.some(need.stated, 2)]
        prices = [stock.price for stock in items]
        return {
            "title": first.item.title.split(",")[0],
            "second": second.item.title.split(",")[0],
            "price": f"{first.price:.2f}",
            "low": f"{min(prices):.0f}",
            "high": f"{max(prices):.0f}",
            "colors": ", ".join(first.item.list_of("colors")),
            "sizes": ", ".join(first.item.list_of("sizes")),
            "material": first.item.text_of("material"),
            "occasion": first.item.text_of("occasion"),
            "detail": first.item.description.split(". ")[0].rstrip(".") + ".",
            "count": str(len(items)),
            "garment": plural(garment),
            "Garment": plural(garment).capitalize(),
            "because": f" ({', '.join(reasons)})" if reasons else "",
            "fragment": fragment,
            "Fragment": fragment[0].upper() + fragment[1:],
        }
