"""Real conversations and a scripted model, for tests of shoppers."""

from collections.abc import Callable, Iterable, Sequence

from convsim.models import Scripted
from convsim.models.scripted import Asked, Line
from convsim.schema.conversation import Conversation, Ending, Item, Label, Message
from convsim.schema.persona import Persona
from convsim.simulation.personas import draw_personas

SAY, ACCEPT, LEAVE = "go on", "buy", "leave"


def user(text: str, **more: object) -> Message:
    return Message.model_validate({"role": "user", "content": text, **more})


def agent(text: str, *items: Item) -> Message:
    return Message(role="assistant", content=text, items=items)


def boots(n: int) -> tuple[Item, ...]:
    return tuple(
        Item(id=f"b{i}", title=f"Boot {i}", price=30.0 + i, attributes={"color": "red"}) for i in range(n)
    )


def shown(*items: Item, need: str = "rain boots") -> Conversation:
    """A conversation in which the agent has just shown ``items``."""
    return Conversation(id="now", task="footwear", messages=(user(need), agent("How about these?", *items)))


EMPTY = Conversation(id="now", task="footwear", messages=())


def logged(
    name: str,
    *said: str,
    by: str | None = None,
    ending: Ending = "left",
    arm: str = "good",
    answers: Sequence[str] = (),
) -> Conversation:
    """A real conversation, with a label on its end and one on each message."""
    messages: list[Message] = []
    for place, text in enumerate(said):
        label = {"satisfaction": {"value": "LABELLED", "source": "self"}}
        messages.append(user(text, labels=label))
        messages.append(agent(answers[place] if place < len(answers) else f"look at this {text}", *boots(2)))
    return Conversation(
        id=name,
        task="footwear",
        user=by,
        arm=arm,
        messages=tuple(messages),
        ending=ending,
        labels={"frustration": (Label(value="LABELLED", source="self"),)},
    )


def persona(**more: object) -> Persona:
    return Persona.model_validate({"id": "p", "task": "footwear", "need": "rain boots", **more})


def drawn_from(conversation: Conversation) -> Persona:
    return draw_personas([conversation], 1, seed=0)[0]


def model(
    says: Iterable[Line] = (), *, chooses: str | Callable[[Asked], str] = SAY, keep: list[Asked] | None = None
) -> Scripted:
    """A model that chooses as told and says ``says`` one after the other; ``keep`` gets what it is asked."""
    lines = iter(says)

    def answer(asked: Asked) -> Line:
        if keep is not None:
            keep.append(asked)
        if asked.kind == "choose":
            return chooses(asked) if callable(chooses) else chooses
        return next(lines)

    return Scripted(answers=answer)
