import asyncio
import gc
import json
import signal
import threading

import pytest

from convsim.errors import AgentError, InputError, StudyError
from convsim.io import open_run
from convsim.schema import AgentReply
from convsim.schema.persona import Persona
from convsim.simulation import Arm, Study
from tests.doubles import Obliging, Told, people, say


def study(**changes) -> Study:
    fields = {"seed": 1, "n": 6, "arms": ("good", "bad"), "max_turns": 2, "concurrency": 3}
    return Study(
        Told(lambda turn: say()), changes.pop("agent", Obliging()), people(4), **{**fields, **changes}
    )


def lines(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "conversations.jsonl").read_text().splitlines()]


def test_a_run_holds_n_conversations_per_arm_with_distinct_ids(tmp_path):
    outcome = study().run(tmp_path / "run")
    held = lines(tmp_path / "run")
    assert (outcome.planned, outcome.held, outcome.missing) == (12, 12, 0)
    assert len({c["id"] for c in held}) == 12
    assert sorted(c["arm"] for c in held) == ["bad"] * 6 + ["good"] * 6


def test_the_same_study_again_holds_nothing_new(tmp_path):
    study().run(tmp_path)
    before = (tmp_path / "conversations.jsonl").read_bytes()
    assert study().run(tmp_path).held == 0
    assert (tmp_path / "conversations.jsonl").read_bytes() == before


def test_another_plan_into_the_same_folder_is_refused_and_names_what_changed(tmp_path):
    study().run(tmp_path)
    with pytest.raises(StudyError, match="max_turns was 2 and is now 5"):
        study(max_turns=5).run(tmp_path)


def test_of_arms_that_changed_only_what_differs_is_named(tmp_path):
    def arms(severity: float) -> tuple[object, ...]:
        agent = Obliging(name=f"obliging+bad={severity:g}")
        return ("a condition with a long name", Arm("bad", agent, "bad", severity))

    study(arms=arms(0.5)).run(tmp_path)
    with pytest.raises(StudyError, match=r"obliging\+bad=0\.5.* and is now .*obliging\+bad=0\.6") as caught:
        study(arms=arms(0.6)).run(tmp_path)
    assert "long name" not in str(caught.value)


def test_a_half_line_is_cut_and_its_conversation_held_again(tmp_path):
    study().run(tmp_path)
    whole = (tmp_path / "conversations.jsonl").read_bytes()
    (tmp_path / "conversations.jsonl").write_bytes(whole[:-25])
    assert study().run(tmp_path).held == 1
    assert len({c["id"] for c in lines(tmp_path)}) == len(lines(tmp_path)) == 12


def test_one_conversations_failure_touches_no_other(tmp_path):
    calls = iter(range(10**6))

    def sometimes() -> AgentReply:
        if next(calls) == 4:
            raise AgentError("gone")
        return AgentReply(content="ok")

    outcome = study(agent=Obliging(reply_with=sometimes)).run(tmp_path)
    assert (outcome.held, outcome.failed) == (12, 1)
    assert [c["failure"]["reason"] for c in lines(tmp_path) if "failure" in c] == ["gone"]


def test_failed_conversations_are_held_again_when_asked(tmp_path):
    def gone() -> AgentReply:
        raise AgentError("gone")

    outcome = study(agent=Obliging(reply_with=gone)).run(tmp_path, fail_fast=False)
    assert (outcome.failed, outcome.commonest_reason) == (12, "gone")
    marked = json.loads((tmp_path / "manifest.json").read_text())["outcome"]
    assert marked == {"conversations": 12, "failed": 12, "too_many_failed": True}
    assert study().run(tmp_path).held == 0
    assert study().run(tmp_path, retry_failed=True).held == 12
    assert json.loads((tmp_path / "manifest.json").read_text())["outcome"]["too_many_failed"] is False
    assert not [c for c in lines(tmp_path) if "failure" in c]


def test_a_spent_budget_stops_in_good_order_and_the_rest_is_missing(tmp_path):
    outcome = study(budget_usd=0.05, concurrency=1).run(tmp_path)
    assert (outcome.stop, outcome.held, outcome.missing) == ("budget", 3, 9)
    assert study(budget_usd=9.0, concurrency=1).run(tmp_path).missing == 0


def test_text_that_no_file_can_hold_is_a_failure_record_and_loses_no_other(tmp_path):
    calls = iter(range(10**6))
    agent = Obliging(reply_with=lambda: AgentReply(content="\ud800" if next(calls) == 4 else "ok"))
    assert study(agent=agent).run(tmp_path).held == 12
    [reason] = [c["failure"]["reason"] for c in lines(tmp_path) if "failure" in c]
    assert reason.startswith("obliging answered with half a character")


async def test_run_refuses_inside_a_running_loop_and_says_what_to_await(tmp_path):
    with pytest.raises(
        InputError, match=r"Study\.run cannot be called .* write await study\.arun\(folder\)$"
    ):
        study().run(tmp_path / "run")
    assert not (tmp_path / "run").exists()


async def test_arun_holds_what_run_holds_in_the_loop_and_thread_of_its_caller(tmp_path):
    where = set()

    def note() -> AgentReply:
        where.add((asyncio.get_running_loop(), threading.get_ident()))
        return AgentReply(content="this one?")

    agent = Obliging(reply_with=note)
    outcome = await study(agent=agent).arun(tmp_path / "here")
    assert where == {(asyncio.get_running_loop(), threading.get_ident())}
    there = await asyncio.to_thread(
        study(agent=Obliging(reply_with=lambda: AgentReply(content="this one?"))).run, tmp_path / "there"
    )
    assert (outcome.held, outcome.stop) == (there.held, there.stop) == (12, "finished")
    held, again = (sorted(c["id"] for c in lines(tmp_path / name)) for name in ("here", "there"))
    assert held == again


async def test_the_loop_of_the_caller_keeps_its_ctrl_c_and_its_garbage_collector(tmp_path):
    seen = []

    def note() -> AgentReply:
        seen.append((signal.getsignal(signal.SIGINT), gc.get_threshold()))
        return AgentReply(content="this one?")

    before = (signal.getsignal(signal.SIGINT), gc.get_threshold())
    await study(agent=Obliging(reply_with=note)).arun(tmp_path)
    assert set(seen) == {before}


async def test_two_studies_are_held_side_by_side_in_one_loop(tmp_path):
    held = await asyncio.gather(*(study(name=name).arun(tmp_path / name) for name in ("a", "b")))
    assert [outcome.held for outcome in held] == [12, 12]


async def test_a_cancelled_arun_keeps_what_has_ended_and_the_same_call_goes_on(tmp_path):
    ended = asyncio.Event()
    slow = study(agent=Obliging(seconds=0.01), n=50, max_turns=3)
    task = asyncio.create_task(
        slow.arun(tmp_path, on_change=lambda progress: ended.set() if progress.ended >= 4 else None)
    )
    await ended.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others
    kept = len(lines(tmp_path))
    assert 4 <= kept < 100
    outcome = await study(n=50, max_turns=3).arun(tmp_path)
    assert (outcome.held, outcome.missing) == (100 - kept, 0)
    assert len({c["id"] for c in lines(tmp_path)}) == len(lines(tmp_path)) == 100


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(StudyError, match="contains other files"):
        study().run(tmp_path)


def test_two_writers_of_one_run_are_kept_apart(tmp_path):
    one = study()
    with (
        open_run(tmp_path, one.manifest()),
        pytest.raises(StudyError, match="another convsim process is writing"),
    ):
        one.run(tmp_path)


def test_a_control_that_is_known_only_afterwards_is_refused():
    late = Persona.model_validate(
        {"id": "p", "need": "x", "patience": {"value": "low", "known": "afterwards"}}
    )
    with pytest.raises(InputError, match="patience is known only afterwards"):
        Study(Told(lambda turn: say()), Obliging(), [late], seed=1)


def test_more_conversations_at_a_time_change_nothing_but_their_order(tmp_path):
    study(concurrency=1).run(tmp_path / "a")
    study(concurrency=12).run(tmp_path / "b")
    held = [
        sorted((c["id"], c["ending"], [m["content"] for m in c["messages"]]) for c in lines(tmp_path / name))
        for name in "ab"
    ]
    assert held[0] == held[1]


def test_an_arm_may_bring_its_own_agent_and_what_degrades_it_is_kept(tmp_path):
    worse = Obliging(name="obliging+bad=0.5", reply_with=lambda: AgentReply(content="what?"))
    study(arms=("good", Arm("bad", worse, "bad", 0.5))).run(tmp_path)
    held = {(c["arm"], c["agent"], c.get("fault"), c.get("severity")) for c in lines(tmp_path)}
    assert held == {("good", "obliging", None, None), ("bad", "obliging+bad=0.5", "bad", 0.5)}
    plan = json.loads((tmp_path / "manifest.json").read_text())["plan"]
    assert plan["arms"] == [
        "good", {"name": "bad", "agent": "obliging+bad=0.5", "fault": "bad", "severity": 0.5}
    ]  # fmt: skip
