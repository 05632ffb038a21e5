"""Runs of the shopper ``hybrid`` against people in the arena, in a real browser."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from convsim.io import Transcripts, read
from convsim.shoppers import Hybrid
from convsim.simulation import Study, draw_personas, make_agent
from convsim.web.blind_test import prepare
from convsim.web.blind_test.answers import answers
from tests.end_to_end.arenas import running
from tests.unit.shoppers.policies.known import DEPENDS, simulated_world
from tests.unit.shoppers.test_hybrid import LEAVES, SAYS, Decides

if TYPE_CHECKING:
    from playwright.sync_api import Browser

POLICIES = {"stays": SAYS, "leaves": LEAVES, "both": Decides({"say": 0.5, "accept": 0.25, "leave": 0.25})}
PLACES = 6


def test_hybrid_runs_stand_in_the_arena_under_names_of_their_own_and_no_page_tells_a_rater(
    browser: "Browser", tmp_path: Path
) -> None:
    people = simulated_world(DEPENDS, n_users=30, seed=2).conversations
    real = Transcripts(
        path=Path("people.jsonl"), sha256="r", conversations=tuple(people[30:]), format="convsim"
    )
    runs = []
    for name, policy in POLICIES.items():
        study = Study(
            Hybrid(people[:30], policy=policy), make_agent("retrieval"), draw_personas(people[:30], 8, seed=1),
            seed=1, n=8, max_turns=4, name=name,
        )  # fmt: skip
        with ThreadPoolExecutor(1) as elsewhere:  # the browser's loop runs in this thread
            runs.append(read(elsewhere.submit(study.run, tmp_path / name).result(60).folder))
    made = prepare(real, runs, mode="single", n=PLACES, seed=5)
    assert made.simulators == tuple(f"hybrid ({name})" for name in POLICIES)
    with running(tmp_path / "arena.sqlite", made) as served:
        page = browser.new_page()
        page.set_default_timeout(15_000)
        page.goto(served.url)
        page.get_by_label("Your name").fill("Ada")
        page.get_by_role("button", name="Start").click()
        for place in range(1, PLACES + 1):
            page.wait_for_url(re.compile(f"/t/{place}$"))
            whole = page.content().lower()
            assert not [
                told for told in ("hybrid", "policy", *POLICIES) if re.search(rf"\b{told}\b", _code(whole))
            ]
            said = page.locator(".said").all_inner_texts()
            assert said
            assert all(text.strip() for text in said)  # an end without words is no message
            page.locator(".choice input").first.check()
            page.get_by_label("Leaning", exact=True).check()
            page.get_by_role("button", name="Save and continue").click()
        page.wait_for_load_state("networkidle")
        page.close()
        shown = [made.simulator_of(made.trials[each.trial]) for each in answers(served.database)]
    assert len(shown) == PLACES
    assert {*shown} == {None, *made.simulators}


def _code(page: str) -> str:
    """Return a page without what shoppers and agent say: they may speak of leaves."""
    return re.sub(r">[^<]*<", "><", page)
