"""Labelled conversations that the tests make: what a shopper says follows from the label, in many wordings."""

from __future__ import annotations

from collections.abc import Sequence

from convsim.schema.conversation import Conversation, Item, Label, Message
from convsim.seeds import generator

THINGS = ("boots", "a raincoat", "a scarf", "sandals", "a wool hat", "linen trousers", "a belt", "gloves")
SAID = {
    "inform_preference": (
        "I am looking for {}",
        "I would like {} in green",
        "something like {} for winter please",
    ),
    "ask_item": ("what is {} made of?", "how much is {}?", "is {} waterproof?"),
    "thank": ("thanks a lot", "thank you, that helps", "many thanks for {}"),
    "other": ("hm", "well then", "so"),
}
HAPPY = ("lovely, exactly right", "perfect, this is great", "great choice, I love it")
ANNOYED = ("no, wrong again", "this is useless", "wrong, you do not listen")


def message(text: str, *, source: str = "third_party", **labels: object) -> Message:
    """A user's message with labels."""
    scales = {name: (0, 1) for name in labels if name != "acts"}
    made = {
        name: Label.model_validate({"value": value, "source": source, "scale": scales.get(name)})
        for name, value in labels.items()
    }
    return Message.model_validate({"role": "user", "content": text, "labels": made})


def acted(
    n: int, *, seed: int, acts: Sequence[str] = ("inform_preference", "ask_item", "thank", "other")
) -> list[Conversation]:
    """Conversations of four user messages, each of one act or two, one user for every two conversations."""
    draws = generator(seed, "acted")
    made = []
    for number in range(n):
        messages: list[Message] = []
        for _ in range(4):
            held = sorted({str(act) for act in draws.choice(acts, size=int(draws.integers(1, 3)))})
            held = [act for act in held if act != "other"] or ["other"]
            parts = [str(draws.choice(SAID[act])).format(draws.choice(THINGS)) for act in held]
            messages.append(message(", ".join(parts), acts=held))
            items = (Item(id="b1", title="Boot"),) if draws.random() < 0.5 else ()
            messages.append(Message(role="assistant", content="What about these?", items=items))
        made.append(Conversation(id=f"c{number}", user=f"u{number // 2}", messages=tuple(messages)))
    return made


def rated(n: int, *, seed: int, values: Sequence[int] = (0, 1), noise: float = 0.1) -> list[Conversation]:
    """Conversations whose own satisfaction follows the mood of what is said, but for a proportion of noise."""
    draws = generator(seed, "rated")
    made = []
    for number in range(n):
        value = int(draws.choice(values))
        told = int(draws.choice(values)) if draws.random() < noise else value
        glad = [draws.random() < (value - min(values)) / (max(values) - min(values)) for _ in range(6)]
        texts = [str(draws.choice(HAPPY if happy else ANNOYED)) for happy in glad]
        said = tuple(message(text, source="self", satisfaction=float(told > min(values))) for text in texts)
        label = Label(value=told, source="self", scale=(min(values), max(values)))
        made.append(
            Conversation(id=f"r{number}", user=f"u{number}", messages=said, labels={"satisfaction": (label,)})
        )
    return made


def of_both(n: int) -> list[Conversation]:
    """Conversations that a third party labelled with acts, and as a whole with satisfaction."""
    made = []
    for acts, mood in zip(acted(n, seed=1), rated(n, seed=1), strict=True):
        label = mood.labels["satisfaction"][0].but(source="third_party")
        made.append(acts.but(labels={"satisfaction": label}))
    return made
