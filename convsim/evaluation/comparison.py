"""The document of a comparison of several simulators with the same people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from convsim.evaluation.budgets import Budget, WithinBudget
from convsim.evaluation.cost import Cost
from convsim.evaluation.memorisation import Memorisation
from convsim.evaluation.nearness import Nearness
from convsim.evaluation.pareto import LeanerPair, OnFront
from convsim.evaluation.scorecard import MadeBy, Scorecard, SideSummary
from convsim.schema import Estimate, GateResult, HumanBaseline, Interval, SimulatorScore, Verdict
from convsim.schema.record import Count, Name, Number, Record, Text
from convsim.schema.versions import Versions
from convsim.stats.proportions import Proportion

if TYPE_CHECKING:
    import pandas as pd

    from convsim.report.plots import Plot

CostAxis = Literal["cost_usd", "seconds"]


class JudgedEstimate(Estimate):
    """A number with its interval and, where it was judged, its verdict; the reason says why it is what it is."""

    verdict: Verdict | None = None
    reason: Text


class Verdicts(Record):
    """How many findings were judged, and what they came to; shares are null where nothing was judged."""

    n: Count
    aligned: Count
    different: Count
    undecided: Count
    share_aligned: Number | None = None
    share_different: Number | None = None
    share_undecided: Number | None = None


class Distance(Record):
    """One metric's Kolmogorov-Smirnov distance from people."""

    metric: Name
    ks: Number | None
    interval: Interval | None
    verdict: Verdict
    noise_floor: HumanBaseline | None
    reason: Text


class Reactions(Record):
    """What came of the shift test between two arms; null and a reason where it could not be asked."""

    agreement: JudgedEstimate
    """Proportion of people's established shifts that go the same way in the simulator."""
    ratio: JudgedEstimate | None = None
    """By what proportion of people's shifts the simulator shifts; null in what earlier versions wrote."""
    joint_p: Number | None = None
    counts: dict[str, Count] = Field(default_factory=dict)
    """Metrics by verdict."""
    reason: Text = ""


class Overlap(Record):
    """What a simulator has of the people that it is held against."""

    n_learned: Count
    """Simulated conversations of a shopper that learned from conversations of the people."""
    n_identical: Count
    share_learned: Number | None
    reason: Text | None
    """Why nothing can be decided; null where there is no overlap."""


class People(Record):
    """The people's side: what simulators are held against."""

    side: SideSummary
    failures: Count
    endings: dict[str, Count]
    titles_named_early: Proportion
    memorisation: Memorisation
    nearness: Nearness | None = None
    """Null in documents of earlier versions."""


class LearnedFile(Record):
    """What shoppers learned from, as it was given; null where it is not a file."""

    path: Text | None
    sha256: Text | None
    n: Count


class SeedRun(Record):
    """One of the runs that were pooled: the same plan with another random seed."""

    name: Name
    path: Text
    sha256: Text
    seed: int
    n: Count
    """Conversations that are compared."""
    mean_distance: Estimate
    """At this run's own size: fewer conversations lie further from people than all of them together."""


class SimulatorReport(Record):
    """One simulator beside the others."""

    name: Name
    side: SideSummary
    failures: Count
    """Conversations that failed and take no part, costs included."""
    shoppers: tuple[Text, ...] = ()
    models: tuple[Text, ...] = ()
    """Models behind the shopper, where its conversations name them; empty where they do not."""
    settings: dict[str, Text] = Field(default_factory=dict)
    """What the shopper of a run folder was set to, as its plan states it; absent where no plan does."""
    not_judged: Text | None = None
    """Why it could not be held against the people at all."""
    habits: Verdicts
    """Findings of ``marginals``."""
    judged: Verdicts
    """All judged findings except those on reactions."""
    distances: tuple[Distance, ...] = ()
    mean_distance: JudgedEstimate
    mean_distance_floor: HumanBaseline | None = None
    """How far two random groups of people of these sizes differ, in the same unit."""
    hls: JudgedEstimate
    relative_hls: JudgedEstimate
    reactions: Reactions
    endings: dict[str, Count]
    overlap: Overlap
    titles_named_early: Proportion
    titles_beyond_people: Estimate
    memorisation: Memorisation
    memorised_beyond_people: Estimate
    """Without first messages."""
    nearness: Nearness | None = None
    cost: Cost
    front: OnFront
    warnings: tuple[Text, ...] = ()
    seeds: tuple[SeedRun, ...] = ()
    """The runs that were pooled; empty where it is one."""
    gate: GateResult | None = None
    """What a team's gate said of it; null where none was held against it."""
    budget: WithinBudget | None = None
    """Whether it keeps within the budget; absent where none is set."""
    validation: Scorecard | None = None
    counterfactual: Scorecard | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_there(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {
            name: value for name, value in dump(self).items() if name not in ("budget", "settings") or value
        }

    @property
    def is_over_budget(self) -> bool:
        """Whether it is shown to take more than the budget allows."""
        return self.budget is not None and self.budget.state == "over"


class Comparison(Record):
    """What ``comparison.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.comparison/1"] = Field("convsim.comparison/1", alias="schema")
    seed: int
    made_by: MadeBy
    people: People
    arms: tuple[Text, ...] = ()
    """Arms on which all but reactions is computed; all where none is named."""
    control: Text | None = None
    treatment: Text | None = None
    learned: tuple[LearnedFile, ...] = ()
    cost_axis: CostAxis | None
    """What a conversation's cost on the Pareto front is measured in: US dollars if every simulator has a price."""
    simulators: tuple[SimulatorReport, ...]
    leaner: tuple[LeanerPair, ...] = ()
    standings: tuple[SimulatorScore, ...] = ()
    versions: tuple[Versions, ...] = ()
    """What got better and what got worse: of two simulators from the first to the second, or from one that is named."""
    budget: tuple[Budget, ...] = ()
    """What simulators may take: who takes more is not ranked, and not on the Pareto front; absent where none is set."""
    failed: tuple[Text, ...] = ()
    """Validators that raised."""
    warnings: tuple[Text, ...] = ()

    @model_serializer(mode="wrap")
    def _without_a_budget(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if name != "budget" or value}

    def score_pairs(self, metric: str) -> dict[tuple[str, str], SimulatorScore]:
        """Return the scores of pairs by the simulator and the one it is compared with."""
        return {
            (s.simulator, s.against): s
            for s in self.standings
            if s.metric == metric and s.against is not None
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what ``comparison.json`` holds, as JSON has it: lists for tuples, None for what is undefined."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a simulator, by its name: distance, human-likeness, reactions, copying and cost.

        Numbers are floats, NaN where undefined; the limits of an interval are ``…_low`` and ``…_high``.
        """
        from convsim.evaluation.frames import simulators_frame

        return simulators_frame(self.simulators)

    def plot(self, what: str | None = None) -> Plot:
        """Draw a figure, to look at in a notebook or to save: ``comparison.plot().savefig("closest.pdf")``.

        Args:
            what: ``"closest"`` (simulators by their distance from people) or ``"cost"``; by default the first of them
                that there is.

        Raises:
            InputError: There is no such figure, or nothing to draw.
        """
        from convsim.report.plots import comparison_plot

        return comparison_plot(self, what)

    def to_latex(self) -> str:
        """Return the ranking as a LaTeX table (booktabs); whatever a name holds is escaped."""
        from convsim.report.latex import comparison_latex

        return comparison_latex(self)

    def __str__(self) -> str:
        from convsim.report.glance import comparison_text

        return comparison_text(self)

    def __repr__(self) -> str:
        names = [each.name for each in self.simulators]
        shown = ", ".join(repr(name[:40]) for name in names[:4]) + (", …" if len(names) > 4 else "")
        return f"Comparison({self.people.side.n} people's conversations, {len(names)} simulators: {shown})"

    def _repr_html_(self) -> str:
        from convsim.report.notebook import comparison_html

        return comparison_html(self)
