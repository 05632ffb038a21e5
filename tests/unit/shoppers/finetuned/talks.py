"""Conversations of people, short enough to learn from in a moment."""

from typing import Any

from convsim.schema.conversation import Conversation
from convsim.shoppers.finetuned import TrainingSettings

ENDINGS = ("accepted", "left", "turn_limit")


def talk(number: int = 0, *said: str, **changes: Any) -> Conversation:
    """A person says ``said``, by default two things, and is shown an item after each."""
    messages: list[dict[str, Any]] = []
    for turn, text in enumerate(said or (f"boots {number}", f"no, {number + 1}")):
        shown = [{"id": f"b{number}-{turn}", "title": f"boot {number}"}]
        messages += [
            {"role": "user", "content": text},
            {"role": "assistant", "content": f"try {turn}", "items": shown},
        ]
    stated = {
        "id": f"c{number}", "task": "footwear", "arm": "good", "user": f"u{number}", "messages": messages,
        "ending": ENDINGS[number % 3],
    }  # fmt: skip
    return Conversation.model_validate({**stated, **changes})


def settings(**changes: Any) -> TrainingSettings:
    """Settings of a training that takes a second."""
    return TrainingSettings.model_validate({"seed": 1, "max_steps": 2, "calibrate": 0, **changes})
