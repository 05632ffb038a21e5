"""How plugins are made: from settings, with the parts of convsim's own that they ask for by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from convsim.errors import PluginError
from convsim.plugins import make
from convsim.schema import UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.simulation import Assembly
from convsim.simulation.config import StudyConfig

HERE = __name__


@dataclass
class Nearest:
    """A data-driven shopper that convsim gives what it learns from."""

    real: Sequence[Conversation]
    sha256: str | None = None
    k: int = 1

    @property
    def learned_from(self) -> LearnedFrom:
        return LearnedFrom.of(self.real, sha256=self.sha256)

    def speak(self, conversation: Any, persona: Any) -> str:
        return self.real[self.k].first_words


@dataclass
class Chatty:
    model: str = "gpt-4.1-mini"

    def reply(self, conversation: Any) -> str:
        return self.model


@dataclass
class Selling:
    catalogue: Any
    model: Any = None

    def reply(self, conversation: Any) -> str:
        return f"{len(self.catalogue.items)} {self.model.name}"


class Nameless:
    @property
    def name(self) -> str:
        raise OSError("no such\nname")

    async def complete(self, *args: Any) -> None: ...

    continue_text = choose = complete


class Cross:
    def __init__(self) -> None:
        raise ZeroDivisionError("not\ntoday")

    reply = speak = annotate = validate = None


def echo(conversation: Any) -> str:
    return "echo"


def assembly(**sections: Any) -> Assembly:
    return Assembly(StudyConfig.model_validate(sections))


def test_a_class_is_given_the_parts_that_it_asks_for_by_name() -> None:
    made = assembly(shopper={"name": f"{HERE}:Nearest", "k": 2})
    shopper = made.shopper()
    assert shopper.learned_from is not None
    assert shopper.learned_from.sha256 == made.transcripts().sha256
    assert len(shopper.learned_from.conversations) == len(made.learned())


async def test_a_part_is_filled_in_where_there_is_no_default_or_none() -> None:
    said = Conversation(id="c", messages=())
    model = {"name": "scripted", "answers": ["x"]}
    selling = assembly(agent={"name": f"{HERE}:Selling"}, model=model)
    reply = await selling.agent().reply(said, seed=1)
    assert reply.content == f"{len(selling.catalogue().items)} scripted"
    own = assembly(agent={"name": f"{HERE}:Chatty"})
    assert (await own.agent().reply(said, seed=1)).content == "gpt-4.1-mini"
    assert own.stand_ins == []
    stated = assembly(agent={"name": f"{HERE}:Chatty", "model": "mine"})
    assert (await stated.agent().reply(said, seed=1)).content == "mine"


def test_a_part_of_ours_is_no_setting_and_the_line_says_where_it_is_said() -> None:
    with pytest.raises(
        PluginError, match=r"\[shopper\] prompted: 'model' is not a setting; give it as \[model\] or --model"
    ):
        assembly(shopper={"name": "prompted", "model": "gpt-4"}).shopper()


def test_a_models_own_name_is_answered_with_how_to_ask_a_server_for_it() -> None:
    with pytest.raises(PluginError, match=r"--model openai_compatible --set model\.model=gpt-4\.1-mini;"):
        make("models", "gpt-4.1-mini")
    with pytest.raises(PluginError, match=r"needs the setting 'model': --set model\.model=VALUE"):
        make("models", "openai_compatible")


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("retrieval", {"n_itms": 3}, r"\[agent\] retrieval has no setting 'n_itms'; it has: .*did you mean 'n_items'"),
        ("http", {}, r"\[agent\] http needs the setting 'url': --set agent.url=VALUE; its settings are: .*method"),
        (f"{HERE}:Chatty", {"timeout": 3}, r"has no setting 'timeout'; .*did you mean 'timeout_s'"),
        (f"{HERE}:echo", {"k": 3}, r"has no setting 'k'; it has: name, takes, timeout_s"),
        (f"{HERE}:echo", {"timeout_s": -1}, "timeout_s must be seconds above 0"),
        (f"{HERE}:Cross", {}, "Cross cannot be created without arguments: ZeroDivisionError: not today"),
        (f"{HERE}:HERE", {}, "expected a function, an object with reply"),
        (f"{HERE}:echoo", {}, "has no 'echoo'; did you mean 'echo'"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_one_line(name: str, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(Exception, match=says) as caught:
        make("agents", name, **settings)
    assert getattr(caught.value, "exit_code", None) == 2
    assert "\n" not in str(caught.value)


async def test_lifting_has_settings_too() -> None:
    agent = make("agents", f"{HERE}:echo", name="mine", timeout_s=5)
    assert (agent.name, (await agent.reply(Conversation(id="c", messages=()), seed=1)).content) == (
        "mine",
        "echo",
    )


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(PluginError, match=r"Chatty\(.*\) needs a name and async complete"):
        make("models", f"{HERE}:Chatty")
    with pytest.raises(PluginError, match="inspecting it raised OSError: no such name"):
        make("models", f"{HERE}:Nameless")


async def test_the_python_shopper_is_called_as_its_target_is() -> None:
    shopper = make("shoppers", "python", target=f"{HERE}:leaving")
    assert shopper.name == "leaving"
    assert await shopper.speak(Conversation(id="c", messages=()), None, seed=1) == UserMove(action="leave")  # type: ignore[arg-type]


async def leaving(conversation: Any) -> tuple[str, str]:
    return "leave", ""
