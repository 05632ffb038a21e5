"""Raters of known skill in an arena that is really served: they read the pages, answer the forms, and nothing else."""

from __future__ import annotations

import contextlib
import html
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from convsim.schema.conversation import Conversation
from tests.end_to_end.arenas import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION = re.compile(r'<section class="conversation".*?</section>', re.DOTALL)
SAID = re.compile(r'<li class="shopper">.*?<div class="said"[^>]*>(.*?)</div>', re.DOTALL)
TAG = re.compile(r"<[^>]*>")
BLANK = re.compile(r"\s+")
READ = 60
"""Characters of a shopper's first words by which a rater knows a conversation again."""
WAIT_S = 600
N_SENT = 20
T = TypeVar("T")


def first_words(conversation: Conversation) -> str:
    """Return what a rater who reads the page sees first of the shopper, without blanks."""
    said = next(m.content for m in conversation.user_messages)
    return BLANK.sub("", said)[:READ]


def first_words_of_page(page: str) -> list[str]:
    """Return the shoppers' first words on a page, from left to right."""
    found = [SAID.search(section) for section in SECTION.findall(page)]
    return [BLANK.sub("", html.unescape(TAG.sub("", said[1])))[:READ] if said else "" for said in found]


@dataclass(frozen=True)
class Rater:
    """Who tells a conversation that is no person's from a person's with a known probability; else guesses."""

    skill: float
    no_person: frozenset[str]
    """First words of conversations that are no person's, whichever simulator holds them."""

    def choice(self, page: str, rng: np.random.Generator) -> str:
        """Say which side the person is on."""
        left, right = (words in self.no_person for words in first_words_of_page(page))
        if left == right:
            return ("left", "right")[int(rng.integers(2))]
        person = "right" if left else "left"
        other = "left" if left else "right"
        return person if rng.random() < self.skill else other


def skills(middle: float, n: int, rng: np.random.Generator, spread: float = 0.5) -> np.ndarray[Any, Any]:
    """Draw raters' skills: normal on the scale of log odds (Bradley-Terry), about ``middle``."""
    odds = np.log(middle / (1 - middle)) + spread * rng.standard_normal(n)
    skill: np.ndarray[Any, Any] = 1 / (1 + np.exp(-odds))
    return skill


@contextmanager
def served(real: Path, simulated: Sequence[Path], database: Path, *, n: int, seed: int) -> Iterator[int]:
    """Serve ``convsim arena`` in a process of its own on loopback; the port."""
    files = [str(path) for path in (real, *simulated)]
    asked = ["--mode", "pair", "--n", str(n), "--seed", str(seed), "--database", str(database), "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "convsim", "arena", *files, *asked], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        yield int(url.split(":")[2].strip("/"))
        process.send_signal(signal.SIGINT)
        process.wait(WAIT_S)
    finally:
        process.kill()
        process.wait(WAIT_S)


def patiently(send: Callable[[], T]) -> T:
    """Send a request again that a busy machine answered too late; the arena keeps the first of two equal answers."""
    for _ in range(N_SENT):
        with contextlib.suppress(TimeoutError):
            return send()
    return send()


def rate(port: int, raters: Sequence[Rater], *, n: int, seed: int) -> int:
    """Let every rater join and judge every pair; return the number of requests."""
    n_requests = 0
    for number, rater in enumerate(raters):
        rng = np.random.default_rng([seed, number])
        client = Client(port)
        patiently(partial(client.get, "/"))
        patiently(partial(client.post, "/join", f"name=rater+{number}"))
        for place in range(1, n + 1):
            page = patiently(partial(client.get, f"/t/{place}")).body
            form = f"choice={rater.choice(page, rng)}&confidence=2"
            answered = patiently(partial(client.post, f"/t/{place}", form))
            if answered.status != 303:
                raise RuntimeError(f"the arena answered {answered.status} to place {place}")
        n_requests += 2 + 2 * n
    return n_requests


def results(database: Path, answers: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what ``convsim arena --results`` prints, and every answer."""
    done = subprocess.run(
        [sys.executable, "-m", "convsim", "arena", "--results", "--database", str(database), "--answers",
         str(answers), "--format", "json", "--force"],
        capture_output=True, text=True, check=True, timeout=WAIT_S,
    )  # fmt: skip
    return json.loads(done.stdout), [json.loads(line) for line in answers.read_text().splitlines()]


def simulator_of(answer: Mapping[str, Any]) -> str:
    """Return the simulator of the pair that was answered."""
    return next(str(shown["simulator"]) for shown in answer["shown"] if shown["simulator"] is not None)


def accuracies(votes: Sequence[Sequence[int]], names: Sequence[str], *, n_raters: int) -> list[float]:
    """Return each simulator's proportion of right votes among those of the first raters.

    Args:
        votes: The rater's number from 1, the simulator's from 0, and 1 where the vote was right.
        names: Of the simulators.
        n_raters: How many raters count.
    """
    right: Mapping[int, list[int]] = {at: [] for at in range(len(names))}
    for rater, simulator, was_right in votes:
        if rater <= n_raters:
            right[simulator].append(was_right)
    return [float(np.mean(of)) for of in right.values()]
