"""The stand-in shopper: what it does next, given its need, its mood and the reply it got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim.schema.conversation import Action
from tests.demo_data.draws import Draws
from tests.demo_data.grammar import PhraseBook
from tests.demo_data.need import ORDINALS, Need, plural
from tests.demo_data.population import Population
from tests.demo_data.recommender import Reply
from tests.demo_data.stock import Stock
from tests.demo_data.typist import Typist

GOOD_FIT = 0.45
"""A reply of this fit serves the need; the scale is that of ``Need.fit``."""
ANNOYED = 0.6
PUT_OFF = 0.3
"""How much a poor fit lowers the chance to buy; people buy in the bad arm too."""
STRAIN = 0.5
"""How much a unit of annoyance raises the chance to leave or to fade."""
ASK = {"price": 3.0, "colors": 2.0, "sizes": 2.0, "material": 2.0, "compare": 2.0, "service": 1.0}
GRIEVANCES = {"complain", "confused", "critique"}
PREFACED = {"refine", "ask", "more"}
RESTATED = {"complain", "confused"}
EXTENDED = {"answer", "critique", "reject"}


@dataclass(frozen=True)
class Move:
    """What a stand-in shopper does: the rule it followed, its words, and the item it spoke of."""

    rule: str
    text: str
    action: Action = "say"
    about: Stock | None = None


class StandInShopper:
    """One shopper in one conversation."""

    def __init__(
        self, population: Population, book: PhraseBook, need: Need, *, typist: Typist, draws: Draws
    ) -> None:
        self.population, self.book, self.need, self.typist, self.draws = population, book, need, typist, draws
        self.style = draws.weighted(population.styles)
        self.annoyance = 0.0
        self.turn = 0
        self.last_text = ""

    def open(self) -> Move:
        """Make the first move, before anything is known of the recommender."""
        facets = int(self.draws.weighted(self.population.opening_facets))
        for facet in self.draws.some(self.need.unstated, facets):
            self.need.state(facet)
        rules = ["greeting", "opening"] if self.draws.chance(self.population.greets) else ["opening"]
        return self._move(rules, (), named="opening")

    def respond(self, reply: Reply) -> Move | None:
        """Answer a reply; None where the shopper just stops answering."""
        self._feel(reply)
        strain = 1.0 + STRAIN * self.annoyance
        if self.turn >= self.population.max_turns or self.draws.chance(self.population.fading * strain):
            return None
        if self.draws.chance(self.population.leaving * strain):
            return self._leave(reply)
        if self.draws.chance(self._readiness(reply)):
            return self._accept(reply)
        if self.draws.chance(self.population.silent):
            self.turn += 1
            return Move("silent", "")
        rule = self.draws.weighted(self._weights(reply))
        if rule == "repeat":
            self.turn += 1
            return Move("repeat", self.last_text)
        return self._go_on(rule, reply)

    def _feel(self, reply: Reply) -> None:
        poor = max(0.0, GOOD_FIT + 0.1 - reply.fit) * 1.6 + 0.4 * reply.confusing
        self.annoyance = min(0.6 * self.annoyance + self.population.reacts * poor, 2.0)

    def _readiness(self, reply: Reply) -> float:
        chances = self.population.buying
        chance = chances[min(self.turn, len(chances)) - 1]
        return chance if reply.fit >= GOOD_FIT else chance * (1.0 - PUT_OFF * self.population.reacts)

    def _weights(self, reply: Reply) -> dict[str, float]:
        moves, mood = self.population.moves, self.annoyance
        poor = self.population.reacts * (1.0 - reply.fit)
        return {
            "answer": moves["answer"] if reply.asked in self.need.unstated else 0.0,
            "refine": moves["refine"] if self.need.unstated else 0.0,
            "critique": moves["critique"] * (0.6 + 2.0 * poor),
            "ask": moves["ask"] * reply.fit * 1.4,
            "more": moves["more"],
            "reject": moves["reject"] * (0.5 + poor),
            "complain": 4.5 * mood,
            "restate": 2.0 * mood,
            "repeat": 0.6 * mood,
            "confused": self.population.reacts * (1.6 if reply.confusing else 0.04),
        }

    def _go_on(self, kind: str, reply: Reply) -> Move:
        astray = [stock for stock in reply.items if stock.garment.name != self.need.wanted.garment.name]
        about = self.draws.pick((kind in GRIEVANCES and astray) or reply.items)
        rules = [self._detailed(kind, reply, about)]
        if kind in PREFACED and self.draws.chance(self.population.prefaces * (1.0 + 2.0 * self.annoyance)):
            poor = "complain" if self.annoyance > ANNOYED else "dislike"
            rules.insert(0, "like" if reply.fit >= GOOD_FIT else poor)
        if kind in RESTATED and self.style != "terse" and self.draws.chance(0.5):
            rules.append("restate")
        elif kind in EXTENDED and self.need.unstated and self.draws.chance(self.population.adds_a_wish):
            rules.append(self._detailed("refine", reply, about))
        if kind in PREFACED and self.draws.chance(self.population.tags):
            rules.append("tag")
        return self._move(rules, reply.items, about=about, named=kind)

    def _detailed(self, kind: str, reply: Reply, about: Stock) -> str:
        if kind == "critique":
            return f"critique.{self._flaw(reply, about)}"
        if kind == "ask":
            return f"ask.{self.draws.weighted(ASK)}"
        if kind in ("answer", "refine"):
            facet = reply.asked if kind == "answer" else self.draws.pick(self.need.unstated)
            self.need.state(facet)
            return f"{kind}.{facet}"
        return kind

    def _flaw(self, reply: Reply, about: Stock) -> str:
        wrong_kind = about.garment.name != self.need.wanted.garment.name
        return self.draws.weighted(
            {
                "kind": 6.0 * wrong_kind,
                "price": 1.0 + 2.0 * (not self.need.met_by(about, "budget")),
                "color": 1.0 * (not self.need.met_by(about, "color")),
                "look": 1.2,
                "same": 0.3,
            }
        )

    def _accept(self, reply: Reply) -> Move:
        about = max(reply.items, key=lambda stock: self.need.fit((stock,)))
        rules = ["accept", "thanks"] if self.draws.chance(self.population.thanks) else ["accept"]
        return self._move(rules, reply.items, about=about, action="accept")

    def _leave(self, reply: Reply) -> Move:
        annoyed = self.annoyance > ANNOYED
        rules = ["leave.annoyed" if annoyed else "leave.calm"]
        if not annoyed and self.draws.chance(self.population.thanks):
            rules.append("thanks")
        return self._move(rules, reply.items, about=reply.items[0], action="leave")

    def _move(
        self,
        rules: Sequence[str],
        items: Sequence[Stock],
        *,
        about: Stock | None = None,
        action: Action = "say",
        named: str = "",
    ) -> Move:
        slots = self._slots(items, about)
        parts = [self.book.say(rule, slots, self.draws, variant=self.style) for rule in rules]
        text = parts[0]
        for part in parts[1:]:
            text += (" " if text[-1] in ".?!" else self.draws.pick((". ", ", ", " "))) + part
        self.turn += 1
        self.last_text = self.typist.type(text)
        return Move(
            next((rule for rule in rules if rule.startswith(named)), rules[0]), self.last_text, action, about
        )

    def _slots(self, items: Sequence[Stock], about: Stock | None) -> dict[str, str]:
        slots = self.need.slots(self.book, self.draws)
        category = self.need.wanted.garment.category
        slots["reason"] = self.book.say("reason", slots, self.draws, variant=category)
        slots["hope"] = self.book.say("hope", slots, self.draws)
        if about is not None:
            place = items.index(about)
            astray = about.garment.name != self.need.wanted.garment.name
            other = [ordinal for ordinal in ORDINALS[: max(len(items), 2)] if ordinal != ORDINALS[place]]
            slots |= {
                "ordinal": ORDINALS[place],
                "otherordinal": self.draws.pick(other),
                "brand": about.item.text_of("brand"),
                "price": f"${about.price:.0f}",
                "shown": plural(self.draws.pick(about.garment.said)) if astray else "these",
            }
        return slots
