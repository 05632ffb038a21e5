"""Every kind of part as a function, a class and an object, sync and async; what it lacks is supplied."""

from __future__ import annotations

import asyncio
import functools
import threading
from types import SimpleNamespace as Object
from typing import Any

import pytest

import convsim
from convsim.annotation import annotate
from convsim.errors import AgentError, InputError, ModelError, PluginError
from convsim.evaluation import find_validators
from convsim.lifting import (
    lift_agent,
    lift_annotator,
    lift_shopper,
    lift_validator,
    make_class,
    seen_by_agent,
    showing_once,
    to_move,
    to_reply,
)
from convsim.metrics import measure_both
from convsim.schema import (
    AgentReply,
    Annotation,
    Finding,
    NoMoveError,
    PlannedFinding,
    SimulatorScore,
    UserMove,
)
from convsim.schema.conversation import Conversation, Label, LearnedFrom, Message, Usage
from convsim.schema.persona import Persona
from convsim.shoppers import Replay

SAID = Conversation(
    id="c",
    arm="bad",
    messages=(
        Message(role="user", content="boots"),
        Message(role="assistant", content="these?"),
        Message(role="user", content="red"),
    ),
)
ANN = Persona(id="ann", need="boots")


def as_forms(answer: Any, verb: str) -> dict[str, Any]:
    """Return a function, an object and a class that answer so, sync and async."""

    def function(*args: Any) -> Any:
        return answer

    async def later(*args: Any) -> Any:
        await asyncio.sleep(0)
        return answer

    class Sync:
        pass

    class Async:
        pass

    setattr(Sync, verb, lambda self, *args: answer)

    async def method(self: Any, *args: Any) -> Any:
        return answer

    setattr(Async, verb, method)

    class Called:
        def __call__(self, *args: Any) -> Any:
            return answer

    return {
        "a function": function, "an async function": later, "a lambda": lambda *args: answer,
        "a partial": functools.partial(function), "a partial of an async function": functools.partial(later),
        "an object": Sync(), "an async object": Async(), "a class": Sync, "an async class": Async,
        "a callable object": Called(), "a callable class": Called,
    }  # fmt: skip


FORMS = list(as_forms(None, "reply"))
SIDES = [SAID], [SAID.but(id="s", simulator="bot")]


@pytest.mark.parametrize("form", FORMS)
def test_an_agent_of_every_form_answers(form: str) -> None:
    agent = lift_agent(as_forms("hello", "reply")[form])
    assert asyncio.run(agent.reply(SAID, seed=1)) == AgentReply(content="hello")


@pytest.mark.parametrize("form", FORMS)
def test_a_shopper_of_every_form_moves(form: str) -> None:
    shopper = lift_shopper(as_forms("hello", "speak")[form])
    assert asyncio.run(shopper.speak(SAID, ANN, seed=1)) == UserMove(action="say", text="hello")
    assert shopper.learned_from is None


@pytest.mark.parametrize("form", FORMS)
def test_an_annotator_of_every_form_labels(form: str) -> None:
    annotator = lift_annotator(as_forms({"mood": 3}, "annotate")[form])
    found = asyncio.run(annotator.annotate(SAID))
    assert found == Annotation(conversation={"mood": Label(value=3, source=annotator.source)})
    assert annotator.source == f"python:{annotator.name}"


@pytest.mark.parametrize("form", FORMS)
def test_a_validator_of_every_form_finds(form: str) -> None:
    validator = lift_validator(as_forms(0.25, "validate")[form])
    [finding] = validator.validate(*measure_both(*SIDES), seed=5)
    assert (finding.estimate, finding.verdict, finding.seed) == (0.25, "undecided", 5)
    assert (finding.validator, finding.n_real, finding.n_simulated) == (validator.name, 1, 1)


def test_names_are_the_objects_own_or_its_functions_or_its_class_s() -> None:
    class Shop:
        def reply(self, conversation: Any) -> str:
            return "hi"

    def function(conversation: Any) -> str:
        return "hi"

    named = Shop()
    named.name = "corner\nshop"  # type: ignore[attr-defined]
    things: list[tuple[Any, str]] = [
        (Shop, "Shop"), (Shop(), "Shop"), (named, "corner shop"), (function, "function"), (Shop().reply, "reply"),
        (functools.partial(function), "function"), (lambda conversation: "hi", "lambda"),
    ]  # fmt: skip
    assert [lift_agent(thing).name for thing, _ in things] == [name for _, name in things]
    assert lift_agent(Shop, name="mine").name == "mine"


def test_arguments_go_where_their_names_say_and_the_rest_by_place() -> None:
    heard: list[Any] = []

    def by_name(persona: Any, messages: Any, seed: Any) -> str:
        heard.extend([persona.id, [m["role"] for m in messages], seed])
        return "x"

    def by_place(talk: Any, who: Any, /, k: int = 5, *, seed: int) -> str:
        heard.extend([talk.id, who.id, k, seed])
        return "x"

    def none_of_it() -> str:
        return "x"

    def all_of_it(*args: Any, **more: Any) -> str:
        heard.extend([*(a.id for a in args), more])
        return "x"

    def with_a_default(conversation: Any, temperature: float = 0.7, persona: Any = None) -> str:
        heard.extend([temperature, persona.id])
        return "x"

    for function in (by_name, by_place, none_of_it, all_of_it, with_a_default):
        asyncio.run(lift_shopper(function).speak(SAID, ANN, seed=9))
    roles = ["user", "assistant", "user"]
    assert heard == ["ann", roles, 9, "c", "ann", 5, 9, "c", "ann", {"seed": 9}, 0.7, "ann"]


@pytest.mark.parametrize("lift", [lift_agent, lift_shopper, lift_annotator, lift_validator])
def test_a_function_that_asks_for_what_convsim_has_not_is_refused_at_once(lift: Any) -> None:
    def wants(a: Any, b: Any, c: Any, *, catalog: Any) -> str:
        return "x"

    with pytest.raises(
        PluginError, match=r"wants has a parameter '(b|c|catalog)' that convsim cannot fill; it can fill"
    ):
        lift(wants)


def test_an_agent_is_told_nothing_of_the_arm_and_a_shopper_all() -> None:
    arms: list[Any] = []

    def look(conversation: Conversation) -> str:
        arms.append(conversation.arm)
        return "x"

    asyncio.run(lift_agent(look).reply(SAID, seed=1))
    asyncio.run(lift_shopper(look).speak(SAID, ANN, seed=1))
    assert arms == [None, "bad"]


def test_what_is_convsims_own_passes_as_it_is() -> None:
    own = Replay([SAID])
    assert lift_shopper(own) is own
    lifted = lift_agent(lambda conversation: "x")
    assert lift_agent(lifted) is lifted


def test_what_a_shopper_says_of_itself_is_kept() -> None:
    learned = LearnedFrom.of([SAID], sha256="f00d")
    thing = Object(
        speak=lambda c, p: "x",
        learned_from=learned,
        model=Object(name="m"),
        prompt_hashes={"a": "b"},
        name="n",
    )
    shopper: Any = lift_shopper(thing)
    assert (shopper.learned_from, shopper.model.name, shopper.prompt_hashes) == (learned, "m", {"a": "b"})
    with pytest.raises(PluginError, match=r"learned_from must be None or a LearnedFrom, but is str 'logs'"):
        lift_shopper(Object(speak=lambda c, p: "x", learned_from="logs"))


def test_blocking_code_runs_beside_the_loop_and_async_code_in_it() -> None:
    threads: list[str] = []

    def blocking(conversation: Any) -> str:
        threads.append(threading.current_thread().name)
        return "x"

    async def awaiting(conversation: Any) -> str:
        threads.append(threading.current_thread().name)
        return "x"

    for function in (blocking, awaiting):
        asyncio.run(lift_agent(function).reply(SAID, seed=1))
    assert threads == ["convsim-plugin", "MainThread"]


class Broken:
    """Raises wherever it is looked at."""

    def __init__(self, where: str):
        self.where = where

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "where"):
            raise OSError("no such shelf\nat all")
        return object.__getattribute__(self, name)

    def reply(self, conversation: Any) -> str:
        return "x"

    speak = annotate = validate = reply


@pytest.mark.parametrize(
    ("lift", "where"),
    [
        (lift_agent, "name"), (lift_agent, "reply"), (lift_agent, "prompt_hash"), (lift_shopper, "learned_from"),
        (lift_shopper, "speak"), (lift_annotator, "source"), (lift_validator, "version"),
    ],
)  # fmt: skip
def test_a_property_that_raises_is_one_line(lift: Any, where: str) -> None:
    with pytest.raises(PluginError, match=rf": its {where} raised OSError: no such shelf at all$"):
        lift(Broken(where))


def test_a_class_that_cannot_be_made_is_one_line() -> None:
    class Closed:
        def __init__(self) -> None:
            raise SystemExit("closed\nfor today")

    with pytest.raises(
        PluginError,
        match="the agent: Closed cannot be created without arguments: SystemExit: closed for today",
    ):
        lift_agent(Closed)

    class Choosy:
        def __init__(self, k: int) -> None:
            raise InputError("k is too small")

    with pytest.raises(InputError, match=r"^k is too small$"):
        make_class(Choosy, "mine", k=1)


def openai(content: Any = "hello", **more: Any) -> Any:
    message = Object(content=content, **more)
    return Object(
        choices=[Object(message=message)], usage=Object(prompt_tokens=7, completion_tokens=2), id="chatcmpl"
    )


def chunk(text: Any) -> Any:
    return Object(choices=[Object(delta=Object(content=text))])


async def async_parts() -> Any:
    for part in ("he", "llo"):
        yield part


REPLIES: dict[str, Any] = {
    "a text": "hello",
    "a reply": AgentReply(content="hello"),
    "a dict": {"content": "hello"},
    "a dict with parts": {"content": [{"type": "text", "text": "hel"}, "lo"]},
    "an object": Object(content="hello"),
    "an OpenAI response": openai(),
    "an OpenAI response as a dict": {"choices": [{"message": {"role": "assistant", "content": "hello"}}]},
    "a response of the responses API": Object(output_text="hello", output=[]),
    "a list of messages": [{"role": "user", "content": "no"}, {"role": "assistant", "content": "hello"}],
    "a list of message objects": [Object(type="human", content="no"), Object(type="ai", content="hello")],
    "a state with messages": {"messages": [Object(content="hello")]},
}


@pytest.mark.parametrize("answer", REPLIES.values(), ids=REPLIES)
def test_every_form_of_an_answer_is_read(answer: Any) -> None:
    assert to_reply(answer, "mine").content == "hello"
    if not isinstance(answer, AgentReply):
        assert to_move(answer, "mine") == UserMove(action="say", text="hello")


@pytest.mark.parametrize(
    "stream",
    [
        lambda *args: iter(["he", "llo"]),
        lambda *args: (part for part in ("he", "llo")),
        lambda *args: iter([chunk("he"), chunk("llo"), chunk(None), Object(choices=[])]),
        lambda *args: iter([Object(content="he"), Object(content="llo")]),
        lambda *args: iter([{"content": "hello"}]),
        lambda *args: async_parts(),
    ],
)
def test_a_generator_is_joined(stream: Any) -> None:
    assert asyncio.run(lift_agent(stream).reply(SAID, seed=1)).content == "hello"
    assert asyncio.run(lift_shopper(stream).speak(SAID, ANN, seed=1)).text == "hello"


def test_what_an_openai_response_cost_is_kept() -> None:
    assert to_reply(openai(), "mine").usage == Usage(input_tokens=7, output_tokens=2)
    counted = {"content": "x", "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}
    assert to_reply(counted, "mine").usage == Usage(input_tokens=7, output_tokens=2)
    assert to_reply(Object(content="x", items=[{"id": "b1"}], ends=True), "mine").ends


MOVES: dict[str, tuple[Any, UserMove]] = {
    "leaving": (("leave", "bye"), UserMove(action="leave", text="bye")),
    "leaving without words": (("leave",), UserMove(action="leave")),
    "accepting": (("accept", ["b1"]), UserMove(action="accept", accepted=("b1",))),
    "accepting with words": (
        ("accept", "ok", ["b1"]),
        UserMove(action="accept", text="ok", accepted=("b1",)),
    ),
    "a dict": ({"text": "hi"}, UserMove(action="say", text="hi")),
    "a dict that accepts": ({"accepted": ["b1"]}, UserMove(action="accept", accepted=("b1",))),
    "a dict that leaves": ({"action": "leave"}, UserMove(action="leave")),
    "an object": (Object(action="say", content="hi"), UserMove(action="say", text="hi")),
    "a move": (UserMove(action="leave"), UserMove(action="leave")),
    "a text that only looks like a move": ("leave", UserMove(action="say", text="leave")),
}


@pytest.mark.parametrize(("answer", "move"), MOVES.values(), ids=MOVES)
def test_every_form_of_a_move_is_read(answer: Any, move: UserMove) -> None:
    assert to_move(answer, "mine") == move


class Hostile:
    @property
    def content(self) -> str:
        raise RuntimeError("mine\nfield")

    def __repr__(self) -> str:
        raise RuntimeError("no")


HOSTILE: dict[str, tuple[Any, str]] = {
    "None": (None, r"answered nothing \(None\)"),
    "a number": (7, "must return a string or an object with 'content', but returned int 7"),
    "an object without content": (Object(text="x"), "but returned SimpleNamespace namespace"),
    "an object that cannot even be printed": (Hostile(), "returned something unreadable: RuntimeError: mine field"),
    "an empty text": ("", "answered with neither text nor items|said nothing"),
    "a huge text": ("a" * 1_000_000, "answered with more than 262,144 bytes of text"),
    "half a character": ("\ud800", "answered with half a character"),
    "a call of a tool": (openai(None, tool_calls=[1]), "answered without a text: a tool call"),
    "a refusal": (openai(None, refusal="I may not\nsay"), "answered without a text: I may not say"),
    "a list that ends with the user": ([{"role": "user", "content": "x"}], "messages has the role 'user'"),
    "a list of numbers": ([1, 2], r"but returned list \[1, 2\]"),
    "bytes": (b"hello", "but returned bytes b'hello'"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "says"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_answer_is_a_reason_of_one_line(answer: Any, says: str) -> None:
    for read, failure in ((to_reply, AgentError), (to_move, ModelError)):
        with pytest.raises(failure, match=says) as caught:
            read(answer, "mine")
        assert str(caught.value).startswith("mine ")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (("go", "x"), r"answered \('go', 'x'\); a tuple is \(action, text\)"),
        ((), "a tuple is"),
        (("accept", "b1"), "a move must name items if it accepts"),
        ({"txt": "hi", "action": "say"}, "'txt': no such key; did you mean 'text'"),
        ({"action": "go"}, "returned something invalid: action: "),
        ({"action": "say", "text": 7}, "returned something invalid: text: "),
        ({"content": "x", "items": [1]}, None),
    ],
)
def test_a_move_that_is_none_is_a_reason(answer: Any, says: str | None) -> None:
    if says is None:
        assert to_move(answer, "mine").text == "x"
        return
    with pytest.raises(ModelError, match=says):
        to_move(answer, "mine")


def breaking_off(*args: Any) -> Any:
    yield "he"
    raise OSError("cut off")


async def breaking_off_later(*args: Any) -> Any:
    yield "he"
    raise OSError("cut off")


def endless(*args: Any) -> Any:
    while True:
        yield "more "


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (breaking_off, "mine raised OSError: cut off"),
        (breaking_off_later, "mine raised OSError: cut off"),
        (endless, "mine raised ValueError: its generator yields more than"),
        (lambda *args: iter([]), "mine answered nothing: its generator yielded nothing"),
        (lambda *args: iter(["x", 7]), "mine must yield strings, but yielded int 7"),
    ],
)
def test_a_generator_that_goes_wrong_is_a_reason(stream: Any, says: str) -> None:
    with pytest.raises(AgentError, match=says):
        asyncio.run(lift_agent(stream, name="mine").reply(SAID, seed=1))
    with pytest.raises(ModelError, match=says):
        asyncio.run(lift_shopper(stream, name="mine").speak(SAID, ANN, seed=1))


async def never(*args: Any) -> str:
    await asyncio.Event().wait()
    return "too late"


async def never_more(*args: Any) -> Any:
    yield "one"
    await asyncio.Event().wait()


@pytest.mark.parametrize("function", [never, never_more])
def test_one_that_never_answers_is_given_up_in_time(function: Any) -> None:
    with pytest.raises(ModelError, match=r"^mine did not answer within 0\.05 s$"):
        asyncio.run(lift_shopper(function, name="mine", timeout_s=0.05).speak(SAID, ANN, seed=1))
    with pytest.raises(ModelError, match=r"^mine did not answer within 0\.05 s$"):
        asyncio.run(lift_annotator(function, name="mine", timeout_s=0.05).annotate(SAID))
    with pytest.raises(InputError, match="timeout_s must be seconds above 0"):
        lift_shopper(function, timeout_s=0)


def test_what_a_shopper_spent_before_it_failed_still_counts() -> None:
    spent = NoMoveError("no words", usage=Usage(input_tokens=3), counts={"role_slips": 1})

    def fail(conversation: Any, persona: Any) -> None:
        raise spent

    with pytest.raises(NoMoveError) as caught:
        asyncio.run(lift_shopper(fail).speak(SAID, ANN, seed=1))
    assert caught.value is spent


LABELLINGS: dict[str, tuple[Any, Annotation]] = {
    "labels of the whole": ({"mood": 3}, Annotation(conversation={"mood": Label(value=3, source="python:f")})),
    "no labels": ({}, Annotation()),
    "a scale": (
        {"mood": {"value": 3, "scale": [1, 5]}},
        Annotation(conversation={"mood": Label(value=3, source="python:f", scale=(1, 5))}),
    ),
    "several acts": (
        [{"acts": {"thank", "ask"}}, None],
        Annotation(messages={0: {"acts": Label(value=["ask", "thank"], source="python:f")}}),
    ),
    "both": (
        {"messages": {2: {"mood": 1}}, "conversation": {"mood": 2}},
        Annotation(
            messages={2: {"mood": Label(value=1, source="python:f")}},
            conversation={"mood": Label(value=2, source="python:f")},
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "annotation"), LABELLINGS.values(), ids=LABELLINGS)
def test_every_form_of_labels_is_read(answer: Any, annotation: Annotation) -> None:
    assert asyncio.run(lift_annotator(lambda conversation: answer, name="f").annotate(SAID)) == annotation


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "must return a dict of labels, but returned NoneType None"),
        ("happy", "must return a dict of labels, but returned str 'happy'"),
        ([{"mood": 1}], "a list must have one dict of labels for each of the 2 user messages"),
        ({"mood": object()}, "returned something invalid: conversation.mood.value"),
        ({"mood": float("nan")}, "must be a finite number, but is nan"),
        ({"mood": Label(value=1, source="judge:other")}, "with the source 'judge:other'"),
        ({"messages": {1: {"mood": 1}}}, "labelled message 1, which is not a user message"),
    ],
)
def test_bad_labels_are_a_reason_and_the_conversation_stays_as_it_was(answer: Any, says: str) -> None:
    done = annotate([SAID], lambda conversation: answer)
    assert done.conversations == [SAID]
    [reason] = done.reasons
    assert says in reason


def test_an_object_that_labels_many_at_once_is_asked_for_many() -> None:
    class Fast:
        source = "rules:fast"

        def annotate(self, conversation: Any) -> Any:
            raise AssertionError("one by one")

        async def annotate_many(self, conversations: Any) -> Any:
            return [{"mood": len(c.messages)} for c in conversations]

    done = annotate([SAID, SAID.but(id="d", messages=SAID.messages[:1])], Fast())
    assert [c.labels["mood"][0].value for c in done.conversations] == [3, 1]
    assert done.source == "rules:fast"


def fields(answer: Any, **more: Any) -> list[Finding]:
    def mine(real: Any, simulated: Any) -> Any:
        """Do they differ?

        And more.
        """
        return answer

    found: Any = lift_validator(mine, **more).validate(*measure_both(*SIDES), seed=1)
    return list(found)


def test_findings_may_be_numbers_truths_dicts_and_several_of_them() -> None:
    import numpy as np

    [number, missing, yes, no, stated] = fields(
        [np.float64(0.5), float("nan"), True, np.bool_(False), {"metric": "m", "estimate": np.float32(2.0)}]
    )
    assert (number.estimate, number.verdict, number.question) == (0.5, "undecided", "Do they differ?")
    assert (missing.estimate, missing.reason) == (None, "undefined (nan)")
    assert (yes.verdict, no.verdict) == ("aligned", "different")
    assert (stated.metric, stated.estimate, stated.validator) == ("m", 2.0, "mine")
    assert fields([]) == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "mine must return findings, a number or a bool, but returned NoneType None"),
        ("different", "but returned str 'different'"),
        ({"estimat": 0.3}, "mine answered with 'estimat': no such key; did you mean 'estimate'"),
        ({"verdict": "same"}, "mine returned something invalid: verdict: "),
    ],
)
def test_what_is_no_finding_is_a_failed_finding(answer: Any, says: str) -> None:
    def mine(real: Any, simulated: Any) -> Any:
        return answer

    card = convsim.validate(*SIDES, seed=1, validators=[mine])
    [finding] = card.findings
    assert finding.verdict == "failed"
    assert says in finding.reason


def test_a_validator_that_compares_still_does() -> None:
    standing = SimulatorScore(
        validator="v", metric="m", question="?", simulator="a", unit="-", reason="r", n_real=1, n_simulated=1, seed=1,
        version="1", source="s",
    )  # fmt: skip

    class Both:
        def validate(self, real: Any, simulated: Any) -> Any:
            return []

        def compare(self, real: Any, simulated: Any, *, seed: int) -> Any:
            return [standing]

    lifted: Any = lift_validator(Both())
    assert lifted.compare(None, {}, seed=1) == [standing]
    assert not hasattr(lift_validator(lambda real, simulated: 1), "compare")


def test_a_validator_that_plans_still_does_beside_what_else_it_does() -> None:
    planned = PlannedFinding(
        validator="v", metric="m", question="?", verdicts=("aligned",), margin_of="x", n_real=1, n_units_real=1,
        reason="r", source="s",
    )  # fmt: skip

    class Plans:
        def validate(self, real: Any, simulated: Any) -> Any:
            return []

        def plan(self, real: Any, *, n_simulated: Any, seed: int) -> Any:
            return [planned] if seed else "soon"

    class Both(Plans):
        def compare(self, real: Any, simulated: Any, *, seed: int) -> Any:
            return []

    for kind in (Plans, Both):
        lifted: Any = lift_validator(kind())
        assert lifted.plan(None, n_simulated=[1], seed=1) == [planned]
        with pytest.raises(
            TypeError, match="must return a list of PlannedFinding from plan, but returned str"
        ):
            lifted.plan(None, n_simulated=[1], seed=0)
    both: Any = lift_validator(Both())
    assert both.compare(None, {}, seed=1) == []
    assert not hasattr(lift_validator(lambda real, simulated: 1), "plan")


def test_a_validator_that_raises_loses_no_other_s_plan() -> None:
    class Broken:
        def validate(self, real: Any, simulated: Any) -> Any:
            return []

        def plan(self, real: Any, *, n_simulated: Any, seed: int) -> Any:
            raise ZeroDivisionError("by zero")

    plan = convsim.plan(SIDES[0], seed=1, validators=["marginals", Broken()])
    assert plan.failed == ("the validator Broken failed: ZeroDivisionError: by zero",)
    assert {found.validator for found in plan.findings} == {"marginals"}


def test_validators_are_named_made_and_lifted_in_one_list() -> None:
    names = [v.name for v in find_validators(["marginals", f"{__name__}:gap", gap])]
    assert names == ["marginals", "gap", "gap"]


async def gap(real: Any, simulated: Any) -> float:
    return float(len(real) - len(simulated))


def _longer(conversation: Conversation, *said: str) -> Conversation:
    more = (Message(role="user", content=text, labels={}, action="say") for text in said)
    return conversation.model_copy(update={"messages": (*conversation.messages, *more)})


def test_of_a_conversation_that_is_held_only_what_is_new_is_made_for_the_agent():
    with showing_once():
        first, later = seen_by_agent(SAID), seen_by_agent(_longer(SAID, "blue"))
        assert all(one is other for one, other in zip(first.messages, later.messages, strict=False))
    assert later == seen_by_agent(_longer(SAID, "blue"))
    assert [message.content for message in later.messages] == ["boots", "these?", "red", "blue"]
    assert seen_by_agent(SAID).messages[0] is not first.messages[0]


def test_what_was_cut_or_said_otherwise_is_shown_as_it_is():
    said = _longer(SAID, "blue")
    with showing_once():
        for conversation in (said, SAID, _longer(SAID, "green", "or grey"), said):
            seen = seen_by_agent(conversation)
            assert [one.content for one in seen.messages] == [one.content for one in conversation.messages]
            assert {one.action for one in seen.messages} == {None}
