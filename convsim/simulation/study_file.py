"""Writes a STUDY.toml: what ``read_study`` reads is the study that was written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from convsim.simulation.config import PROMPTS, ComponentSection, PluginSection, StudyConfig

BARE = re.compile(r"[A-Za-z0-9_-]+")


def study_toml(config: StudyConfig, *, folder: Path, said: str = "") -> str:
    """Write a study as TOML; what is at its default is left out.

    Args:
        config: The study.
        folder: Where the file will lie: paths in it are relative to that.
        said: Stands above it, as comments.
    """
    data = _without_none(config.data.model_dump())
    weights = data.pop("persona_weights", None)
    lines = [f"# {line}" for line in said.splitlines()]
    lines += _table("[study]", config.study.model_dump(exclude_defaults=True))
    for name in ("model", "agent") if config.mixture else ("model", "shopper", "agent"):
        section: PluginSection | None = getattr(config, name)
        if section is not None:
            lines += _table(f"[{name}]", _plugin(section, folder))
    lines += _table("[data]", _relative(data, folder))
    if isinstance(weights, Mapping):
        lines += _table("[data.persona_weights]", weights)
    for arm in config.arm:
        lines += _table("[[arm]]", arm.model_dump(exclude_none=True))
    for component in config.mixture:
        lines += _component(component, folder)
    return "\n".join(lines) + "\n"


def _component(component: ComponentSection, folder: Path) -> list[str]:
    lines = _table("[[mixture]]", {"name": component.name, "weight": component.weight})
    lines += _table("[mixture.shopper]", _plugin(component.shopper, folder))
    if component.model is not None:
        lines += _table("[mixture.model]", _plugin(component.model, folder))
    if data := _without_none(component.data.model_dump()):
        lines += _table("[mixture.data]", _relative(data, folder))
    return lines


def _plugin(section: PluginSection, folder: Path) -> dict[str, object]:
    settings = dict(section.settings)
    if isinstance(prompts := settings.get(PROMPTS), str):
        settings[PROMPTS] = _path(Path(prompts), folder)
    return {"name": section.name, **settings}


def _relative(data: Mapping[str, object], folder: Path) -> dict[str, object]:
    return {name: _path(value, folder) if isinstance(value, Path) else value for name, value in data.items()}


def _path(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()


def _without_none(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _table(head: str, fields: Mapping[str, object]) -> list[str]:
    """Write a table; one without fields only where it stands for something."""
    written = [f"{_key(name)} = {_value(value)}" for name, value in fields.items() if value is not None]
    return [head, *written, ""] if written else []


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    """Write a value of JSON as TOML has it: the escapes of JSON are among those of TOML."""
    if isinstance(value, bool | int | float):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(k))} = {_value(v)}" for k, v in value.items() if v is not None)
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
