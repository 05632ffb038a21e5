"""What convsim answers today, made again through its commands and its public door alone, so that it may move inside.

Nothing here imports a module that may move: ``convsim.cli.main``, ``convsim.compare`` and the validators by name.
"""

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import convsim
import convsim_validators
from convsim.cli import main

REPOSITORY = Path(__file__).parents[2]
HERE = Path(__file__).parent
FILES, REFERENCES = HERE / "files", HERE / "references"
LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas", "pydantic", "typer", "click", "bm25s")
"""On what the numbers and the help pages depend beside our own code."""
PEOPLE, CLOSE, NAIVE = (
    f"demo/{name}" for name in ("convapparel_standin.json", "simulator_close.jsonl", "simulator_naive.jsonl")
)
ARMS = ("--control", "good", "--treatment", "bad")
PLAIN = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}

Answer = Mapping[str, Any]
"""What is held, by file name: a text for ``.txt``, a JSON value for ``.json``."""


def typed(*arguments: object, code: int = 0) -> tuple[str, str]:
    """Run a command in this process; returns what stands on stdout and on stderr."""
    out, err = io.StringIO(), io.StringIO()
    started = sys.modules["__main__"]
    before = sys.argv, dict(os.environ), started.__package__
    sys.argv = ["convsim", *map(str, arguments)]
    os.environ.update(PLAIN)
    started.__package__ = None  # else a usage line names the module that Python was started with
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as stopped:
        if stopped.code != code:
            raise RuntimeError(f"{sys.argv} exits {stopped.code}: {err.getvalue()}") from stopped
    finally:
        sys.argv, environment, started.__package__ = before
        os.environ.clear()
        os.environ.update(environment)
    return out.getvalue(), err.getvalue()


def document(*arguments: object) -> Any:
    """Run a command with ``--format json``; leave out which version of convsim was asked, and how."""
    said, _ = typed(*arguments, "--format", "json")
    return but(json.loads(said), "made_by")


def but(held: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in held.items() if key not in keys}


OF_THE_CLOCK = ("run", "per_decided")
"""Of a card: how long a run's messages took, and what was spent for each decided finding."""


def few(*validators: str) -> Iterator[str]:
    """Yield the settings for as few resamples as each validator takes."""
    for name in validators:
        yield from ("--set", f"{name}.n_resamples=19")


def validated() -> Answer:
    few_of_all = (*few("marginals", "humanlikeness", "copies"),)
    return {
        f"validate-{name}.json": document("validate", PEOPLE, side, *few_of_all)
        for name, side in (("close", CLOSE), ("naive", NAIVE))
    }


def annotated() -> Answer:
    chosen = ("marginals", "prevalence", "transitions")
    asked = ("--annotate", "rules", "--validators", ",".join(chosen), *few(*chosen))
    return {"validate-annotated.json": document("validate", PEOPLE, NAIVE, *asked)}


def shifted() -> Answer:
    return {
        f"counterfactual-{name}.json": document("counterfactual", PEOPLE, side, *ARMS, *few("counterfactual"))
        for name, side in (("close", CLOSE), ("naive", NAIVE))
    }


def held(folder: str, *arguments: object) -> list[Any]:
    """Hold conversations in ``folder``, and write them again by id, as if each had taken a second.

    They end in any order.
    """
    typed("simulate", *arguments, "--seed", 11, "--out", folder)
    file = Path(folder) / "conversations.jsonl"
    conversations = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    conversations.sort(key=lambda each: str(each["id"]))
    for conversation in conversations:
        conversation["usage"]["seconds"] = 1.0
    file.write_text("".join(json.dumps(each) + "\n" for each in conversations), encoding="utf-8")
    return conversations


def simulated() -> Answer:
    """Hold 20 conversations in two arms, one with a fault."""
    conversations = held(
        "run", "--shopper", "resample", "--agent", "retrieval", "--n", 10, "--arm", "good", "--fault", "bad",
        "--max-turns", 5,
    )  # fmt: skip
    manifest = json.loads(Path("run/manifest.json").read_text(encoding="utf-8"))
    return {
        "simulate-conversations.json": conversations,
        "simulate-manifest.json": but(
            manifest, "versions", "python", "platform", "git", "command", "measured"
        ),
    }


def faced_faults() -> Answer:
    held("ladder", "--n", 8, "--arm", "good", *(f"--fault=bad={n}" for n in (0, 0.5, 1)), "--max-turns", 4)
    ladder = ("--ladder", "bad", "ladder", *few("dose_response"))
    relations = ("--relations", "ladder", "--agent", "retrieval", *few("relations"))
    return {
        "counterfactual-ladder.json": but(document("counterfactual", *ladder), *OF_THE_CLOCK),
        "counterfactual-relations.json": but(document("counterfactual", *relations), *OF_THE_CLOCK),
    }


def compared() -> Answer:
    comparison = convsim.compare(
        PEOPLE, {"close": CLOSE, "naive": NAIVE}, control="good", treatment="bad", seed=0,
        tasks=("tops", "footwear"), validators=[
            convsim_validators.Marginals(n_resamples=19), convsim_validators.HumanLikeness(n_resamples=19)
        ],
    )  # fmt: skip
    return {"compare.json": but(json.loads(comparison.to_json()), "made_by")}


def helped() -> Answer:
    return {"help.txt": "".join(_pages())}


def _pages(*command: str) -> Iterator[str]:
    """Yield the help page of a command, and those of the commands that it lists."""
    page, _ = typed(*command, "--help")
    yield f"$ {' '.join(['convsim', *command])} --help\n{page}\n"
    _, _, listed = page.partition("\nCommands:\n")
    for line in listed.splitlines():
        if line[:2] == "  " and line[2:3].strip():
            yield from _pages(*command, line.split()[0])


def plugged() -> Answer:
    """List our plugins by kind, name and class; where a class stands may change."""
    said, _ = typed("plugins", "--format", "json")
    ours = [
        (row["group"].removeprefix("convsim."), row["name"], row["value"].partition(":")[2])
        for row in json.loads(said)
        if row["package"] == "convsim"
    ]
    return {"plugins.txt": "".join("\t".join(row) + "\n" for row in ours)}


def read() -> Answer:
    """Read a small file of each format, and say it in our own."""
    found: dict[str, Any] = {}
    for file in sorted(FILES.iterdir()):
        target = Path(f"{file.stem}-read.jsonl")
        _, said = typed("data", "convert", f"files/{file.name}", target)
        about, _ = typed("data", "describe", f"files/{file.name}", "--format", "json")
        conversations = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
        found[file.name] = {"said": said, "conversations": conversations, "about": json.loads(about)}
    return {"read.json": found}


MADE: Mapping[str, tuple[Callable[[], Answer], tuple[str, ...]]] = {
    "validate": (validated, ("validate-close.json", "validate-naive.json")),
    "annotate": (annotated, ("validate-annotated.json",)),
    "counterfactual": (shifted, ("counterfactual-close.json", "counterfactual-naive.json")),
    "simulate": (simulated, ("simulate-conversations.json", "simulate-manifest.json")),
    "ladder": (faced_faults, ("counterfactual-ladder.json", "counterfactual-relations.json")),
    "compare": (compared, ("compare.json",)),
    "help": (helped, ("help.txt",)),
    "plugins": (plugged, ("plugins.txt",)),
    "read": (read, ("read.json",)),
}
"""What is frozen: how it is made, and the files that hold it."""


def make(name: str, folder: Path) -> Answer:
    """Make references in an empty folder, from which the files of the repository have the same paths everywhere."""
    (folder / "demo").symlink_to(REPOSITORY / "data/demo")
    (folder / "files").symlink_to(FILES)
    making, files = MADE[name]
    with contextlib.chdir(folder):
        answer = making()
    assert tuple(answer) == files
    return answer


def libraries() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}


def load(name: str) -> Any:
    """Read the reference of that file name; None where there is none."""
    file = REFERENCES / name
    if not file.exists():
        return None
    text = file.read_text(encoding="utf-8")
    return json.loads(text) if file.suffix == ".json" else text


def save(name: str, answer: Any) -> None:
    text = answer if isinstance(answer, str) else _laid_out(answer) + "\n"
    (REFERENCES / name).write_text(text, encoding="utf-8")


def _laid_out(value: Any, depth: int = 0) -> str:
    """Write JSON with a finding a line, so that a diff can be read and the files stay small."""
    if depth == 2 or not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner, outer = "\n" + " " * (depth + 1), "\n" + " " * depth
    if isinstance(value, list):
        parts, ends = [_laid_out(each, depth + 1) for each in value], "[]"
    else:
        parts, ends = (
            [f"{json.dumps(key)}: {_laid_out(each, depth + 1)}" for key, each in value.items()],
            "{}",
        )
    return f"{ends[0]}{inner}{f',{inner}'.join(parts)}{outer}{ends[1]}"
