"""What a conversation of a simulator costs, as far as its conversations record it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from pydantic import Field

from convsim.evaluation.spending import UNCOUNTED, RunUse, asked_no_model
from convsim.schema import Interval
from convsim.schema.conversation import Conversation, Usage, used_tokens
from convsim.schema.record import Count, Number, Record, Text
from convsim.schema.units import independent_unit
from convsim.stats.means import mean_interval


class Cost(Record):
    """Means a conversation, of shopper and agent together; what is not known is null and has a reason, never 0."""

    n_known: Count
    """Conversations that say what they used."""
    requests: Number | None = None
    """Sent to models in the whole run, failed and repeated ones included; known of run folders alone."""
    input_tokens: Number | None = None
    output_tokens: Number | None = None
    seconds: Number | None = None
    cost_usd: Number | None = None
    reasons: dict[str, Text]
    """Why a number is null, by its name."""
    intervals: dict[str, Interval] = Field(default_factory=dict)
    """95 % intervals of ``seconds`` and ``cost_usd``, by user or persona; none where a mean's noise is unknown."""


def cost_of(conversations: Sequence[Conversation]) -> Cost:
    """Average what conversations used, over those that say it.

    Zeros count as not said: a file without usage, a server that counts no tokens and a shopper that needs no model look
    alike. The price is unknown as soon as that of one conversation with tokens is.
    """
    known = [(c.usage, independent_unit(c)) for c in conversations if c.usage is not None]
    used = [usage for usage, _ in known]
    n = len(used)
    if not n:
        said = "its conversations do not record what they used"
        return Cost(
            n_known=0, reasons=dict.fromkeys(("input_tokens", "output_tokens", "seconds", "cost_usd"), said)
        )
    reasons: dict[str, str] = {}
    said_of: dict[str, list[float]] = {
        "input_tokens": [float(usage.input_tokens) for usage in used if usage.input_tokens],
        "output_tokens": [float(usage.output_tokens) for usage in used if usage.output_tokens],
        "seconds": [usage.seconds for usage in used if usage.seconds],
        "cost_usd": [],
    }
    for name, why in (
        ("input_tokens", UNCOUNTED),
        ("output_tokens", UNCOUNTED),
        ("seconds", "no time was recorded"),
    ):
        if not said_of[name]:
            reasons[name] = why
    if unpriced := _unpriced(used):
        reasons["cost_usd"] = unpriced
    else:
        said_of["cost_usd"] = [usage.cost_usd or 0.0 for usage in used if used_tokens(usage)]
    # Means, not sums divided by n: the sum of numbers that a file may hold can be infinite.
    means = {name: float(mean(amounts)) if amounts else None for name, amounts in said_of.items()}
    said_by: dict[str, list[tuple[float, str]]] = {
        "seconds": [(u.seconds, who) for u, who in known if u.seconds]
    }
    if said_of["cost_usd"]:
        said_by["cost_usd"] = [(u.cost_usd or 0.0, who) for u, who in known if used_tokens(u)]
    limits = {
        name: mean_interval([amount for amount, _ in said], [who for _, who in said])
        for name, said in said_by.items()
    }
    intervals = {name: found for name, found in limits.items() if found is not None}
    return Cost(n_known=n, reasons=reasons, intervals=intervals, **means)


def with_requests(cost: Cost, run: RunUse | None, *, shoppers: Sequence[str], n: int) -> Cost:
    """Add what a run measured: a shopper that needs no model, in a run that asked none, costs no tokens and no money.

    Another one's zeros stay unknown: a shopper of the user's own may ask a model that no run measures.

    Args:
        cost: What the conversations say.
        run: What the manifest says of the whole run; None where there is none.
        shoppers: Who held the conversations.
        n: Conversations of the run that are known here.
    """
    if run is None or not run.conversations:
        return cost
    found = cost.but(requests=sum(each.requests for each in run.endpoints) / run.conversations)
    if not asked_no_model(run, shoppers=shoppers, n=n) or any(
        cost.reasons.get(name) != UNCOUNTED for name in ("input_tokens", "output_tokens", "cost_usd")
    ):
        return found  # tokens were counted all the same
    return found.but(
        input_tokens=0.0, output_tokens=0.0, cost_usd=0.0,
        reasons={name: why for name, why in cost.reasons.items() if why != UNCOUNTED},
        intervals={**cost.intervals, "cost_usd": (0.0, 0.0)},
    )  # fmt: skip


def _unpriced(used: Sequence[Usage]) -> str | None:
    """Say why the price is unknown; None where it is known."""
    with_tokens = [usage for usage in used if used_tokens(usage)]
    if not with_tokens:
        return UNCOUNTED
    unknown = sum(usage.cost_usd is None for usage in with_tokens)
    return f"the price of {unknown} of {len(with_tokens)} conversations is unknown" if unknown else None
