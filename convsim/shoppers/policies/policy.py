"""A policy that was learned: asked at a reply of the agent, it says how likely each decision of a person is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from convsim._inputs import check_path
from convsim.schema.conversation import Action, Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.shoppers.policies.choosing import item_features
from convsim.shoppers.policies.evaluation import Evaluation
from convsim.shoppers.policies.features import features_of, items_shown_last
from convsim.shoppers.policies.histories import Histories
from convsim.shoppers.policies.model import Kind, Model
from convsim.shoppers.policies.points import SPOKEN, prefix
from convsim.shoppers.policies.saved import Learned, read_policy


class Decided(NamedTuple):
    """How likely each decision is."""

    probabilities: Mapping[Action, float]
    """Of ``say`` (going on), ``accept`` and ``leave``; they add up to 1."""
    items: Mapping[str, float]
    """By the id of each item that was shown last: how likely it is to be the one, given that one is accepted. Empty
    where none was shown: who accepts then takes what was named in words alone."""
    acts: Mapping[str, float] | None
    """By dialogue act: how likely it is to come next, given that the shopper goes on; None where the policy learned
    none."""


@dataclass(frozen=True)
class Policy:
    """What people did after replies of an agent, as a function of what they could see by then."""

    name: str
    learned: Learned
    model: Model

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read a policy that ``convsim train LOGS --policy --out FOLDER`` made.

        Raises:
            InputError: The folder holds none, or one of another version, or a number in it cannot be.
        """
        path = check_path("Policy.load", folder)
        learned, model = read_policy(path)
        return cls(path.resolve().name, learned, model)

    @property
    def kind(self) -> Kind:
        """``hazard``, ``trees`` or ``ssm``."""
        return self.learned.kind

    @property
    def learned_from(self) -> LearnedFrom:
        """Whom it learned from."""
        return self.learned.learned_from

    @property
    def domain(self) -> tuple[str, ...]:
        """Tasks of the conversations that it learned from; elsewhere it decides as people did there."""
        return self.learned.tasks

    @property
    def language(self) -> str | None:
        """ISO 639 code of the language whose words it looks at; None where it looks at none."""
        return self.learned.language

    @property
    def evaluation(self) -> Evaluation:
        """How good it was for people whom it did not learn from."""
        return self.learned.evaluation

    def decide(self, conversation: Conversation, persona: Persona) -> Decided:
        """Say how likely each decision is after what was said; before a shopper has spoken, it goes on.

        Args:
            conversation: What was said so far; an agent's reply is last.
            persona: Who decides.
        """
        seen = prefix(conversation, [m for m in conversation.messages if m.role in SPOKEN])
        features = features_of(seen, persona, self.language)[None, :]
        items = items_shown_last(seen)
        chosen: Mapping[str, float] = {item.id: 1 / len(items) for item in items}
        if items and self.model.items is not None:
            told = self.model.items.probabilities(item_features(items, seen, persona, self.language))
            chosen = dict(zip((item.id for item in items), told.tolist(), strict=True))
        acts = self.model.next_act(features)
        named = None if acts is None else dict(zip(self.model.act_names, acts[0].tolist(), strict=True))
        if not seen.user_messages:
            return Decided({"say": 1.0, "accept": 0.0, "leave": 0.0}, chosen, named)
        histories = Histories.single(seen, persona, self.language) if self.model.recurrent else None
        go_on, accept, leave = self.model.forecast(features, histories)[0].tolist()
        return Decided({"say": go_on, "accept": accept, "leave": leave}, chosen, named)
