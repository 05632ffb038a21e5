"""What a scorecard comes to, in the few numbers that stand side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from convsim.evaluation.comparison import Distance, Estimate, Reactions, Verdicts
from convsim.evaluation.layout import (
    SECTIONS,
    WORDS_VIEW,
    in_section,
    is_shift_of_one_metric,
    section_of,
)
from convsim.evaluation.scorecard import Scorecard
from convsim.schema import FAILING, Finding, NoiseFloor, Standing
from convsim.schema.details import AgreementDetails, JointDetails


def verdicts(findings: Iterable[Finding]) -> Verdicts:
    """Count what judged findings came to; controls, and what failed, are left out."""
    judged = [f for f in findings if not f.is_control and f.verdict != "failed"]
    different = sum(f.verdict in FAILING for f in judged)
    undecided = sum(f.verdict == "undecided" for f in judged)
    counts = {"aligned": len(judged) - different - undecided, "different": different, "undecided": undecided}
    shares = {f"share_{name}": count / len(judged) for name, count in counts.items()} if judged else {}
    return Verdicts.model_validate({"n": len(judged), **counts, **shares})


def distances(findings: Iterable[Finding]) -> tuple[Distance, ...]:
    """Return the Kolmogorov-Smirnov distance of each judged metric of ``marginals``."""
    return tuple(
        Distance(
            metric=f.metric, ks=f.estimate, interval=f.interval, verdict=f.verdict, noise_floor=f.noise_floor,
            reason=f.reason,
        )
        for f in findings
        if section_of(f) == "habits" and not f.is_control
    )  # fmt: skip


def hls(findings: Iterable[Finding]) -> Estimate:
    """Return the human-likeness score."""
    found = next((f for f in in_section(findings, "likeness") if f.metric == WORDS_VIEW), None)
    return _estimate(found, f"the validator {SECTIONS['likeness']} was not asked")


def of_standing(standings: Sequence[Standing], validator: str, metric: str, name: str) -> Estimate:
    """Return one simulator's own standing."""
    found = _standing(standings, validator, metric, name)
    if found is None:
        return Estimate(reason=f"no validator says where it stands among others ({validator}: {metric})")
    return Estimate(estimate=found.estimate, interval=found.interval, reason=found.reason)


def floor_of_standing(
    standings: Sequence[Standing], validator: str, metric: str, name: str
) -> NoiseFloor | None:
    """Return the noise floor of one simulator's own standing; None where it has none."""
    found = _standing(standings, validator, metric, name)
    stated = found.details.get("noise_floor") if found else None
    return NoiseFloor.model_validate(stated) if isinstance(stated, dict) else None


def _standing(standings: Sequence[Standing], validator: str, metric: str, name: str) -> Standing | None:
    asked = (validator, metric, name, None)
    return next((s for s in standings if (s.validator, s.metric, s.simulator, s.against) == asked), None)


def reactions(card: Scorecard | None, reason: str) -> Reactions:
    """Return what came of the shift test; ``reason`` says why it was not asked where there is no scorecard."""
    if card is None:
        return Reactions(agreement=Estimate(reason=reason), reason=reason)
    joint = next((f for f in card.judged if isinstance(f.details, JointDetails)), None)
    agreement = next((f for f in card.judged if isinstance(f.details, AgreementDetails)), None)
    counts = Counter(f.verdict for f in card.judged if is_shift_of_one_metric(f))
    return Reactions(
        agreement=_estimate(agreement, "no metric could be judged"),
        joint_p=joint.p_value if joint else None,
        counts=dict(sorted(counts.items())),
    )


def _estimate(finding: Finding | None, otherwise: str) -> Estimate:
    if finding is None:
        return Estimate(reason=otherwise)
    return Estimate(
        estimate=finding.estimate, interval=finding.interval, verdict=finding.verdict, reason=finding.reason
    )
