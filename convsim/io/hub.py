"""Rows of data sets of the Hugging Face hub, by the package ``datasets`` where it is installed."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from convsim._text import one_line
from convsim.errors import MissingExtraError, TranscriptError
from convsim.io.jsonl import parse_json
from convsim.io.problems import MalformedError, shown

NAMED = re.compile(r"hf:/{1,2}(?P<name>[\w.-]+/[\w.-]+)(?::(?P<split>[\w.+-]+))?", re.ASCII)
"""A path with two slashes has one: ``hf:/owner/name``."""


def is_hub(path: Path) -> bool:
    """Tell whether a path names a data set of the hub."""
    return path.as_posix().startswith("hf:/")


class HubRows:
    """The rows of a data set as objects; ``sha256`` is of them as JSON."""

    def __init__(self, path: Path) -> None:
        """Name the data set; raises TranscriptError where the path does not."""
        self.path = path
        self._digest = hashlib.sha256()
        found = NAMED.fullmatch(path.as_posix())
        if not found:
            raise TranscriptError(path, "is no data set; expected hf://owner/name or hf://owner/name:split")
        self._name, self._split = found["name"], found["split"]

    @property
    def sha256(self) -> str:
        """Hexadecimal, of what was gone through so far."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[tuple[int, dict[str, JsonValue] | str]]:
        """Yield each row with its number, or why it cannot be read; raises TranscriptError."""
        for number, row in enumerate(self._rows(), start=1):
            data = json.dumps(row, ensure_ascii=True, default=str).encode()
            self._digest.update(data + b"\n")
            try:
                value = parse_json(data)
            except MalformedError as bad:
                yield number, bad.problem
            else:
                yield (
                    number,
                    value if isinstance(value, dict) else f"must be an object, but is {shown(value)}",
                )

    def _rows(self) -> Iterator[Any]:
        try:
            import datasets
        except ImportError:
            raise MissingExtraError(f"{self.path}: a data set of the hub", "hub") from None
        options: dict[str, object] = {"split": self._split} if self._split else {}
        if "trust_remote_code" in inspect.signature(datasets.load_dataset).parameters:
            options["trust_remote_code"] = False
        try:
            found = datasets.load_dataset(self._name, **options)
        except Exception as error:  # whatever that library and its network raise
            raise TranscriptError(
                self.path, f"cannot be loaded by datasets: {type(error).__name__}: {one_line(error)}"
            ) from None
        if isinstance(found, dict):
            names = [*found]
            if len(names) != 1:
                raise TranscriptError(
                    self.path,
                    f"has the splits {', '.join(map(shown, names[:10]))}; name one: {self.path}:{names[0]}",
                )
            found = found[names[0]]
        yield from found
