"""Lists that say how many more there are, and complaints of pydantic in one line."""

import pytest
from pydantic import BaseModel, ValidationError

from convsim._text import complaint, described, listed


@pytest.mark.parametrize(
    ("parts", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more")],
)
def test_a_list_names_its_first_parts_and_counts_the_rest(parts, said):
    assert listed(parts, 2) == said


def test_parts_may_be_separated_otherwise():
    assert listed(["a", "b", "c", "d"], 2, separator="; ") == "a; b and 2 more"


class Inner(BaseModel):
    price: float


class Outer(BaseModel):
    rows: list[Inner]


def test_a_complaint_names_its_place_on_one_line_and_its_record_where_it_was_raised():
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate({"rows": [{"price": "a\n\x1b[31m"}]})
    said = complaint(raised.value)
    assert said.startswith("rows.0.price: Input should be a valid number")
    assert "\n" not in said
    assert described(raised.value) == f"ValidationError: Outer: {said}"
