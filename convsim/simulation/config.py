"""What a STUDY.toml may say; unknown keys are errors, and secrets are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, JsonValue, ValidationError, model_validator

from convsim._inputs import read_toml
from convsim._secrets import SECRET_KEY, has_key
from convsim._settings import Domain
from convsim._text import complaint
from convsim.errors import StudyError
from convsim.models.crowd import Concurrency, checked_concurrency
from convsim.schema.record import Name, Number, Record

MAX_BYTES = 1 << 20
PROMPTS = "prompts"
"""The setting of shoppers and agents that names a folder of prompts."""
POLICY = "policy"
"""The setting of ``hybrid`` that names the folder of a policy; another's may mean something else by it."""
NAMED_VARIABLE = re.compile(r"(?:[A-Za-z][\w+-]*\s)?env:[A-Za-z_]\w*")
"""A header whose key stands in the environment."""
SECRET_VALUE = re.compile(r"^(sk-|Bearer |ghp_|hf_)\S{8,}|^\w+://[^/\s@]*:[^/\s@]+@")

Positive = Annotated[int, Field(strict=True, ge=1)]
AtATime = Annotated[Concurrency, BeforeValidator(checked_concurrency)]
Weight = Annotated[Number, Field(ge=0)]
OF_WHOLE_STUDIES = ("judge", "sweep")
"""Tables that ``convsim study`` reads: what is varied, and what the runs are held against."""
MOST_CONVERSATIONS = 1_000_000
"""Of a study, all arms together: each is planned, with its id, before the first is held."""


class StudySection(Record):
    """``[study]``: ``n`` is conversations per arm."""

    name: Name = "study"
    seed: Annotated[int, Field(strict=True)] = 0
    n: Annotated[int, Field(strict=True, ge=1, le=MOST_CONVERSATIONS)] = 20
    max_turns: Positive = 10
    concurrency: AtATime = "auto"
    budget_usd: Annotated[Number, Field(gt=0)] | None = None
    domain: Domain | None = None
    """What the conversations are about, such as films; None takes what the catalogue or the logs speak of."""


class PluginSection(Record):
    """``[model]``, ``[shopper]`` or ``[agent]``: a plugin's name; every other key is a setting of that plugin."""

    name: Name
    settings: Mapping[str, JsonValue] = {}

    @model_validator(mode="before")
    @classmethod
    def _gather_settings(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "settings" in data:
            return data
        given = {key: value for key, value in data.items() if key != "name"}
        return {**({"name": data["name"]} if "name" in data else {}), "settings": given}


class DataSection(Record):
    """``[data]``: files; ``real`` is what data-driven shoppers learn from, and ``learn_arm`` which part of it."""

    real: Path | None = None
    learn_arm: Name | None = None
    catalogue: Path | None = None
    personas: Path | None = None
    persona_weights: Mapping[Name, Weight] | None = None
    """How often each persona is taken, by its id; all alike where there is none."""


class LearnedSection(Record):
    """``[mixture.data]``: what the shopper of one component learns from, where it is not the study's."""

    real: Path | None = None
    learn_arm: Name | None = None


class ComponentSection(Record):
    """``[[mixture]]``: one of several shoppers, and in what proportion it holds the conversations."""

    name: Name
    weight: Annotated[Number, Field(gt=0)]
    shopper: PluginSection
    model: PluginSection | None = None
    data: LearnedSection = LearnedSection()


class ArmSection(Record):
    """``[[arm]]``: an experimental condition; ``fault`` names what degrades its agent, and ``severity`` how far."""

    name: Name
    fault: Name | None = None
    severity: Annotated[Number, Field(ge=0, le=1)] | None = None

    @model_validator(mode="after")
    def _severe_with_a_fault(self) -> Self:
        if self.severity is not None and self.fault is None:
            raise ValueError(f"arm {self.name!r} has a severity but no fault")
        return self

    @classmethod
    def degraded(cls, said: str) -> Self:
        """Read ``FAULT=SEVERITY`` or ``FAULT`` (severity 1); the arm is named like it.

        Raises:
            StudyError: Not of that form, or a severity outside 0 to 1.
        """
        fault, _, number = said.partition("=")
        try:
            severity = float(number or 1)
            return cls(
                name=fault if severity == 1 else f"{fault}={severity:g}", fault=fault, severity=severity
            )
        except ValueError as error:
            raise StudyError(
                f"--fault {said!r}: expected FAULT=SEVERITY with a severity from 0 to 1, such as partial_query=0.5"
            ) from error


class StudyConfig(Record):
    """A whole study; every part has a default that works offline."""

    study: StudySection = StudySection()
    model: PluginSection | None = None
    shopper: PluginSection = PluginSection(name="resample")
    agent: PluginSection = PluginSection(name="retrieval")
    data: DataSection = DataSection()
    arm: tuple[ArmSection, ...] = (ArmSection(name="good"),)
    mixture: tuple[ComponentSection, ...] = ()
    """In place of one shopper; weights need not add up to 1."""

    @model_validator(mode="after")
    def _arms_differ(self) -> Self:
        names = [arm.name for arm in self.arm]
        if len(set(names)) < len(names) or not names:
            raise ValueError(f"arms need distinct names, but are called {names}")
        return self

    def with_flags(
        self,
        flags: Mapping[str, Mapping[str, object]],
        *,
        arms: Sequence[str] | None = None,
        faults: Sequence[str] = (),
    ) -> StudyConfig:
        """Return a copy in which what was said on the command line wins; None was not said.

        Each of ``faults`` adds an arm whose agent is degraded by it.
        """
        if self.mixture and any(value is not None for value in flags.get("shopper", {}).values()):
            raise StudyError("--shopper: the study has a mixture of shoppers; change [[mixture]] in its file")
        changed: dict[str, Any] = self.model_dump()
        if arms is not None:
            changed["arm"] = [{"name": name} for name in arms]
        changed["arm"] = [*changed["arm"], *(ArmSection.degraded(said).model_dump() for said in faults)]
        for section, values in flags.items():
            said: dict[str, Any] = {key: value for key, value in values.items() if value is not None}
            before = changed[section] or {}
            if "name" in said and section != "study" and said["name"] != before.get("name"):
                before = {}  # another plugin: the old one's settings are not for it
            if settings := said.pop("settings", None):
                said["settings"] = {**before.get("settings", {}), **settings}
            if said:
                changed[section] = {**before, **said}
        _refuse_secrets(changed, "the command line")
        try:
            return StudyConfig.model_validate(changed)
        except ValidationError as error:
            raise StudyError(f"the command line: {complaint(error, with_value=True)}") from error


def read_study(path: Path) -> StudyConfig:
    """Read a STUDY.toml; relative paths in it are relative to its folder.

    Raises:
        StudyError: No such file, not TOML, an unknown key, a wrong type, or a secret written in it.
    """
    return config_of(read_study_file(path), path)


def read_study_file(path: Path) -> dict[str, Any]:
    """Read what a STUDY.toml states, unchecked; raises StudyError where it is no TOML."""
    return read_toml(path, what="the study", limit=MAX_BYTES, error=StudyError)


def config_of(stated: Mapping[str, Any], path: Path) -> StudyConfig:
    """Check what the file ``path`` states of a study, all but what is for whole studies. Raises as ``read_study``."""
    content = {name: table for name, table in stated.items() if name not in OF_WHOLE_STUDIES}
    _refuse_secrets(content, str(path))
    if "mixture" in content and "shopper" in content:
        raise StudyError(f"{path}: has [shopper] and [[mixture]]; state the shoppers in one of them alone")
    try:
        config = StudyConfig.model_validate(content)
    except ValidationError as error:
        raise StudyError(f"{path}: {complaint(error, with_value=True)}") from error
    moved = {name: path.parent / value for name, value in config.data if isinstance(value, Path)}
    parts = {name: _with_folders_of(path.parent, getattr(config, name)) for name in ("shopper", "agent")}
    mixture = tuple(_moved(path.parent, component) for component in config.mixture)
    data = config.data.model_copy(update=moved)
    return config.model_copy(update={"data": data, "mixture": mixture, **parts})


def _moved(folder: Path, component: ComponentSection) -> ComponentSection:
    """Take the paths of a component from the study's folder."""
    real = component.data.real
    data = component.data if real is None else component.data.model_copy(update={"real": folder / real})
    return component.model_copy(update={"data": data, "shopper": _with_folders_of(folder, component.shopper)})


def folders_of(section: PluginSection) -> tuple[str, ...]:
    """Name the settings that are folders, whose content a run's plan tells by hashes."""
    return (PROMPTS, POLICY) if section.name == "hybrid" else (PROMPTS,)


def _with_folders_of(folder: Path, section: PluginSection) -> PluginSection:
    given = {name: section.settings.get(name) for name in folders_of(section)}
    moved = {
        name: str(folder / said) for name, said in given.items() if isinstance(said, str) and said.strip()
    }
    return section.model_copy(update={"settings": {**section.settings, **moved}})


def _refuse_secrets(content: Mapping[str, object], where: str) -> None:
    """Refuse what would be written into the manifest; raises StudyError."""
    try:
        leaves = [*_leaves(content)]
    except RecursionError:
        raise StudyError(f"{where}: is nested too deeply") from None
    for place, value in leaves:
        key = re.sub(r"(\[\d+\])+$", "", place).rsplit(".", 1)[-1]
        if ".headers." in place and isinstance(value, str) and NAMED_VARIABLE.fullmatch(value):
            continue
        if SECRET_KEY.search(key) or (
            isinstance(value, str) and (SECRET_VALUE.match(value) or has_key(value))
        ):
            raise StudyError(
                f"{where}: {place.replace('.settings.', '.', 1)} looks like a secret, which the run's manifest would "
                f"show; keep it in an environment variable{_told(place)}"
            )


def _told(place: str) -> str:
    """Say how a secret reaches the one who needs it."""
    if place == "agent.settings.command":
        return ": the program sees them all"
    if place.startswith("agent.") and ".headers." in place:
        return ": write env:NAME in its place, with the variable's name"
    return " and name that in api_key_env"


def _leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(part, f"{place}[{index}]")
    else:
        yield place, value
