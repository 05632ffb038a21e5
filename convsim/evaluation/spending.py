"""What the run behind a side asked of its models, by its manifest, and what each decided finding cost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from convsim.errors import StudyError
from convsim.io import MANIFEST, Manifest
from convsim.io.manifest import read_manifest
from convsim.io.run_folder import fallback_messages
from convsim.models.energy import Energy
from convsim.models.metering import EndpointMeter, Measured, measured_in
from convsim.schema import Finding
from convsim.schema.conversation import Conversation, used_tokens
from convsim.schema.record import Count, Number, Record, Text, Tokens

UNDECIDED = ("undecided", "failed")
"""Verdicts that decide nothing."""
UNCOUNTED, NO_MODEL = "no tokens were counted", "no model was asked"
MODEL_FREE = ("hybrid", "replay", "resample")
"""Shoppers that may ask no model, and whose models, where they ask one, a run measures."""


class EndpointUse(Record):
    """One model at one address, over the whole run: latencies in seconds of each request that was answered."""

    model: Text
    address: Text
    requests: Tokens
    retries: Tokens
    failed: Tokens
    """Requests that were not answered."""
    p50_s: Number | None = None
    p90_s: Number | None = None
    p99_s: Number | None = None
    max_s: Number | None = None
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    cost_usd: Number | None = None
    """Null where the price of an answer is unknown."""
    reason: Text = ""
    """Why tokens or dollars are null."""

    @classmethod
    def of(cls, meter: EndpointMeter) -> EndpointUse:
        """Sum a meter up."""
        latency = meter.latency_s
        return cls(
            model=meter.model, address=meter.address, requests=meter.requests, retries=meter.retries,
            failed=sum(meter.failures.values()), p50_s=latency.p50, p90_s=latency.p90, p99_s=latency.p99,
            max_s=latency.max, input_tokens=None if meter.uncounted else meter.input_tokens,
            output_tokens=None if meter.uncounted else meter.output_tokens,
            cost_usd=None if meter.unpriced else meter.cost_usd, reason=_unknown(meter),
        )  # fmt: skip


def _unknown(meter: EndpointMeter) -> str:
    """Say why tokens, or at least dollars, are not known; nothing where both are."""
    if not meter.completions:
        return "" if meter.cost_usd is not None else "there was no answer whose tokens could be counted"
    if meter.uncounted:
        return f"{meter.uncounted} of {meter.completions} answers did not say their tokens"
    return (
        f"the price of {meter.unpriced} of {meter.completions} answers is unknown" if meter.unpriced else ""
    )


class RunUse(Record):
    """What a run's manifest says of its models: of the whole run, whichever of its conversations are compared."""

    conversations: Count
    """That were measured; fewer than the run has where a call of it was killed."""
    endpoints: tuple[EndpointUse, ...] = ()
    message_p50_s: Number | None = None
    message_p90_s: Number | None = None
    message_p99_s: Number | None = None
    """Seconds that a user message took to be made, waits and tries included."""
    energy_wh: Number | None = None
    """Of the whole machine while the run lasted, as far as it tells; null where it tells nothing."""
    energy_reason: Text = ""
    """Why that is null."""
    fallback_messages: dict[str, Count] = Field(default_factory=dict)
    """Messages of shoppers and agents that a fallback answered for, by model."""


class PerDecided(Record):
    """What the simulated conversations took for each finding that was decided; null with the reason, never 0."""

    n_decided: Count
    cost_usd: Number | None = None
    tokens: Number | None = None
    seconds: Number | None = None
    """Of all conversations one after the other."""
    reason: Text = ""
    """Why a number is null, or that no model was asked."""


def run_use(*files: Path | None) -> RunUse | None:
    """Read what run folders measured, all together; None where one is no run folder, or says nothing of it."""
    manifests = [manifest for manifest in map(_manifest, files) if manifest is not None]
    parts = [part for part in map(measured_in, manifests) if part and (part.endpoints or part.message_s)]
    if not files or len(parts) < len(files):
        return None
    measured = Measured.merged(parts)
    shopper = measured.message_s.get("shopper")
    energy = measured.energy
    known = [e.wh for e in (energy.processors, energy.gpus) if e.wh is not None] if energy else []
    stood_in: dict[str, int] = {}
    for manifest in manifests:
        outcome = manifest.get("outcome")
        noted = outcome.get("fallback_messages") if isinstance(outcome, dict) else None
        for (_, model), n in fallback_messages(noted).items():
            stood_in[model] = stood_in.get(model, 0) + n
    try:
        return RunUse(
            conversations=measured.conversations,
            endpoints=tuple(map(EndpointUse.of, measured.endpoints.values())),
            message_p50_s=shopper.p50 if shopper else None,
            message_p90_s=shopper.p90 if shopper else None,
            message_p99_s=shopper.p99 if shopper else None,
            energy_wh=sum(known) if known else None,
            energy_reason="" if known or energy is None else _untold(energy),
            fallback_messages=stood_in,
        )
    except ValidationError:  # numbers that no run has: somebody has written into its manifest
        return None


def asked_no_model(run: RunUse | None, *, shoppers: Collection[str], n: int) -> bool:
    """Tell whether a run is known to have asked no model: a zero is then a zero, and not what nobody counted.

    Args:
        run: What the manifest says of the whole run; None where there is none.
        shoppers: Who held the conversations; one of the user's own may ask a model that no run measures.
        n: Conversations of the run that are known here; where fewer were measured, one may have asked unseen.
    """
    return (
        run is not None
        and not run.endpoints
        and 0 < run.conversations >= n
        and bool(shoppers)
        and {*shoppers} <= {*MODEL_FREE}
    )


def _untold(energy: Energy) -> str:
    reasons = [each.reason for each in (energy.processors, energy.gpus) if each.reason]
    return "; ".join(dict.fromkeys(reasons))


def _manifest(file: Path | None) -> Manifest | None:
    if file is None or not (file / MANIFEST).is_file():
        return None
    try:
        return read_manifest(file)
    except StudyError:  # what is compared is its conversations, which have been read
        return None


def per_decided(
    findings: Sequence[Finding], simulated: Sequence[Conversation], run: RunUse | None = None
) -> PerDecided | None:
    """Divide what the simulated conversations used by the findings that are decided.

    None where no conversation says what it used. A finding is decided that is judged, and neither undecided nor failed.
    Where ``run`` tells that no model was asked, no tokens and no dollars were spent.
    """
    used = [c.usage for c in simulated if c.usage is not None]
    if not any(usage.seconds or used_tokens(usage) for usage in used):
        return None
    n = sum(not f.is_control and f.verdict not in UNDECIDED for f in findings)
    if not n:
        return PerDecided(n_decided=0, reason="no finding is decided")
    asked = [usage for usage in used if used_tokens(usage)]
    costs = [usage.cost_usd for usage in asked]
    counts = [(usage.input_tokens, usage.output_tokens) for usage in asked]
    shoppers = {c.shopper for c in simulated if c.shopper is not None}
    is_free = not asked and asked_no_model(run, shoppers=shoppers, n=len(simulated))
    reason = "" if asked else NO_MODEL if is_free else UNCOUNTED
    if unknown := sum(cost is None for cost in costs):
        reason = f"the price of {unknown} of {len(asked)} conversations is unknown"
    if missing := len(simulated) - len(used):
        reason = f"{missing} of {len(simulated)} conversations do not say what they used"
    is_counted = (asked or is_free) and not missing
    is_priced = is_counted and not unknown
    tokens = [a + b for a, b in counts if a is not None and b is not None]
    return PerDecided(
        n_decided=n,
        cost_usd=sum(cost or 0.0 for cost in costs) / n if is_priced else None,
        tokens=sum(tokens) / n if is_counted and len(tokens) == len(asked) else None,
        seconds=None if missing else sum(usage.seconds for usage in used) / n,
        reason=reason,
    )
