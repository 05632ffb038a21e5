"""A team's own prompts stand in for ours, within bounds; every mistake in them is one line before the first call."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from convsim.agents import LLM
from convsim.errors import InputError, StudyError
from convsim.models.own_prompts import FILES, our_file
from convsim.models.scripted import Asked
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.shoppers import ICL, Prompted
from convsim.shoppers.prompts import ShopperPrompts
from convsim.simulation import Study
from convsim.simulation.config import read_study
from tests.unit.agents.shops import Mouth, shop, talk
from tests.unit.shoppers.logs import logged, model, persona

PERSONA = Persona.model_validate(
    {"id": "p", "need": "a western", "budget": 20, "metadata": {"target": "SECRET"}}
)
BUDGET = "{% if persona.budget %} {{ persona.budget.value }}{% endif %}"


def folder(path: Path, **files: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in files.items():
        (path / f"{name}.txt.j2").write_text(text, encoding="utf-8")
    return path


def test_a_file_of_the_folder_stands_in_for_ours_and_a_missing_one_falls_back(tmp_path: Path) -> None:
    own = ShopperPrompts(folder(tmp_path, chat="{{ domain }}: {{ persona.need }}" + BUDGET + "\n"), "films")
    ours = ShopperPrompts(None, "films")
    assert own.render("chat", persona=PERSONA) == "films: a western 20.0"
    assert own.render("opening", persona=PERSONA) == ours.render("opening", persona=PERSONA)
    said = hashlib.sha256((tmp_path / "chat.txt.j2").read_bytes()).hexdigest()
    assert own.hashes == {**ours.hashes, "chat": said}


def test_a_copy_of_our_files_says_what_ours_say_and_starts_no_process(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / f"{name}.txt.j2").write_bytes(our_file(name))
    own, ours = ShopperPrompts(tmp_path, "films"), ShopperPrompts(None, "films")
    assert own.hashes == ours.hashes
    assert own._files._own == {}


@pytest.mark.parametrize("name", ["chat", "transcript"])
def test_our_own_file_says_the_same_in_a_process_of_its_own(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.txt.j2").write_bytes(our_file(name) + b"\n")
    values = {"history": ["Shopper: a", "Assistant: b"], "examples": ["Shopper: c"]}
    for domain in ("films", "clothes"):
        own, ours = (ShopperPrompts(where, domain) for where in (tmp_path, None))
        assert own.render(name, persona=PERSONA, **values) == ours.render(name, persona=PERSONA, **values)


async def test_shoppers_and_the_agent_ask_with_them(tmp_path: Path) -> None:
    own = folder(tmp_path, chat="OWN {{ persona.need }}", recommend="OWN {{ items | length }} {{ currency }}")
    asked: list[Asked] = []
    spoken = Conversation(id="now", messages=())
    shopper = Prompted(model(["hi"], keep=asked), style="chat", prompts=own)
    await shopper.speak(spoken, persona(need="a western"), seed=1)
    assert asked[-1].messages[0].content == "OWN a western"
    icl = ICL(model(), [logged("c1", "red boots", "yes")], prompts=str(own))
    assert icl.prompt_hashes == shopper.prompt_hashes
    mouth = Mouth("ok")
    await LLM(model=mouth, catalogue=shop(), prompts=own).reply(talk("rain boots"), seed=1)
    assert mouth.asked[0].content.startswith("OWN ")


def test_a_prompt_never_sees_the_metadata_of_a_persona(tmp_path: Path) -> None:
    own = ShopperPrompts(folder(tmp_path, chat="{{ persona }}"), None)
    assert "SECRET" not in own.render("chat", persona=PERSONA)


MISTAKES = {
    "chta.txt.j2": ("x", r"'?chta\.txt\.j2'? is not the name of a prompt; did you mean chat\.txt\.j2\?"),
    "notes.md": ("x", r"notes\.md is not the name of a prompt; known: chat\.txt\.j2, "),
    "chat.txt.j2": (
        "{{ person.need }}",
        r"no variable 'person'; it has domain, .*persona; did you mean 'persona'\?",
    ),
    "decide.txt.j2": ("{{ persona.nead }}", r"decide\.txt\.j2: the prompt cannot be filled in: .*nead"),
    "opening.txt.j2": ("{% if %}", r"opening\.txt\.j2: the prompt cannot be filled in: it is no template"),
    "transcript.txt.j2": ("  \n", r"transcript\.txt\.j2: the prompt is empty"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_file(name: str, tmp_path: Path) -> None:
    text, said = MISTAKES[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        Prompted(model(), prompts=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_none_and_a_file_that_is_no_text_or_too_long_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read as a folder .* convsim prompts export"):
        Prompted(model(), prompts=tmp_path / "none")
    for content, said in (
        (b"\xff\xfe", "must be UTF-8 text"),
        (b"x" * (300 << 10), "larger than 262,144 bytes"),
    ):
        (tmp_path / "chat.txt.j2").write_bytes(content)
        with pytest.raises(InputError, match=said):
            Prompted(model(), prompts=tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ ''.__class__.__mro__ }}", "unsafe|cannot be filled in"),
        ("{{ 'x' * 3000000000 }}", "memory"),
        ("{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", "writes more than"),
        ("{% include 'chat.txt.j2' %}", "cannot be filled in"),
    ],
)
def test_a_hostile_template_reaches_nothing_and_takes_little(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        Prompted(model(), prompts=folder(tmp_path, chat=text))


def test_a_run_of_another_prompt_is_another_plan_that_is_refused_naming_it(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", chat="one {{ persona.need }}")

    def run() -> None:
        shopper = Prompted(model(chooses="leave"), prompts=own)
        Study(shopper, lambda c: "ok", [persona()], seed=1, n=1, max_turns=1).run(tmp_path / "run")

    run()
    folder(own, chat="two {{ persona.need }}")
    with pytest.raises(
        StudyError, match=r'made with another plan \(prompts was \{"chat": "[0-9a-f]{64}"\} and is now'
    ):
        run()


def test_a_folder_of_prompts_in_a_study_file_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "STUDY.toml"
    path.write_text('[shopper]\nname = "prompted"\nprompts = "own"\n[agent]\nname = "llm"\nprompts = "own"\n')
    config = read_study(path)
    assert config.shopper.settings["prompts"] == config.agent.settings["prompts"] == str(tmp_path / "own")
