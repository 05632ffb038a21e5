"""Whether a metric's bounds are known, which is what equivalence on a constant metric rests on."""

import pytest

from convsim.stats.decision import is_bounded
from tests.corpora import metric


@pytest.mark.parametrize(
    ("unit", "bounded"),
    [
        ("proportion of messages", True),
        ("share of messages", True),
        ("proportion", True),
        ("words", False),
        ("shareholders", False),
        ("proportionate words", False),
    ],
)
def test_only_a_unit_that_begins_with_proportion_or_share_has_known_bounds(unit: str, bounded: bool) -> None:
    assert is_bounded(metric("own", unit=unit)) is bounded
