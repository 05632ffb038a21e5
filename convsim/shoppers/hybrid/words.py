"""Where the words of a decided move come from: people's own, or a model that is told what to do."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from itertools import islice
from typing import NamedTuple, Protocol

from convsim.errors import ModelError
from convsim.schema.conversation import Action, Conversation, Item
from convsim.schema.persona import Persona
from convsim.seeds import child_seed, generator
from convsim.shoppers.contexts import Context, Contexts, situation
from convsim.shoppers.finetuned import SFT
from convsim.shoppers.hybrid.style import Style, acts_in, kinds_of
from convsim.shoppers.icl import ICL
from convsim.shoppers.policies.points import ACTS
from convsim.shoppers.prompted import Prompted
from convsim.shoppers.prompts import ShopperPrompts
from convsim.shoppers.speaking import Spent


@dataclass(frozen=True)
class Move:
    """What has been decided, before anything is said."""

    action: Action
    _: KW_ONLY
    meant: Action | None = None
    """What its words say, where that is another: something named in words is taken, which no move can record."""
    item: Item | None = None
    act: str | None = None
    style: Style | None = None

    @property
    def said(self) -> Action:
        """What its words are to say."""
        return self.meant or self.action


class Said(NamedTuple):
    """Words, and the fingerprints of the real conversations that they were made from."""

    text: str
    retrieved: tuple[str, ...] = ()


class Words(Protocol):
    """Says what has been decided."""

    async def say(
        self, move: Move, conversation: Conversation, persona: Persona, spent: Spent, *, seed: int
    ) -> Said:
        """Put the move into words; raises ModelError where there are none."""
        ...


@dataclass(frozen=True)
class PeoplesWords:
    """Says what somebody said who did the same at a similar place: no model."""

    contexts: Contexts
    _: KW_ONLY
    k: int = 5
    best_of: int = 1
    ends_untold: bool = False
    acts_label: str = ACTS

    async def say(
        self, move: Move, conversation: Conversation, persona: Persona, spent: Spent, *, seed: int
    ) -> Said:
        """Draw ``best_of`` of the ``k`` likest places, and take the one that is typed most as the style has it."""
        last = next((m.content for m in reversed(conversation.messages) if m.role == "assistant"), "")
        turn = sum(1 for _ in conversation.turns())
        text = situation(persona.need, persona.task, last)
        alike: list[Context] = []
        other: list[Context] = []
        for place in self.contexts.nearest(text, turn=turn, persona=persona):
            if not self._suits(place, move.said, is_first=not turn):
                continue
            if move.act is None or move.act in acts_in(place.move, self.acts_label):
                alike.append(place)
            elif len(other) < self.k:
                other.append(place)
            if len(alike) == self.k:
                break
        offered = alike or other
        if not offered and move.action != "say":
            return Said("")  # nobody whose words may be used ended with any
        if not offered:
            raise ModelError(
                f"hybrid has no other user's words for persona {persona.id!r}: nobody of the logs moved so "
                f"({move.action}) with words"
            )
        order = generator(seed, "place").permutation(len(offered))
        drawn = [offered[int(index)] for index in islice(order, self.best_of)]
        place = drawn[0]
        if move.style is not None and len(drawn) > 1:
            style = move.style
            place = min(drawn, key=lambda each: style.distance(Style.of(_said_at(each))))
        return Said(_said_at(place), (place.source.fingerprint,))

    def _suits(self, place: Context, action: Action, *, is_first: bool) -> bool:
        """Tell whether words can be said here: of somebody who did the same, first words where nobody spoke."""
        if action not in kinds_of(place, ends_untold=self.ends_untold) or not _said_at(place).strip():
            return False
        return place.turn == 0 or not is_first


def _said_at(place: Context) -> str:
    return place.move.content if place.move is not None else ""


@dataclass(frozen=True)
class ToldModel:
    """Asks a prompted model for words, telling it what to do and how it is typed; of several, the likest is taken."""

    shopper: Prompted | ICL
    prompts: ShopperPrompts
    _: KW_ONLY
    best_of: int = 1

    async def say(
        self, move: Move, conversation: Conversation, persona: Persona, spent: Spent, *, seed: int
    ) -> Said:
        """Ask ``best_of`` times."""
        style = move.style
        told = self.prompts.told(
            action=move.said,
            item=move.item,
            act=move.act,
            n_words=style.n_words if style else None,
            lower_start=bool(style and style.lower_start),
            bare_end=bool(style and style.bare_end),
        )
        drafts: list[Said] = []
        for number in range(self.best_of if style is not None else 1):
            draft = child_seed(seed, "draft", number)
            drafts.append(await self._draft(conversation, persona, spent, told=told, seed=draft))
        if style is None:
            return drafts[0]
        best = min(drafts, key=lambda draft: style.distance(Style.of(draft.text)))
        return Said(style.applied(best.text), best.retrieved)

    async def _draft(
        self, conversation: Conversation, persona: Persona, spent: Spent, *, told: str, seed: int
    ) -> Said:
        if isinstance(self.shopper, ICL):
            return Said(*await self.shopper.say(conversation, persona, spent, told=told, seed=seed))
        return Said(await self.shopper.say(conversation, persona, spent, told=told, seed=seed))


@dataclass(frozen=True)
class TrainedModel:
    """Asks a fine-tuned model for the words that follow the move's opening; its style is what it learned."""

    shopper: SFT

    async def say(
        self, move: Move, conversation: Conversation, persona: Persona, spent: Spent, *, seed: int
    ) -> Said:
        """Open as the move does."""
        item = None if move.item is None else move.item.id
        text = await self.shopper.say(conversation, persona, spent, action=move.action, item=item, seed=seed)
        return Said(text)
