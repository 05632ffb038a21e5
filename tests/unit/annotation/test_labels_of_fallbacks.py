"""A judge whose model fails goes on with the next, and says label by label who answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convsim.annotation import aannotate
from convsim.annotation.judge import Judge
from convsim.cli.annotate import label
from convsim.evaluation.side_warnings import side_warnings
from convsim.io import read, write
from convsim.models import OpenAICompatible
from convsim.models.fallback import Fallback
from convsim.schema import Annotation, ChatMessage
from convsim.schema.conversation import Conversation, Label
from tests.judges import verdict
from tests.unit.annotation.test_judge import talk
from tests.unit.models.loopback import Loopback, Request, answering, chat, failure


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.0)


def judged(request: Request):
    """Answer as a judge, by schema or by choice."""
    properties = request.body["response_format"]["json_schema"]["schema"]["properties"]
    if "choice" in properties:
        return chat(json.dumps({"choice": properties["choice"]["enum"][0]}))
    return chat(verdict("refine") if "acts" in properties else verdict())


def fails_for_the_whole(request: Request):
    """Fail where a whole conversation is to be labelled, and answer for a message."""
    is_of_message = "acts" in request.body["response_format"]["json_schema"]["schema"]["properties"]
    return judged(request) if is_of_message else failure(500, "on fire")


def models(one: Loopback, other: Loopback) -> Fallback:
    made = [
        OpenAICompatible(model=name, base_url=server.base_url, max_retries=0)
        for name, server in (("a", one), ("b", other))
    ]
    return Fallback(tuple(made))


async def closed(model: Fallback) -> None:
    for each in model.in_order:
        assert isinstance(each, OpenAICompatible)
        await each.aclose()


def noted(conversation: Conversation) -> tuple[list[object], list[object]]:
    """The notes of the messages' labels, and those of the conversation's."""
    sides = (
        [given for m in conversation.user_messages for given in m.labels.values()],
        conversation.labels.values(),
    )
    return tuple([label.metadata.get("fallback") for given in side for label in given] for side in sides)  # type: ignore[return-value]


async def test_only_the_labels_that_another_model_gave_say_so_and_are_counted_kept_and_warned_of(
    tmp_path: Path,
):
    talks = [talk(f"boots {n}", "these?", "no").but(id=f"c{n}") for n in range(3)]
    async with answering(fails_for_the_whole) as one, answering(judged) as other:
        model = models(one, other)
        done = await aannotate(talks, Judge(model), concurrency=1, keep=tmp_path / "kept")
        again = await aannotate(talks, Judge(model), keep=tmp_path / "kept")
        await closed(model)
    n_asked = len(other.requests)
    assert n_asked == 3  # each whole conversation, once
    for conversation in done.conversations:
        of_messages, of_whole = noted(conversation)
        assert of_messages == [None] * 10
        assert of_whole == [["b"]] * 4
    assert done.fallbacks is not None
    assert (done.fallbacks.n, done.fallbacks.n_noted, dict(done.fallbacks.models)) == (42, 12, {"b": 12})
    assert again.fallbacks == done.fallbacks
    write(tmp_path / "labelled.jsonl", done.conversations)
    told = read(tmp_path / "labelled.jsonl").conversations
    warned = [said for said in side_warnings(told, talks) if "fallback" in said]
    assert len(warned) == 1
    assert warned[0].startswith("real side: 12 of 42 labels (29%) of judge:a:")
    assert "a fallback answered (b)" in warned[0]
    assert not [said for said in side_warnings(talks, talks) if "fallback" in said]


@pytest.mark.parametrize("votes", [1, 3])
async def test_a_judge_that_chooses_notes_it_too(votes: int):
    async with answering(lambda _: failure(500, "on fire")) as one, answering(judged) as other:
        model = models(one, other)
        judge = Judge(model, form="choices", votes=votes, temperature=0.5)
        given = await judge.annotate(talk("boots"))
        await closed(model)
    notes = [each.metadata for each in (*given.messages[0].values(), *given.conversation.values())]
    assert len(notes) >= 8  # three votes may carry no act
    assert all(note["fallback"] == ["b"] for note in notes)
    assert all(("agreement" in note) == (votes > 1) for note in notes)


class Own:
    """An annotator of somebody's own, which knows nothing of fallbacks."""

    name, source = "own", "own:1"

    def __init__(self, model: Fallback):
        self.model = model

    async def annotate(self, conversation: Conversation) -> Annotation:
        asked = [ChatMessage(role="user", content="kind?")]
        said = await self.model.choose(asked, ["x", "y"], temperature=0, seed=1)
        return Annotation(conversation={"kind": Label(value=said.index, source=self.source)})


async def test_labels_of_an_annotator_of_ones_own_say_it_too():
    async with answering(lambda _: failure(500, "on fire")) as one, answering(judged) as other:
        model = models(one, other)
        done = await aannotate([talk("boots")], Own(model))
        await closed(model)
    (label,) = done.conversations[0].labels["kind"]
    assert label.metadata == {"fallback": ["b"]}


class Always:
    """An annotator all of whose labels say that another model gave them."""

    name, source = "always", "judge:a"

    async def annotate(self, conversation: Conversation) -> Annotation:
        given = Label(value=1, source=self.source, metadata={"fallback": ["b"]})
        return Annotation(conversation={"satisfaction": given})


def test_the_command_says_how_many_labels_a_fallback_gave(capsys: pytest.CaptureFixture[str]):
    label([talk("boots"), talk("hats").but(id="d")], Always(), of="talk.jsonl")
    assert "2 of 2 labels: b answered as a fallback" in capsys.readouterr().err
