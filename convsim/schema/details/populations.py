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
    """How well a classifier tells the sides apart, beside how well it tells two groups of people apart."""

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
    hls: Number | None = None
    """The human-likeness score, where the estimate is the AUC."""
    hls_interval: Interval | None = None
    n_pairs: Count | None = None
    """Of an agent's and a user's message, where these are what is told apart."""
    max_conversations: Count | None = None
    """Of a side that are looked at, whole units at random."""
    giveaway: Text | None = None
    examples: tuple[dict[str, JsonValue], ...] = ()


class DifferingFormat(Part):
    """A format of messages in which the sides are shown to differ: the proportion of each side's messages."""

    name: Text
    kind: Text
    """``file``: how a program wrote characters; ``prompt``: how the shopper writes."""
    says: Text
    real: Probability
    simulated: Probability
    advice: Text


class FormatDetails(DiscriminatorDetails):
    """In which formats the sides differ, whatever is said, and what to do about it."""

    shape = frozenset({"formats", "advice"})
    accuracy: Number | None = None
    auc: Number | None = None
    """Null where no classifier could be trained."""
    formats: tuple[DifferingFormat, ...]
    """The clearest first; none where only all together differ."""
    advice: tuple[Text, ...]


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
    told_by_turn: dict[str, tuple[Number, ...]] | None = None
    """Of `all_disclosure`: by side, the mean proportion of what users tell that is told by turn 1, 2 and so on."""
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


class Levels(Part):
    """One number of people (or of two groups of people held against one another), and of the simulator."""

    real: Number | None = None
    simulated: Number | None = None


class KindOfBehaviour(Part):
    """A cluster of conversations by their habits, with its words and a typical conversation of either side."""

    status: Text
    """``captured``, ``missed`` (people have it) or ``invented`` (the simulator has it)."""
    share_real: Probability
    share_simulated: Probability
    words: tuple[Text, ...] = ()
    habits: tuple[Text, ...] = ()
    real: Text | None = None
    """The id of a conversation of people; null where none is of this kind."""
    simulated: Text | None = None


class CrowdDetails(Details):
    """What a crowd of people reaches, and what the simulated one does, both of one size."""

    shape = frozenset({"level_real", "level_simulated"})
    level_real: Number
    level_simulated: Number
    margin: Number | None = None
    equivalence_upper: Number | None = None
    clusters: tuple[KindOfBehaviour, ...] = ()
    spaces: dict[str, Levels] = Field(default_factory=dict)
    """Precision, recall, density and coverage, of so many units of each."""
    n_units_of_each: Count | None = None
    giveaway: Text | None = None
    examples: tuple[dict[str, JsonValue], ...] = ()
    sampled: Text | None = None
    """How conversations were chosen where there are too many to look at all."""
    needs: Needs | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
    n_to_decide: dict[str, Count] | None = None


class CorrelatedPair(Part):
    """Two habits, and their rank correlation on both sides."""

    first: Text
    second: Text
    real: Number
    simulated: Number
    error: Number
    """Standard error of the difference."""


class CorrelationsDetails(Details):
    """Which habits go together otherwise than with people, the clearest pairs first."""

    shape = frozenset({"pairs", "n_pairs", "equivalence_upper"})
    pairs: tuple[CorrelatedPair, ...]
    n_pairs: Count
    equivalence_upper: Number
    margin: dict[str, Number] | None = None
    giveaway: Text | None = None
    examples: tuple[dict[str, JsonValue], ...] = ()
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None


class RanksDetails(Details):
    """Of how many habits ranks are compared, all at once."""

    shape = frozenset({"n_habits"})
    n_habits: Count
    role: Text | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None


class GroupOfConversations(Part):
    """Conversations of one task, arm or language, and what differs most among them."""

    name: Text
    distance: Number | None = None
    """The root mean square of Cliff's delta over habits; null where words are compared."""
    n_real: Count
    n_simulated: Count
    furthest: Text | None = None
    """The habit or the word."""
    cliffs_delta: Number | None = None
    spread: Number | None = None
    real: Probability | None = None
    """The proportion of people's conversations with the word."""
    simulated: Probability | None = None


class StrataDetails(Details):
    """How far the sides lie apart within each task, arm or language."""

    shape = frozenset({"groups", "left_out"})
    groups: tuple[GroupOfConversations, ...]
    """The worst simulated first."""
    left_out: tuple[Text, ...]
    """Groups that too few users or conversations of a side have."""
    pooled: Number | None = None
    """The distance where groups are not told apart."""
    n_cells: Count | None = None
    """Habits of single groups that are compared."""
    margin: dict[str, Number] | None = None
    equivalence_upper: Number | None = None
    spread_upper: Number | None = None
    needs: Needs | None = None
    n_to_decide: dict[str, Count] | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
    giveaway: Text | None = None
    examples: tuple[dict[str, JsonValue], ...] = ()


class MissingDetails(Details):
    """Which tasks and languages of people are never simulated."""

    shape = frozenset({"missing", "only_simulated"})
    missing: dict[str, tuple[Text, ...]]
    """By what conversations are grouped by."""
    only_simulated: dict[str, tuple[Text, ...]]
    margin: Number | None = None
    equivalence_upper: Number | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
    giveaway: Text | None = None
    examples: tuple[dict[str, JsonValue], ...] = ()


class WatchedTurn(Part):
    """One turn of both sides."""

    turn: Count
    at_risk: Levels
    """Conversations that could end in it."""
    hazard: Levels
    """The proportion of these that did, in the way that is looked at."""
    so_far: Levels
    """The same up to this turn."""
    there: Levels
    """The proportion of all that is still there after it (Kaplan-Meier)."""


class ReadWay(Part):
    """How well a way of ending is read from the text, where records do not say; or why that is not known."""

    way: Text
    measured_on: Text | None = None
    sensitivity: dict[str, JsonValue] | None = None
    specificity: dict[str, JsonValue] | None = None
    youden: Measured | None = None
    reason: Text | None = None


class EndingsDetails(Details):
    """When and how the conversations of both sides end, in the turns in which both are watched."""

    shape = frozenset({"follow_up_turns", "source_of_endings"})
    follow_up_turns: Count
    source_of_endings: Text
    """``recorded``, or ``inferred`` from what users said last."""
    reading: tuple[ReadWay, ...] = ()
    n_cut_off: dict[str, Count] | None = None
    """Conversations of each side that were not watched to their end."""
    margin: Number | None = None
    equivalence_upper: Number | None = None
    turn: Count | None = None
    """In which the sides lie furthest apart."""
    log_rank: Number | None = None
    """Standardised; above 0 where simulated shoppers end sooner."""
    supremum: Number | None = None
    mean_turns: Levels | None = None
    """Of the turns that are watched, or of the conversations that ended so."""
    curves: tuple[WatchedTurn, ...] = ()
    turns_that_differ_most: tuple[Count, Count] | None = None
    standardised: Number | None = None
    hazard_real: Number | None = None
    hazard_simulated: Number | None = None
    mix: dict[str, Levels] | None = None
    share_real: Number | None = None
    share_simulated: Number | None = None
    giveaway: Text | None = None
    examples: tuple[dict[str, JsonValue], ...] = ()
    needs: Needs | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
    n_to_decide: dict[str, Count] | None = None


class ClassSizes(Part):
    """How many users or conversations have an outcome, or are in an arm."""

    real: Count
    simulated: Count


class LeakageDetails(Details):
    """How well something that is known early tells what should not be known yet, on each side."""

    shape = frozenset({"auc_real", "auc_simulated", "classes"})
    auc_real: Number
    auc_simulated: Number
    auc_real_limits: Interval | None = None
    """90 %."""
    auc_simulated_limits: Interval | None = None
    classes: dict[str, ClassSizes]
    margin: Number | None = None
    equivalence_upper: Number | None = None
    role: Text | None = None
    n_units_real: Count | None = None
    n_units_simulated: Count | None = None
    n_resamples: Count | None = None
    giveaway: Text | None = None
    examples: tuple[dict[str, JsonValue], ...] = ()
