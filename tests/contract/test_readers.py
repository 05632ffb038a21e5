"""What every reader keeps to."""

from pathlib import Path

import pytest

from convsim.io.reading import OWN
from convsim.testing import check_reader

FILES = Path(__file__).parents[1] / "frozen/files"
ENDINGS = {"convsim": ".jsonl", "openai": ".jsonl"}


@pytest.mark.parametrize("name", OWN)
def test_it_keeps_to_the_contract(name: str) -> None:
    check_reader(name, FILES / f"{name.removesuffix('-people')}{ENDINGS.get(name, '.json')}")
