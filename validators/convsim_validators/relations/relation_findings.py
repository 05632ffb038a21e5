"""What was found of relations, as findings."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue

from convsim.schema import Corpus, Finding, Interval
from convsim.stats.decision import Judgement
from convsim.stats.severity_levels import rows_on
from convsim_validators.relations.cases import Case, Measured
from convsim_validators.relations.relation import ANY, Relation
from convsim_validators.relations.severity_zero import compare_replies
from convsim_validators.relations.verdict import Violations


@dataclass(frozen=True, kw_only=True)
class RelationFindings:
    """Makes findings that share a validator, a seed and a number of human conversations."""

    validator: str
    version: str
    source: str
    n_real: int
    seed: int
    n_resamples: int

    def directional(self, case: Case, p_adjusted: float | None, p_opposite: float | None) -> Finding:
        """Report a directional relation; both p-values are adjusted, None where nothing was tested."""
        tested = case.tested
        change = tested.change if tested else None
        if tested is None:
            judgement = Judgement("undecided", case.refusal)
        elif p_adjusted is None or p_opposite is None:
            judgement = tested.untestable or Judgement("undecided", "was not tested")
        else:
            judgement = tested.judge(p_adjusted, p_opposite)
        unit = case.measured.metric.unit if case.measured.metric else "points"
        return self._finding(
            case.name,
            case.relation.question,
            judgement,
            unit=f"{unit} per unit of severity" if case.relation.compare == "slope" else unit,
            estimate=change.estimate if change else None,
            interval=change.interval(0.95) if change else None,
            p_value=tested.p_value if tested and p_adjusted is not None else None,
            p_adjusted=p_adjusted,
            n_simulated=case.n_conversations,
            details={
                "relation": _described(case.relation, case.fault),
                "severity": case.severity,
                "rate_control": change.rates[0] if change else None,
                "rate_treated": change.rates[1] if change else None,
                "n_personas": change.n_units if change else 0,
                "n_pairs": change.n_personas if change else 0,
                "margin": tested.margin if tested else None,
                "equivalence_interval": list(tested.equivalence) if tested else None,
                "p_opposite_adjusted": p_opposite,
                "n_resamples": self.n_resamples,
            },
        )

    def hard(self, relation: Relation, corpus: Corpus, measured: Measured) -> Finding:
        """Report a hard relation: over all conversations, or over those with its fault at a severity above 0."""
        severity = rows_on(corpus.conversations, relation.fault)
        rows = [row for row in range(len(corpus)) if relation.fault == ANY or severity[row] > 0]
        violations = Violations.of(corpus.take(rows), measured.values[rows])
        return self._finding(
            relation.name,
            relation.question,
            violations.judge(relation.tolerance),
            unit="proportion of personas",
            estimate=violations.share,
            interval=violations.interval,
            n_simulated=violations.n_conversations,
            details={
                "relation": _described(relation, relation.fault),
                "severity": None,
                "rate_control": None,
                "rate_treated": violations.share,
                "n_personas": violations.n_personas,
                "n_pairs": 0,
                "n_violating": violations.n_violating,
            },
        )

    def severity_zero(self, corpus: Corpus) -> Finding:
        """Report whether wrapped agents at severity 0 replied as the bare agent did."""
        found = compare_replies(corpus.conversations)
        share = found.n_identical / found.n_replies if found.n_replies else None
        if share is None:
            judgement = Judgement(
                "undecided",
                "no persona is recorded both with the bare agent and with a degraded one at severity 0 and the same "
                "history; run some with convsim simulate --fault NAME=0",
            )
        elif found.first_difference is None:
            judgement = Judgement(
                "aligned", f"all {found.n_replies} replies to identical histories are identical"
            )
        else:
            first = found.first_difference
            judgement = Judgement(
                "different",
                f"{found.n_replies - found.n_identical} of {found.n_replies} replies to identical histories differ, "
                f"first message {first.message + 1} of conversation {first.conversation[:80]}: the wrapper "
                "changes something at severity 0, or the agent does not repeat itself",
            )
        identity: dict[str, JsonValue] = {
            "name": "severity_zero", "fault": ANY, "metric": None, "direction": None, "tolerance": 0.0,
            "kind": "identity", "compare": None,
        }  # fmt: skip
        return self._finding(
            "severity_zero",
            "Does the degraded agent at severity 0 reply as the bare agent did, byte for byte?",
            judgement,
            unit="proportion of replies",
            estimate=share,
            n_simulated=len(corpus),
            details={
                "relation": identity,
                "severity": 0.0,
                "rate_control": None,
                "rate_treated": share,
                "n_personas": found.n_personas,
                "n_pairs": found.n_replies,
            },
        )

    def _finding(
        self,
        metric: str,
        question: str,
        judgement: Judgement,
        *,
        unit: str,
        estimate: float | None,
        n_simulated: int,
        details: dict[str, JsonValue],
        interval: Interval | None = None,
        p_value: float | None = None,
        p_adjusted: float | None = None,
    ) -> Finding:
        return Finding(
            validator=self.validator,
            metric=metric,
            question=question,
            estimate=estimate,
            unit=unit,
            interval=interval,
            p_value=p_value,
            p_adjusted=p_adjusted,
            verdict=judgement.verdict,
            reason=judgement.reason,
            n_real=self.n_real,
            n_simulated=n_simulated,
            seed=self.seed,
            version=self.version,
            source=self.source,
            details={"role": "metric", **details, "n_to_decide": judgement.n_to_decide},
        )


def _described(relation: Relation, fault: str) -> dict[str, JsonValue]:
    return {
        "name": relation.name,
        "fault": fault,
        "metric": relation.metric_name,
        "direction": relation.direction,
        "tolerance": relation.tolerance,
        "kind": relation.kind,
        "compare": relation.compare if relation.kind == "directional" else None,
    }
