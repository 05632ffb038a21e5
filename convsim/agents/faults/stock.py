"""What a shop has, by category, and the words that its catalogue uses for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from convsim.agents.search.vocabulary import Vocabulary
from convsim.agents.search.wishes import Phrase
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.conversation import Item
from convsim.text.folding import plain_text, tokens, words_of


@dataclass
class Stock:
    """A catalogue, read when a fault first asks; a category is known by its folded words."""

    catalogue: Catalogue

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that the catalogue itself uses."""
        return Vocabulary.of(self.catalogue)

    @cached_property
    def by_category(self) -> dict[Phrase, tuple[CatalogueItem, ...]]:
        """The items of each category; those without one stand under the empty phrase."""
        found: dict[Phrase, list[CatalogueItem]] = {}
        for item in self.catalogue.items:
            found.setdefault(words_of(item.text_of("category")), []).append(item)
        return {category: tuple(items) for category, items in found.items()}

    @cached_property
    def nouns(self) -> dict[Phrase, tuple[str, ...]]:
        """The nouns of each category's titles as they are written, such as "boots"; those of two stand in neither.

        A category whose titles have no noun of their own has its name.
        """
        written: dict[str, str] = {}
        for item in self.catalogue.items:
            for last in tokens(plain_text(item.title.split(",")[0]))[-1:]:
                written.setdefault(last.word, last.written)
        homes = self.vocabulary.homes
        return {
            category: tuple(
                written[kind] for (kind, *_), home in homes.items() if home == {category} and kind in written
            )
            or ((" ".join(category),) if category else ())
            for category in self.by_category
        }

    def category_of(self, item: Item) -> Phrase | None:
        """Return the category of an item that was shown, None where the catalogue does not hold it."""
        if item.id not in self.catalogue:
            return None
        return words_of(self.catalogue.item(item.id).text_of("category"))

    def categories_said(self, text: str) -> frozenset[Phrase]:
        """Return the categories that a text names, or names a kind of."""
        found: set[Phrase] = set()
        for mention in self.vocabulary.mentions(tokens(plain_text(text))):
            if mention.facet == "kind":
                found.update(self.vocabulary.homes[mention.phrase])
            elif mention.facet == "category":
                found.add(mention.phrase)
        return frozenset(found)

    def outside(self, categories: Collection[Phrase]) -> list[CatalogueItem]:
        """Return the items of all other categories, in the catalogue's order of categories."""
        return [
            item
            for category, items in self.by_category.items()
            if category not in categories
            for item in items
        ]
