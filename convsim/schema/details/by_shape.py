"""Which model fits some details: decided by their keys, whoever wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from convsim.schema.details.mapping import Details
from convsim.schema.details.populations import (
    BlindTestDetails,
    CopiesDetails,
    CorrelationsDetails,
    CrowdDetails,
    DiscriminatorDetails,
    DistanceDetails,
    DiversityDetails,
    EndingsDetails,
    FormatDetails,
    LeakageDetails,
    ManyMetricsDetails,
    MissingDetails,
    PrevalenceDetails,
    RanksDetails,
    StrataDetails,
    TransitionDetails,
)
from convsim.schema.details.reactions import (
    AgreementDetails,
    AnyReactionDetails,
    DoseDetails,
    FirstMessageDetails,
    JointDetails,
    LeavingDetails,
    RatioDetails,
    RelationDetails,
    SameRepliesDetails,
    ShiftDetails,
    TransferDetails,
)
from convsim.schema.record import Text


class FailureDetails(Details):
    """Where a validator raised."""

    shape = frozenset({"traceback"})
    traceback: Text


SHAPES: tuple[type[Details], ...] = (
    FailureDetails, FormatDetails, DiscriminatorDetails, LeavingDetails, ShiftDetails, DoseDetails, RelationDetails,
    PrevalenceDetails, TransitionDetails, BlindTestDetails, AgreementDetails, JointDetails, FirstMessageDetails,
    TransferDetails, SameRepliesDetails, DistanceDetails, AnyReactionDetails, CopiesDetails, DiversityDetails,
    ManyMetricsDetails, RatioDetails, CrowdDetails, CorrelationsDetails, EndingsDetails, RanksDetails, StrataDetails,
    MissingDetails, LeakageDetails,
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
