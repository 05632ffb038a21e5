"""``convsim train`` used wrongly: one line, exit 2, and nothing left behind."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import Forks, interpreter
from tests.end_to_end.training import assert_says, content, conversation, log, one_line_of
from tests.needs import needed
from tests.unit.models.tiny import make_tiny

needed("torch", "transformers", "accelerate", "peft")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="commands are forked")


def lines(n: int, **changes: Any) -> list[str]:
    return [conversation(number, **changes) for number in range(n)]


LATE = {"id": "p", "need": "x", "patience": {"value": "low", "known": "afterwards"}}
LOGS: dict[str, tuple[list[str], str]] = {
    "too few": (lines(19), "at least 20 conversations, but there are 19"),
    "an agent alone": (
        lines(24, messages=[{"role": "assistant", "content": "hello?"}]),
        "no user message in any conversation",
    ),
    "silent users": (
        lines(24, messages=[{"role": "user", "content": " "}]),
        "nothing to learn from: no conversation has a user message with text",
    ),
    "one user": (lines(24, user="one"), "no users can be held out for early stopping"),
    "a control known only afterwards": (
        lines(24, persona=LATE), "conversation c0: its persona's patience is known only afterwards",
    ),
    "messages that are too long": (
        [conversation(n, messages=[{"role": "user", "content": f"{n}" * 2000}]) for n in range(10, 34)],
        "no user message is left to learn from or to hold out: .* longer than 1024 tokens",
    ),
    "no conversations": (["{"], r"log\.jsonl:1: "),
}  # fmt: skip


@pytest.mark.parametrize(("said", "problem"), LOGS.values(), ids=LOGS)
def test_a_log_that_cannot_be_learned_from_is_one_line_and_leaves_nothing(
    convsim: Forks, base: Path, tmp_path: Path, said: list[str], problem: str
) -> None:
    people = log(tmp_path / "log.jsonl", said)
    ended = convsim("train", people, "--base", base, "--out", tmp_path / "out", "--max-steps", 2)
    assert_says(one_line_of(ended), problem)
    assert not (tmp_path / "out").exists()


SETTINGS = {
    "an unknown arm": (("--learn-arm", "best"), "'best': the conversations do not have this arm; they have: good"),
    "an unknown setting": (("--set", "train.x=1"), "training has no setting 'x'; it has: batch, calibrate, "),
    "a wrong type": (("--set", "train.batch=three"), "batch must be a whole number from 1, but is 'three'"),
    "a rate that is none": (("--set", "train.learning_rate=NaN"), "learning_rate must be a number above 0, but is nan"),
    "another owner": (("--set", "model.x=1"), "expected OWNER.FIELD=VALUE, where OWNER is one of train"),
    "a seed twice": (("--set", "train.seed=4"), "give the seed with --seed"),
    "no steps": (("--max-steps", 0), "--max-steps 0 trains nothing"),
    "less than none": (("--max-steps", -1), "max_steps must be a whole number from 0, but is -1"),
    "no epochs": (("--epochs", 0), "epochs must be a whole number from 1, but is 0"),
    "too many turns": (("--calibrate", 41), "calibrate must be a whole number from 0 to 40, but is 41"),
    "an unknown way to compress": (
        ("--compress", "zip"), "compress must be layers, distill, prune, ssm or int8, but is 'zip'",
    ),
    "layers without a number": (("--compress", "layers"), "need a number of layers"),
    "a number that is none": (
        ("--compress", "layers=x"), r"expected layers=N, distill=N, prune=SHARE, ssm=TAU or int8, with a whole",
    ),
    "a number without end": (("--compress", f"layers={'9' * 5000}"), "--compress 'layers=99999"),
    "a number for int8": (("--compress", "int8=3"), "int8 takes none"),
    "more layers than there are": (("--compress", "layers=9"), "cannot keep 9 layers: the model has 2"),
    "a share of all": (
        ("--compress", "prune=1"), "'prune=1': expected .* number between 0 and 1 after prune or ssm",
    ),
    "a share that is none": (("--compress", "prune=nan"), "number between 0 and 1"),
    "less than nothing": (("--compress", "ssm=-0.1"), "number between 0 and 1"),
    "no share": (("--compress", "prune"), "prune=SHARE needs a number between 0 and 1"),
    "a share that leaves no head": (
        ("--compress", "prune=0.99"), "a layer keeps one neuron and 1 of its 4 attention heads",
    ),
    "a share with LoRA": (("--compress", "prune=0.3", "--lora"), "leave out --lora"),
    "too few steps to cut": (("--compress", "prune=0.3", "--max-steps", 1), "give 2 optimizer steps or more, not 1"),
    "states of a model without": (("--compress", "ssm=0.1"), "LlamaForCausalLM has no layer with a state"),
    "no teacher": (("--compress", "distill=1"), "--base is the teacher, so it must be a shopper"),
    "no such exclude": (("--exclude", "absent.jsonl"), "absent.jsonl"),
}  # fmt: skip


@pytest.mark.parametrize(("flags", "problem"), SETTINGS.values(), ids=SETTINGS)
def test_a_mistake_is_one_line_and_leaves_nothing(
    convsim: Forks, base: Path, people: Path, tmp_path: Path, *, flags: tuple[object, ...], problem: str
) -> None:
    ended = convsim("train", people, "--base", base, "--out", tmp_path / "out", *flags)
    assert_says(one_line_of(ended), problem)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (None, "no model at .*: give a folder with config.json and weights, or a .gguf file"),
        ("BertForMaskedLM", "it is not a causal language model, but BertForMaskedLM"),
        ("T5ForConditionalGeneration", "cannot be loaded: Unrecognized configuration class .*T5Config"),
    ],
)
def test_a_base_that_is_no_causal_language_model_is_one_line(
    convsim: Forks, people: Path, tmp_path: Path, kind: str | None, problem: str
) -> None:
    base = make_tiny(tmp_path / "base", kind=kind) if kind else tmp_path / "base"
    (tmp_path / "out").mkdir()
    ended = convsim("train", people, "--base", base, "--out", tmp_path / "out", "--max-steps", 2)
    assert_says(one_line_of(ended), problem)
    assert not list((tmp_path / "out").iterdir())


def test_a_mistake_in_an_interpreter_of_its_own_is_one_line_too(people: Path, tmp_path: Path) -> None:
    ended = interpreter("train", people, "--base", "gpt2", "--out", tmp_path / "out")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("seed 0\nerror: no model at gpt2: give a folder")
    assert ended.stderr.count("\n") == 2


def test_a_folder_that_holds_something_else_is_refused_and_stays(
    convsim: Forks, base: Path, people: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("all of it")
    ask = ("train", people, "--base", base, "--max-steps", 2, "--out")
    refused = one_line_of(convsim(*ask, tmp_path / "out"))
    assert "contains other files and no manifest.json; name an empty or new folder with --out" in refused
    assert "cannot be made there" in one_line_of(convsim(*ask, tmp_path / "out/thesis.txt"))
    assert content(tmp_path / "out") == {"thesis.txt": b"all of it"}
    # Nor may a shopper be trained into the folder that it is read from.
    before = content(base)
    assert "contains other files" in one_line_of(convsim(*ask, base))
    assert content(base) == before
