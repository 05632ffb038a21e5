"""What a finding says beside its estimate: a mapping for whoever reads JSON, and a model for each shape that we know.

Which model fits is decided by the keys, whoever wrote them, and never by a validator's or a metric's name: a plugin's
finding of the same shape gets the same tables and pictures. What fits none, or does not fit as a whole, stays a plain
mapping, and is shown by what every finding has. On disk nothing is added, left out or put in another order.
"""

from convsim.schema.details.by_shape import SHAPES, AnyDetails, FailureDetails
from convsim.schema.details.mapping import Details, Estimate, ExplainedEstimate, Interval, Measured, Part
from convsim.schema.details.populations import (
    Adjusted,
    BlindTestDetails,
    Counted,
    DiscriminatorDetails,
    DistanceDetails,
    Giveaways,
    GiveawayWord,
    Halves,
    PrevalenceDetails,
    Scores,
    Summary,
    Transition,
    TransitionDetails,
)
from convsim.schema.details.reactions import (
    AgreementDetails,
    AnyReactionDetails,
    BothCurves,
    Curves,
    DoseDetails,
    FirstMessageDetails,
    HumanShift,
    JointDetails,
    LeavingDetails,
    RelationDetails,
    SameRepliesDetails,
    Shift,
    ShiftDetails,
    Step,
    TransferDetails,
)

__all__ = [
    "SHAPES",
    "Adjusted",
    "AgreementDetails",
    "AnyDetails",
    "AnyReactionDetails",
    "BlindTestDetails",
    "BothCurves",
    "Counted",
    "Curves",
    "Details",
    "DiscriminatorDetails",
    "DistanceDetails",
    "DoseDetails",
    "Estimate",
    "ExplainedEstimate",
    "FailureDetails",
    "FirstMessageDetails",
    "GiveawayWord",
    "Giveaways",
    "Halves",
    "HumanShift",
    "Interval",
    "JointDetails",
    "LeavingDetails",
    "Measured",
    "Part",
    "PrevalenceDetails",
    "RelationDetails",
    "SameRepliesDetails",
    "Scores",
    "Shift",
    "ShiftDetails",
    "Step",
    "Summary",
    "TransferDetails",
    "Transition",
    "TransitionDetails",
]
