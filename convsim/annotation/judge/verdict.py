"""What a judge's answer must look like, and what makes it contradict itself."""

from __future__ import annotations

import json
from typing import Any, Literal, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, create_model, model_validator

from convsim.annotation.definitions import OTHER, Definitions
from convsim.errors import ModelError

ACCEPT, WOULD_BUY = "accept_recommendation", "purchase_intent"
"""By their definitions the first does not hold without the second."""


class ConversationVerdict(BaseModel):
    """How a user fares: one field a name in the definitions, each 0 or 1, all of them there and no other."""

    model_config = ConfigDict(extra="forbid")

    @property
    def experience(self) -> dict[str, int]:
        """The value of each name."""
        return {name: int(value) for name, value in self if name != "acts"}


class MessageVerdict(ConversationVerdict):
    """The same of one message, and its acts."""

    acts: list[str]

    @model_validator(mode="after")
    def _does_not_contradict_itself(self) -> Self:
        if not self.acts:
            raise ValueError(f"acts must list at least one act; {OTHER!r} where no other holds")
        if len(set(self.acts)) < len(self.acts):
            raise ValueError("acts must list each act once")
        if OTHER in self.acts and len(self.acts) > 1:
            beside = next(act for act in self.acts if act != OTHER)
            raise ValueError(f"acts must not list {OTHER!r} beside {beside!r}: it holds where no act does")
        if ACCEPT in self.acts and self.experience.get(WOULD_BUY) == 0:
            raise ValueError(f"{ACCEPT!r} contradicts {WOULD_BUY} 0: who takes an item would have it")
        return self


Verdict = TypeVar("Verdict", bound=ConversationVerdict)


def message_schema(stated: Definitions) -> type[MessageVerdict]:
    """Return the schema of a message's labels, acts and names in the order stated."""
    acts = cast(Any, list)[cast(Any, Literal)[stated.act_names]]
    return create_model(
        "MessageLabels", __base__=MessageVerdict, **{"acts": (acts, ...), **_feelings(stated)}
    )


def conversation_schema(stated: Definitions) -> type[ConversationVerdict]:
    """Return the schema of a whole conversation's labels, names in the order stated."""
    return create_model("ConversationLabels", __base__=ConversationVerdict, **_feelings(stated))


def read_verdict(text: str, schema: type[Verdict], *, who: str) -> Verdict:
    """Read an answer that the schema has accepted.

    Raises:
        ModelError: It names something twice, of which a reader of JSON keeps the last in silence.
    """

    def check(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ModelError(f"{who} gave {twice[0]!r} twice in one answer")

    json.loads(text, object_pairs_hook=check)
    return schema.model_validate_json(text)


def _feelings(stated: Definitions) -> dict[str, Any]:
    return dict.fromkeys(stated.experience_names, (Literal[0, 1], ...))
