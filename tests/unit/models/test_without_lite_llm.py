"""Without LiteLLM its adapter says what to install."""

import importlib.util

import pytest

from convsim.errors import MissingExtraError
from convsim.models import LiteLLM


def test_where_it_is_not_installed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: None if name == "litellm" else found(name, *more)
    )
    with pytest.raises(
        MissingExtraError, match=r'needs the extra "litellm": pip install "convsim\[litellm\]"'
    ):
        LiteLLM(model="anthropic/claude-sonnet-4-6")
