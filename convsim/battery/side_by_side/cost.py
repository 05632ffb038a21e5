"""What a conversation of a simulator cost, as far as its conversations say."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ConfigDict

from convsim.conversation import Conversation, Usage
from convsim.records import Count, Number, Record, Text

UNCOUNTED = "no tokens were counted"


class Cost(Record):
    """Means a conversation, of shopper and agent together; what is not known is null and has a reason, never 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    n_known: Count
    """Conversations that say what they used."""
    input_tokens: Number | None = None
    output_tokens: Number | None = None
    seconds: Number | None = None
    cost_usd: Number | None = None
    reasons: dict[str, Text]
    """Why a number is null, by its name."""


def cost_of(conversations: Sequence[Conversation]) -> Cost:
    """Average what conversations used, over those that say it.

    Zeros count as not said: a file without usage, a server that counts no tokens and a shopper that needs no model look
    alike. The price is unknown as soon as that of one conversation with tokens is.
    """
    used = [c.usage for c in conversations if c.usage is not None]
    n = len(used)
    if not n:
        said = "its conversations do not say what they used"
        return Cost(
            n_known=0, reasons=dict.fromkeys(("input_tokens", "output_tokens", "seconds", "cost_usd"), said)
        )
    total = Usage.sum(used)
    reasons: dict[str, str] = {}
    means: dict[str, float | None] = {}
    for name, amount, why in (
        ("input_tokens", total.input_tokens, UNCOUNTED),
        ("output_tokens", total.output_tokens, UNCOUNTED),
        ("seconds", total.seconds, "no time was recorded"),
    ):
        means[name] = amount / n if amount else None
        if not amount:
            reasons[name] = why
    means["cost_usd"] = None if total.cost_usd is None else total.cost_usd / n
    if total.cost_usd is None:
        reasons["cost_usd"] = _unpriced(used)
    return Cost(n_known=n, reasons=reasons, **means)


def _unpriced(used: Sequence[Usage]) -> str:
    with_tokens = [usage for usage in used if usage.input_tokens or usage.output_tokens]
    if not with_tokens:
        return UNCOUNTED
    unknown = sum(usage.cost_usd is None for usage in with_tokens)
    return f"the price of {unknown} of {len(with_tokens)} conversations is not known"
