"""Your own Python as the agent: every form that is taken, and every way to go wrong."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from convsim.agents import PythonAgent
from convsim.errors import AgentError, InputError, PluginError
from convsim.schema import AgentReply
from convsim.schema.conversation import Conversation, Label, Message
from convsim.schema.persona import Persona
from tests.hanging import SECONDS, ended_if_it_hangs
from tests.unit.agents.shops import talk

RELEASE = threading.Event()


@pytest.fixture(autouse=True)
def _release_the_hung() -> Iterator[None]:
    RELEASE.clear()
    yield
    RELEASE.set()


class Shop:
    """An agent as an object."""

    def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        return AgentReply(content=f"{conversation.messages[-1].content} {seed}")


class AsyncShop:
    async def reply(self, conversation: Conversation) -> str:
        await asyncio.sleep(0)
        return conversation.messages[-1].content


class Called:
    async def __call__(self, conversation: Conversation) -> str:
        return conversation.messages[-1].content


def text(conversation: Conversation) -> str:
    return conversation.messages[-1].content


async def text_later(conversation: Conversation) -> str:
    await asyncio.sleep(0)
    return text(conversation)


def everything(conversation: Conversation, **keywords: int) -> dict[str, object]:
    return {"content": str(keywords), "items": [{"id": "a"}]}


def ask(target: object, conversation: Conversation | None = None, *, timeout_s: float = 5.0) -> AgentReply:
    agent = PythonAgent(target=target, timeout_s=timeout_s, name="mine")
    return asyncio.run(agent.reply(conversation or talk("boots"), seed=7))


@pytest.mark.parametrize(
    ("target", "content"),
    [
        (text, "boots"),
        (text_later, "boots"),
        (lambda conversation: text_later(conversation), "boots"),
        (Shop(), "boots 7"),
        (Shop, "boots 7"),
        (AsyncShop(), "boots"),
        (Called(), "boots"),
        (everything, "{'seed': 7}"),
        ("tests.unit.agents.test_python_agent:text", "boots"),
        ("tests.unit.agents.test_python_agent:Shop", "boots 7"),
    ],
)
def test_every_form_of_an_agent_is_asked(target: object, content: str) -> None:
    assert ask(target).content == content


def test_it_can_be_asked_with_openai_messages() -> None:
    heard: list[object] = []

    def remember(messages: list[object]) -> str:
        heard.extend(messages)
        return "ok"

    conversation = talk("boots", "red", shown=[["b1"]])
    asyncio.run(PythonAgent(target=remember, takes="messages").reply(conversation, seed=1))
    assert [(m["role"], m["content"]) for m in heard if isinstance(m, dict)] == [
        ("user", "boots"), ("assistant", "Have a look."), ("user", "red"),
    ]  # fmt: skip
    assert isinstance(heard[1], dict)
    assert heard[1]["items"][0]["id"] == "b1"


def test_no_agent_is_told_who_the_shopper_is() -> None:
    seen: list[Conversation] = []

    def remember(conversation: Conversation) -> str:
        seen.append(conversation)
        return "ok"

    label = (Label(value=1, source="self"),)
    conversation = Conversation(
        id="c", arm="bad", simulator="icl", persona=Persona(id="p", need="secret"), labels={"satisfaction": label},
        messages=(Message(role="user", content="hi", labels={"satisfaction": label}, action="say"),),
    )  # fmt: skip
    ask(remember, conversation)
    assert seen == [Conversation(id="c", messages=(Message(role="user", content="hi"),))]


def test_a_blocking_agent_does_not_hold_up_the_loop() -> None:
    all_are_asked = threading.Barrier(8)

    def slow(conversation: Conversation) -> str:
        all_are_asked.wait(SECONDS)  # which raises where they are asked one after the other
        return "ok"

    async def eight() -> list[AgentReply]:
        agent = PythonAgent(target=slow, timeout_s=2 * SECONDS)
        return await asyncio.gather(*(agent.reply(talk("hi"), seed=i) for i in range(8)))

    assert [reply.content for reply in asyncio.run(eight())] == ["ok"] * 8


class Late(BaseException):
    """An exception that nobody means to catch, as those of libraries that end what is late."""


def raising(error: BaseException) -> Callable[[Conversation], NoReturn]:
    def fail(conversation: Conversation) -> NoReturn:
        raise error

    return fail


def raising_later(error: BaseException) -> Callable[[Conversation], object]:
    async def fail(conversation: Conversation) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize("make", [raising, raising_later])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ValueError("two\nlines \x1b[2J"), "mine raised ValueError: two lines [2J"),
        (KeyError("boots"), "mine raised KeyError: 'boots'"),
        (SystemExit(3), "mine raised SystemExit: 3"),
        (TimeoutError("their own"), "mine raised TimeoutError: their own"),
        (StopIteration(), "mine raised "),
        (GeneratorExit(), "mine raised GeneratorExit"),
        (Late("as gevent.Timeout is"), "mine raised Late: as gevent.Timeout is"),
        (asyncio.CancelledError(), "mine cancelled itself"),
        (AgentError("sold out"), "sold out"),
    ],
)
def test_whatever_it_raises_is_one_line(
    make: Callable[[BaseException], object], error: BaseException, says: str
) -> None:
    with pytest.raises(AgentError) as caught:
        ask(make(error))
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "says"),
    [(None, "mine answered nothing (None)"), ({"content": "x", "items": [{}]}, "items.0.id: is missing"),
     ("a" * 1_000_000, "mine answered with more than 262,144 bytes of text")],
)  # fmt: skip
def test_a_bad_answer_is_refused(answer: object, says: str) -> None:
    with pytest.raises(AgentError, match=says.replace("(", r"\(").replace(")", r"\)")):
        ask(lambda conversation: answer)


def never(conversation: Conversation) -> str:
    RELEASE.wait()
    return "too late"


async def never_async(conversation: Conversation) -> str:
    await asyncio.sleep(3_600)
    return "too late"


@pytest.mark.parametrize("target", [never, never_async])
def test_one_that_never_answers_is_given_up(target: object) -> None:
    with ended_if_it_hangs(), pytest.raises(AgentError, match=r"^mine did not answer within 0\.1 s$"):
        ask(target, timeout_s=0.1)


def test_a_program_whose_agent_hangs_can_end() -> None:
    hang = """
import asyncio, time
from convsim.agents import PythonAgent
from convsim.schema.conversation import Conversation
from convsim.errors import AgentError
agent = PythonAgent(target=lambda conversation: time.sleep(3600), timeout_s=0.1)
try:
    asyncio.run(agent.reply(Conversation(id="c", messages=()), seed=1))
except AgentError as error:
    print(error)
"""
    ended = subprocess.run(
        [sys.executable, "-c", hang], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "python did not answer within 0.1 s\n"


def test_an_answer_that_comes_after_the_loop_has_closed_disturbs_nothing() -> None:
    with pytest.raises(AgentError):
        ask(never, timeout_s=0.05)
    RELEASE.set()
    for thread in threading.enumerate():
        if thread.name == "convsim-plugin":
            thread.join(SECONDS)
            assert not thread.is_alive()


def test_a_cancelled_reply_is_cancelled() -> None:
    async def cancel() -> None:
        task = asyncio.create_task(PythonAgent(target=never_async).reply(talk("hi"), seed=1))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (
            "nowhere",
            "mine: expected a function, an object with reply() or module:attribute, such as shop.agent:reply, "
            "but found 'nowhere'",
        ),
        (
            "no_such_module_here:reply",
            "mine: 'no_such_module_here:reply': there is no module 'no_such_module_here', neither installed nor in "
            "the current folder",
        ),
        ("json:dupms", "has no 'dupms'; did you mean 'dumps'?"),
        ("json:", "mine: expected module:attribute"),
        (Persona, "Persona cannot be created without arguments"),
    ],
)
def test_a_target_that_cannot_be_found_is_refused_at_once(target: object, says: str) -> None:
    with pytest.raises(PluginError) as caught:
        PythonAgent(target=target, name="mine")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"target": 7}, "mine: 7 is not a function and has no 'reply'"),
        (
            {"target": text, "takes": "json"},
            "mine: takes must be 'auto', 'conversation' or 'messages', but is 'json'",
        ),
        ({"target": text, "timeout_s": 0}, "mine: timeout_s must be seconds above 0, up to 86400, but is 0"),
        ({"target": text, "timeout_s": "5"}, "but is '5'"),
        ({"target": text, "timeout_s": True}, "but is True"),
    ],
)
def test_an_unusable_setting_is_refused_at_once(settings: dict[str, object], says: str) -> None:
    with pytest.raises(InputError) as caught:
        PythonAgent(**settings, name="mine")  # type: ignore[arg-type]
    assert says in str(caught.value)
