"""What models were asked and answered is kept beside the conversations, without secrets, and changes nothing else."""

import json
from functools import partial
from pathlib import Path

import pytest

from convsim.agents import LLM
from convsim.errors import InputError, ModelError
from convsim.io import PROMPTS, read
from convsim.models import Asked, Scripted
from convsim.models.hearing import Calls, heard, hearing
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.chat_model import ChatMessage
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Study

SECRET = "sk-planted-0123456789-secret"


def answer(asked: Asked) -> str | Exception:
    if asked.kind == "choose":
        return next((each for each in asked.options if "leave" in each), asked.options[0])
    if "broken" in asked.words:
        return ModelError("the server is down")
    return f"  boots, size 9 {SECRET}  "


def study(need: str = "boots") -> tuple[Study, Scripted]:
    model = Scripted(answers=answer)
    sold = Catalogue.of([CatalogueItem(id="b1", title="Hiking boots", description="Leather.", price=80.0)])
    made = Study(
        Prompted(model=model), LLM(model=model, catalogue=sold), [Persona(id="p1", need=need)], seed=1, n=1
    )
    return made, model


def calls(folder: Path) -> list[Calls]:
    return [Calls.model_validate_json(line) for line in (folder / PROMPTS).read_bytes().splitlines()]


def test_each_call_stands_with_its_message_prompt_and_raw_answer(tmp_path: Path) -> None:
    made, model = study()
    made.run(tmp_path / "run", record=True)
    (conversation,) = read(tmp_path / "run")
    (kept,) = calls(tmp_path / "run")
    assert kept.id == conversation.id
    assert len(kept.calls) == model.calls
    first = kept.calls[0]
    assert (first.actor, first.message, first.model) == ("shopper", 0, "scripted")
    assert "boots" in first.asked.words
    of_agent = [call for call in kept.calls if call.actor == "agent"]
    assert {conversation.messages[call.message].role for call in of_agent} == {"assistant"}
    assert all(call.answer is not None and call.answer.text for call in kept.calls)


def test_a_run_is_the_same_recorded_or_not_and_models_are_left_as_they_were(tmp_path: Path) -> None:
    made, model = study()
    made.run(tmp_path / "recorded", record=True)
    assert not {"complete", "continue_text", "choose"} & vars(model).keys()
    study()[0].run(tmp_path / "plain")
    assert not (tmp_path / "plain" / PROMPTS).exists()
    one, other = ([c.but(usage=None) for c in read(tmp_path / name)] for name in ("recorded", "plain"))
    assert one == other


def test_a_call_that_fails_says_why(tmp_path: Path) -> None:
    made, _ = study("broken")
    made.run(tmp_path / "run", record=True)
    (kept,) = calls(tmp_path / "run")
    assert kept.calls[-1].answer is None
    assert "the server is down" in (kept.calls[-1].error or "")


def test_secrets_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_API_KEY", SECRET)
    study(f"boots {SECRET}")[0].run(tmp_path / "run", record=True)
    text = (tmp_path / "run" / PROMPTS).read_text()
    assert SECRET not in text
    assert "[SHOP_API_KEY]" in text
    json.loads(text)


class Own:
    """A model one of whose methods belongs to the object, and is no plain function."""

    name = "own"

    def __init__(self) -> None:
        self.complete = partial(Scripted(answers=answer).complete)


class Slotted(Own):
    __slots__ = ("choose",)

    def __init__(self) -> None:
        super().__init__()
        self.choose = Scripted(answers=answer).choose


async def test_a_model_gets_back_the_methods_that_the_object_had_itself() -> None:
    model = Slotted()
    before = vars(model) | {"choose": model.choose}
    with heard([model]), heard([model]), hearing() as noted:  # type: ignore[list-item]
        await model.complete(
            [ChatMessage(role="user", content="boots")], max_tokens=9, temperature=0.0, seed=1
        )
        assert model.complete is not before["complete"]
    assert [call.asked.kind for call in noted.calls] == ["complete"]
    assert vars(model) | {"choose": model.choose} == before
    assert model.complete is before["complete"]


class OfOneMethod(Own):
    @property
    def continue_text(self) -> object:
        return self.complete


def test_a_model_that_cannot_be_heard_is_left_as_it_was() -> None:
    model = OfOneMethod()
    before = dict(vars(model))
    with pytest.raises(InputError, match="cannot be heard"), heard([model]):  # type: ignore[list-item]
        pass
    assert vars(model) == before
