"""A small study for a test, with your own agent or shopper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from convsim._text import one_line
from convsim.errors import ConvsimError, StudyError
from convsim.io.problems import first_problem
from convsim.lifting import AgentLike, ShopperLike
from convsim.simulation import Assembly
from convsim.simulation.config import StudyConfig, read_study

Part = str | Mapping[str, object]
"""A plugin by its name, or by a section of a STUDY.toml."""


def hold_study(
    folder: Path | str,
    *,
    file: Path | str | None = None,
    shopper: Part | ShopperLike | None = None,
    agent: Part | AgentLike | None = None,
    **sections: object,
) -> Path:
    """Hold a study's conversations in ``folder``, and return it: a side for ``convsim.validate``.

    Args:
        folder: The run folder; the same study goes on in it.
        file: A STUDY.toml; without one, all is as in ``convsim simulate``.
        shopper: Your shopper: a function, an object with ``speak``, a plugin's name or a ``[shopper]`` section.
        agent: Your agent: a function, an object with ``reply``, a plugin's name or an ``[agent]`` section.
        sections: Whole sections of a STUDY.toml, which replace the file's, such as ``study={"n": 60, "seed": 3}``,
            ``data={"real": "people.jsonl"}``, ``arm=[{"name": "good"}]``.

    Raises:
        InputError: The study cannot be held as asked.
        ConvsimError: Every conversation failed, or some are missing because the budget is spent.
    """
    for name, part in (("shopper", shopper), ("agent", agent)):
        if part is not None:
            sections[name] = _section(part)
    own_shopper = None if isinstance(shopper, str | Mapping) else shopper
    own_agent = None if isinstance(agent, str | Mapping) else agent
    assembly = Assembly(_config(file, sections), shopper=own_shopper, agent=own_agent)
    outcome = assembly.study().run(folder)
    if outcome.missing or outcome.failed == outcome.planned:
        why = one_line(outcome.commonest_reason or outcome.stop)
        raise ConvsimError(
            f"{folder}: of {outcome.planned} conversations {outcome.failed} failed and {outcome.missing} "
            f"are missing: {why}"
        )
    return outcome.folder


def _section(part: object) -> object:
    """Say a part as a STUDY.toml would; an object is said by its name, so that manifests tell objects apart."""
    if isinstance(part, Mapping):
        return part
    if isinstance(part, str):
        return {"name": part}
    kind = part if hasattr(part, "__qualname__") else type(part)
    return {"name": "python", "target": f"{kind.__module__}:{getattr(kind, '__qualname__', kind)}"}


def _config(file: Path | str | None, sections: Mapping[str, object]) -> StudyConfig:
    stated = read_study(Path(file)).model_dump() if file is not None else {}
    document = {**stated, **sections}
    try:
        config = StudyConfig.model_validate(document)
    except ValidationError as error:
        bad = first_problem(error, document)
        raise StudyError(f"the study: {bad.field or 'a section'}: {bad.problem}") from None
    return config.with_flags({})
