"""What goes to another process: a study, as what it is made from or as it is, and each conversation as four numbers."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsim._sending import pickled
from convsim.errors import StudyError
from convsim.schema.persona import Persona
from convsim.simulation.config import StudyConfig
from convsim.simulation.loop import Planned

if TYPE_CHECKING:
    from convsim.simulation.study import Study

WHAT = "the study"
Order = tuple[int, int, int | None, int]
"""Which persona, arm and component of a mixture, each by its place in the study, and for the how manieth time."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A study on its way to other processes."""

    config: StudyConfig | None
    """What the study is made from, in each process anew; None where ``study`` itself is sent."""
    study: bytes
    n: int
    personas: Sequence[Persona]
    plan: str
    """The hash of what the study's manifest says of it."""
    share: int
    """How many conversations a worker holds at a time, at most."""
    workers: int
    """How many ask the same endpoints."""
    record: bool
    folder: str
    path: Sequence[str]
    """Where this process looks for modules, such as those of somebody's agent."""


def sent(
    study: Study, config: StudyConfig | None, *, share: int, workers: int, record: bool, by_value: Any = None
) -> bytes:
    """Return a study as bytes; ``by_value`` is a ``cloudpickle``, which sends functions of scripts and notebooks, too.

    Raises:
        StudyError: A part of it cannot be sent.
    """
    base = pickle.Pickler if by_value is None else by_value.Pickler
    whole = Sent(
        config=config,
        study=b"" if config is not None else pickled(study, base, WHAT),
        n=study.n,
        personas=study.personas,
        plan=_plan_of(study),
        share=share,
        workers=workers,
        record=record,
        folder=os.getcwd(),  # noqa: PTH109  (a text)
        path=sys.path,
    )
    return pickled(whole, base, WHAT)


def received(whole: bytes) -> tuple[Study, Sent]:
    """Make the study that was sent, in a worker.

    Raises:
        InputError: A part of it is not there, or the study is another here: a file differs.
    """
    said: Sent = pickle.loads(whole)  # noqa: S301  (from the process that started this one)
    sys.path[:] = dict.fromkeys([*sys.path, *said.path])
    if Path(said.folder).is_dir():
        os.chdir(said.folder)
    study: Study
    if said.config is None:
        study = pickle.loads(said.study)  # noqa: S301
    else:
        from convsim.simulation.build import Assembly

        study = replace(Assembly(said.config).study(), n=said.n, personas=said.personas)
    if _plan_of(study) != said.plan:
        raise StudyError(
            "the study is another in a worker: files that it names (data, prompts, modules) must be the same there"
        )
    return study, said


def _plan_of(study: Study) -> str:
    plan = json.dumps(study.manifest()["plan"], sort_keys=True)
    return hashlib.sha256(plan.encode()).hexdigest()


class Orders:
    """Says conversations of a study as numbers."""

    def __init__(self, study: Study):
        self._personas = {id(persona): place for place, persona in enumerate(study.personas)}
        self._arms = {arm.name: place for place, arm in enumerate(study.conditions)}
        self._components = {each.name: place for place, each in enumerate(study.mixture)}

    def of(self, planned: Planned) -> Order:
        """Return the numbers of one conversation."""
        component = None if planned.component is None else self._components[planned.component]
        return self._personas[id(planned.persona)], self._arms[planned.arm.name], component, planned.repeat


def planned_by(study: Study, order: Order) -> Planned:
    """Return the conversation that the numbers say."""
    persona, arm, component, repeat = order
    of = None if component is None else study.mixture[component]
    return Planned(
        study=study.name, shopper=of.shopper if of else study.shopper, persona=study.personas[persona],
        arm=study.conditions[arm], model=of.model if of else study.model, repeat=repeat, seed=study.seed,
        opening=study.opening, component=of.name if of else None,
    )  # fmt: skip
