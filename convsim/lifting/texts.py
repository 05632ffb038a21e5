"""Finds the text in what somebody's code answered, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from convsim._async import Parts
from convsim._text import one_line
from convsim.errors import ConvsimError
from convsim.lifting.reasons import kind_of
from convsim.schema import AgentReply
from convsim.schema.conversation import Usage

REPLY_KEYS = ("content", "items", "ends", "usage")
"""What is read of an agent's answer that is an object; other keys are the agent's own business."""
NOT_THE_AGENTS = ("user", "human", "system", "developer", "tool", "function")
"""Roles whose message is not an answer."""


def said_in(answer: object, who: str, failure: type[ConvsimError]) -> dict[str, object]:
    """Turn a text, or whatever holds one, into an object with ``content``."""
    if isinstance(answer, str):
        return {"content": answer}
    if answer is None:
        raise failure(f"{who} answered nothing (None)")
    if isinstance(answer, Parts):
        return _joined(answer, who, failure)
    if isinstance(answer, Mapping) and "content" in answer:
        usage = _usage(answer.get("usage"))
        return {**answer, "content": text_in(answer["content"]), **({"usage": usage} if usage else {})}
    if choices := _listed(part_of(answer, "choices")):
        return _of_choice(choices[0], part_of(answer, "usage"), who, failure)
    for key in ("output_text", "output"):
        if isinstance(text := part_of(answer, key), str):
            return {**beside(answer), "content": text}
    messages = _listed(answer) or (_listed(answer.get("messages")) if isinstance(answer, Mapping) else [])
    if messages and (isinstance(answer, Mapping) or is_message(messages[-1])):
        return {**beside(answer), "content": _last_message(messages[-1], who, failure)}
    if isinstance(answer, Mapping):
        known = ", ".join(map(str, answer)) or "nothing"
        raise failure(f"{who} answered without 'content'; the object has: {one_line(known)}")
    if is_message(answer):
        return {**beside(answer), "content": text_in(part_of(answer, "content"))}
    raise failure(f"{who} must return a string or an object with 'content', but returned {kind_of(answer)}")


def beside(answer: object) -> dict[str, object]:
    """Return what an answer holds beside its text: items, usage, and whether it ends the conversation."""
    items, ends, usage = part_of(answer, "items"), part_of(answer, "ends"), _usage(part_of(answer, "usage"))
    return {
        **({"items": items} if isinstance(items, list | tuple) else {}),
        **({"ends": ends} if isinstance(ends, bool) else {}),
        **({"usage": usage} if usage else {}),
    }


def _joined(parts: Parts, who: str, failure: type[ConvsimError]) -> dict[str, object]:
    if not parts:
        raise failure(f"{who} answered nothing: its generator yielded nothing")
    texts = [_chunk(part) for part in parts]
    if len(parts) == 1 and texts[0] is None:
        if isinstance(parts[0], AgentReply):
            return {key: getattr(parts[0], key) for key in REPLY_KEYS}
        return said_in(parts[0], who, failure)
    for part, text in zip(parts, texts, strict=True):
        if text is None:
            raise failure(f"{who} must yield strings, but yielded {kind_of(part)}")
    return {"content": "".join(text for text in texts if text)}


def _chunk(part: object) -> str | None:
    """Return the text of one part of a stream; None where it has none, or is a whole answer with items."""
    return None if part_of(part, "items") else chunk_in(part)


def chunk_in(
    part: object, mapped: Callable[[Mapping[str, object]], str | None] = lambda _: None
) -> str | None:
    """Return the text of one part of a stream, as OpenAI, Anthropic and others send it; None without.

    ``mapped`` finds it where the usual places do not say.
    """
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping) and (text := mapped(part)) is not None:
        return text
    choices = part_of(part, "choices")
    if isinstance(choices, list | tuple):
        delta = part_of(choices[0], "delta") if choices else None
        if choices and delta is None:
            return None  # a whole response, not a part of one
        content = part_of(delta, "content")
        return content if isinstance(content, str) else ""
    delta = part_of(part, "delta")
    if str(part_of(part, "type")).startswith("response."):
        return delta if isinstance(delta, str) else None  # what is done is said once more
    for found in (
        delta,
        part_of(delta, "content"),
        part_of(delta, "text"),
        text_in(part_of(part, "content")),
    ):
        if isinstance(found, str):
            return found
    texts = (part_of(part, key) for key in ("text", "token")) if isinstance(part, Mapping) else ()
    return next((text for text in texts if isinstance(text, str)), None)


def _of_choice(choice: object, usage: object, who: str, failure: type[ConvsimError]) -> dict[str, object]:
    message = part_of(choice, "message")
    content = text_in(part_of(message, "content"))
    if not isinstance(content, str):
        what = "a tool call" if part_of(message, "tool_calls") else part_of(message, "refusal") or "nothing"
        raise failure(f"{who} answered without a text: {one_line(what)}")
    spent = _usage(usage)
    return {"content": content, **({"usage": spent} if spent else {})}


def _usage(usage: object) -> object:
    """Turn OpenAI's counts of tokens into ours; leave what is ours, and nothing else."""
    if isinstance(usage, Usage):
        return usage
    for read, written in (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens")):
        counts = (part_of(usage, read), part_of(usage, written))
        if all(isinstance(count, int) for count in counts):
            if isinstance(usage, Mapping) and read == "input_tokens":
                return usage
            return Usage.model_validate({"input_tokens": counts[0], "output_tokens": counts[1]})
    return usage if isinstance(usage, Mapping) else None


def is_message(value: object) -> bool:
    """Tell whether a value has a content."""
    return "content" in value if isinstance(value, Mapping) else hasattr(value, "content")


def _last_message(message: object, who: str, failure: type[ConvsimError]) -> object:
    if not is_message(message):
        raise failure(
            f"{who} returned something invalid: the last of its messages has no content, but is {kind_of(message)}"
        )
    role = role_of(message)
    if role in NOT_THE_AGENTS:
        raise failure(f"{who} returned something invalid: the last of its messages has the role {role!r}")
    return text_in(part_of(message, "content"))


def role_of(message: object) -> object:
    """Return who speaks: OpenAI's ``role``, or LangChain's ``type``."""
    return part_of(message, "role") or part_of(message, "type")


def text_in(content: object) -> object:
    """Join the text parts of a content that is a list of parts."""
    if not isinstance(content, list):
        return content
    parts = [part if isinstance(part, str) else part_of(part, "text") for part in content]
    return "".join(part for part in parts if isinstance(part, str))


def part_of(value: object, name: str) -> object:
    """Return a key of an object in JSON, or an attribute of one in Python; None where there is none."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
