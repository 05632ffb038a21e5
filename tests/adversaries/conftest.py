"""Stand-in people for adversaries to be made of."""

import pytest

from convsim.schema.conversation import Conversation
from tests.demo_data.crowd import crowd


@pytest.fixture(scope="session")
def people() -> list[Conversation]:
    return crowd(60, seed=11)
