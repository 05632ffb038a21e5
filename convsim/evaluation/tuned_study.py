"""Makes a study of what tuning found: the settings of each run, from its manifest, and the weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError

from convsim._inputs import open_input, read_toml
from convsim._text import complaint, plain
from convsim.errors import InputError, StudyError
from convsim.evaluation.tuning import Tuning
from convsim.io.manifest import MANIFEST, read_manifest
from convsim.simulation.config import PROMPTS, StudyConfig

MAX_BYTES = 1 << 20


class UnstatedError(InputError):
    """A manifest lacks what a study of the run needs."""


@dataclass(frozen=True)
class Plan:
    """What a run's manifest says of how it was made, and the files that it was made from, as far as they are found."""

    name: str
    stated: Mapping[str, JsonValue]
    files: Mapping[str, Path]
    """By SHA-256."""
    prompts: str | None

    @classmethod
    def of(cls, name: str, source: Path, known: Sequence[Path]) -> Plan:
        """Read a run's manifest, and look for its files among those named and those of the command that made it.

        Raises:
            UnstatedError: It is no run folder.
            StudyError: Its manifest cannot be read.
        """
        folder = source if source.is_dir() else source.parent
        if not (folder / MANIFEST).is_file():
            raise UnstatedError(f"{plain(name, limit=60)} is no run folder, so its settings are not known")
        manifest = read_manifest(folder)
        words = manifest.get("command")
        command = [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
        paths, prompts = _named(command)
        plan = manifest["plan"]
        return cls(name, plan if isinstance(plan, dict) else {}, _hashed([*known, *paths]), prompts)

    def section(self, name: str) -> dict[str, JsonValue] | None:
        """Return a part's name and settings; None where the run has no such part.

        Raises:
            UnstatedError: The manifest states no settings, as of a study that was put together in Python.
        """
        settings = self.stated.get("settings")
        if not isinstance(settings, dict):
            raise UnstatedError(
                f"the manifest of {plain(self.name, limit=60)} states no settings of its parts"
            )
        found = settings.get(name)
        if not isinstance(found, dict):
            return None
        own = {PROMPTS: self.prompts} if name == "shopper" and self.prompts is not None else {}
        return {**found, **own}

    def file(self, name: str) -> Path | None:
        """Return the file of ``[data]`` that the run was made with; None where it had none.

        Raises:
            UnstatedError: It is not found.
        """
        data = self.stated.get("data")
        sha256 = data.get(name) if isinstance(data, dict) else None
        if not isinstance(sha256, str):
            return None
        if sha256 not in self.files:
            raise UnstatedError(
                f"the manifest of {plain(self.name, limit=60)} names its [data] {name} by its SHA-256 alone "
                f"({sha256[:12]}…): give that file with --data FILE"
            )
        return self.files[sha256]

    @property
    def learn_arm(self) -> JsonValue:
        """The arm that was learned from; None for all."""
        data = self.stated.get("data")
        return data.get("learn_arm") if isinstance(data, dict) else None


def tuned_study(tuning: Tuning, plans: Sequence[Plan]) -> StudyConfig:
    """Make the study that holds conversations in the proportions that were found.

    What is the study's and not a shopper's (agent, arms, catalogue, personas, turns) is that of the heaviest run.

    Args:
        tuning: What was found; its parts are the runs, in the order of ``plans``, or parts of the one run.
        plans: What the runs were made with.

    Raises:
        UnstatedError: A manifest lacks what the study needs.
    """
    is_runs = tuning.over == "runs"
    weights = [part.weight for part in tuning.parts] if is_runs else [1.0]
    weighted = [(plan, weight) for plan, weight in zip(plans, weights, strict=True) if weight]
    plan = max(weighted, key=lambda each: each[1])[0]
    content: dict[str, object] = {"study": _numbers(plan), "agent": plan.section("agent"), "arm": _arms(plan)}
    data: dict[str, object] = {name: plan.file(name) for name in ("catalogue", "personas")}
    if is_runs and tuning.outcome != "one":
        content["mixture"] = [_component(each, weight) for each, weight in weighted]
    else:
        content |= {"shopper": plan.section("shopper"), "model": plan.section("model")}
    # A mixture's shoppers name what they learn from; its personas are drawn from what the heaviest one does.
    data |= {"real": plan.file("real"), "learn_arm": plan.learn_arm}
    if not is_runs:
        data["persona_weights"] = _persona_weights(tuning, plan)
    content["data"] = {name: value for name, value in data.items() if value is not None}
    try:
        return StudyConfig.model_validate(
            {name: value for name, value in content.items() if value is not None}
        )
    except ValidationError as error:
        raise StudyError(
            f"{plan.name}: its manifest is of no study that can be run: {complaint(error)}"
        ) from error


def differences(plans: Iterable[Plan]) -> list[str]:
    """Say in what the runs differ that a mixture has only one of."""
    told = []
    for name in ("agent", "arms", "max_turns", "personas"):
        if len({repr(plan.stated.get(name)) for plan in plans}) > 1:
            told.append(
                f"the runs differ in their {name.replace('_', ' ')}; the study takes those of the heaviest"
            )
    return told


def _component(plan: Plan, weight: float) -> dict[str, object]:
    data = {"real": plan.file("real"), "learn_arm": plan.learn_arm}
    return {
        "name": plan.name,
        "weight": round(weight, 4),
        "shopper": plan.section("shopper"),
        "model": plan.section("model"),
        "data": {name: value for name, value in data.items() if value is not None},
    }


def _numbers(plan: Plan) -> dict[str, object]:
    named = {
        "name": "tuned",
        **{name: plan.stated.get(name) for name in ("n", "max_turns", "seed", "domain")},
    }
    return {name: value for name, value in named.items() if value is not None}


def _arms(plan: Plan) -> list[object]:
    arms = plan.stated.get("arms")
    listed = arms if isinstance(arms, list) else []
    return [
        {key: each[key] for key in ("name", "fault", "severity") if each.get(key) is not None}
        if isinstance(each, dict)
        else {"name": each}
        for each in listed
    ]


def _persona_weights(tuning: Tuning, plan: Plan) -> dict[str, float]:
    """Return the weight of each persona: its own, or its part of its task's; one that was not weighed has none."""
    ids = plan.stated.get("personas")
    known = [each for each in ids if isinstance(each, str)] if isinstance(ids, list) else []
    weights = dict.fromkeys(known, 0.0)
    for part in tuning.parts:
        members = tuning.members.get(part.name, (part.name,))
        weights |= dict.fromkeys(members, round(part.weight / len(members), 6))
    return weights


def _named(command: Sequence[str]) -> tuple[list[Path], str | None]:
    """Return the files that a command names, those of its study file too, and its folder of prompts."""
    paths: list[Path] = []
    prompts = None
    for word in command:
        value = word.partition("=")[2] if word.startswith("--") else word
        if value.startswith(f"shopper.{PROMPTS}="):
            prompts = value.partition("=")[2]
        paths.append(Path(value))
        if value.endswith(".toml"):
            more, theirs = _of_study(Path(value))
            paths += more
            prompts = prompts or theirs
    return paths, prompts


def _of_study(path: Path) -> tuple[list[Path], str | None]:
    try:
        content = read_toml(path, what="the study", limit=MAX_BYTES)
    except InputError:
        return [], None
    data, shopper = content.get("data"), content.get("shopper")
    paths = (
        [path.parent / value for value in data.values() if isinstance(value, str)]
        if isinstance(data, dict)
        else []
    )
    prompts = shopper.get(PROMPTS) if isinstance(shopper, dict) else None
    return paths, str(path.parent / prompts) if isinstance(prompts, str) else None


def _hashed(paths: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        try:
            if path.is_file():
                with open_input(path) as file:
                    found.setdefault(hashlib.file_digest(file, "sha256").hexdigest(), path)
        except (OSError, ValueError):
            continue
    return found
