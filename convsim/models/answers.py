"""Reads what a server answered: whichever of its usable forms it has, and its reasoning apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic_core import from_json

from convsim._text import MAX_READ, one_line, shown
from convsim.errors import ModelError
from convsim.lifting.moves import HTML_STARTS
from convsim.models.contents import Gathered, UnusableError, characters, gathered, joined, words
from convsim.models.events import is_stream, joined_events
from convsim.text.reasoning import split_reasoning

MOST_TOKENS = 10**9
"""Of one answer; a server that says more does not count: no model reads or writes so much."""
FinishReason = Literal["stop", "length", "content_filter", "other"]


class ReportedError(Exception):
    """An error that a server reports in an answer that says it is none."""

    def __init__(self, said: object):
        super().__init__(one_line(said))
        self.said = said


@dataclass(frozen=True)
class Answer:
    """What a model answered; a number of tokens that the server does not say is None, never 0."""

    text: str
    finish: FinishReason = "other"
    stated_finish: object = None
    thought: int = 0
    """Characters of reasoning that came with it."""
    thought_tokens: int | None = None
    refusal: str = ""
    calls_tools: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def has_words(self) -> bool:
        """Whether anything was said."""
        return bool(self.text.strip())


def read_answer(body: bytes, *, who: str) -> Answer:
    """Read the body of a chat completion, a text completion or a response, whole or as a stream of events.

    Raises:
        ReportedError: It is an error, whatever the status said.
        ModelError: It is none of these; the line quotes how it begins.
    """
    try:
        document = _document(body)
        if (error := error_in(document)) is not None:
            raise ReportedError(error)
        return _answer(document)
    except ValueError as error:
        begins = one_line(body[:MAX_READ].decode("utf-8", "replace"))[:80]
        page = begins.lower().startswith(HTML_STARTS)
        advice = (
            "; that is a web page: is base_url the address of its API, which often ends in /v1?"
            if page
            else ""
        )
        raise ModelError(
            f"{who} did not answer with a completion: {one_line(error)}; it begins {begins!r}{advice}"
        ) from None


def _document(body: bytes) -> object:
    try:
        return from_json(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        text = body.decode("utf-8")
        if is_stream(text):
            return joined_events(text)
        # Some servers end a whole answer as they end a stream of events.
        lead, mark, rest = text.rpartition("[DONE]")
        if mark and not rest.strip():
            return from_json(lead.rstrip().removesuffix("data:"))
        raise UnusableError(f"Invalid JSON: {error}") from None


def error_in(document: object) -> object | None:
    """Return the error that a document is, or that its first choice is; None for an answer."""
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, Mapping):
        return None
    if document.get("error") and not document.get("choices"):
        return (
            document["error"]
            if len(document) == 1
            else {**_without_error(document), **_as_error(document["error"])}
        )
    if document.get("object") == "error" or (document.get("type") == "error" and "message" in document):
        return document
    choices = document.get("choices")
    first: object = choices[0] if isinstance(choices, list) and choices else None
    return _part(first, "error") or None


def _without_error(document: Mapping[str, object]) -> dict[str, object]:
    return {
        key: document[key] for key in ("code", "status", "type") if document.get(key) not in (None, "failed")
    }


def _as_error(error: object) -> Mapping[str, object]:
    return error if isinstance(error, Mapping) else {"message": error}


def _answer(document: object) -> Answer:
    if not isinstance(document, Mapping):
        raise UnusableError(f"it must be an object, but is {shown(document)}")
    usage = document.get("usage")
    if isinstance(document.get("output"), list) and not document.get("choices"):
        return _with_usage(_of_response(document), usage)
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        found = "is missing" if choices is None else f"is {shown(choices)}"
        raise UnusableError(f"choices must be a list of answers, but {found}")
    answers = [_of_choice(choice) for choice in choices]
    best = next((answer for answer in answers if answer.has_words), answers[0])
    return _with_usage(best, usage)


def _of_choice(choice: object) -> Answer:
    if not isinstance(choice, Mapping):
        raise UnusableError(f"a choice must be an object, but is {shown(choice)}")
    message = choice.get("message", choice.get("delta"))
    if not isinstance(message, Mapping):
        if not isinstance(choice.get("text"), str):
            raise UnusableError("a choice has neither a message nor a text")
        message = {}
    content = message.get("content")
    found = gathered(choice.get("text") if content is None else content)
    # Some servers send the same thought under several names.
    apart = max(characters(message.get(name)) for name in words().fields.thought)
    refusal = message.get("refusal")
    refused = refusal if isinstance(refusal, str) and refusal else found.refusal
    return _made(
        Gathered(found.text, found.thought + apart, refused),
        choice.get("finish_reason"),
        calls_tools=bool(message.get("tool_calls") or message.get("function_call")),
    )


def _of_response(document: Mapping[str, object]) -> Answer:
    """Read a response of the Responses API: its messages, and what it thought in items of their own."""
    output = document["output"]
    assert isinstance(output, list)
    parts, calls_tools = [], False
    for item in output:
        kind = item.get("type") if isinstance(item, Mapping) else None
        if kind == "message" and item.get("phase") != "commentary":
            parts.append(gathered(item.get("content")))
        elif kind in ("message", "reasoning"):
            parts.append(Gathered("", characters(item.get("content")) or characters(item.get("summary")), ""))
        else:
            calls_tools = calls_tools or str(kind).endswith("_call")
    details = document.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, Mapping) else None
    return _made(joined(parts), reason or document.get("status"), calls_tools=calls_tools)


def _made(found: Gathered, stated: object, *, calls_tools: bool) -> Answer:
    said, thought = split_reasoning(found.text)
    return Answer(
        text=said,
        finish=finish_reason(stated),
        stated_finish=stated,
        thought=found.thought + len(thought),
        refusal=found.refusal,
        calls_tools=calls_tools,
    )


def finish_reason(stated: object) -> FinishReason:
    """Map what a server calls the end of an answer to the four reasons that are recorded."""
    name = stated.strip().lower() if isinstance(stated, str) else ""
    finish = words().finish
    if name in finish.stop:
        return "stop"
    if name in finish.length:
        return "length"
    return "content_filter" if name in finish.content_filter else "other"


def _with_usage(answer: Answer, usage: object) -> Answer:
    """Add what an answer cost, as far as it can be read; a prompt or a text of no tokens was not counted."""
    read = _count(usage, ("prompt_tokens", "input_tokens"))
    written = _count(usage, ("completion_tokens", "output_tokens"))
    details = [_part(usage, name) for name in ("completion_tokens_details", "output_tokens_details")]
    thought = [count for each in details if (count := _count(each, ("reasoning_tokens",))) is not None]
    return replace(
        answer,
        input_tokens=read or None,
        output_tokens=None if written == 0 and (answer.has_words or answer.thought) else written,
        thought_tokens=thought[0] if thought else None,
    )


def _part(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _count(usage: object, names: Sequence[str]) -> int | None:
    """Return the first count under these names; None for what is no number of tokens."""
    for name in names:
        value = _part(usage, name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS:
            return value
    return None
