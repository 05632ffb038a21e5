"""One conversation, held to its end; what fails becomes a record with a reason."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ValidationError

from convsim._logs import MAX_LINE_BYTES
from convsim._secrets import redact
from convsim._text import described
from convsim._tracing import Said, Value, span
from convsim.errors import AgentError, ConvsimError, InputError, ModelError
from convsim.io import MalformedError, readable
from convsim.lifting import AgentLike, lift_agent, showing_once
from convsim.models.fallback import FALLBACK, noting_fallbacks
from convsim.models.hearing import asked_for
from convsim.models.metering import Speaker, timed_message
from convsim.schema import Agent, AgentReply, NoMoveError, Shopper, UserMove
from convsim.schema.conversation import (
    Conversation,
    Ending,
    Failure,
    LearnedFrom,
    Message,
    Usage,
    used_tokens,
)
from convsim.schema.persona import LEARNED_FROM, Persona
from convsim.seeds import child_seed


@dataclass(frozen=True, init=False)
class Arm:
    """An experimental condition: its agent, what that is degraded by (None: nothing), and how far (0 to 1).

    The agent may be a function of the conversation; ``lift_agent`` says what is taken.
    """

    name: str
    agent: Agent
    fault: str | None
    severity: float | None

    def __init__(self, name: str, agent: AgentLike, fault: str | None = None, severity: float | None = None):
        stated = {"name": name, "agent": lift_agent(agent), "fault": fault, "severity": severity}
        for part, value in stated.items():
            object.__setattr__(self, part, value)


Opening = str | Literal[True] | None
"""What the agent says before the user first speaks: a text, True for what it answers when it is asked, or nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One conversation to be held; everything that its id derives from."""

    study: str
    shopper: Shopper
    model: str | None
    persona: Persona
    arm: Arm
    repeat: int
    seed: int
    opening: Opening = None
    component: str | None = None
    """Of the mixture whose shopper this is."""

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits from all that tells this conversation from others."""
        parts = [
            self.study, self.shopper.name, self.model, self.persona.model_dump(mode="json"), self.arm.agent.name,
            self.arm.name, self.arm.severity, self.repeat, self.seed, *([] if self.opening is None else [self.opening]),
            *([] if self.component is None else [{COMPONENT: self.component}]),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def draws(self) -> int:
        """The seed of the conversation's draws: the same in every arm, so that arms share their random numbers."""
        return child_seed(self.seed, self.persona.id, self.repeat)

    @property
    def learned_from(self) -> LearnedFrom | None:
        """What the shopper was built from, and what its persona was: both have seen these people."""
        of_shopper, stated = self.shopper.learned_from, self.persona.metadata.get(LEARNED_FROM)
        if stated is None:
            return of_shopper
        of_persona = LearnedFrom.model_validate(stated)
        if of_shopper is None:
            return of_persona
        return of_shopper.but(
            conversations=tuple(dict.fromkeys((*of_shopper.conversations, *of_persona.conversations))),
            arms=tuple(sorted({*of_shopper.arms, *of_persona.arms})),
        )


MAX_REASON_CHARACTERS = 500
COMPONENT = "component"
"""The note of a conversation that says which component of a mixture held it."""
AGENT_REASONING = "agent_reasoning"
"""How often an agent's thinking was taken out of its answers."""
UNREAD = "unread"
"""What agents' answers held that was not read, and in how many answers."""
SLIPS = ("role_slips", "empty_answers", "truncated_answers")


ROOM_BYTES = 1 << 20
"""Of a conversation's line, kept for what it ends with: usage, slips, failure."""


@dataclass
class _Tally:
    """What a conversation has cost, how often the shopper slipped, and how many bytes of its line are left."""

    room: int
    usage: Usage = field(default_factory=Usage)
    slips: dict[str, int] = field(default_factory=dict)
    retrieved: list[str] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)
    stood_in: dict[Speaker, Counter[str]] = field(default_factory=dict)
    """In how many messages another model than the first answered, by whose messages they are and the model."""

    @contextmanager
    def noting(self, who: Speaker) -> Iterator[list[str]]:
        """Yield what answers for a message in place of the first model, and count it, also where it fails."""
        with noting_fallbacks() as noted:
            try:
                yield noted
            finally:
                if noted:
                    self.stood_in.setdefault(who, Counter()).update(noted)

    def add_reply(self, reply: AgentReply) -> None:
        self.spend(reply.usage, AgentError)
        self.unread.update(reply.unread)
        if reply.reasoning:
            self.slips[AGENT_REASONING] = self.slips.get(AGENT_REASONING, 0) + reply.reasoning

    def add(self, move: UserMove) -> None:
        self.add_spent(move.usage, {name: getattr(move, name) for name in SLIPS})
        self.retrieved += [fingerprint for fingerprint in move.retrieved if fingerprint not in self.retrieved]

    def add_spent(self, usage: Usage, counts: Mapping[str, int]) -> None:
        self.spend(usage, ModelError)
        for name, count in counts.items():
            if count:
                self.slips[name] = self.slips.get(name, 0) + count

    def spend(self, usage: Usage, failure: type[ConvsimError]) -> None:
        if not (used_tokens(usage) or usage.reasoning_characters or usage.seconds):
            return
        try:
            self.usage = Usage.sum((self.usage, usage))
        except ValidationError:
            raise failure("the usage of this conversation adds up to more than can be kept") from None

    def keep(self, message: Message, failure: type[ConvsimError]) -> Message:
        """Return a message that can be read once it is written."""
        try:
            self.room -= len(readable(message, inside=b'{"messages": [%b]}'))
        except MalformedError as error:
            raise failure(f"the message cannot be kept, since it {error}") from None
        if self.room < 0:
            raise failure(
                f"the conversation would be longer than {MAX_LINE_BYTES >> 20} MiB, the most that is read"
            )
        return message


async def hold(planned: Planned, *, max_turns: int) -> Conversation:
    """Hold a conversation until the shopper accepts or leaves, the agent ends it, or ``max_turns`` have passed.

    The limit is a guard and marks the ending ``turn_limit``; nobody is told of it. Failures of shopper or agent end
    the conversation as a record with its reason; what was said until then is kept. With an opening the agent speaks
    first.

    Raises:
        InputError: A part of convsim's own lacks what no conversation can do without, such as a key or a model's file.
    """
    begun = opened(planned)
    with showing_once(), span("convsim.conversation", _attributes(begun, planned)) as traced:
        conversation = await _held(begun, planned, max_turns=max_turns)
        turns = sum(message.role == "user" for message in conversation.messages)
        traced.set({"convsim.ending": conversation.ending, "convsim.user_messages": turns})
        if conversation.failure is not None:
            traced.fail(conversation.failure.reason, conversation.ending)
    return conversation


def _attributes(conversation: Conversation, planned: Planned) -> dict[str, Value]:
    """Return what a trace says of a conversation, but for its texts."""
    return {
        "gen_ai.conversation.id": conversation.id,
        "gen_ai.agent.name": conversation.agent,
        "convsim.study.name": planned.study,
        "convsim.shopper": conversation.shopper,
        "convsim.persona.id": planned.persona.id,
        "convsim.task": conversation.task,
        "convsim.arm": conversation.arm,
        "convsim.fault": conversation.fault,
        "convsim.severity": conversation.severity,
        "convsim.repeat": planned.repeat,
        "convsim.seed": planned.seed,
    }


async def _held(conversation: Conversation, planned: Planned, *, max_turns: int) -> Conversation:
    started = time.perf_counter()
    tally = _Tally(MAX_LINE_BYTES - ROOM_BYTES)
    ending: Ending = "turn_limit"
    failure: Failure | None = None
    turn = 0
    try:
        conversation = conversation.but(learned_from=planned.learned_from)
        tally.room -= len(conversation.to_json().encode())
        if planned.opening is not None:
            asked_for("agent", 0)
            with tally.noting("agent") as stood_in:
                reply = await _opening(planned, conversation)
            tally.add_reply(reply)
            conversation = _with(conversation, tally.keep(_by(_answered(reply), stood_in), AgentError))
        for turn in range(max_turns):
            await asyncio.sleep(
                0
            )  # neither shopper nor agent need wait for anything: others have their turn, too
            step = child_seed(planned.draws, "turn", turn)
            with span("convsim.turn", {"convsim.turn": turn}):
                asked_for("shopper", len(conversation.messages))
                with timed_message("shopper"), tally.noting("shopper") as stood_in:
                    move = await planned.shopper.speak(
                        conversation, planned.persona, seed=child_seed(step, "shopper")
                    )
                tally.add(move)
                if move.text or move.action == "say":
                    conversation = _with(conversation, tally.keep(_by(_said(move), stood_in), ModelError))
                if move.action != "say":
                    ending = "accepted" if move.action == "accept" else "left"
                    break
                asked_for("agent", len(conversation.messages))
                with timed_message("agent"), tally.noting("agent") as stood_in:
                    reply = await reply_of(planned.arm.agent, conversation, seed=child_seed(step, "agent"))
                tally.add_reply(reply)
                conversation = _with(conversation, tally.keep(_by(_answered(reply), stood_in), AgentError))
                if reply.ends:
                    ending = "agent_ended"
                    break
    except AgentError as error:
        ending, failure = "agent_failed", _failure(error, "agent", turn)
    except ModelError as error:
        if isinstance(error, NoMoveError):
            with suppress(ModelError):
                tally.add_spent(error.usage, error.counts)
        ending, failure = "shopper_failed", _failure(error, "shopper", turn)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # a plugin's own mistake must not lose other conversations
        raised = ModelError(f"the shopper raised {described(error)}")
        ending, failure = "shopper_failed", _failure(raised, "shopper", turn)
    usage = tally.usage.but(seconds=time.perf_counter() - started)
    notes: dict[str, object] = {**tally.slips}
    if planned.component is not None:
        notes[COMPONENT] = planned.component
    if tally.retrieved:
        notes["retrieved"] = tally.retrieved
    if tally.stood_in:
        # Of a conversation how many messages of whom, of a message the names alone.
        notes[FALLBACK] = {who: dict(counts) for who, counts in tally.stood_in.items()}
    if tally.unread:
        notes[UNREAD] = dict(tally.unread)
    return conversation.but(ending=ending, failure=failure, usage=usage, metadata=notes)


async def _opening(planned: Planned, conversation: Conversation) -> AgentReply:
    """Return what the agent says first: the text that is given, or what it answers to a chat in which nobody spoke."""
    if isinstance(planned.opening, str):
        return AgentReply(content=planned.opening)
    return await reply_of(planned.arm.agent, conversation, seed=child_seed(planned.draws, "opening"))


async def reply_of(agent: Agent, conversation: Conversation, *, seed: int) -> AgentReply:
    """Ask an agent for its reply; whatever it raises becomes an AgentError, but for an InputError of convsim's own."""
    told: dict[str, Value] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "convsim",
        "gen_ai.agent.name": agent.name,
        "gen_ai.conversation.id": conversation.id,
    }
    with span(f"invoke_agent {agent.name}", told, is_client=True) as traced:
        try:
            reply = await agent.reply(conversation, seed=seed)
        except (AgentError, InputError):
            raise
        except ModelError as error:
            raise AgentError(f"the agent's model failed: {error}") from error
        except (Exception, SystemExit) as error:  # somebody else's agent: whatever it raises is a record
            raise AgentError(f"the agent raised {described(error)}") from error
        traced.set({"convsim.items": len(reply.items), "convsim.agent_ends": reply.ends})
        if traced.is_recording:
            heard: list[Said] = [(message.role, message.content) for message in conversation.messages]
            traced.say("gen_ai.input.messages", heard)
            traced.say("gen_ai.output.messages", [("assistant", reply.content)], finish_reason="stop")
        return reply


def opened(planned: Planned) -> Conversation:
    """Return a conversation in which nothing has been said."""
    name = planned.shopper.name if planned.model is None else f"{planned.shopper.name} on {planned.model}"
    return Conversation(
        id=planned.id,
        task=planned.persona.task,
        agent=planned.arm.agent.name,
        arm=planned.arm.name,
        fault=planned.arm.fault,
        severity=planned.arm.severity,
        persona=planned.persona,
        shopper=planned.shopper.name,
        simulator=name,
        source=f"convsim:{planned.study}",
        messages=(),
    )


def _with(conversation: Conversation, message: Message) -> Conversation:
    # Both parts are validated already; validating the whole history again each turn would grow with its square.
    return conversation.model_copy(update={"messages": (*conversation.messages, message)})


def _said(move: UserMove) -> Message:
    return Message(role="user", content=move.text, action=move.action, accepted=move.accepted)


def _answered(reply: AgentReply) -> Message:
    return Message(role="assistant", content=reply.content, items=reply.items, faults=reply.faults)


def _by(message: Message, stood_in: list[str]) -> Message:
    """Note on a message which models answered for it in place of the first."""
    return message.but(metadata={**message.metadata, FALLBACK: list(stood_in)}) if stood_in else message


def _failure(error: Exception, actor: str, turn: int) -> Failure:
    said = redact(str(error)).encode("utf-8", "backslashreplace").decode()
    reason = " ".join(said.split())[:MAX_REASON_CHARACTERS] or type(error).__name__
    return Failure.model_validate({"reason": reason, "actor": actor, "turn": turn})
