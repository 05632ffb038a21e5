"""The real sets that evidence is drawn from: where to get each, and how its people are divided."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import convsim
from convsim.errors import InputError
from convsim.io import Transcripts
from convsim.io.splitting import By, Halves

GEMINI, GPT = "gemini-2.0-pro-exp-02-05", "gpt-4-turbo-preview"
AGENTS = (GEMINI, "deepseek-v3", "claude-3-7-sonnet-20250219", GPT)
"""Of RecLLMSim."""


@dataclass(frozen=True)
class RealSet:
    """One set of conversations; convsim reads it as it is published."""

    name: str
    begins: str
    """How the name of its file or folder begins, in the folder of the sets."""
    about: str
    home: str
    by: By = "user"
    """What is kept in one half: a user's conversations where users are known."""


RECLLMSIM = "github.com/wzf2000/RecLLMSim"
PEOPLE = RealSet(
    "RecLLMSim",
    "recllmsim_people",
    "people with four LLM assistants, in Chinese, each answer rated",
    RECLLMSIM,
)
LLM_USERS = RealSet("RecLLMSim's LLM users", "recllmsim_llm_zh", "LLM users of the same tasks", RECLLMSIM)
REDIAL = RealSet(
    "ReDial", "redial", "seekers of films with people who recommend", "github.com/ReDialData/website"
)
SIMMC = RealSet(
    "SIMMC 2",
    "simmc2",
    "flows in a fashion shop, each line paraphrased by a person",
    "github.com/facebookresearch/simmc2",
    "conversation",
)
CRSARENA = RealSet(
    "CRSArena", "crsarena", "crowd workers with nine film recommenders", "github.com/informagi/face"
)
STAR = RealSet(
    "STAR",
    "star",
    "crowd workers with a wizard, in 13 everyday tasks",
    "github.com/RasaHQ/STAR",
    "conversation",
)
SETS = (PEOPLE, REDIAL, SIMMC, CRSARENA, STAR)


@cache
def read(folder: Path, of: RealSet) -> Transcripts:
    """Read one set; raises InputError where the folder has none."""
    found = sorted(folder.glob(f"{of.begins}*"))
    if not found:
        raise InputError(
            f"{folder}: nothing there begins with {of.begins!r}: get {of.name} from {of.home} and name its file, or "
            "folder, so"
        )
    return convsim.read(found[0])


def halves(folder: Path, of: RealSet, seed: int) -> Halves:
    """Deal a set's people to two halves at random."""
    return convsim.split(read(folder, of), by=of.by, fraction=0.5, seed=seed)
