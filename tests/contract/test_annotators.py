"""What every annotator keeps to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from convsim.annotation.classifier import Classifier, save, train
from convsim.annotation.judge import Judge
from convsim.annotation.rules import Rules
from convsim.models import Asked, Scripted
from convsim.plugins import installed
from convsim.schema import Annotator
from convsim.testing import check_annotator
from tests.judges import verdict
from tests.unit.annotation.labelled import acted


def answer(asked: Asked) -> str:
    """Say something that hangs on what is asked."""
    said = json.dumps([message.content for message in asked.messages])
    acts = ("inform_preference",) if "acts" in (asked.json_schema or {})["properties"] else ()
    return verdict(*acts, satisfaction=len(said) % 2)


def classifier(folder: Path) -> Classifier:
    save(train(acted(20, seed=1), source="third_party", seed=3), folder / "acts.npz")
    return Classifier(path=folder / "acts.npz")


ANNOTATORS: dict[str, Callable[[Path], Annotator]] = {
    "rules": lambda _: Rules(),
    "judge": lambda _: Judge(model=Scripted(answers=answer, name="m")),
    "classifier": classifier,
}


def test_every_built_in_one_is_tried() -> None:
    assert set(ANNOTATORS) == {
        name for name, entry in installed("annotators").items() if entry.value.startswith("convsim.")
    }


@pytest.mark.parametrize("name", ANNOTATORS)
def test_it_keeps_to_the_contract(name: str, tmp_path: Path) -> None:
    check_annotator(ANNOTATORS[name](tmp_path), conversations=acted(3, seed=5))
