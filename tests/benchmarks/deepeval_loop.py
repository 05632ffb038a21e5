"""DeepEval's loop of simulated conversations on a model server; ``scripted_loops.py`` runs it.

    PYTHON tests/benchmarks/deepeval_loop.py BASE_URL CONVERSATIONS TURNS AT_A_TIME

``PYTHON`` has deepeval, and need not have convsim. The simulated user asks the server once a turn, the agent answers at
once. Prints a JSON object with seconds and processor seconds of the loop alone, requests, and peak memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from typing import Any

os.environ |= {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "ERROR_REPORTING": "NO",
    "DEEPEVAL_UPDATE_WARNING_OPT_IN": "NO",
}

import openai
from deepeval.dataset import ConversationalGolden
from deepeval.models import DeepEvalBaseLLM
from deepeval.simulator import ConversationSimulator
from deepeval.test_case import Turn

ANSWERED = (
    "These three are waterproof, under 80 dollars and in stock in your size; the first is the lightest."
)


class Served(DeepEvalBaseLLM):  # type: ignore[misc]  # not installed here
    """The model on the server; what it says stands in whatever form is asked for."""

    def __init__(self, base_url: str):
        self.client = openai.AsyncOpenAI(
            base_url=base_url, api_key="none", http_client=openai.DefaultAioHttpClient()
        )
        self.requests = 0
        super().__init__("fixed")

    def load_model(self) -> Served:
        return self

    def get_model_name(self) -> str:
        return "fixed"

    def generate(self, prompt: str, schema: Any = None) -> Any:
        return asyncio.run(self.a_generate(prompt, schema))

    async def a_generate(self, prompt: str, schema: Any = None) -> Any:
        self.requests += 1
        messages: list[Any] = [{"role": "user", "content": prompt}]
        said = await self.client.chat.completions.create(
            model="fixed", messages=messages, max_tokens=60, temperature=1.0
        )
        text = said.choices[0].message.content or ""
        return text if schema is None else schema(simulated_input=text)


async def answer(input: str) -> Turn:
    """Answer at once; the parameter's name is DeepEval's."""
    return Turn(role="assistant", content=ANSWERED)


async def ask_once(model: Served) -> None:
    """Open a connection, and load what the first request loads."""
    await model.a_generate("hello")
    model.requests = 0


def main() -> None:
    """Run the loop."""
    base_url, *numbers = sys.argv[1:]
    n, turns, at_a_time = map(int, numbers)
    model = Served(base_url)
    goldens = [
        ConversationalGolden(
            scenario="A shopper looks for rain boots.", user_description="lives in a wet city"
        )
        for _ in range(n)
    ]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(ask_once(model))
    simulator = ConversationSimulator(
        model_callback=answer, simulator_model=model, max_concurrent=at_a_time, async_mode=True
    )
    wall, cpu = time.perf_counter(), time.process_time()
    held = simulator.simulate(goldens, max_user_simulations=turns)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    spoken = sum(len(each.turns) for each in held)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "seconds": wall,
                "cpu_seconds": cpu,
                "requests": model.requests,
                "messages": spoken,
                "megabytes": megabytes,
            }
        )
    )


if __name__ == "__main__":
    main()
