"""Where the numbers come from: files by hash, models, prompts, seeds, versions, the command that was typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from convsim._inputs import read_input
from convsim._text import listed
from convsim.evaluation import Scorecard, SideSummary
from convsim.io import MANIFEST
from convsim.io.jsonl import parse_json
from convsim.io.problems import MalformedError
from convsim.io.provenance import own_version
from convsim.report.html.text import name
from convsim.report.html.transcripts import located
from convsim.report.tables import number

MAX_MANIFEST_BYTES = 4 << 20
MAX_FACTS = 60
MAX_VALUE = 200
LONG = ("personas",)
"""Lists of a plan that are counted and not shown."""

Facts = list[tuple[str, str]]


def provenance(card: Scorecard, near: Path | None) -> list[tuple[str, Facts]]:
    """Return named groups of facts: each side, the run that made it where it is one, and the validators."""

    groups: list[tuple[str, Facts]] = []
    for title, side in (("People's conversations", card.real), ("Simulated conversations", card.simulated)):
        if side is not None:
            groups.append((title, _side(side)))
            if manifest := _manifest(side, near):
                groups.append((f"{title}: the run that made them", list(_run(manifest))[:MAX_FACTS]))
    validators = {
        f.validator: f"version {name(f.version)}, seed {f.seed}; {name(f.source, limit=MAX_VALUE)}"
        for f in card.findings
    }
    if validators:
        groups.append(("Validators", [(name(key), value) for key, value in validators.items()]))
    if card.made_by is not None:
        words = " ".join(name(word) for word in card.made_by.command)
        groups.append(
            (
                "The comparison",
                [("convsim", name(card.made_by.convsim)), ("command", f"convsim {words}".strip())],
            )
        )
    groups.append(("This page", [("convsim", own_version()), ("findings", card.schema_)]))
    return groups


def _side(side: SideSummary) -> Facts:
    return [
        ("file", name(side.path, limit=MAX_VALUE)),
        ("SHA-256", name(side.sha256, limit=64)),
        ("simulator", name(side.simulator, limit=MAX_VALUE)),
        ("conversations", f"{side.n:,}"),
        ("language", name(str(side.language), limit=MAX_VALUE) if side.language else "not told"),
        ("arms", _counts(side.arms)),
        ("tasks", _counts(side.tasks)),
    ]


def _counts(counted: Mapping[str, int], shown: int = 12) -> str:
    return listed([f"{name(key, limit=40)} {n:,}" for key, n in counted.items()], shown)


def _manifest(side: SideSummary, near: Path | None) -> Mapping[str, JsonValue]:
    """Read the manifest of the run folder that a side is; empty where it is none or cannot be read."""
    if side.path is None:
        return {}
    path = located(side.path, near)
    try:
        file = (path if path.is_dir() else path.parent) / MANIFEST
        document = parse_json(read_input(file, MAX_MANIFEST_BYTES))
    except (OSError, ValueError, MalformedError):
        return {}
    return document if isinstance(document, dict) else {}


def _run(manifest: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    words = manifest.get("command")
    if isinstance(words, list) and words:
        yield "command", f"convsim {' '.join(name(str(word)) for word in words)}"
    yield from _facts("", manifest.get("plan"))
    for key in ("versions", "python", "platform", "git"):
        yield from _facts("", {key: manifest.get(key)})


def _facts(place: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    """Yield every value of a JSON document with its place; lists of plain values stay on one line."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _facts(f"{place} {name(key, limit=40)}".strip(), inner)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for index, inner in enumerate(value, start=1):
            yield from _facts(f"{place} {index}", inner)
    elif isinstance(value, list):
        listed = f"{len(value)} of them" if place in LONG else ", ".join(map(_plain, value))
        yield place, name(listed, limit=MAX_VALUE)
    elif value is not None:
        yield place, _plain(value)


def _plain(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value, figures=12) if isinstance(value, int | float) else name(str(value), limit=MAX_VALUE)
