"""The demo data, made once for all tests of this folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from convsim.schema.conversation import Conversation
from tests.demo_data.generate import SEED, generate


@pytest.fixture(scope="session")
def demo_files() -> dict[str, str]:
    return generate(SEED)


@pytest.fixture(scope="session")
def archive(demo_files: dict[str, str]) -> Any:
    return json.loads(demo_files["convapparel_standin.json"])


@pytest.fixture(scope="session")
def close(demo_files: dict[str, str]) -> list[Conversation]:
    return [
        Conversation.model_validate_json(line) for line in demo_files["simulator_close.jsonl"].splitlines()
    ]


@pytest.fixture(scope="session")
def naive(demo_files: dict[str, str]) -> list[Conversation]:
    return [
        Conversation.model_validate_json(line) for line in demo_files["simulator_naive.jsonl"].splitlines()
    ]
