"""Validators as tasks of a Ray cluster on this machine: what is found there, and what becomes of a lost worker."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convsim
from convsim._cluster import cluster
from convsim.evaluation import Scorecard
from convsim.evaluation.on_ray import OnRay
from convsim.schema import BaseValidator, Corpus, Finding
from convsim.schema.conversation import Conversation
from convsim.stats.tasks import NUMBERS_OF_A_TASK, in_tasks, spreading
from tests.populations import crowd

pytestmark = pytest.mark.cluster


@pytest.fixture(autouse=True)
def _needs_ray() -> None:
    pytest.importorskip("ray")


def sides(n: int) -> list[list[Conversation]]:
    rng = np.random.default_rng(0)
    return [crowd(rng, n, wordy=0.5, prefix=side, simulated=side == "s") for side in "rs"]


def validated(*validators: Any, engine: str, n: int = 12) -> Scorecard:
    return convsim.validate(*sides(n), seed=3, validators=list(validators) or None, engine=engine)


def test_all_validators_find_the_same_to_the_byte_on_a_cluster():
    assert (
        validated(engine="ray", n=60).model_dump_json() == validated(engine="local", n=60).model_dump_json()
    )


def killed(times: int, folder: Path) -> object:
    """A validator whose worker is killed so many times; of a class that no module has, so that it travels whole."""
    here = os.getpid()

    class Killed:
        name = "killed"

        def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
            begun = len(list(folder.iterdir()))
            (folder / str(begun)).touch()
            if begun < times and os.getpid() != here:
                os.kill(os.getpid(), signal.SIGKILL)
            return [
                Finding(
                    validator=self.name, metric="ended", question="Does it end?", unit="-", verdict="undecided",
                    reason=f"begun {begun + 1} times, here: {os.getpid() == here}", n_real=0, n_simulated=0,
                    seed=seed, version="1", source="a test",
                )
            ]  # fmt: skip

    return Killed()


def test_a_validator_whose_worker_is_killed_is_run_again(tmp_path: Path):
    [found] = validated(killed(2, tmp_path), engine="ray").findings
    assert found.reason == "begun 3 times, here: False"


class Where(BaseValidator):
    """In which process does it run?"""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()  # which cannot be sent

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        return [self.finding("process", estimate=os.getpid(), verdict="undecided", reason="it is this one")]


class Broken(BaseValidator):
    """Does it raise?"""

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        raise ValueError("no")


def test_what_cannot_be_sent_runs_here_and_what_raises_has_failed_as_it_would_here():
    here, broken = validated(Where(), Broken(), engine="ray").findings
    assert here.estimate == os.getpid()
    [locally] = validated(Broken(), engine="local").findings
    assert broken == locally
    assert json.loads(broken.model_dump_json())["verdict"] == "failed"


def _sum(shared: Sequence[int], piece: int) -> int:
    return shared[piece]


def _sum_of_sums(shared: Sequence[int], piece: int) -> tuple[int, int]:
    return piece + sum(in_tasks(_sum, range(5), shared=shared, n_numbers=NUMBERS_OF_A_TASK)), os.getpid()


def test_pieces_of_pieces_end_on_a_cluster_of_one_processor():
    with cluster(cpus=1) as ray, spreading(OnRay(ray, at_once=3)):
        found = in_tasks(_sum_of_sums, range(4), shared=range(5), n_numbers=NUMBERS_OF_A_TASK)
    assert [total for total, _ in found] == [10, 11, 12, 13]
    assert os.getpid() not in {pid for _, pid in found}


class Warns(BaseValidator):
    """Does it warn?"""

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        log = logging.getLogger("convsim.validators")
        log.debug("not heard")
        log.warning("in process %d", os.getpid(), extra={"fields": {"n": 3}})
        in_tasks(_warn, range(3), shared=None, n_numbers=NUMBERS_OF_A_TASK)
        return []


def _warn(shared: None, piece: int) -> None:
    logging.getLogger("convsim.validators").warning("piece %d", piece)


def test_what_a_worker_logs_is_logged_once_where_it_was_asked(caplog: pytest.LogCaptureFixture):
    validated(Warns(), Broken(), engine="ray")
    said = [record for record in caplog.records if record.name == "convsim.validators"]
    warned = [record for record in said if record.levelno == logging.WARNING]
    own = [record for record in warned if record.getMessage().startswith("in process")]
    assert sorted(record.getMessage() for record in warned if record not in own) == [
        f"piece {n}" for n in range(3)
    ]
    assert [record.getMessage() == f"in process {os.getpid()}" for record in own] == [False]
    assert own[0].__dict__["fields"] == {"n": 3}
    [failed] = [record for record in said if record.levelno == logging.ERROR]
    assert failed.getMessage() == "the validator broken failed"
    assert "ValueError: no" in str(failed.exc_text)
    assert not [record for record in said if record.getMessage() == "not heard"]
