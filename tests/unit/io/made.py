"""Files that the tests make: lines of JSON, and archives in ConvApparel's schema with all its oddities."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SATISFIED = "Overall, how satisfied were you?"
FRUSTRATED = "Did this reply frustrate you? Were you frustrated?"
AGE = "How old are you?"


def line(id: str = "c1", **fields: Any) -> dict[str, Any]:
    """A small conversation as convsim JSONL holds it."""
    messages = [{"role": "user", "content": "red boots please"}, {"role": "assistant", "content": "These?"}]
    return {"id": id, "messages": messages, **fields}


def jsonl(path: Path, *rows: object) -> Path:
    """Write rows, each as JSON on a line; a text or bytes is written as it is."""
    parts = [
        row if isinstance(row, bytes) else (row if isinstance(row, str) else json.dumps(row)).encode()
        for row in rows
    ]
    path.write_bytes(b"".join(part + b"\n" for part in parts))
    return path


def turn(user: str | None = "red boots", agent: str | None = "These?", **fields: Any) -> dict[str, Any]:
    """A turn of an archive, with two items whose texts are a string and a list."""
    items = [
        {
            "item_id": "B01",
            "title": "Boot",
            "description": "Red.",
            "features": "Leather",
            "image_url": "http://x/1",
        },
        {"item_id": "B02", "title": "Shoe", "description": ["Low.", "Soft."], "features": ["Wide", "Dry"]},
    ]
    return {
        "user_utterance": user,
        "assistant_utterance": agent,
        "recommendations": items,
        "ratings": {},
        **fields,
    }


def archived(
    task_id: str = "footwear_good", version: str = "v1", *, turns: Sequence[Any] = (), **fields: Any
) -> dict[str, Any]:
    """A conversation of an archive."""
    return {"task_id": task_id, "version": version, "ratings": {}, "turns": list(turns) or [turn()], **fields}


def archive(*conversations: Any, questions: Any = (), **metadata: Any) -> dict[str, Any]:
    """A whole archive."""
    described = {"questions": {"v1": questions}, "instructions": {}, "tasks": ["footwear_good"], **metadata}
    return {"metadata": described, "conversations": list(conversations)}


def zipped(path: Path, members: Mapping[str, object]) -> Path:
    """Write a zip archive; a member that is no text is written as JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content if isinstance(content, str) else json.dumps(content))
    return path


def written(path: Path, document: object) -> Path:
    """Write a document as JSON."""
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
