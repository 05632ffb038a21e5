"""An agent that lets a chat model speak about what a search over the catalogue found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol

from pydantic import Field

from convsim._async import in_time
from convsim._settings import Domain, Seconds, Temperature, check_settings
from convsim._text import one_line
from convsim.agents.search import Shelf, find, listen
from convsim.agents.visibility import as_chat
from convsim.errors import AgentError, ModelError
from convsim.lifting import seen_by_agent, to_reply
from convsim.models.own_prompts import AGENTS, OwnPrompts, our_prompts
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.chat_model import ChatMessage, ChatModel
from convsim.schema.conversation import Conversation, Usage
from convsim.schema.protocols import AgentReply
from convsim.seeds import child_seed
from convsim.text.folding import words_of


class Said(NamedTuple):
    """What the model said, and what it cost."""

    text: str
    usage: Usage


class Asking(Protocol):
    """The settings of an agent that asks a model."""

    name: str
    model: ChatModel
    max_tokens: int
    temperature: float
    timeout_s: float


async def ask_model(agent: Asking, messages: Sequence[ChatMessage], *, seed: int) -> Said:
    """Return the model's next message; where nobody has spoken yet, it is asked to greet the customer.

    Raises:
        AgentError: The model failed, was late, said nothing, or its filter held the answer back.
    """
    if all(message.role == "system" for message in messages):
        messages = [*messages, ChatMessage(role="user", content=our_prompts(AGENTS).render("greeting"))]
    async with in_time(agent.name, agent.timeout_s, AgentError):
        try:
            completion = await agent.model.complete(
                messages,
                max_tokens=agent.max_tokens,
                temperature=agent.temperature,
                seed=child_seed(seed, "agent"),
            )
        except ModelError as error:
            raise AgentError(
                f"{agent.name}: the model {agent.model.name} failed: {one_line(error)}"
            ) from error
    if completion.finish_reason == "content_filter":
        raise AgentError(f"{agent.name}: the model {agent.model.name} withheld its answer (content_filter)")
    if not completion.text.strip():
        raise AgentError(f"{agent.name}: the model {agent.model.name} said nothing")
    usage = Usage(
        input_tokens=completion.input_tokens,
        output_tokens=completion.output_tokens,
        reasoning_characters=completion.reasoning_characters,
        seconds=completion.seconds,
        cost_usd=completion.cost_usd,
    )
    return Said(completion.text.strip(), usage)


MARK = re.compile(r"\s*\[#?(\d{1,3})\]")


@dataclass(kw_only=True)
class LLM:
    """Tells ``model`` which items a search found, and shows those of them that it names.

    ``n_candidates`` items go into the prompt, with those of the agent's last reply, so that it can speak of
    them again; at most ``n_items`` are shown. An item is named by its number in brackets, which is then taken
    out of the text, or by its title. What the model makes up is never shown: it has no id.

    Raises:
        InputError: A setting cannot be used.
    """

    model: ChatModel
    catalogue: Catalogue
    n_items: Annotated[int, Field(ge=1, le=12)] = 6
    n_candidates: Annotated[int, Field(ge=1, le=50)] = 12
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 400
    temperature: Temperature = 0.7
    currency: str = "$"
    timeout_s: Seconds = 600.0
    name: str = "llm"
    domain: Domain | None = None
    """What it recommends, such as films; None says nothing of it."""
    prompts: Path | str | None = None
    """A folder whose ``recommend.txt.j2`` stands in for ours, as ``convsim prompts export`` writes it."""

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        _ = self._prompts

    @cached_property
    def _prompts(self) -> OwnPrompts:
        item = CatalogueItem(
            id="i", title="an item", price=10.0, description="", attributes={"colors": ["red"]}
        )
        samples = [self._values([]), self._values([item, item.but(price=None, attributes={})])]
        return OwnPrompts(AGENTS, self.prompts, samples={"recommend": samples})

    @property
    def prompt_hash(self) -> str:
        """The SHA-256 of the prompt's file, in hexadecimal."""
        return self._prompts.hashes("recommend")["recommend"]

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(self.catalogue)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Answer the conversation so far; raises AgentError when the model fails."""
        candidates = self._candidates(conversation)
        system = ChatMessage(role="system", content=self._prompt(candidates))
        said = await ask_model(self, [system, *as_chat(seen_by_agent(conversation))], seed=seed)
        named = named_items(said.text, candidates)[: self.n_items]
        items = tuple(item.to_shown() for item in named)
        return to_reply({"content": MARK.sub("", said.text).strip(), "items": items}, self.name).but(
            usage=said.usage
        )

    def _candidates(self, conversation: Conversation) -> list[CatalogueItem]:
        wishes = listen(conversation, self._shelf.vocabulary, self._shelf.price_of)
        found = find(self._shelf, wishes, self.n_candidates).items
        shown = [self.catalogue.item(item) for item in wishes.last_shown if item in self.catalogue]
        return list({item.id: item for item in (*found, *shown)}.values())

    def _prompt(self, candidates: Sequence[CatalogueItem]) -> str:
        return self._prompts.render("recommend", **self._values(candidates))

    def _values(self, candidates: Sequence[CatalogueItem]) -> dict[str, object]:
        return {
            "items": candidates, "currency": self.currency, "n_items": self.n_items, "domain": self.domain,
        }  # fmt: skip


def named_items(text: str, candidates: Sequence[CatalogueItem]) -> list[CatalogueItem]:
    """Return the candidates that a text names by number or title, in the order in which it first does."""
    places: dict[int, int] = {}  # in words from the start
    for match in MARK.finditer(text):
        row = int(match.group(1)) - 1
        if 0 <= row < len(candidates):
            places.setdefault(row, len(words_of(text[: match.start()])))
    folded = f" {' '.join(words_of(text))} "
    for row, item in enumerate(candidates):
        title = " ".join(words_of(item.title.split(",")[0]))
        if title and (at := folded.find(f" {title} ")) >= 0:
            words_before = folded.count(" ", 0, at)
            places[row] = min(words_before, places.get(row, words_before))
    return [candidates[row] for row in sorted(places, key=lambda row: (places[row], row))]
