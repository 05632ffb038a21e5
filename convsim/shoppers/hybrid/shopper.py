"""The shopper whose policy decides what it does, and whose words come from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from convsim._settings import Domain, Positive, Temperature, check_settings
from convsim._text import listed, shown
from convsim.errors import InputError, ModelError
from convsim.schema import ChatModel, Decision, NoMoveError, UserMove
from convsim.schema.conversation import Action, Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.seeds import child_seed, generator
from convsim.shoppers.contexts import Contexts, last_items
from convsim.shoppers.finetuned import SFT
from convsim.shoppers.hybrid.style import ENDS, Habits, Style
from convsim.shoppers.hybrid.words import Move, PeoplesWords, Said, ToldModel, TrainedModel, Words
from convsim.shoppers.icl import ICL
from convsim.shoppers.policies import Decided, Policy
from convsim.shoppers.policies.points import ACTS, with_read_endings
from convsim.shoppers.prompted import Prompted
from convsim.shoppers.prompts import ShopperPrompts
from convsim.shoppers.speaking import Spent

if TYPE_CHECKING:
    from numpy.random import Generator

Key = TypeVar("Key", bound=str)
SHOWN = 5
"""Tasks that are named in one line."""
ASKED_FOR: Mapping[str, Collection[str]] = {
    "resample": ("real", "sha256"),
    "prompted": ("real", "sha256", "model", "domain"),
    "icl": ("real", "sha256", "model", "domain"),
    "sft": ("model",),
}
"""What each source of words is given of a study's parts."""


@dataclass(frozen=True)
class Hybrid:
    """Decides as people do, by a policy that was learned from their logs; says it in words from elsewhere.

    The policy draws whether to go on, accept or leave, which item is taken, and, where it knows them, the next dialogue
    act. ``words`` are people's own from similar places ("resample", no model), or a model's: "prompted" and "icl" are
    told the move alone, "sft" opens with it. How long a message is, and how it is typed, is drawn from what people
    typed at that turn ("style"); ``best_of`` candidates are compared with what was drawn, and the nearest is said.

    What is drawn comes from the logs that the shopper learned from, and nothing was fitted to simulated messages. So it
    is no discriminator, and there is no way to have the judge's stand in for it, which would teach the shopper to pass
    that judge and nothing else.
    """

    name: ClassVar[str] = "hybrid"
    real: Sequence[Conversation] | None = field(default=None, repr=False)
    model: ChatModel | None = None
    _: KW_ONLY
    policy: Path | str | Policy
    """A folder that ``convsim train --policy`` wrote."""
    words: Literal["resample", "prompted", "icl", "sft"] = "resample"
    style: Literal["people", "none"] = "people"
    best_of: Positive = 1
    k: Positive = 5
    """Similar places from which words are drawn; with ``icl``, the conversations in the prompt."""
    temperature: Temperature = 0.9
    max_tokens: Positive = 80
    n_items: Positive = 4
    sha256: str | None = None
    """Of the file that ``real`` was read from."""
    domain: Domain | None = None
    """What the conversation is about, such as films; None says nothing of it."""
    prompts: Path | str | None = None
    """A folder whose files stand in for ours, as ``convsim prompts export`` writes them."""

    @staticmethod
    def asks_for(settings: Mapping[str, object]) -> Collection[str]:
        """Name the parts of a study that a shopper with these settings is made with."""
        return ASKED_FOR.get(str(settings.get("words", "resample")), ())

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        needed = ASKED_FOR[self.words]
        if "real" in needed and self.real is None:
            raise InputError(f"hybrid with words={self.words} needs real: the conversations of people")
        if "model" in needed and self.model is None:
            raise InputError(f"hybrid with words={self.words} needs a model")
        if self.words == "sft" and self.best_of > 1:
            raise InputError(
                "hybrid: best_of is for words of resample, prompted and icl, and words=sft has no style"
            )
        _ = self._policy, self._words

    @cached_property
    def _policy(self) -> Policy:
        if isinstance(self.policy, Policy):
            return self.policy
        if not isinstance(self.policy, str | Path) or not str(self.policy).strip():
            raise InputError(
                f"hybrid: policy must be a folder that convsim train --policy wrote, but is {shown(self.policy)}"
            )
        return Policy.load(self.policy)

    @cached_property
    def _contexts(self) -> Contexts:
        learned, real = self._policy.learned, self.real or ()
        # Who ended as the policy reads endings ended so here, too, and did not go on.
        ended = real if learned.endings_read is None else with_read_endings(real, learned.language)
        return Contexts.of(ended, sha256=self.sha256)

    @cached_property
    def _habits(self) -> Habits | None:
        return (
            None
            if self.words == "sft"
            else Habits(
                self._contexts, ends_untold=self._ends_untold, acts_label=self._policy.learned.acts_label
            )
        )

    @property
    def _ends_untold(self) -> bool:
        """Whether the policy counts as ended what ended without saying how; then so do its words."""
        return self._policy.learned.endings_read is not None

    @cached_property
    def _trained(self) -> SFT:
        return SFT(self.model)  # type: ignore[arg-type]  # it refuses a model that was not trained in one line

    @cached_property
    def _words(self) -> Words:
        if self.words == "resample":
            return PeoplesWords(
                self._contexts, k=self.k, best_of=self.best_of, ends_untold=self._ends_untold,
                acts_label=self._policy.learned.acts_label,
            )  # fmt: skip
        assert self.model is not None
        if self.words == "sft":
            return TrainedModel(self._trained)
        settings = {
            "temperature": self.temperature, "max_tokens": self.max_tokens, "n_items": self.n_items,
            "domain": self.domain, "prompts": self.prompts,
        }  # fmt: skip
        shopper = (
            Prompted(self.model, **settings)  # type: ignore[arg-type]
            if self.words == "prompted"
            else ICL(self.model, self.real or (), k=self.k, sha256=self.sha256, **settings)  # type: ignore[arg-type]
        )
        return ToldModel(shopper, ShopperPrompts(self.prompts, self.domain), best_of=self.best_of)

    @property
    def learned_from(self) -> LearnedFrom:
        """What the policy and the words were learned from, together."""
        words = self._trained if self.words == "sft" else self._contexts
        return LearnedFrom.joined([self._policy.learned_from, words.learned_from])

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt file, by name, and of the policy."""
        if self.words == "sft":
            said = self._trained.prompt_hashes
        elif isinstance(self._words, ToldModel):
            said = {**self._words.shopper.prompt_hashes, **self._words.prompts.told_hash}
        else:
            said = {}
        learned = self._policy.learned
        # The usual label is left out, as before another could be named: a run that was begun then goes on.
        usual = {"acts_label"} if learned.acts_label == ACTS else set()
        stated = learned.model_dump_json(by_alias=True, exclude=usual)
        return said | {"policy": hashlib.sha256(stated.encode()).hexdigest()}

    @property
    def variant(self) -> dict[str, str]:
        """What tells one hybrid from another in a table: the kind of its policy, and where its words come from."""
        return {"policy": self._policy.kind, "words": self.words}

    def doubts(self, personas: Sequence[Persona]) -> list[str]:
        """Say, a line each, why what it learned may not be how these people would decide."""
        known = self._policy.domain
        others = sorted({p.task for p in personas if p.task is not None and p.task not in known})
        if not known or not others:
            return []
        n = sum(persona.task in others for persona in personas)
        return [
            f"the policy was learned from the tasks {listed(known, SHOWN)}, and {n} of {len(personas)} personas have "
            f"others ({listed(others, SHOWN)}): it decides there as people did with what it knows"
        ]

    async def decide(
        self, conversation: Conversation, persona: Persona, *, seed: int, with_item: bool = False
    ) -> Decision:
        """Decide as ``speak`` does, without words."""
        move, decision = self._decided(conversation, persona, seed=seed)
        if with_item and move.item is None and decision.items:
            return decision.but(item=max(decision.items, key=lambda item: (decision.items or {})[item]))
        return decision

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Decide, then say it; raises ModelError where there are no words for it."""
        spent = Spent()
        move, decision = self._decided(conversation, persona, seed=seed)
        said = Said("")
        try:
            if move.style is None or move.style.n_words > 0 or move.action == "say":
                said = await self._words.say(move, conversation, persona, spent, seed=child_seed(seed, "say"))
        except ModelError as error:
            raise NoMoveError(str(error), usage=spent.usage, counts=spent.counts) from error
        return UserMove.model_validate(
            {
                "action": move.action,
                "text": said.text,
                "accepted": () if move.item is None else (move.item.id,),
                "probabilities": decision.probabilities,
                "retrieved": said.retrieved,
                "usage": spent.usage,
                **spent.counts,
            }
        )

    def _decided(self, conversation: Conversation, persona: Persona, *, seed: int) -> tuple[Move, Decision]:
        turn = sum(1 for _ in conversation.turns())
        rng = generator(seed, "decide")
        if not conversation.user_messages:
            # Nobody ends what they have not begun.
            move = Move("say", style=self._style("say", turn=0, act=None, rng=rng))
            return move, Decision(action="say", probabilities={"say": 1.0})
        decided = self._policy.decide(conversation, persona)
        likely = _possible(decided)
        action = _drawn(likely, rng)
        item_id = _drawn(decided.items, generator(seed, "item")) if action == "accept" else None
        item = next((each for each in last_items(conversation) if each.id == item_id), None)
        act = _drawn(decided.acts, generator(seed, "act")) if action == "say" and decided.acts else None
        meant = _meant(decided, action, generator(seed, "meant"))
        style = self._style(meant, turn=turn, act=act, rng=generator(seed, "style"))
        decision = Decision(action=action, probabilities=likely, item=item_id, items=decided.items or None)
        return Move(action, meant=meant, item=item, act=act, style=style), decision

    def _style(self, action: Action, *, turn: int, act: str | None, rng: Generator) -> Style | None:
        if self._habits is None:
            return None
        style = self._habits.draw(action, turn=turn, act=act, rng=rng)
        # Whether an end has words at all is drawn in any case.
        return style if self.style == "people" or (style and not style.n_words) else None


def _possible(decided: Decided) -> Mapping[Action, float]:
    """Return how likely each move is; where no item was shown, who would accept something named in words ends so too.

    A move that accepts names items.
    """
    if decided.items:
        return decided.probabilities
    say = decided.probabilities.get("say", 0.0)
    return {"say": say, "leave": 1.0 - say}


def _meant(decided: Decided, action: Action, rng: Generator) -> Action:
    """Draw what somebody who ends where nothing was shown says: that they take what was named, or that they leave."""
    ends = {kind: decided.probabilities.get(kind, 0.0) for kind in ENDS}
    if action != "leave" or decided.items or not sum(ends.values()):
        return action
    return _drawn(ends, rng)


def _drawn(probabilities: Mapping[Key, float], rng: Generator) -> Key:
    """Draw a key by its probability, whatever rounding has left of their sum."""
    total, at = sum(probabilities.values()), float(rng.random())
    for key, probability in probabilities.items():
        at -= probability / total
        if at < 0:
            return key
    return max(probabilities, key=lambda key: probabilities[key])
