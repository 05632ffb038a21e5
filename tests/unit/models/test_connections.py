"""Connections to servers: closed by whoever has the model, by the loop's end, or when nobody has the model."""

import asyncio
import gc
from typing import Any

import openai
import pytest

from convsim.models import OpenAICompatible
from convsim.schema.chat_model import ChatMessage
from tests.unit.models.loopback import answering, chat


async def test_the_connections_of_a_model_that_nobody_has_any_more_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = []
    close = openai.AsyncOpenAI.close

    async def closing(client: openai.AsyncOpenAI) -> None:
        await close(client)
        closed.append(client)

    monkeypatch.setattr(openai.AsyncOpenAI, "close", closing)
    async with answering(lambda request: chat("hello")) as server:
        model: Any = OpenAICompatible(model="m", base_url=server.base_url)
        model.of_itself = model  # so that it is the garbage collector that finds it
        await model.complete([ChatMessage(role="user", content="hi")], max_tokens=5, temperature=0, seed=1)
        del model
        gc.collect()
        async with asyncio.timeout(20):
            while not closed:
                await asyncio.sleep(0.01)
