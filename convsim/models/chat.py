"""A chat as tokens for a model in this process, and what of its raw text is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from convsim._text import one_line
from convsim.errors import ModelError
from convsim.models.chat_template import RefusedChatError, encode_chat
from convsim.models.checkpoint import Checkpoint
from convsim.models.roles import alternating, folded
from convsim.schema.chat_model import ChatMessage

SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant"}
PLAIN_STOPS = ("\nUser:", "\nSystem:", "\nAssistant:")
"""What ends an answer of a model without a chat template, which would go on to write the other side."""


def has_template(checkpoint: Checkpoint) -> bool:
    """Tell whether the model has a chat template."""
    return checkpoint.tokenizer.chat_template is not None


def chat_tokens(checkpoint: Checkpoint, messages: Sequence[ChatMessage]) -> list[int]:
    """Return a chat, up to where the answer begins; control tokens within a message are read as plain text.

    Without a chat template the chat is written out, ``User: …``, and ends with ``Assistant:``.

    Raises:
        ModelError: The chat template refuses the messages, fails, or runs out of a bound.
    """
    if not has_template(checkpoint):
        lines = [f"{SPEAKERS[message.role]}: {message.content}" for message in messages]
        return text_tokens(checkpoint, "\n\n".join([*lines, "Assistant:"]))
    return _templated(checkpoint, messages, is_open=True)


def whole_chat_tokens(checkpoint: Checkpoint, messages: Sequence[ChatMessage]) -> list[int]:
    """Return a chat whose last answer is given, as the model's own chat template writes it.

    Raises:
        ModelError: The chat template refuses the messages, fails, or runs out of a bound.
    """
    return _templated(checkpoint, messages, is_open=False)


def answer_tokens(checkpoint: Checkpoint, messages: Sequence[ChatMessage], answer: str) -> list[int]:
    """Return an answer as it follows ``chat_tokens``, up to and with the token that ends it.

    The tokens are those of the template, as an answer that was learned from has them, where the template writes a
    chat and its answer as it writes the chat; else the answer's own.

    Raises:
        ModelError: The chat template refuses the messages, fails, or runs out of a bound.
    """
    if has_template(checkpoint):
        asked = chat_tokens(checkpoint, messages)
        whole = whole_chat_tokens(checkpoint, [*messages, ChatMessage(role="assistant", content=answer)])
        if (end := answer_end(checkpoint, asked, whole)) is not None:
            return whole[len(asked) : end]
    return option_tokens(checkpoint, answer)


def answer_end(checkpoint: Checkpoint, asked: Sequence[int], whole: Sequence[int]) -> int | None:
    """Return the place after the token that ends the answer to ``asked`` in a longer chat.

    None where the longer chat does not begin with ``asked``, since its template writes what is past in another way,
    or has no token that ends the answer.
    """
    if list(whole[: len(asked)]) != list(asked):
        return None
    places = (place for place in range(len(asked), len(whole)) if whole[place] in checkpoint.ends)
    end = next(places, None)
    return None if end is None else end + 1


def _templated(checkpoint: Checkpoint, messages: Sequence[ChatMessage], *, is_open: bool) -> list[int]:
    """Write a chat by the template, in the first of the forms that it takes.

    One may want roles to alternate from the user, or refuse what the system says, which then stands in the first
    message of the user.
    """

    def written(chat: Sequence[ChatMessage]) -> list[int]:
        said = [{"role": message.role, "content": message.content} for message in chat]
        return encode_chat(checkpoint.tokenizer, said, is_open=is_open)

    try:
        return written(messages)
    except RefusedChatError as error:
        tried: list[Sequence[ChatMessage]] = [list(messages)]
        for form in (alternating(messages), folded(messages), alternating(folded(messages))):
            if form and form not in tried:
                tried.append(form)
                with suppress(RefusedChatError):
                    return written(form)
        raise ModelError(f"the model's chat template rejects these messages: {one_line(error)}") from error


def text_tokens(checkpoint: Checkpoint, text: str, *, is_start: bool = True) -> list[int]:
    """Return a text's tokens, control tokens read as plain text; ``is_start`` adds what begins a text."""
    read = checkpoint.tokenizer(text, add_special_tokens=is_start, split_special_tokens=True)
    return list(read["input_ids"])


def option_tokens(checkpoint: Checkpoint, option: str) -> list[int]:
    """Return an answer as it would follow ``chat_tokens``, with the token that ends it."""
    lead = "" if has_template(checkpoint) else " "
    stated = checkpoint.tokenizer.eos_token_id
    end = checkpoint.ends[0] if stated is None else stated
    return [*text_tokens(checkpoint, lead + option, is_start=False), end]


def cut_at(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Return ``text`` up to the first of the stop strings, and whether one was there."""
    found = [position for position in (text.find(mark) for mark in stop if mark) if position >= 0]
    return (text[: min(found)], True) if found else (text, False)
