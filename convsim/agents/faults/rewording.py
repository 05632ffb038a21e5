"""Other items in a reply, and a text that speaks of them instead of the old ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from convsim.schema.conversation import Item
from convsim.schema.protocols import AgentReply
from convsim.text.constraints import NAME, NUMBER, SIGN

NO_PRICE = "a price on request"
PRICE = rf"(?P<sign>{SIGN})\s*{NUMBER}|{NUMBER}\s*(?P<name>{SIGN}|{NAME})"


def short_title(item: Item) -> str:
    """Return what a text calls an item: its title up to the first comma."""
    return item.title.split(",")[0].strip() or item.title.strip()


def with_items(reply: AgentReply, items: Sequence[Item], swaps: Sequence[tuple[Item, Item]]) -> AgentReply:
    """Show ``items``, and name the new item of each swap where the text names the old one.

    A price is put right where it is that of the item whose title stands before it; what else the text says of
    an item, such as its material, is not known to be about it and stays.
    """
    content = _reworded(reply.content, swaps) if swaps else reply.content
    return reply.model_copy(update={"items": tuple(items), "content": content})


def _reworded(text: str, swaps: Sequence[tuple[Item, Item]]) -> str:
    called: dict[str, tuple[Item, str]] = {}
    partner: dict[str, Item] = {}
    for old, new in swaps:
        partner.setdefault(old.id, new)
        for title, other in ((short_title(old), short_title(new)), (old.title.strip(), new.title.strip())):
            if title and other:
                called.setdefault(title.lower(), (old, other))
    titles = "|".join(re.escape(title) for title in sorted(called, key=len, reverse=True)) or "(?!)"
    pattern = re.compile(rf"(?<!\w)(?P<title>{titles})(?!\w)|{PRICE}", re.IGNORECASE)
    spoken_of: Item | None = None

    def instead(match: re.Match[str]) -> str:
        nonlocal spoken_of
        if match["title"] is not None:
            spoken_of, title = called.get(match["title"].lower(), (spoken_of, match["title"]))
            return title
        return _price(match, spoken_of, partner)

    return pattern.sub(instead, text)


def _price(match: re.Match[str], spoken_of: Item | None, partner: Mapping[str, Item]) -> str:
    """Return the new price in the manner of the old one, or what stands there where it is another amount."""
    number = next(group for group in match.groups()[1:] if group and group[0].isdigit())
    if spoken_of is None or spoken_of.price is None or float(number.replace(",", "")) != spoken_of.price:
        return match[0]
    price = partner[spoken_of.id].price
    if price is None:
        return NO_PRICE
    amount = f"{price:,.2f}".removesuffix(".00")
    return f"{match['sign']}{amount}" if match["sign"] else f"{amount} {match['name']}"
