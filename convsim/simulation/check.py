"""Asks each part of a study once, before a run: what works, what is asked otherwise, and what fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar
from uuid import uuid4

from pydantic import BaseModel

from convsim._inputs import read_toml
from convsim._text import one_line
from convsim.agents import HTTP
from convsim.errors import ConvsimError, EmptyAnswerError, InputError
from convsim.lifting import with_parts_of
from convsim.models.fallback import Fallback
from convsim.models.served import Served
from convsim.schema import Agent, AgentReply, ChatMessage, Completion, Shopper
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from convsim.seeds import child_seed
from convsim.shoppers.speaking import slip
from convsim.simulation.failing import remedy
from convsim.simulation.loop import Arm, reply_of
from convsim.simulation.study import Study

Answer = TypeVar("Answer")
State = Literal["works", "changed", "notice", "fails", "skipped"]
"""Changed: the server refuses something and is asked otherwise. Notice: it works, and not as is most likely meant."""
TEMPERATURE = 0.9
"""What shoppers ask for."""
MAX_TOKENS = 80
SHORT_RUN = 20
"""Conversations of a run before which nothing is checked."""
SENT_AS, LEFT_OUT = "sent as ", "left out"
"""How the notes on a server begin."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What came of asking one thing of one part."""

    part: str
    what: str
    state: State
    said: str
    setting: str | None = None
    """What makes a change permanent, or helps against a failure."""


class _Probes(BaseModel):
    system: str
    first: str
    said: str
    answer: str
    count: str
    stop: str
    transcript: str
    decide: str
    options: tuple[str, ...]


@cache
def _probes() -> _Probes:
    return _Probes.model_validate(read_toml(files("convsim.simulation").joinpath("probes.toml")))


@dataclass
class Seen:
    """What the answers of a check showed of a study's cost."""

    output_tokens: int = 0


async def check_study(
    study: Study, *, catalogue: Catalogue | None, servers_only: bool = False, seen: Seen | None = None
) -> AsyncIterator[Checked]:
    """Ask every model behind a server, and the agent, and yield what comes of it, one after the other.

    Args:
        study: The study.
        catalogue: What the items of the agent are looked up in; None looks nothing up.
        servers_only: Leave out agents in this process: a function may count how often it is asked.
        seen: Is told what the answers cost.

    Raises:
        InputError: A key or a file is missing.
    """
    parts = [*study.shoppers, *(arm.agent for arm in study.conditions)]
    models = {id(part): part for part in with_parts_of(parts) if isinstance(part, Served)}
    stand_ins = _stand_ins(parts)
    for model in models.values():
        speaking = [each for each in study.shoppers if any(part is model for part in with_parts_of([each]))]
        if speaking and not _asks(study.conditions, model) and all(map(_speaks_alone, speaking)):
            for shopper in speaking:
                yield await _check_shopper(shopper, study, seen or Seen())
            continue
        continues = any(getattr(each, "style", None) == "transcript" for each in speaking)
        called = stand_ins.get(id(model), f"model {one_line(model.name)}")
        async for checked in _check_model(
            model, called, seed=study.seed, seen=seen or Seen(), continues=continues
        ):
            yield checked
    if not models and not servers_only:
        said = "no model behind a server: nothing is asked, and nothing costs money"
        yield Checked(part="model", what="chat", state="skipped", said=said)
    if not servers_only and catalogue is not None:
        yield Checked(part="catalogue", what="items", state="works", said=f"{len(catalogue):,} items")
    if servers_only and not isinstance(study.agent, HTTP):
        return
    async for checked in _check_agent(study, catalogue):
        yield checked


def _speaks_alone(shopper: Shopper) -> bool:
    """Tell whether a shopper asks its model for messages alone, in a form of its own: no choice, no other system."""
    return bool(getattr(shopper, "speaks_alone", False))


def _asks(conditions: Sequence[Arm], model: Served) -> bool:
    return any(part is model for part in with_parts_of([arm.agent for arm in conditions]))


async def _check_shopper(shopper: Shopper, study: Study, seen: Seen) -> Checked:
    """Ask a shopper for the first message of the first persona."""
    part, persona = f"shopper {one_line(shopper.name)}", study.personas[0]
    asked = shopper.speak(
        _conversation(persona, study.conditions[0].name), persona, seed=child_seed(study.seed, "check")
    )
    try:
        move = await _in_time(asked, getattr(shopper, "model", None), part)
    except InputError:
        raise
    except ConvsimError as error:
        return Checked(
            part=part, what="message", state="fails", said=one_line(error),
            setting=remedy(str(error), "shopper"),
        )  # fmt: skip
    seen.output_tokens = max(seen.output_tokens, move.usage.output_tokens or 0)
    said = f"it says, e.g. {one_line(move.text):.60}"
    return Checked(part=part, what="message", state="works", said=said)


class CheckFailedError(ConvsimError):
    """A part of a study fails when it is asked once."""


async def check_before(study: Study, *, catalogue: Catalogue | None, tell: Callable[[str], None]) -> None:
    """Check the servers of a study, and ``tell`` each problem in a line; say nothing where all is well.

    Raises:
        CheckFailedError: A server or an agent fails.
    """
    failed: list[str] = []
    async for checked in check_study(study, catalogue=catalogue, servers_only=True):
        said = f"check: {checked.part}, {checked.what}: {checked.said}"
        if checked.setting and checked.state != "changed":
            said += f"; what helps: {checked.setting}"
        if checked.state == "fails":
            failed.append(said)
        elif checked.state == "notice":
            tell(said)
    for each in failed[1:]:
        tell(each)
    if failed:
        raise CheckFailedError(f"{failed[0]} (convsim check says more; --no-check runs all the same)")


def _stand_ins(parts: Sequence[object]) -> dict[int, str]:
    """Return what models that stand in for others are called, by their identity."""
    found: dict[int, str] = {}
    for fallback in (part for part in with_parts_of(parts) if isinstance(part, Fallback)):
        for place, model in enumerate(fallback.in_order[1:], start=1):
            found.setdefault(id(model), f"fallback {one_line(fallback.called(place))}")
    return found


async def _check_model(
    model: Served, part: str, *, seed: int, seen: Seen, continues: bool
) -> AsyncIterator[Checked]:
    """Ask a server for each thing that a run needs of it; after a chat that fails nothing else is asked."""
    probes = _probes()
    asked = [ChatMessage(role="user", content=f"{probes.system} {probes.first}")]
    system = ChatMessage(role="system", content=probes.system)
    second = [
        ChatMessage(role="assistant", content=probes.said),
        ChatMessage(role="user", content=probes.answer),
    ]
    first_said = ""

    async def said(messages: Sequence[ChatMessage], **more: object) -> Completion:
        settings: dict[str, object] = {
            "max_tokens": MAX_TOKENS, "temperature": TEMPERATURE, "seed": child_seed(seed, "check"), **more,
        }  # fmt: skip
        try:
            completion = await model.complete(messages, **settings)  # type: ignore[arg-type]
        except EmptyAnswerError:  # a shopper asks once more, too
            completion = await model.complete(messages, **settings)  # type: ignore[arg-type]
        seen.output_tokens = max(seen.output_tokens, completion.output_tokens or 0)
        return completion

    async def chat() -> tuple[State, str]:
        nonlocal first_said
        first_said = (await said(asked)).text
        if slip(first_said):
            return (
                "notice",
                f"it answers out of the shopper's role, and such answers fail: {one_line(first_said):.60}",
            )
        return "works", f"it answers, e.g. {one_line(first_said):.60}"

    async def with_system() -> tuple[State, str]:
        await said([system, ChatMessage(role="user", content=probes.first)])
        return "works", "a role of the system is taken"

    async def turns() -> tuple[State, str]:
        await said([system, *second])
        return "works", "a chat that the assistant begins is taken"

    async def schema() -> tuple[State, str]:
        prompt = [ChatMessage(role="user", content=probes.decide)]
        draw = child_seed(seed, "check")
        choice = await model.choose(prompt, probes.options, temperature=TEMPERATURE, seed=draw)
        return "works", f"it chooses one of two options: {probes.options[choice.index]}"

    async def same_seed() -> tuple[State, str]:
        again = (await said(asked)).text
        if "seed" in model.learned:
            return "works", "no seed is sent"
        if again == first_said:
            return "works", "two equal requests have equal answers"
        return "works", "two equal requests have different answers: a run cannot be repeated word for word"

    async def limit() -> tuple[State, str]:
        completion = await said([ChatMessage(role="user", content=probes.count)], stop=(probes.stop,))
        tokens = completion.output_tokens
        if tokens is not None and tokens > 4 * MAX_TOKENS and "thinking_tokens" not in model.learned:
            return "works", f"the limit of {MAX_TOKENS} tokens is not heeded: answers are cut on this side"
        return "works", "limits and stop texts are taken"

    async def continuation() -> tuple[State, str]:
        draw = child_seed(seed, "check")
        await model.continue_text(
            probes.transcript, max_tokens=MAX_TOKENS, temperature=TEMPERATURE, seed=draw, stop=("\n",)
        )
        return "works", 'a text is continued (/completions), as shopper.style = "transcript" needs it'

    steps: Mapping[str, Callable[[], Awaitable[tuple[State, str]]]] = {
        "chat": chat, "system role": with_system, "alternation": turns, "schema": schema, "seed": same_seed,
        "limits": limit, **({"continuation": continuation} if continues else {}),
    }  # fmt: skip
    known = dict(model.learned)
    for what, step in steps.items():
        before = dict(model.learned)
        try:
            state, words = await _in_time(step(), model, part)
        except InputError:
            raise
        except ConvsimError as error:
            reason = one_line(error)
            yield Checked(
                part=part, what=what, state="fails", said=reason, setting=remedy(str(error), "shopper")
            )
            if what == "chat":
                rest = ", ".join(name for name in steps if name != "chat")
                yield Checked(part=part, what=rest, state="skipped", said="not asked, since no chat works")
                return
            continue
        helps = remedy("broke character") if state == "notice" else None
        yield Checked(part=part, what=what, state=state, said=words, setting=helps)
        for name, note in model.learned.items():
            if before.get(name) != note:
                yield Checked(part=part, what=name, state="changed", said=note)
    new = {name: note for name, note in model.learned.items() if known.get(name) != note}
    if setting := permanent(new):
        said_of_it = "what asks so from the first request on"
        yield Checked(part=part, what="settings", state="changed", said=said_of_it, setting=setting)


async def _in_time(asked: Awaitable[Answer], part: object, who: str) -> Answer:
    """Await an answer, all tries included, for as long as one of them may take, or one wait that is asked for.

    Raises:
        ConvsimError: There is none by then; or it fails as it would in a run.
    """
    longest = max(getattr(part, "timeout_s", 0.0), getattr(part, "max_wait_s", 0.0)) or None
    try:
        async with asyncio.timeout(longest):
            return await asked
    except TimeoutError:
        raise ConvsimError(
            f"{who} gave no complete answer within {longest:g} s, all tries included"
        ) from None


def permanent(learned: Mapping[str, str]) -> str | None:
    """Return the settings, as a study's file has them, that ask a server as it was found to take it; None for none."""
    omit = [name for name, note in learned.items() if note.startswith(LEFT_OUT)]
    renamed = {
        name: note.removeprefix(SENT_AS).partition(":")[0]
        for name, note in learned.items()
        if note.startswith(SENT_AS)
    }
    said = [f"omit = {json.dumps(omit)}"] if omit else []
    if renamed:
        pairs = ", ".join(f"{name} = {json.dumps(new)}" for name, new in renamed.items())
        said.append(f"rename = {{ {pairs} }}")
    if "stream" in learned:
        said.append("stream = true")
    room = learned.get("thinking_tokens", "").split(" ", 1)[0].replace(",", "")
    if room.isdecimal():
        said.append(f"thinking_tokens = {room}")
    return f"[model] {'; '.join(said)}" if said else None


async def _check_agent(study: Study, catalogue: Catalogue | None) -> AsyncIterator[Checked]:
    """Ask the agent for what it opens with, where it is to, and for one answer to the first persona's need."""
    part = f"agent {one_line(study.agent.name)}"
    persona = study.personas[0]
    asked = _conversation(persona, study.conditions[0].name)
    if study.opening is True:
        try:
            greeting = await _answer(study.agent, asked, study.seed)
        except InputError:
            raise
        except ConvsimError as error:
            yield _failed(part, "opening", error)
        else:
            yield Checked(
                part=part, what="opening", state="works", said=f"it opens: {one_line(greeting.content):.60}"
            )
            asked = asked.but(messages=(Message(role="assistant", content=greeting.content),))
    need = Message(role="user", content=persona.need)
    try:
        reply = await _answer(study.agent, asked.but(messages=(*asked.messages, need)), study.seed)
    except InputError:
        raise
    except ConvsimError as error:
        yield _failed(part, "answer", error)
        return
    said = f"{len(reply.content.split())} words: {one_line(reply.content):.60}"
    yield Checked(part=part, what="answer", state="works", said=said)
    for each in reply.unread:
        yield Checked(
            part=part, what="answer", state="notice", said=f"not read: {each}",
            setting="agent.items or agent.fields, the paths of what is meant",
        )  # fmt: skip
    if reply.reasoning:
        yield Checked(
            part=part, what="answer", state="changed", said="its reasoning is taken out of its answers"
        )
    yield _items(part, reply, catalogue)


def _items(part: str, reply: AgentReply, catalogue: Catalogue | None) -> Checked:
    ids = [item.id for item in reply.items]
    if not ids:
        return Checked(
            part=part, what="items", state="works", said="none in this answer; only what is shown can be accepted"
        )  # fmt: skip
    if catalogue is None:
        return Checked(
            part=part, what="items", state="works", said=f"{len(ids)}, which are looked up in no catalogue"
        )
    known = sum(each in catalogue for each in ids)
    if not known:
        example = one_line(ids[0])
        said = f"{len(ids)}, none of which the catalogue knows, e.g. {example!r:.40}"
        return Checked(
            part=part, what="items", state="notice", said=said,
            setting="agent.fields.id, the path of the id that the catalogue has, or --catalogue",
        )  # fmt: skip
    return Checked(
        part=part, what="items", state="works", said=f"{len(ids)}, of which the catalogue knows {known}"
    )


def _failed(part: str, what: str, error: ConvsimError) -> Checked:
    return Checked(
        part=part, what=what, state="fails", said=one_line(error), setting=remedy(str(error), "agent")
    )


async def _answer(agent: Agent, conversation: Conversation, seed: int) -> AgentReply:
    asked = reply_of(agent, conversation, seed=child_seed(seed, "check"))
    return await _in_time(asked, agent, f"the agent {one_line(agent.name)}")


def _conversation(persona: Persona, arm: str) -> Conversation:
    """Return a conversation that no run has: a server that remembers them must not take it for another."""
    return Conversation(
        id=f"check-{uuid4().hex[:8]}", task=persona.task, persona=persona, arm=arm, messages=()
    )
