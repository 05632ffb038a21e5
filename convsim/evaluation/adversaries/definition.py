"""What an adversary is: a simulator, made of people's conversations, that a validator must tell from people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import getdoc
from typing import TYPE_CHECKING, Literal

from convsim.schema.conversation import Conversation, Message
from convsim.seeds import generator

if TYPE_CHECKING:
    from numpy.random import Generator

MadeOf = Literal["others", "judged"]
"""Of people whom it is not held against, or of the very people whom it is held against."""
Make = Callable[[Sequence[Conversation], "Generator"], list[Conversation]]


@dataclass(frozen=True, kw_only=True)
class Adversary:
    """A simulator that is wrong in one way, and right in the others as far as that goes."""

    name: str
    line: str
    """What it does, in one line."""
    make: Make
    caught_by: tuple[str, ...] = ()
    """The validators that must catch it, each by itself; none for people, whom nothing may catch."""
    made_of: MadeOf = "others"
    least_changed: float = 0.25
    """The least proportion of its conversations that nobody among the people held, for it to be an adversary at all."""

    def simulate(self, people: Sequence[Conversation], *, seed: int) -> list[Conversation]:
        """Return its conversations: valid ones, with ``simulator`` set, ids of their own, no user and no labels.

        Nothing ties two conversations of one user together in what is returned: hand over one conversation a user.

        Args:
            people: Whose conversations it is made of: those that ``made_of`` says.
            seed: Moves every draw.
        """
        made = self.make(people, generator(seed, "adversary", self.name)) if people else []
        return [_as_simulated(c, self.name, number) for number, c in enumerate(made, start=1)]

    def unfit(self, people: Sequence[Conversation], made: Sequence[Conversation]) -> str | None:
        """Say why these people's conversations offer nothing to do it with; None where they do."""
        if not made:
            return "these conversations lack several tasks or arms, or a language that it has phrases in"
        if not self.least_changed:
            return None
        known = {(c.task, c.arm, c.ending, c.fingerprint) for c in people}
        n_changed = sum((c.task, c.arm, c.ending, c.fingerprint) not in known for c in made)
        if n_changed < self.least_changed * len(made):
            return f"it changes {n_changed} of {len(made)} of these conversations"
        return None


def adversary(
    *,
    caught_by: Sequence[str] = (),
    made_of: MadeOf = "others",
    least_changed: float = 0.25,
) -> Callable[[Make], Adversary]:
    """Make an adversary of a function, which is its name; the first line of its docstring says what it does."""

    def made(function: Make) -> Adversary:
        return Adversary(
            name=function.__name__,
            line=(getdoc(function) or "").partition("\n")[0].rstrip("."),
            make=function,
            caught_by=tuple(caught_by),
            made_of=made_of,
            least_changed=least_changed,
        )

    return made


def _as_simulated(conversation: Conversation, name: str, number: int) -> Conversation:
    """Return it as a simulator writes it: people's ratings, user, persona and cost are not the simulator's."""
    messages = tuple(_unlabelled(message) for message in conversation.messages)
    return conversation.model_copy(
        update={
            "id": f"{name}-{number:04d}",
            "user": None,
            "persona": None,
            "shopper": None,
            "simulator": f"adversary:{name}",
            "learned_from": None,
            "messages": messages,
            "labels": {},
            "failure": None,
            "usage": None,
            "metadata": {},
        }
    )


def _unlabelled(message: Message) -> Message:
    if not message.labels and not message.metadata:
        return message
    return message.model_copy(update={"labels": {}, "metadata": {}})
