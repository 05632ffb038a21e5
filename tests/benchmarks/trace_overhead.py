"""What traces cost the engine: processor time of a study without, and with, OpenTelemetry's SDK.

    python tests/benchmarks/trace_overhead.py

The same study of a shopper with a scripted model and an agent that answers at once is held in turn without a tracer
provider, with one that keeps every span in memory, and with one that samples none. Each figure is the median of the
rounds' own ratios of processor time. Nothing is asserted; the engine waits for nobody here, so a real study, which
waits for servers, pays less.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from convsim.models import Asked, Scripted
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Study

ROUNDS, CONVERSATIONS, TURNS = 9, 60, 8


def answer(asked: Asked) -> str:
    """Go on, and say something."""
    return asked.options[0] if asked.kind == "choose" else "boots in size 9, please"


def held(folder: Path, provider: TracerProvider | None) -> float:
    """Hold the study, and return its processor seconds."""
    trace._TRACER_PROVIDER = provider
    people = [Persona(id=f"p{n}", need="boots") for n in range(CONVERSATIONS)]
    study = Study(
        Prompted(model=Scripted(answers=answer)), lambda conversation: "These?", people, seed=1, n=CONVERSATIONS,
        max_turns=TURNS,
    )  # fmt: skip
    began = time.process_time()
    study.run(folder)
    return time.process_time() - began


def main() -> None:
    """Print the ratios."""
    kept = InMemorySpanExporter()
    full, none = TracerProvider(), TracerProvider(sampler=ALWAYS_OFF)
    full.add_span_processor(SimpleSpanProcessor(kept))
    ratios: dict[str, list[float]] = {"all spans": [], "sampled out": []}
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        held(Path(folder, "first"), None)
        for number in range(ROUNDS):
            bare.append(held(Path(folder, f"bare{number}"), None))
            for name, provider in (("all spans", full), ("sampled out", none)):
                ratios[name].append(held(Path(folder, f"{name}{number}"), provider) / bare[-1])
    spans = len(kept.get_finished_spans()) // ROUNDS
    print(
        f"{CONVERSATIONS} conversations, {spans} spans, {1000 * median(bare):.0f} ms of processor time without"
    )
    for name, values in ratios.items():
        print(f"{name}: {median(values):.2f} times as much")


if __name__ == "__main__":
    main()
