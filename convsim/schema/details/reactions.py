"""What findings on reactions say beside their estimates: to another arm, to an agent that gets worse."""

from __future__ import annotations

from pydantic import Field, JsonValue

from convsim.schema.details.mapping import BySide, Details, Interval, Measured, Needs, Part, Probability
from convsim.schema.record import Count, Flag, Number, Text


class Shift(Measured):
    """How far one side moved."""

    p_value: Number | None = None


class HumanShift(Shift):
    """How far people moved, and whether that is established."""

    p_adjusted: Number | None = None
    established: Flag | None = None
    """Null where people cannot have moved: all of them have one value."""


class ShiftDetails(Details):
    """How far either side moved from one arm to another."""

    shape = frozenset({"human_shift", "simulated_shift"})
    human_shift: HumanShift | None
    simulated_shift: Shift | None
    role: Text | None = None
    no_reaction: Text | None = None
    """Why no reaction is asked for; null where one is."""
    level: Text | None = None
    label_source: Text | None = None
    human_means: dict[str, Number | None] | None = None
    """By arm."""
    simulated_means: dict[str, Number | None] | None = None
    human_sd: Number | None = None
    """The standard deviation among people: the unit in which shifts of several metrics are drawn."""
    margin_sd: Number | None = None
    margin: Number | None = None
    control: Text = "control"
    treatment: Text = "treatment"
    tasks: tuple[Text, ...] = ()
    tasks_simulated: tuple[Text, ...] = ()
    n: BySide = Field(default_factory=dict)
    n_units: BySide = Field(default_factory=dict)
    n_undefined: BySide = Field(default_factory=dict)
    n_resamples: Count | None = None
    difference_p_value: Number | None = None
    difference_p_adjusted: Number | None = None
    n_to_decide: dict[str, Count] | Count | None = None


class Step(Part):
    """The proportion of users who are still there after a turn."""

    turn: Number
    survival: Probability
    interval: Interval | None = None


class Curves(Part):
    """One side's curve in either arm."""

    control: tuple[Step, ...] | None = None
    treatment: tuple[Step, ...] | None = None


class BothCurves(Part):
    """How long users of both sides stay."""

    real: Curves | None = None
    simulated: Curves | None = None


class LeavingDetails(ShiftDetails):
    """How far the chance of leaving moved, and how long users stay in either arm."""

    shape = ShiftDetails.shape | {"curves"}
    curves: BothCurves
    event: Text | None = None
    human_hazards: dict[str, Number | None] | None = None
    """By arm."""
    simulated_hazards: dict[str, Number | None] | None = None
    n_unknown_endings: dict[str, Count] | None = None
    counts: BySide = Field(default_factory=dict)
    after_bad_reply: BySide = Field(default_factory=dict)


class AgreementDetails(Details):
    """In which metrics a proportion of shifts that go the same way was counted."""

    shape = frozenset({"metrics", "chance"})
    metrics: tuple[Text, ...]
    chance: Number
    role: Text | None = None
    control: Text | None = None
    treatment: Text | None = None
    n_resamples: Count | None = None


class JointDetails(Details):
    """What a joint test of several metrics stands on; ``largest`` is the metric that differs most."""

    shape = frozenset({"metrics", "t_values"})
    metrics: tuple[Text, ...]
    largest: Text | None = None
    t_values: dict[str, Number | None]
    role: Text | None = None
    control: Text | None = None
    treatment: Text | None = None
    n_resamples: Count | None = None


class BothShifts(Part):
    """The shifts of both sides in one metric, in human standard deviations."""

    people: Number
    simulated: Number


class WithoutOne(Part):
    """The metric that changes a ratio most when it is left out, and the ratio without it."""

    metric: Text
    estimate: Number | None = None
    """Null where people's shift in the other metrics is no larger than its error."""


class RatioDetails(Details):
    """What a reaction ratio stands on; null limits where people's shifts may be nothing at all."""

    shape = frozenset({"fieller", "shifts_in_human_sd"})
    fieller: Interval | None
    delta: Interval | None = None
    """With ``fieller``: the two whose hull is the finding's interval."""
    equivalence_interval: Interval | None = None
    """The hull at the level of two one-sided tests, which is inside the margin where reactions are as people's."""
    shifts_in_human_sd: dict[str, BothShifts]
    leave_one_out: WithoutOne | None = None
    margin: Number | None = None
    """How far from 1 the ratio may lie."""
    margin_sd: Number | None = None
    """The root mean square, in human standard deviations, up to which shifts are nothing."""
    alpha: Number | None = None
    people_rms: Interval | None = None
    """One-sided limits of the root mean square of people's shifts, each at ``alpha``."""
    simulated_rms: Interval | None = None
    needs: Needs | None = None
    role: Text | None = None
    control: Text | None = None
    treatment: Text | None = None
    n_units: BySide = Field(default_factory=dict)
    n_units_needed: Count | None = None
    """Fewer users or personas an arm get an interval and no verdict."""
    n_units_on_both_sides: Count | None = None


class BesidePeople(Part):
    """Whether the simulator's first words lean to the arms as people's do, or otherwise; three p-values."""

    p_people: Probability
    """People's first words do not depend on the arm."""
    p_same_way: Probability
    """People's first words do not lean the way that the simulator's do; one-sided."""
    p_otherwise: Probability
    """The simulator's first words depend on the arm as people's do."""


class FirstMessageDetails(Details):
    """How first messages of two arms were compared, and the words that differ most."""

    shape = frozenset({"n_units_movable", "words"})
    words: tuple[dict[str, JsonValue], ...]
    n_units_movable: Count
    role: Text | None = None
    control: Text | None = None
    treatment: Text | None = None
    tasks: tuple[Text, ...] = ()
    n: dict[str, Count] | None = None
    n_units: dict[str, Count] | None = None
    same_share: Number | None = None
    n_agent_first: Count | None = None
    n_without_text: Count | None = None
    n_other_tasks: Count | None = None
    n_cut: Count | None = None
    features: Text | None = None
    beside_people: BesidePeople | None = None
    """Null where nothing is asked of people: theirs is no question, or the simulator's words do not depend."""
    n_resamples: Count | None = None


class TransferDetails(Details):
    """What a simulator learned from, and how far it is from people with and without having seen an arm."""

    shape = frozenset({"learned_arms", "saw_treated"})
    learned_arms: tuple[Text, ...]
    saw_treated: Flag | None
    saw_both_arms: tuple[Text, ...] | None = None
    n_silent: Count | None = None
    metrics: tuple[Text, ...] = ()
    distance: Number | None = None
    distance_saw_both: Number | None = None
    role: Text | None = None
    control: Text | None = None
    treatment: Text | None = None
    n_resamples: Count | None = None


class DoseDetails(Details):
    """A metric's means as a fault grows."""

    shape = frozenset({"severities", "means"})
    severities: tuple[Number, ...]
    means: tuple[Number | None, ...]
    mean_intervals: tuple[Interval | None, ...] | None = None
    onset: Number | None = None
    """The lowest severity at which shoppers react."""
    expected: Text | None = None
    metric_unit: Text | None = None
    fault: Text = "the fault"
    role: Text | None = None
    n_personas: Count | None = None
    n_conversations: tuple[Count, ...] = ()
    test: Text | None = None
    statistic: Number | None = None
    z: Number | None = None
    equivalence_interval: Interval | None = None
    margin: Number | None = None
    margin_sd: Number | None = None
    sd: Number | None = None
    expected_source: Text | None = None
    onset_p_values: tuple[Number | None, ...] | None = None
    n_resamples: Count | None = None
    n_to_decide: dict[str, Count] | Count | None = None


class AnyReactionDetails(Details):
    """Whether anything changes as a fault grows."""

    shape = frozenset({"fault", "n_to_decide"})
    fault: Text
    moving: tuple[Text, ...] = ()
    role: Text | None = None
    severities: tuple[Number, ...] = ()
    n_personas: Count | None = None
    n_conversations: tuple[Count, ...] = ()
    test: Text | None = None
    n_metrics: Count | None = None
    n_resamples: Count | None = None
    n_to_decide: dict[str, Count] | Count | None = None


class RelationDetails(Details):
    """The rates that a relation holds against one another: of the same personas, without a fault and with it."""

    shape = frozenset({"relation", "rate_control", "rate_treated"})
    relation: dict[str, JsonValue]
    rate_control: Number | None
    rate_treated: Number | None
    role: Text | None = None
    severity: Number | None = None
    n_personas: Count = 0
    n_pairs: Count = 0
    n_violating: Count | None = None
    margin: Number | None = None
    equivalence_interval: Interval | None = None
    p_opposite_adjusted: Number | None = None
    n_resamples: Count | None = None
    n_to_decide: dict[str, Count] | Count | None = None


class SameRepliesDetails(Details):
    """How often an agent that is degraded by nothing replied as the bare one did."""

    shape = frozenset({"agents", "n_replies", "n_differing"})
    agents: tuple[Text, ...]
    n_replies: Count
    n_differing: Count
    n_unstable: Count = 0
    n_failed: Count = 0
    n_recorded: Count | None = None
