"""The checks themselves: each way of breaking a contract is caught, by a line that says which."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import convsim
from convsim.errors import ModelError
from convsim.schema import AgentReply, Annotation, ChatMessage, Choice, Completion, UserMove
from convsim.schema.conversation import Label
from convsim.testing import (
    check_agent,
    check_annotator,
    check_fault,
    check_metric,
    check_model,
    check_reader,
    check_shopper,
    check_validator,
)
from tests.unit.io.test_registry import ROWS, Csv, read_csv


def fails(check: Callable[[Any], None], thing: object, why: str) -> None:
    with pytest.raises(AssertionError, match=why) as caught:
        check(thing)
    assert "\n" not in str(caught.value)


@dataclass
class Agent:
    """Says what it is made to say."""

    says: Callable[..., Any] = lambda conversation, seed: f"{len(conversation.messages)} {seed}"
    name: Any = "mine"

    async def reply(self, conversation, *, seed):
        answer = self.says(conversation, seed)
        return AgentReply(content=answer) if isinstance(answer, str) else answer


def crashing(conversation, seed):
    return f"{1 / len(conversation.messages)}"


NUMBERS = itertools.count()


def counting():
    return lambda conversation, seed: str(next(NUMBERS))


def test_an_agent_that_keeps_to_the_contract_passes_as_a_class_an_object_and_a_function():
    check_agent(Agent)
    check_agent(Agent())
    check_agent(lambda conversation, *, seed: f"{len(conversation.messages)} {seed}")
    check_agent(Agent(says=counting()), deterministic=False)


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        (Agent(says=crashing), "no message: raised AgentError: mine raised ZeroDivisionError"),
        (Agent(says=counting()), "another answer to the same conversation and seed"),
        (Agent(says=lambda conversation, seed: " "), "answered with neither text nor items"),
        (
            Agent(says=lambda conversation, seed: 3),
            "must return a string or an object with 'content', but returned int 3",
        ),
        (3, "cannot be used"),
        ("retrievel", "cannot be used: PluginError: there is no convsim.agents plugin"),
    ],
)
def test_an_agent_that_breaks_it_is_caught(agent, why):
    fails(check_agent, agent, why)


@dataclass
class Shopper:
    move: Callable[..., Any] = lambda conversation, persona, seed: UserMove(action="say", text=persona.need)
    name: str = "mine"
    learned_from: Any = None
    heard: list[str] = field(default_factory=list)

    async def speak(self, conversation, persona, *, seed):
        return self.move(conversation, persona, seed)


def greedy(conversation, persona, seed):
    if conversation.messages:
        return UserMove(action="accept", accepted=("nowhere",))
    return UserMove(action="say", text="hi")


def rewriting(conversation, persona, seed):
    persona.metadata["mood"] = len(persona.metadata)
    return UserMove(action="say", text="hi")


def test_a_shopper_that_keeps_to_the_contract_passes():
    check_shopper(Shopper)
    check_shopper(Shopper())


@pytest.mark.parametrize(
    ("shopper", "why"),
    [
        (Shopper(move=greedy), "accepted nowhere|accepted .*nowhere"),
        (Shopper(move=lambda *_: UserMove(action="leave")), "the first move must say something"),
        (Shopper(move=lambda *_: 3), "must return a string or an object with 'content', but returned int 3"),
        (Shopper(move=rewriting), "changed the persona"),
        (Shopper(learned_from="logs.jsonl"), "learned_from must be None or a LearnedFrom"),
        (
            Shopper(move=lambda *_: UserMove(action="say", text=f"hi {next(NUMBERS)}")),
            "another answer to the same conversation and seed",
        ),
        (object(), "is not a function and has no 'speak'"),
    ],
)
def test_a_shopper_that_breaks_it_is_caught(shopper, why):
    fails(check_shopper, shopper, why)


@dataclass
class Annotator:
    label: Callable[..., Any] = lambda conversation, place: len(conversation.messages[place].content) % 2
    name: str = "mine"
    source: Any = "rules:mine"
    signed: str = "rules:mine"
    places: Callable[..., Any] = lambda conversation: [
        n for n, message in enumerate(conversation.messages) if message.role == "user"
    ]

    async def annotate(self, conversation):
        return Annotation(
            messages={
                place: {
                    "satisfaction": Label(
                        value=self.label(conversation, place), source=self.signed, scale=(0, 1)
                    )
                }
                for place in self.places(conversation)
            }
        )


def test_an_annotator_that_keeps_to_the_contract_passes():
    check_annotator(Annotator)


@pytest.mark.parametrize(
    ("annotator", "why"),
    [
        (Annotator(signed="judge:other"), "judge:other"),
        (Annotator(source=7), "source must be a string"),
        (
            Annotator(places=lambda conversation: range(len(conversation.messages))),
            "which is not a user message",
        ),
        (
            Annotator(label=lambda conversation, place: int(len(conversation.messages) > 3)),
            "the labels of message 0 depend on what comes after it",
        ),
        (
            Annotator(label=lambda conversation, place: 1 / (1 + next(NUMBERS))),
            "another answer to the same conversation",
        ),
        (
            Annotator(label=lambda conversation, place: 1 / 0),
            "raised ModelError: mine raised ZeroDivisionError",
        ),
    ],
)
def test_an_annotator_that_breaks_it_is_caught(annotator, why):
    fails(check_annotator, annotator, why)


def words(conversation):
    """Words of the user."""
    return sum(len(message.content.split()) for message in conversation.user_messages)


@dataclass
class Model:
    """Answers as it is made to."""

    wrong: str = ""
    name: Any = "mine"
    lines: Any = field(default_factory=itertools.count)

    async def complete(self, messages, *, max_tokens, temperature, seed, stop=(), schema=None):
        if self.wrong == "raises" and not messages[-1].content:
            raise ZeroDivisionError("no words")
        if self.wrong == "refuses":
            raise ModelError("the server is away")
        if self.wrong == "rambles" and not messages[-1].content:
            raise ModelError("one line\nand another")
        if self.wrong == "a text":
            return "Size nine."
        if self.wrong == "scribbles":
            messages.append(messages[-1])
        if schema is not None:
            return self._said("nine" if self.wrong == "no JSON" else '{"size": 9}')
        text = f"Size {next(self.lines) if self.wrong == 'counts' else 9} of course."
        for word in stop if self.wrong != "goes on" else ():
            text = text.partition(word)[0]
        return self._said(text)

    async def continue_text(self, text, *, max_tokens, temperature, seed, stop=()):
        said = [ChatMessage(role="user", content=text)]
        return await self.complete(said, max_tokens=0, temperature=0, seed=0, stop=stop)

    async def choose(self, messages, options, *, temperature, seed):
        off = {"rounds": 1e-6, "wavers": 1e-2}.get(self.wrong, 0) * next(self.lines)
        return Choice(
            index=len(options) if self.wrong == "off by one" else 0,
            completion=self._said("leave"),
            probabilities=(1 - off, off, 0.0),
        )

    def _said(self, text):
        return Completion(text=text, finish_reason="stop")


class Continuing(Model):
    """One whose server has no /completions, which it says."""

    async def continue_text(self, text, *, max_tokens, temperature, seed, stop=()):
        raise ModelError("this server only chats")


def test_a_model_that_keeps_to_the_contract_passes_as_a_class_an_object_and_a_name():
    check_model(Model)
    check_model(Model())
    check_model(Continuing())
    check_model(f"{__name__}:Model")
    check_model(Model(wrong="counts"), deterministic=False)
    check_model(Model(wrong="rounds"))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("raises", "complete, an empty message: raised ZeroDivisionError: no words"),
        ("refuses", "complete answered none of 7 requests: the server is away"),
        ("rambles", "complete, an empty message: it failed, but did not say why in one line"),
        ("a text", "answered 'Size nine.', which is not a Completion"),
        ("scribbles", "changed the request that it was given"),
        ("no JSON", "an answer as JSON: the text does not fit the schema: 'nine'"),
        ("counts", "another answer to the same request and seed, after other requests"),
        ("wavers", "another answer to the same request and seed, after other requests"),
        ("goes on", "the text holds '.*', at which it was to stop"),
        ("off by one", "chose option 3 of 3, which are counted from 0"),
    ],
)
def test_a_model_that_breaks_it_is_caught(wrong, why):
    fails(check_model, Model(wrong=wrong), why)


def sync_complete(self, messages, **asked):
    return Completion(text="Size nine.", finish_reason="stop")


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (type("Sync", (Model,), {"complete": sync_complete}), "can't be used in 'await' expression"),
        (
            type("Narrow", (Model,), {"choose": lambda self, messages, options: 1}),
            "unexpected keyword argument",
        ),
        (Model(name=" "), "name must be a text, but is ' '"),
        (lambda messages: "hi", "needs a name and async complete"),
        (3, "cannot be used"),
        ("scriptd", "did you mean 'scripted'"),
    ],
)
def test_what_is_no_model_is_caught(model, why):
    fails(check_model, model, why)


def mean_length(conversation):
    return words(conversation) / len(conversation.user_messages)


def drawn(conversation):
    return next(NUMBERS)


def suspicious(conversation):
    return 1 if conversation.simulator else 0


def scribbling(conversation):
    conversation.metadata["seen"] = True
    return 1


def test_a_metric_that_keeps_to_the_contract_passes():
    check_metric(words)
    check_metric(convsim.metric(unit="words")(words))
    check_metric("user_words_per_turn")


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        (mean_length, "ZeroDivisionError: division by zero, at conversation"),
        (drawn, "measured twice"),
        (suspicious, "by another simulator"),
        (scribbling, "changed a conversation"),
        (lambda conversation: 1, "is not a metric"),
        (convsim.metric(name="x")(lambda conversation: "many"), "expected a finite number"),
        (convsim.metric(name="x", source=" ")(words), "source must be a text"),
        ("turnss", "is not a metric"),
        (3, "is not a metric"),
    ],
)
def test_a_metric_that_breaks_it_is_caught(metric, why):
    fails(check_metric, metric, why)


class Gap(convsim.BaseValidator):
    """Do they say more?"""

    wrong = ""

    def validate(self, real, simulated, *, seed):
        words = [side.table["conversation_words"] for side in (real, simulated)]
        few = min(map(len, words)) < 8
        if self.wrong == "mutates":
            simulated.table.loc[:, "turns"] = 0.0
        if self.wrong == "raises" and few:
            raise ZeroDivisionError("no conversation")
        estimate = words[1].mean() - words[0].mean()
        if self.wrong == "order" and len(words[1]):
            estimate += words[1].iloc[0]
        made = self.finding(
            "gap",
            estimate=estimate,
            verdict="undecided" if few and self.wrong != "hasty" else "different",
            reason="the means",
        )
        changes: dict[str, dict[str, object]] = {
            "signs": {"validator": "other"},
            "seeds": {"seed": 1},
            "counts": {"n_real": 10_000},
            "mute": {"reason": " "},
        }
        made = made.but(**changes.get(self.wrong, {}))
        if self.wrong == "draws":
            made = made.but(details={"n": next(NUMBERS)})
        yield "three" if self.wrong == "three" else made


def test_a_validator_that_keeps_to_the_contract_passes():
    check_validator(Gap())


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("mutates", "changed the corpora"),
        ("raises", "0 conversations a side: raised ZeroDivisionError"),
        ("order", "with the conversations in another order"),
        ("hasty", "with 0 conversations a side gap is 'different'"),
        ("signs", "signed 'other'"),
        ("seeds", "seed is 1"),
        ("counts", "n_real is 10000"),
        ("mute", "reason must be a text"),
        ("draws", "differs between two runs of one seed"),
        ("three", "must return findings, a number or a bool, but returned str 'three'"),
    ],
)
def test_a_validator_that_breaks_it_is_caught(wrong, why):
    fails(check_validator, Gap(wrong=wrong), why)


def test_what_is_no_validator_is_caught():
    fails(check_validator, 3, "is not a validator")


class Careless(Csv):
    """Breaks the contract as it is told."""

    name = "careless"
    wrong = ""

    def recognises(self, path, head):
        return super().recognises(path, head) if self.wrong != "claims" else True

    def read(self, path):
        if self.wrong == "reads noise":
            return super().read(path) if path.read_bytes().startswith(b"session") else [TALK, OTHER]
        if self.wrong == "writes":
            path.write_text(f"{path.read_text(encoding='utf-8')}c,hi\n", encoding="utf-8")
        if self.wrong == "forgets":
            return super().read(path)[next(NUMBERS) % 2 :]
        return super().read(path)


TALK = {"id": "x", "messages": [{"role": "user", "content": "hi"}]}
OTHER = {**TALK, "id": "y"}


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_a_reader_that_keeps_to_the_contract_passes_as_a_class_and_a_function(rows):
    check_reader(Csv, rows)
    check_reader(read_csv, rows)
    check_reader(Careless(), rows)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("claims", "recognises convsim's own JSONL"),
        ("reads noise", "an empty file: was read as if it were whole|noise: was read as if it were whole"),
        ("writes", "otherwise when it reads it again|changed"),
        ("forgets", "otherwise when it reads it again"),
    ],
)
def test_a_reader_that_breaks_it_is_caught(rows, wrong, why):
    reader = Careless()
    reader.wrong = wrong
    fails(lambda thing: check_reader(thing, rows), reader, why)


def test_a_reader_that_cannot_read_its_own_file_is_caught(rows):
    fails(lambda thing: check_reader(thing, rows), lambda path: 1 / 0, "raised ZeroDivisionError")
    fails(lambda thing: check_reader(thing, rows), "convsimm", "did you mean convsim")


def louder(reply):
    return reply.content.upper()


def random_words(reply):
    return f"{reply.content} {next(NUMBERS)}"


def fickle(reply, severity):
    return "hm" if severity != 0.6 else None


def tampering(reply, conversation):
    conversation.metadata["seen"] = True
    return "hm"


def test_a_fault_that_keeps_to_the_contract_passes():
    check_fault(louder)
    check_fault(convsim.fault(name="mine", drawn=False)(louder))
    check_fault("rude_text")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (random_words, "another reply to the same conversation and seed"),
        (convsim.fault(drawn=False)(fickle), "it acts at a severity and not at a greater one"),
        (tampering, "it changed the conversation"),
        (convsim.fault(name="idle")(lambda reply: None), "it acted on none of the replies"),
        (convsim.fault(name="broken")(lambda reply: 1 / 0), "the fault broken raised ZeroDivisionError"),
        ("rude_txt", "did you mean rude_text"),
    ],
)
def test_a_fault_that_breaks_it_is_caught(fault, why):
    fails(check_fault, fault, why)
