"""What findings on two populations say beside their estimates: habits, human-likeness, labels, a blind test."""

from __future__ import annotations

from pydantic import ConfigDict, Field, JsonValue

from convsim.schema.details.mapping import Details, Interval, Measured, Needs, Part, Probability
from convsim.schema.record import Count, Flag, Number, Text


class Summary(Part):
    """One side of a comparison: values of a metric."""

    mean: Number | None = None
    sd: Number | None = None
    median: Number | None = None


class DistanceDetails(Details):
    """Both sides' values of a metric, which lie a distance apart."""

    shape = frozenset({"real", "simulated"})
    real: Summary
    simulated: Summary
    role: Text | None = None
    """``control``: shown only."""
    metric_unit: Text | None = None
    label_source: Text | None = None
    margin: dict[str, Number] | Number | None = None
    """The distances up to which the sides count as alike, by the distance's name."""
    equivalence_upper: Number | None = None
    """The upper limit that must lie inside the margin for the sides to count as alike."""
    limits: dict[str, Number | None] | None = None
    """The upper limit of each distance, by its name; null where a metric with two values has no spread."""
    spread_score: Number | None = None
    """Above 0 where the simulated values are spread wider."""
    needs: Needs | None = None
    mann_whitney_u: Number | None = None
    cliffs_delta: Number | None = None
    """Above 0 where the simulated values are larger."""
    cliffs_delta_interval: Interval | None = None
    cliffs_delta_p_value: Number | None = None
    cliffs_delta_inside_margin: Flag | None = None
    wasserstein: Number | None = None
    """In standard deviations of the people."""
    strata: tuple[Text, ...] = ()
    n_undefined_real: Count | None = None
    n_undefined_simulated: Count | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
    n_to_decide: dict[str, Count] | Count | None = None


class GiveawayWord(Part):
    """A feature that speaks for one side, and how many conversations of either side have it."""

    feature: Text
    pull: Number | None = None
    n_real: Count = 0
    n_simulated: Count = 0


class Giveaways(Part):
    """What gave the simulator away, and what people said that it did not; the strongest first."""

    simulated: tuple[GiveawayWord, ...] = ()
    human: tuple[GiveawayWord, ...] = ()


class Scores(Part):
    """The probability of "human" of single conversations, by id."""

    real: dict[str, Probability] = Field(default_factory=dict)
    simulated: dict[str, Probability] = Field(default_factory=dict)


class Halves(Part):
    """How the scores of two halves of the people lie: counts in equal bins from 0 to 1."""

    first: tuple[Count, ...] = ()
    second: tuple[Count, ...] = ()


class DiscriminatorDetails(Details):
    """How well a classifier tells the sides apart, beside how well it tells people from people."""

    shape = frozenset({"accuracy", "auc"})
    accuracy: Number | None
    accuracy_interval: Interval | None = None
    auc: Number | None
    auc_interval: Interval | None = None
    control_accuracy: Number | None = None
    control_auc: Number | None = None
    control_hls: Number | None = None
    control_auc_q95: Number | None = None
    control_n: Count | None = None
    """Conversations of a half of the people."""
    accuracy_at_control_n: Number | None = None
    equivalence_upper: Number | None = None
    margin: dict[str, Number] | None = None
    n_words: Count | None = None
    """Words of every conversation that a length-matched view sees."""
    n_shared_texts_real: Count | None = None
    n_shared_texts_simulated: Count | None = None
    n_undefined_real: Count | None = None
    n_undefined_simulated: Count | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
    needs: Needs | None = None
    tells: Giveaways = Giveaways()
    conversation_scores: Scores = Scores()
    control_histogram: Halves = Halves()
    n_to_decide: dict[str, Count] | Count | None = None


class Counted(Part):
    """What an annotator counted on either side, its errors included."""

    real: Number | None
    simulated: Number | None


class Adjusted(Measured):
    """The difference without the annotator's errors, and what it is of."""

    interval_90: Interval | None = None
    real: Measured | None = None
    simulated: Measured | None = None


class PrevalenceDetails(Details):
    """How common a label is, as counted and without the annotator's errors."""

    shape = frozenset({"counted", "adjusted"})
    annotator: Text | None = None
    reference: Text | None = None
    role: Text | None = None
    level: Text | None = None
    n_calibration: Count = 0
    n_calibration_units: Count = 0
    counted: Counted
    raw: Measured | None = None
    adjusted: Adjusted | None
    sensitivity: Measured | None = None
    specificity: Measured | None = None
    youden: Measured | None = None
    margin: Number | None = None
    assumption: Text | None = None
    n_resamples: Count | None = None
    n_to_decide: dict[str, Count] | Count | None = None


class Transition(Part):
    """How often one act follows another."""

    model_config = ConfigDict(populate_by_name=True)
    before: Text = Field(alias="from")
    after: Text = Field(alias="to")
    real: Number | None = None
    simulated: Number | None = None


class TransitionDetails(Details):
    """The steps from act to act that differ most."""

    shape = frozenset({"transitions"})
    transitions: tuple[Transition, ...]
    label_source: Text | None = None
    margin: Number | None = None
    equivalence_upper: Number | None = None
    needs: Needs | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
    n_to_decide: dict[str, Count] | Count | None = None


class BlindTestDetails(Details):
    """How often raters were right; ``simulator`` is null where all were judged together."""

    shape = frozenset({"simulator", "n_answers", "n_raters"})
    simulator: Text | None
    n_answers: Count
    n_raters: Count
    n_to_decide: Count | None = None


class SquareParts(Part):
    """A squared distance, its bias taken out, and the parts of its variance, for a later comparison."""

    square: Number
    people: Number
    """What people's units add to the variance."""
    simulated: Number
    noise: Number
    """What is left where the square is 0."""


class ManyMetricsDetails(Details):
    """How far the sides lie apart in each of many metrics that are tested together."""

    shape = frozenset({"cliffs_delta_by_metric"})
    cliffs_delta_by_metric: dict[str, Number]
    spread_by_metric: dict[str, Number] | None = None
    contributions: dict[str, Number] | None = None
    """What each metric adds to the mean squares of delta and spread, its bias taken out."""
    weights: dict[str, Number] | None = None
    errors_by_metric: dict[str, tuple[Number, Number]] | None = None
    """Standard errors of Cliff's delta and of the spread score."""
    joint_square: SquareParts | None = None
    """The weighted mean of the squares over metrics."""
    squares_by_metric: dict[str, SquareParts] | None = None
    """Of Cliff's delta and spread score together."""
    margin: Number | None = None
    equivalence_upper: Number | None = None
    spread: Number | None = None
    """The root mean square of the spread score, with its margin and its limit."""
    spread_margin: Number | None = None
    spread_upper: Number | None = None
    far_off: tuple[Text, ...] = ()
    """The metrics that lie beyond a margin of their own for sure."""
    needs: Needs | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_to_decide: dict[str, Count] | None = None
    role: Text | None = None
    n_resamples: Count | None = None


class CopyRule(Part):
    """One rule by which users count as copies of a person, and what it finds on both sides."""

    rule: Text
    share_real: Number | None = None
    share_simulated: Number | None = None
    p_value: Number | None = None


class CopiesDetails(Details):
    """Which simulated conversations lie nearer to one person than people lie to one another."""

    shape = frozenset({"rules", "pairs"})
    rules: tuple[CopyRule, ...]
    pairs: tuple[dict[str, JsonValue], ...]
    """A simulated and a real conversation each, the nearest first; cut off at some number."""
    n_pairs: Count | None = None
    margin: Number | None = None
    n_with_the_scenario_of_one_person: Count | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None


class DiversityDetails(Details):
    """How near the conversations of each side lie to one another."""

    shape = frozenset({"similarity_real", "similarity_simulated"})
    similarity_real: Number
    similarity_simulated: Number
    similarity_expected: Number | None = None
    """The difference that sizes and shared scenarios alone make."""
    identical_real: Number | None = None
    identical_simulated: Number | None = None
    margin: Number | None = None
    equivalence_upper: Number | None = None
    needs: Needs | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
