"""An answer that comes as server-sent events, put together to the document that it would have been."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import from_json

DONE = "[DONE]"
STARTS = ("data:", "event:", "id:", "retry:", ":")
"""How a line of a stream of events may begin."""
TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
"""What of a message comes in pieces."""
WHOLE = ("response.completed", "response.incomplete", "response.failed")
"""Events of the Responses API that hold the whole answer."""


def is_stream(text: str) -> bool:
    """Tell whether a body is a stream of events."""
    return text.lstrip("\ufeff\r\n").startswith(STARTS)


def joined_events(text: str) -> object:
    """Put a stream of events together: a chat completion, a text completion, or a response; or the error in it.

    Raises:
        ValueError: An event is no JSON, there is none, or the stream breaks off before its end.
    """
    events = [*_events(text)]
    chunks = [chunk for data in events if data != DONE and isinstance(chunk := from_json(data), dict)]
    if not chunks:
        raise ValueError("the stream holds no answer")
    for chunk in chunks:
        if chunk.get("type") in WHOLE and isinstance(chunk.get("response"), dict):
            return chunk["response"]
        if chunk.get("error") or chunk.get("type") == "error":
            return chunk
    joined = _completion(chunks)
    if DONE not in events and not any(choice.get("finish_reason") for choice in joined["choices"]):
        raise ValueError("the stream breaks off before its end")
    return joined


def _events(text: str) -> Iterator[str]:
    """Yield the data of each event.

    Source: HTML Living Standard, section 9.2.6 (lines of one event are joined by line feeds).
    """
    data: list[str] = []
    for line in [*text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").strip())
        elif not line:
            # Some servers part events by one line feed, not by two.
            joined = "\n".join(data)
            yield from [joined] if len(data) == 1 or _is_json(joined) else filter(None, data)
            data.clear()


def _is_json(text: str) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def _completion(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the pieces of each choice; what is not a piece of text is what was said of it last."""
    choices: dict[str, dict[str, Any]] = {}
    pieces: dict[str, dict[str, list[object]]] = {}
    whole: dict[str, Any] = {}
    for chunk in chunks:
        whole |= {key: value for key, value in chunk.items() if key != "choices" and value is not None}
        given = chunk.get("choices")
        for place, piece in enumerate(given if isinstance(given, list) else []):
            if isinstance(piece, Mapping):
                index = str(piece.get("index", place))
                _gather(piece, choices.setdefault(index, {}), pieces.setdefault(index, {}))
    for index, choice in choices.items():
        texts = {key: _joined(parts) for key, parts in pieces[index].items()}
        if "text" in texts:
            choice["text"] = texts.pop("text")
        choice["message"] = {**choice.get("message", {}), **texts}
    return {**whole, "choices": [*choices.values()]}


def _gather(piece: Mapping[str, Any], choice: dict[str, Any], pieces: dict[str, list[object]]) -> None:
    choice |= {key: piece[key] for key in ("finish_reason", "index", "error") if piece.get(key) is not None}
    said = piece.get("delta") or piece.get("message")
    said = said if isinstance(said, Mapping) else {}
    if said.get("tool_calls"):
        choice["message"] = {"tool_calls": said["tool_calls"]}
    for key, value in (("text", piece.get("text")), *((key, said.get(key)) for key in TEXTS)):
        if isinstance(value, str | list):
            pieces.setdefault(key, []).append(value)


def _joined(parts: list[object]) -> object:
    if all(isinstance(part, str) for part in parts):
        return "".join(map(str, parts))
    return [each for part in parts for each in (part if isinstance(part, list) else [part])]
