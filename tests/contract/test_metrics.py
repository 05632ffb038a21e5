"""What every metric keeps to."""

import pytest

from convsim.metrics import METRICS, RELATION_METRICS
from convsim.testing import check_metric


@pytest.mark.parametrize("name", [*METRICS, *RELATION_METRICS])
def test_it_keeps_to_the_contract(name: str) -> None:
    check_metric(name)
