"""The demo catalogue: items made from the words in ``wardrobe/``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from convsim.schema.catalogue import CatalogueItem
from tests.demo_data.draws import Draws

WARDROBE = Path(__file__).parent / "wardrobe"
CATEGORIES = ("footwear", "outerwear", "tops", "bottoms")
PRICE_ENDINGS = (0.0, 0.5, 0.95, 0.99)

Audience = Literal["men's", "women's", "unisex"]


class Words(BaseModel):
    """The words that all garments share."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    per_garment: int
    brands: dict[str, tuple[str, ...]]
    lines: tuple[str, ...]
    colors: dict[str, tuple[str, ...]]
    sizes: dict[str, tuple[str, ...]]
    closing: tuple[str, ...]


class Garment(BaseModel):
    """One kind of garment, and what its items may be like; ``price`` is the lowest and the highest."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    category: str
    name: str
    said: tuple[str, ...]
    looks: tuple[str, ...]
    materials: tuple[str, ...]
    occasions: tuple[str, ...]
    details: tuple[str, ...]
    price: tuple[float, float]
    fit: str
    palette: str
    audiences: tuple[Audience, ...] = Field(("men's", "women's", "unisex"), alias="for")


@dataclass(frozen=True)
class Stock:
    """An item of the catalogue with what it was made from."""

    item: CatalogueItem
    garment: Garment
    look: str

    @property
    def price(self) -> float:
        """The price, which every item of the demo has."""
        return self.item.price or 0.0


def make_stock(seed: int) -> list[Stock]:
    """Make the catalogue's items, category by category; every title and id once."""
    words = Words.model_validate(tomllib.loads((WARDROBE / "words.toml").read_text(encoding="utf-8")))
    stock: list[Stock] = []
    for category in CATEGORIES:
        draws = Draws(seed, "catalogue", category)
        table = tomllib.loads((WARDROBE / f"{category}.toml").read_text(encoding="utf-8"))
        made: list[Stock] = []
        for entry in table["garment"]:
            garment = Garment.model_validate({**entry, "category": category})
            for look in draws.some(garment.looks, words.per_garment):
                made.append(
                    _make(f"demo-{category[0]}{len(made) + 1:03d}", garment, look, words=words, draws=draws)
                )
        stock.extend(made)
    return stock


def _make(item_id: str, garment: Garment, look: str, *, words: Words, draws: Draws) -> Stock:
    audience = draws.pick(garment.audiences)
    sizes = words.sizes[f"{audience} {garment.fit}"]
    cut = draws.below(3)
    brand = draws.pick(words.brands[garment.category])
    material, occasion = draws.pick(garment.materials), draws.pick(garment.occasions)
    colors = draws.some(words.colors[garment.palette], 2 + draws.below(3))
    slots = {"material": material, "Material": material[0].upper() + material[1:], "occasion": occasion}
    closing = draws.pick(words.closing).format(**slots, color=colors[0])
    low, high = garment.price
    price = int(low + (high - low) * draws.unit()) + draws.pick(PRICE_ENDINGS)
    item = CatalogueItem(
        id=item_id,
        title=f"{brand} {draws.pick(words.lines)} {look} {garment.name}, {audience}",
        description=f"{draws.pick(garment.details)} {closing}",
        price=price,
        attributes={
            "brand": brand,
            "category": garment.category,
            "colors": list(colors),
            "sizes": list(sizes[: len(sizes) - cut]),
            "material": material,
            "occasion": occasion,
        },
    )
    return Stock(item, garment, look)
