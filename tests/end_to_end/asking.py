"""Asks a model over a loopback socket, and says how it failed."""

from typing import Any

import pytest

from convsim.errors import ModelError
from convsim.models import OpenAICompatible
from convsim.schema.chat_model import ChatMessage, Completion
from tests.unit.models.loopback import Reply, loopback

HELLO = [ChatMessage(role="user", content="Hello")]


async def ask(model: OpenAICompatible, **more: Any) -> Completion:
    try:
        return await model.complete(HELLO, **{"max_tokens": 20, "temperature": 0.5, "seed": 3, **more})
    finally:
        await model.aclose()


async def reason_from(*replies: Reply, tries: int = 1, **settings: Any) -> tuple[str, int]:
    """Return why asking failed, and how often the server was asked."""
    async with loopback(*replies) as server:
        model = OpenAICompatible(
            model="m-1", base_url=server.base_url, **{"max_retries": tries - 1, "timeout_s": 5, **settings}
        )
        with pytest.raises(ModelError) as caught:
            await ask(model)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 500
    assert said.startswith(f"the model 'm-1' at {server.base_url} ")
    return said, len(server.requests)
