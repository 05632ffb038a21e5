"""Studies whose conversations are held by other processes, and agents that end these."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convsim.models import Scripted
from convsim.models.scripted import Asked
from convsim.schema import Agent, AgentReply, Annotation, BaseValidator, Corpus, Finding, UserMove
from convsim.schema.chat_model import ChatMessage, ChatModel
from convsim.schema.conversation import Conversation, Label, LearnedFrom, Usage
from convsim.schema.persona import Persona
from convsim.simulation import Arm, Study
from tests.doubles import people


@dataclass
class Asking:
    """A shopper that says what a model says, and leaves after as many turns as its seed tells."""

    model: ChatModel
    name: str = "asking"
    learned_from: LearnedFrom | None = None

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        asked = [ChatMessage(role="user", content=persona.need)]
        said = await self.model.complete(asked, max_tokens=20, temperature=0.0, seed=seed)
        return UserMove(action="leave" if seed % 3 == 0 else "say", text=f"{said.text} {seed}")


@dataclass
class Costly:
    """An agent that costs a cent, after ``seconds``."""

    seconds: float = 0.0
    name: str = "costly"

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        await asyncio.sleep(self.seconds)
        return AgentReply(
            content=f"this one {seed}?", usage=Usage(input_tokens=3, output_tokens=2, cost_usd=0.01)
        )


@dataclass
class Telling(Costly):
    """An agent that makes a file once it is asked: conversations are held from then on."""

    file: str = ""

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        Path(self.file).touch()
        return await super().reply(conversation, seed=seed)


@dataclass
class Deadly(Costly):
    """An agent whose process is killed while it answers: so often as ``folder`` has no file for it."""

    folder: str = ""
    times: int = 1
    persona: str = "p3"

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        if self.persona in conversation.messages[-1].content:
            for number in range(self.times):
                try:
                    (Path(self.folder) / f"killed-{number}").touch(exist_ok=False)
                except FileExistsError:
                    continue
                os.kill(os.getpid(), signal.SIGKILL)
        return await super().reply(conversation, seed=seed)


@dataclass
class Once(Costly):
    """An agent that does something to its process the first time that it answers at all."""

    folder: str = ""

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        try:
            (Path(self.folder) / "done").touch(exist_ok=False)
        except FileExistsError:
            return await super().reply(conversation, seed=seed)
        self.do()
        return await super().reply(conversation, seed=seed)

    def do(self) -> None:
        """Do it."""
        raise NotImplementedError


@dataclass
class Stopped(Once):
    """Its process is stopped, and nobody lets it go on."""

    def do(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


@dataclass
class Exiting(Once):
    """It ends its process as a library does that knows no better."""

    def do(self) -> None:
        os._exit(0)


@dataclass
class Forking(Once):
    """Its process has forked another one, which holds all its pipes open, and is killed."""

    def do(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of forks beside threads
            child = os.fork()
        if not child:
            time.sleep(SLEEPS_S)
            os._exit(0)
        (Path(self.folder) / "child").write_text(str(child))
        os.kill(os.getpid(), signal.SIGKILL)


SLEEPS_S = 300


@dataclass
class DeadlyLabels:
    """An annotator whose process is killed the first time that it labels, if there is a ``folder``."""

    folder: str = ""
    name: str = "deadly"
    source: str = "rules:deadly"

    async def annotate(self, conversation: Conversation) -> Annotation:
        if self.folder and not (Path(self.folder) / "labelled").exists():
            (Path(self.folder) / "labelled").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        words = sum(len(message.content.split()) for message in conversation.messages)
        return Annotation(conversation={"words": Label(value=words, source=self.source)})


class Waiting(BaseValidator):
    """Does it wait?"""

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        """Say in the file ``WAITS_AT`` which process waits, and wait."""
        Path(os.environ["WAITS_AT"]).write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(3600)
        return []


@dataclass
class Locked(Costly):
    """An agent that keeps an open file, which no other process can have."""

    def __post_init__(self) -> None:
        self.thread = threading.Thread()
        self.local = threading.local()


def boots(asked: Asked) -> str:
    """What the model says: what it was asked for."""
    return asked.messages[-1].content


def study(agent: Agent | None = None, *, n: int = 12, seconds: float = 0.0, **stated: Any) -> Study:
    """A study of ``n`` conversations in each of two arms."""
    agent = agent or Costly(seconds)
    personas = [person.but(need=f"boots for {person.id}") for person in people(n)]
    arms = [Arm("good", agent), Arm("worse", agent, "rude_text", 0.5)]
    model = Scripted(answers=boots)
    whole: dict[str, Any] = {"seed": 5, "n": n, "arms": arms, "max_turns": 4, **stated}
    return Study(Asking(model), agent, personas, **whole)


def kept(folder: Path) -> list[str]:
    """The lines of a run, sorted, without how long each took."""
    lines = []
    for line in (folder / "conversations.jsonl").read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        (fields.get("usage") or {}).pop("seconds", None)
        lines.append(json.dumps(fields, sort_keys=True))
    return sorted(lines)


def calls_of(folder: Path) -> list[str]:
    """The lines of what models were asked, sorted."""
    return sorted((folder / "prompts.jsonl").read_text(encoding="utf-8").splitlines())
