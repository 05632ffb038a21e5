"""What the simulated conversations cost, as far as they say."""

from __future__ import annotations

from collections.abc import Iterable

from convsim.report.words import number
from convsim.schema.conversation import Conversation


def cost_rows(conversations: Iterable[Conversation]) -> tuple[list[tuple[str, str, str]], str]:
    """Add up what was used.

    Returns:
        Rows of what, in all, and a conversation; and a sentence on what is not known. No row where nothing is.
    """
    conversations = list(conversations)
    used = [c.usage for c in conversations if c.usage is not None]
    if not used:
        return [], "The conversations say nothing of what they used."
    totals = {
        "input tokens": sum(u.input_tokens for u in used),
        "output tokens": sum(u.output_tokens for u in used),
        "seconds": sum(u.seconds for u in used),
    }
    rows = [(what, f"{total:,.0f}", number(total / len(used))) for what, total in totals.items()]
    priced = [u.cost_usd for u in used if u.cost_usd is not None]
    if priced:
        rows.append(("US dollars", f"{sum(priced):,.4g}", number(sum(priced) / len(priced))))
    unknown = len(conversations) - len(priced)
    said = f"{len(used)} of {len(conversations)} conversations say what they used"
    return rows, f"{said}; the price of {unknown} is not known." if unknown else f"{said}."
