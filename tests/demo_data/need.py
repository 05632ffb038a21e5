"""What a stand-in shopper wants, and how that reads inside a phrase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.demo_data.draws import Draws
from tests.demo_data.grammar import PhraseBook
from tests.demo_data.stock import Stock

FACETS = ("color", "size", "budget", "occasion", "material", "look")
TAILS = ("size", "budget", "occasion")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass
class Need:
    """A garment and the facets that are wanted; ``stated`` are those said so far, in their order."""

    wanted: Stock
    garment: str
    facets: dict[str, str]
    stated: list[str] = field(default_factory=list)

    @classmethod
    def draw(cls, options: Sequence[Stock], draws: Draws) -> Need:
        """Draw a need that some item of ``options`` meets."""
        wanted = draws.pick(options)
        budget = round(wanted.price * (0.9 + 0.5 * draws.unit()) / 5) * 5
        facets = {
            "color": draws.pick(wanted.item.list_of("colors")),
            "size": draws.pick(wanted.item.list_of("sizes")),
            "budget": str(max(budget, 15)),
            "occasion": wanted.item.text_of("occasion"),
            "material": wanted.item.text_of("material"),
            "look": wanted.look,
        }
        return cls(wanted, draws.pick(wanted.garment.said), facets)

    @property
    def unstated(self) -> list[str]:
        """The facets that were not said so far."""
        return [facet for facet in FACETS if facet not in self.stated]

    def state(self, facet: str) -> None:
        """Note that a facet was said."""
        if facet not in self.stated:
            self.stated.append(facet)

    def met_by(self, stock: Stock, facet: str) -> bool:
        """Tell whether an item has what the facet asks."""
        wanted = self.facets[facet]
        if facet == "budget":
            return stock.price <= float(wanted)
        if facet == "look":
            return stock.look == wanted
        if facet in ("color", "size"):
            return wanted in stock.item.list_of(f"{facet}s")
        return stock.item.text_of(facet) == wanted

    def fit(self, shown: Sequence[Stock]) -> float:
        """Tell how well the first three items meet what was said: 0 not at all, 1 wholly."""
        return sum(self._fit_of(stock) for stock in shown[:3]) / max(len(shown[:3]), 1)

    def _fit_of(self, stock: Stock) -> float:
        met = sum(self.met_by(stock, facet) for facet in self.stated) / max(len(self.stated), 1)
        return 0.6 * (stock.garment.name == self.wanted.garment.name) + 0.4 * (met if self.stated else 1.0)

    def phrase_of(self, facet: str) -> str:
        """Say one facet in a few words."""
        frames = {"size": "size {}", "budget": "under {}", "occasion": "for {}"}
        return frames.get(facet, "{}").format(self.facets[facet])

    def slots(self, book: PhraseBook, draws: Draws) -> dict[str, str]:
        """Fill the slots that speak of the need alone; only what was stated enters ``what`` and ``tails``."""
        adjectives = [self.facets[facet] for facet in ("look", "color", "material") if facet in self.stated]
        words = " ".join([*adjectives, self.garment]).split()
        pairs = zip(words, [*words[1:], ""], strict=True)
        what = " ".join(word for word, following in pairs if word != following.rstrip("s"))
        many = plural(self.garment) == self.garment
        tails = "".join(self._tail(facet, book, draws) for facet in self.stated if facet in TAILS)
        said = self.phrase_of(draws.pick(self.stated)) if self.stated else self.garment
        return {
            **self.facets,
            "garment": self.garment,
            "garments": plural(self.garment),
            "what": what,
            "whats": plural(what),
            "a_what": f"{draws.pick(('some', 'a pair of', 'new')) if many else article(what)} {what}",
            "tails": tails,
            "said": said,
            "othercolor": draws.pick(("black", "white", "grey", "brown", "navy", "beige")),
            "them": "them" if many else "it",
            "they": "they" if many else "it",
            "they're": "they're" if many else "it's",
            "one": "pair" if many else "one",
            "that": "those" if many else "it",
        }

    def _tail(self, facet: str, book: PhraseBook, draws: Draws) -> str:
        tail = book.say(f"tail.{facet}", self.facets, draws)
        return tail if tail.startswith(",") else f" {tail}"


def plural(words: str) -> str:
    """Return the plural of a garment; most are plural already."""
    if words.endswith("s"):
        return words
    return f"{words}es" if words.endswith("ch") else f"{words}s"


def article(words: str) -> str:
    """Return the indefinite article that goes before ``words``."""
    return "an" if words[0].lower() in "aeiou" else "a"
