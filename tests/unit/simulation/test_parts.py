"""Parts of a study made by name in Python, and what is said where they cannot be made."""

from pathlib import Path
from typing import Any

import pytest

import convsim
from convsim.agents import LLM, Degraded, Retrieval
from convsim.annotation.judge import Judge
from convsim.errors import InputError, PluginError
from convsim.models import Scripted
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Failure, Message
from convsim.shoppers import Prompted, Resample

SAID = [Message(role="user", content="red shoes"), Message(role="assistant", content="these?")]
PEOPLE = [
    Conversation(id=f"c{n}", messages=[SAID[0].but(content=f"{n} red shoes"), SAID[1]]) for n in range(4)
]
FAILED = Conversation(id="f", messages=[SAID[0]], failure=Failure(actor="agent", reason="down"))
UNKNOWN: Any = "persons"
UNKNOWN_MODEL: Any = 3
UNTYPED: Any = convsim
"""For calls that a type checker refuses."""
SOLD = Catalogue.read("data/demo/catalogue.jsonl")


def test_a_shopper_learns_from_the_people_that_it_is_given_and_not_from_failures():
    shopper = convsim.make_shopper("resample", real=[*PEOPLE, FAILED], k=2)
    assert isinstance(shopper, Resample)
    assert {*shopper.learned_from.conversations} == {each.fingerprint for each in PEOPLE}


def test_a_shopper_of_a_file_remembers_its_hash(tmp_path):
    convsim.write(tmp_path / "people.jsonl", PEOPLE)
    read = convsim.read(tmp_path / "people.jsonl")
    for real in (read, tmp_path / "people.jsonl", str(tmp_path / "people.jsonl")):
        shopper = convsim.make_shopper("resample", real=real)
        assert isinstance(shopper, Resample)
        assert shopper.learned_from.sha256 == read.sha256


def test_a_model_is_given_as_it_is():
    model = Scripted(answers=["hello"])
    shopper, judge = (
        convsim.make_shopper("prompted", model=model),
        convsim.make_annotator("judge", model=model),
    )
    agent = convsim.make_agent("llm", model=model, catalogue=SOLD)
    for part, kind in ((shopper, Prompted), (judge, Judge), (agent, LLM)):
        assert isinstance(part, kind)
        assert part.model is model


def test_an_agent_sells_the_demos_catalogue_or_its_own(tmp_path):
    own = tmp_path / "own.jsonl"
    own.write_text('{"id": "a", "title": "A hat", "description": "warm", "price": 9.5, "attributes": {}}\n')
    for catalogue, n in ((None, 480), (own, 1), (str(own), 1), (SOLD, 480)):
        agent = convsim.make_agent(catalogue=catalogue)
        assert isinstance(agent, Retrieval)
        assert len(agent.catalogue) == n


def test_an_arm_is_worse_with_the_agents_own_catalogue():
    agent = convsim.make_agent("retrieval", catalogue=SOLD)
    arm = convsim.worse_arm(agent, "irrelevant_items", 0.5)
    assert (arm.name, arm.fault, arm.severity) == ("irrelevant_items", "irrelevant_items", 0.5)
    assert isinstance(arm.agent, Degraded)
    assert arm.agent.catalogue is SOLD
    assert convsim.worse_arm(agent, "bad", name="mild").name == "mild"


def test_an_arm_reads_the_file_of_its_catalogue(tmp_path):
    file = tmp_path / "sold.jsonl"
    file.write_text(
        '{"id": "x1", "title": "Red hat", "description": "warm", "price": 3.0}\n', encoding="utf-8"
    )
    arm = convsim.worse_arm(convsim.make_agent(), "wrong_category", catalogue=str(file))
    assert isinstance(arm.agent, Degraded)
    assert arm.agent.catalogue is not None
    assert [item.id for item in arm.agent.catalogue.items] == ["x1"]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: convsim.make_shopper("resample"),
            InputError,
            r"make_shopper\('resample'\) learns from people; add real=",
        ),
        (lambda: convsim.make_shopper("resampl"), PluginError, "did you mean 'resample'"),
        (lambda: convsim.make_shopper("resample", real=PEOPLE, kk=3), PluginError, "has no setting 'kk'"),
        (lambda: convsim.make_shopper("resample", real="none.jsonl"), InputError, "there is no such file"),
        (lambda: convsim.make_agent("http"), PluginError, "needs the setting 'url'"),
        (lambda: convsim.make_model("gpt-9"), PluginError, "a model that a server calls so"),
        (lambda: convsim.make_model("./none"), InputError, "none"),
        (lambda: convsim.worse_arm(convsim.make_agent(), "baad"), InputError, "baad"),
        (lambda: convsim.worse_arm(UNKNOWN, "bad"), PluginError, "convsim.make_agent"),
        (
            lambda: convsim.make_shopper("prompted", model=UNKNOWN_MODEL),
            PluginError,
            "the model: 3 needs a name",
        ),
        (
            lambda: convsim.split("none.jsonl", by="user", fraction=0.5, seed=1),
            InputError,
            "there is no such file",
        ),
        (
            lambda: convsim.split(PEOPLE, by=UNKNOWN, fraction=0.5, seed=1),
            InputError,
            "by must be user or conv",
        ),
        (lambda: convsim.draw_personas("none.jsonl", 3, seed=1), InputError, "there is no such file"),
        (lambda: convsim.annotate("none.jsonl", str.upper), InputError, "there is no such file"),
        (lambda: convsim.worse_arm(convsim.make_agent(), "bad", 2), InputError, "from 0 to 1"),
        (lambda: convsim.demo_data(UNKNOWN), InputError, "known keys: people, close, naive"),
        (lambda: UNTYPED.make_model(Path("none.gguf")), InputError, r"none\.gguf"),
        (
            lambda: UNTYPED.make_model(None),
            InputError,
            "make_model: expected the name of a model or the path",
        ),
        (
            lambda: UNTYPED.make_agent(str.upper),
            InputError,
            "make_agent: expected the name .* Study as it is",
        ),
        (lambda: UNTYPED.make_shopper(str.upper), InputError, "make_shopper: expected the name .* as it is"),
        (lambda: UNTYPED.make_annotator(3), InputError, "make_annotator: expected the name .* but got 3"),
        (lambda: UNTYPED.make_agent(catalogue=3), InputError, "catalogue must be a Catalogue or the path"),
        (lambda: UNTYPED.read_table(5), InputError, "read_table: expected the path .* but got 5"),
        (lambda: UNTYPED.read_table("a.csv", 5), InputError, "mapping must be a mapping or the path"),
        (lambda: UNTYPED.read_personas(5), InputError, "read_personas: expected the path .* but got 5"),
        (
            lambda: UNTYPED.export_prompts(None),
            InputError,
            "export_prompts: expected the path .* but got None",
        ),
        (
            lambda: UNTYPED.split(PEOPLE, by="user", fraction="a", seed=1),
            InputError,
            "above 0 and below 1, but is 'a'",
        ),
        (
            lambda: UNTYPED.split(PEOPLE, by="user", fraction=0.5, seed="a"),
            InputError,
            "split: seed must be a whole number, but is 'a'",
        ),
        (lambda: UNTYPED.draw_personas(PEOPLE, 3, seed="x"), InputError, "seed must be a whole number"),
        *(
            (
                lambda n=n: UNTYPED.draw_personas(PEOPLE, n, seed=1),
                InputError,
                "n must be a whole number of at least 1",
            )
            for n in (2.5, "3", -3, 0, True)
        ),
        (
            lambda: UNTYPED.worse_arm(UNTYPED.make_agent(), "wrong_category", catalogue="nope.jsonl"),
            InputError,
            r"nope\.jsonl",
        ),
        (
            lambda: UNTYPED.worse_arm(UNTYPED.make_agent(), "bad", catalogue=3),
            InputError,
            "must be a Catalogue",
        ),
        *(
            (
                lambda name=name: UNTYPED.worse_arm(UNTYPED.make_agent(), "bad", name=name),
                InputError,
                "name must be text",
            )
            for name in ("", " ", 3)
        ),
    ],
)
def test_what_cannot_be_made_is_one_line(call, error, said):
    with pytest.raises(error, match=said) as refused:
        call()
    assert "\n" not in str(refused.value)
