"""Small blind tests made of nothing, and raters who answer them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from convsim.io import Transcripts
from convsim.schema.conversation import Conversation, Item, Message
from convsim.web.blind_test import ArenaStudy, Database, Mode, prepare
from convsim.web.blind_test.answers import Answer, Word, join, keep
from convsim.web.blind_test.study import order_for

TASKS = ("boots", "coats", "hats")


def conversation(
    name: str, *, simulator: str | None = None, task: str = "boots", **more: object
) -> Conversation:
    said = f"i want {task} for {name}" if simulator is None else f"Hello! I would like {task}, please. {name}"
    return Conversation(
        id=name,
        simulator=simulator,
        task=task,
        arm="good",
        messages=(
            Message(role="user", content=said),
            Message(role="assistant", content="Here.", items=(Item(id="b1", title="A boot", price=9.5),)),
        ),
        **more,
    )


def side(name: str, n: int, *, simulator: str | None = None) -> Transcripts:
    each = [conversation(f"{name}{i}", simulator=simulator, task=TASKS[i % 3]) for i in range(n)]
    return transcripts(name, each)


def transcripts(name: str, conversations: Sequence[Conversation]) -> Transcripts:
    return Transcripts(
        path=Path(f"{name}.jsonl"), sha256=name * 8, conversations=tuple(conversations), format="convsim"
    )


def study(
    mode: Mode = "single", *, n: int = 40, simulators: Sequence[str] = ("bot",), seed: int = 3, size: int = 60
) -> ArenaStudy:
    others = [side(name, size, simulator=name) for name in simulators]
    return prepare(side("human", size), others, mode=mode, n=n, seed=seed)


def database(path: Path, made: ArenaStudy) -> Database:
    kept = Database(path, wait_s=0.2)
    kept.open_for(made)
    return kept


def rate(
    made: ArenaStudy,
    kept: Database,
    name: str,
    *,
    right: Callable[[int], bool],
    n: int | None = None,
    words: Sequence[Word] = (),
) -> None:
    """Have a rater answer, in their own order, the trials by number as ``right`` says."""
    rater = join(kept, name, f"secret of {name}")
    for trial, human_left in order_for(made, name)[:n]:
        if made.mode == "single":
            human = made.trials[trial].human is not None
            choice = "human" if human == right(trial) else "simulated"
        else:
            choice = "left" if human_left == right(trial) else "right"
        keep(kept, Answer(rater.number, trial, choice, 3, human_left, tuple(words)))  # type: ignore[arg-type]
