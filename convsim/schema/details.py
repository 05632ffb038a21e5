"""What a finding says beside its estimate: a mapping for whoever reads JSON, and a model for each shape that we know.

Which model fits is decided by the keys, whoever wrote them, and never by a validator's or a metric's name: a plugin's
finding of the same shape gets the same tables and pictures. What fits none, or does not fit as a whole, stays a plain
mapping, and is shown by what every finding has. On disk nothing is added, left out or put in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)

from convsim.schema.record import Count, Flag, Number, Record, Text

Interval = tuple[Number, Number]
Probability = Annotated[Number, Field(ge=0, le=1)]
BySide = dict[str, JsonValue]
"""Counts by side, and in these by arm."""
_JSON: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class Estimate(Record):
    """A number with its interval; undefined is null."""

    estimate: Number | None = None
    interval: Interval | None = None


class ExplainedEstimate(Estimate):
    """A number with its 95 % interval; ``reason`` says why either is missing."""

    reason: str | None = None


class Part(Record):
    """A part of some details; what later versions add to it is let be."""

    @classmethod
    def _with_unknown_keys(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in data.items() if key in cls.known_keys}


class Measured(Part, Estimate):
    """An estimate among details."""


class Details(Part, Mapping[str, JsonValue]):
    """Further values of a finding: a read-only mapping of JSON, exactly as it was stated."""

    shape: ClassVar[frozenset[str]] = frozenset()
    """The keys that tell details of this model from others."""
    _stated: dict[str, JsonValue] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_what_was_stated(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, Details):
            return handler(data)
        if not isinstance(data, Mapping):
            return handler(data)
        stated = _JSON.validate_python({key: _plain(value) for key, value in data.items()})
        made = handler(dict(data))
        made._stated = stated
        return made

    @model_serializer(mode="plain")
    def _as_stated(self) -> dict[str, JsonValue]:
        return self._stated

    def __getitem__(self, key: str) -> JsonValue:
        """Return one value, as JSON has it."""
        return self._stated[key]

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # a mapping yields its keys
        """Yield the keys in their order."""
        return iter(self._stated)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._stated)

    def __eq__(self, other: object) -> bool:
        """Tell whether ``other`` is a mapping that states the same."""
        return isinstance(other, Mapping) and self._stated == dict(other)

    __hash__ = None  # type: ignore[assignment]  # like a dict

    def __repr__(self) -> str:
        """Write what was stated."""
        return f"{type(self).__name__}({self._stated!r})"


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


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


class Tell(Part):
    """A feature that speaks for one side, and how many conversations of either side have it."""

    feature: Text
    pull: Number | None = None
    n_real: Count = 0
    n_simulated: Count = 0


class Tells(Part):
    """What gave the simulator away, and what people said that it did not; the strongest first."""

    simulated: tuple[Tell, ...] = ()
    human: tuple[Tell, ...] = ()


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
    tells: Tells = Tells()
    conversation_scores: Scores = Scores()
    control_histogram: Halves = Halves()
    n_to_decide: dict[str, Count] | Count | None = None


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
    """The share of users who are still there after a turn."""

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
    """In which metrics a share of shifts that go the same way was counted."""

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


class FailureDetails(Details):
    """Where a validator raised."""

    shape = frozenset({"traceback"})
    traceback: Text


SHAPES: tuple[type[Details], ...] = (
    FailureDetails, DiscriminatorDetails, LeavingDetails, ShiftDetails, DoseDetails, RelationDetails, PrevalenceDetails,
    TransitionDetails, BlindTestDetails, AgreementDetails, JointDetails, FirstMessageDetails, TransferDetails,
    SameRepliesDetails, DistanceDetails, AnyReactionDetails,
)  # fmt: skip
"""The first whose keys are there, and whose fields fit, is taken: the more telling ones stand first."""


def _of_its_shape(stated: object) -> object:
    if isinstance(stated, Details) or not isinstance(stated, Mapping):
        return stated
    for kind in SHAPES:
        if kind.shape <= stated.keys() and (fitting := _fitted(kind, dict(stated))) is not None:
            return fitting
    return Details.model_validate(dict(stated))


def _fitted(kind: type[Details], stated: dict[str, Any]) -> Details | None:
    """Read details as ``kind``; a part that is not as it should be is unknown, unless its shape stands on it."""
    try:
        return kind.model_validate(stated)
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors(include_input=False) if problem["loc"]}
        if not wrong or wrong & kind.shape or not wrong <= kind.known_keys:
            return None
    fitting = kind.model_validate({key: value for key, value in stated.items() if key not in wrong})
    fitting._stated = Details.model_validate(stated)._stated
    return fitting


AnyDetails = Annotated[Details, BeforeValidator(_of_its_shape)]
"""Details by their shape."""
