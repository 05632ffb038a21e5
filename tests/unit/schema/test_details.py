"""Details of findings: typed by their shape, a mapping for whoever reads JSON, and on disk as they were stated."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from convsim.schema import Finding
from convsim.schema import details as shapes
from convsim.schema.details import (
    SHAPES,
    Details,
    DiscriminatorDetails,
    DistanceDetails,
    Estimate,
    FailureDetails,
    Part,
    ShiftDetails,
)
from tests.reports import distance, finding, shift

REFERENCES = Path(__file__).parents[2] / "frozen" / "references"


def findings_in(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict) and {"verdict", "n_real", "details"} <= document.keys():
        yield document
    for part in (
        document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    ):
        yield from findings_in(part)


def recorded() -> Iterator[dict[str, Any]]:
    for path in sorted(REFERENCES.glob("*.json")):
        yield from findings_in(json.loads(path.read_text(encoding="utf-8")))


def test_what_our_validators_found_has_a_model_and_is_written_as_it_was() -> None:
    seen = set()
    for stated in recorded():
        read = Finding.model_validate(stated)
        assert json.dumps(read.model_dump(mode="json")) == json.dumps(stated)
        assert type(read.details) is not Details or not stated["details"], read.metric
        assert read.details.keys() <= type(read.details).known_keys, read.metric
        assert type(read.details).model_validate(stated["details"]) == read.details
        seen.add(type(read.details))
    assert len(seen) > 14


def test_details_are_read_as_attributes_and_as_json() -> None:
    found = shift("turns", 1.0, 0.2)
    assert isinstance(found.details, ShiftDetails)
    assert found.details.human_shift is not None
    assert (found.details.human_shift.estimate, found.details.human_shift.established) == (1.0, True)
    assert found.details["human_shift"] == {"estimate": 1.0, "interval": [0.5, 1.5], "established": True}
    assert "human_sd" in found.details
    assert found.details.get("nothing") is None
    assert {**found.details} == dict(found.details) == found.details
    assert found.but(reason="other").details == found.details
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301  (our own)


def test_the_shape_decides_and_not_the_name() -> None:
    theirs = finding("fading", "trust", details={"real": {"mean": 1}, "simulated": {"mean": 2}, "own": [1]})
    assert isinstance(theirs.details, DistanceDetails)
    assert (theirs.details.simulated.mean, theirs.details["own"]) == (2, [1])


@pytest.mark.parametrize(
    ("details", "kind"),
    [
        ({"real": {"mean": 1}, "simulated": {"mean": 2}}, DistanceDetails),
        ({"human_shift": {"estimate": 1}, "simulated_shift": None}, ShiftDetails),
        ({"traceback": "Traceback: …"}, FailureDetails),
    ],
)
def test_the_keys_of_a_shape_alone_are_enough(details: dict[str, Any], kind: type[Details]) -> None:
    assert type(finding("theirs", "m", details=details).details) is kind


@pytest.mark.parametrize(
    "details",
    [
        {"real": "x", "simulated": {"mean": 1}},
        {"human_shift": {"estimate": "1"}, "simulated_shift": None},
        {"accuracy": [1], "auc": {}},
        {"severities": "0 1", "means": [None]},
        {"curves": {"real": [1]}, "human_shift": 3, "simulated_shift": {}},
        {"traceback": ["not", "text"]},
        {"anything": {"at": ["all", None, 1.5, True]}},
    ],
)
def test_what_fits_no_model_as_a_whole_is_a_plain_mapping(details: dict[str, Any]) -> None:
    found = finding("theirs", "m", details=details)
    assert type(found.details) is Details
    assert found.model_dump(mode="json")["details"] == details


def test_a_part_that_is_not_as_it_should_be_is_unknown_and_still_written() -> None:
    stated = {"accuracy": 0.5, "auc": 0.6, "tells": {"simulated": 3}, "control_auc": "x", "n_words": 4}
    found = finding("theirs", "m", details=stated)
    assert isinstance(found.details, DiscriminatorDetails)
    assert (found.details.tells.simulated, found.details.control_auc, found.details.n_words) == ((), None, 4)
    assert found.model_dump(mode="json")["details"] == stated


@pytest.mark.parametrize(
    "wrong",
    [{"at": object()}, {"at": {1: 2}}, [1], "text"],
    ids=["an object", "a key that is no text", "a list", "a text"],
)
def test_what_is_no_json_object_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="details"):
        finding("theirs", "m", details=wrong)


def test_typed_details_that_are_made_in_python_are_written_in_their_order() -> None:
    made = ShiftDetails.model_validate(
        {
            "simulated_shift": None,
            "human_shift": shapes.HumanShift(estimate=1.0, interval=(0, 2)),
            "human_sd": 2,
        }
    )
    found = finding("theirs", "m", details=made)
    assert found.details is made
    assert list(found.details) == ["simulated_shift", "human_shift", "human_sd"]
    assert found.details["human_shift"] == {"estimate": 1.0, "interval": [0.0, 2.0]}


def test_no_two_models_ask_for_the_same_keys_and_an_estimate_is_the_same_everywhere() -> None:
    assert len({kind.shape for kind in SHAPES}) == len(SHAPES)
    known = [kind for kind in vars(shapes).values() if isinstance(kind, type) and issubclass(kind, Part)]
    assert all(
        {"estimate", "interval"} <= kind.model_fields.keys() or not issubclass(kind, Estimate)
        for kind in known
    )


def test_a_number_that_is_none_makes_no_typed_details() -> None:
    found = distance("turns", details={"real": {"mean": math.inf}, "simulated": {"mean": 1}})
    assert isinstance(found.details, Mapping)
    assert type(found.details) is Details
