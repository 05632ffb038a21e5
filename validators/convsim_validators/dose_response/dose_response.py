"""Does what shoppers do change with the severity of a fault, and in the direction in which people change?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ResampleCount, check_settings
from convsim.schema import Corpus, Finding
from convsim.seeds import generator
from convsim.stats.decision import Judgement
from convsim.stats.multiplicity import max_t
from convsim.stats.severity_levels import Ladder, describe_recorded, rows_on
from convsim_validators.dose_response.reaction import AnyReaction, any_reaction
from convsim_validators.dose_response.response import Responses
from convsim_validators.dose_response.trend import Onset, differences, onset

MAX_SEVERITIES = 25
"""More steps than anybody sets up by hand; bounds the work."""


@dataclass(frozen=True, kw_only=True)
class DoseResponse:
    """Tests each metric for a monotone trend over the recorded severities of one fault.

    H0, per metric: what a persona does is exchangeable between severities. Rejecting it says that shoppers react
    steadily, and on metrics with a known direction whether they do so as people do; not how strongly people would.
    It needs no human conversations: ``real`` is not read.

    Source:
        Page (1963) and Jonckheere (1954) for the tests; the directions are declared in ``expectations.toml`` with
        the source of each; margin and verdicts are ours (validators/README.md).
    """

    name: ClassVar[str] = "dose_response"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "Page (1963), Ordered hypotheses for multiple treatments; Jonckheere (1954), A distribution-free k-sample test"
    )
    on_request: ClassVar[bool] = True

    fault: Annotated[str, Field(min_length=1, description="the name of a recorded fault")]
    margin_sd: Annotated[float, Field(ge=0, le=10)] = 0.2
    """A slope from severity 0 to 1 of less than this many standard deviations at severity 0 counts as none."""
    n_resamples: ResampleCount = 1999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric of the simulated table, and ``any_reaction`` over all of them.

        Without two severities to compare there is ``any_reaction`` alone, undecided.
        """
        refusal = self._refusal(simulated)
        if refusal:
            return [self._unanswered(refusal, real, simulated, seed)]
        values = simulated.table.to_numpy(np.float64)
        ladder = Ladder.of(simulated, values, self.fault)
        responses = Responses.of(
            ladder,
            values,
            metrics=list(simulated.metrics.values()),
            margin_sd=self.margin_sd,
            n_resamples=self.n_resamples,
            seed=seed,
        )
        reactions = responses.reactions
        adjusted = max_t(
            {
                reaction.metric.name: np.abs(responses.trends.all_z[:, column])
                for column, reaction in enumerate(reactions)
                if reaction.expected and reaction.measurable
            }
        )
        onsets = self._onsets(ladder, seed)
        findings = [
            self._finding(
                column,
                ladder,
                responses=responses,
                onset=onsets[column],
                p_adjusted=adjusted.get(reaction.metric.name),
                n_real=len(real),
                seed=seed,
            )
            for column, reaction in enumerate(reactions)
        ]
        return [*findings, self._joint_finding(ladder, responses, len(real), seed)]

    def _refusal(self, simulated: Corpus) -> str | None:
        severity = rows_on(simulated.conversations, self.fault)
        found = np.unique(severity[~np.isnan(severity)])
        if 2 <= len(found) <= MAX_SEVERITIES:
            return None
        levels = ", ".join(f"{level:g}" for level in found[:MAX_SEVERITIES]) or "none"
        wanted = f"{self.fault[:60]!r} is recorded at severity {levels}, counting the bare agent as 0"
        if len(found) > MAX_SEVERITIES:
            return f"{wanted} and more; at most {MAX_SEVERITIES} severities can be compared"
        return (
            f"{wanted}; at least 2 are needed ({describe_recorded(simulated.conversations)}); run the same personas "
            f"with convsim simulate --fault {self.fault[:60]}=SEVERITY"
        )

    def _onsets(self, ladder: Ladder, seed: int) -> list[Onset]:
        n_levels = len(ladder.severities)
        if ladder.severities[0] > 0:
            return [Onset(None, (None,) * n_levels)] * ladder.values.shape[2]
        rng = generator(seed, self.name, "onset")
        p_values = differences(ladder.cells, n_levels, self.n_resamples, rng)
        return [onset(ladder.severities, column) for column in p_values.T]

    def _finding(
        self,
        column: int,
        ladder: Ladder,
        *,
        responses: Responses,
        onset: Onset,
        p_adjusted: float | None,
        n_real: int,
        seed: int,
    ) -> Finding:
        reaction = responses.reactions[column]
        judgement = reaction.judge(p_adjusted)
        if judgement.verdict == "aligned" and onset.severity is not None:
            judgement = judgement._replace(
                reason=f"{judgement.reason}; shoppers begin to react at severity {onset.severity:g}"
            )
        tested = reaction.measurable
        details = responses.describe(column, ladder) | {
            "fault": self.fault,
            "margin_sd": self.margin_sd,
            "onset": onset.severity if tested else None,
            "onset_p_values": list(onset.p_values) if tested else None,
            "n_to_decide": judgement.n_to_decide,
            "n_resamples": self.n_resamples,
        }
        return Finding(
            validator=self.name,
            metric=reaction.metric.name,
            question=f"Does {reaction.metric.name} change steadily with the severity of {self.fault}? "
            f"{reaction.metric.description}",
            estimate=reaction.slope if reaction.n_units else None,
            unit=f"{reaction.metric.unit} per unit of severity",
            interval=reaction.interval,
            p_value=reaction.p_value if tested else None,
            p_adjusted=p_adjusted,
            verdict=judgement.verdict,
            reason=judgement.reason,
            n_real=n_real,
            n_simulated=responses.n_defined[column],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )

    def _joint_finding(self, ladder: Ladder, responses: Responses, n_real: int, seed: int) -> Finding:
        answer = any_reaction(responses.reactions, responses.trends, responses.joint)
        return self._joint(
            answer.judgement,
            n=(n_real, sum(ladder.n_conversations)),
            seed=seed,
            answer=answer,
            details={
                "severities": ladder.severities.tolist(),
                "n_personas": ladder.cells.n_units,
                "n_conversations": list(ladder.n_conversations),
                "test": responses.trends.test,
                "n_metrics": int(responses.joint.sum()),
                "moving": list(answer.moving),
                "n_resamples": self.n_resamples,
            },
        )

    def _unanswered(self, reason: str, real: Corpus, simulated: Corpus, seed: int) -> Finding:
        return self._joint(Judgement("undecided", reason), n=(len(real), len(simulated)), seed=seed)

    def _joint(
        self,
        judgement: Judgement,
        *,
        n: tuple[int, int],
        seed: int,
        answer: AnyReaction | None = None,
        details: dict[str, JsonValue] | None = None,
    ) -> Finding:
        return Finding(
            validator=self.name,
            metric="any_reaction",
            question=f"Does anything that shoppers do change steadily with the severity of {self.fault}?",
            estimate=answer.largest if answer else None,
            unit="largest |z|",
            p_value=answer.p_value if answer else None,
            verdict=judgement.verdict,
            reason=judgement.reason,
            n_real=n[0],
            n_simulated=n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details={
                "role": "metric",
                "fault": self.fault,
                "n_to_decide": judgement.n_to_decide,
                **(details or {}),
            },
        )
