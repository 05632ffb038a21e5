"""What every fault keeps to."""

import pytest

from convsim.agents.faults import FAULTS
from convsim.testing import check_fault
from tests.unit.agents.shops import shop, talk

SHOP = shop()
ASKING = talk("I want red boots under $80", "something else, in size 9 please")
SHOWN = ASKING.but(
    messages=(
        ASKING.messages[0],
        ASKING.messages[1].but(items=(SHOP.items[0].to_shown(), SHOP.items[1].to_shown())),
        ASKING.messages[2],
    )
)


@pytest.mark.parametrize("name", FAULTS)
def test_it_keeps_to_the_contract(name: str) -> None:
    check_fault(name, conversations=[SHOWN], catalogue=SHOP)
