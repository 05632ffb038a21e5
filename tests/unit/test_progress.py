import asyncio
import logging
import subprocess
import sys

import pytest

import convsim
from convsim._async import in_thread, run_to_its_end
from convsim._progress import MAX_KINDS, Step, duration, innermost, progress_to, step
from convsim.errors import InputError
from tests.end_to_end.commands import environment

LOG = logging.getLogger("convsim.of_a_test")


def test_steps_stand_in_one_another_and_end():
    told: list[tuple[str, int, bool]] = []
    with progress_to(lambda each: told.append((str(each), each.done, each.is_over))):
        with step("outer", 2) as outer:
            outer.at(now="first")
            with step("inner", 3) as inner:
                inner.advance(2)
                assert inner.path == [outer, inner]
                assert innermost() is inner
            assert innermost() is outer
        assert innermost() is None
    assert told == [
        ("outer, 0 of 2", 0, False),
        ("outer: first, 0 of 2", 0, False),
        ("outer: first, 0 of 2; inner, 0 of 3", 0, False),
        ("outer: first, 0 of 2; inner, 2 of 3", 2, False),
        ("outer: first, 0 of 2; inner, 2 of 3", 2, True),
        ("outer: first, 0 of 2", 0, True),
    ]


def test_a_step_of_threads_and_loops_is_told_to_who_listened_outside():
    told: list[str] = []

    def work() -> None:
        with step("in a thread"):
            pass

    async def inside() -> None:
        with step("in a loop"):
            await in_thread(work)

    async def within_a_loop() -> None:
        run_to_its_end(inside)

    with progress_to(lambda each: told.append(str(each) if not each.is_over else "")):
        run_to_its_end(inside)
        asyncio.run(within_a_loop())
    assert told.count("in a loop; in a thread") == 2


def test_rates_and_the_time_left_leave_out_what_was_done_before(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("convsim._progress.time.monotonic", lambda: now[0])
    with step("running", 70, unit="conversations", done=10) as at:
        assert (at.rate_per_s, at.seconds_left) == (None, None)
        now[0] = 110.0
        at.at(30)  # 20 in 10 s; 40 are left
        assert at.rate_per_s == pytest.approx(2.0)
        assert at.seconds_left == pytest.approx(20.0)
        at.cost_usd = 0.126
        assert str(at) == "running, 30 of 70, 2.0/s, $0.13, 20 s left"
        assert at.record()["seconds_left"] == 20.0
        left = []
        for now[0] in (115.0, 125.0, 131.0):  # a part takes long: the rate stays, and what is left grows less
            left.append(at.seconds_left)
        assert left == [pytest.approx(15.0), pytest.approx(5.0), None]
        assert str(at) == "running, 30 of 70, 2.0/s, $0.13"
        at.at(70)
        assert at.seconds_left == 0.0
    with step("ranking", 4, unit="simulators") as few:
        now[0] += 10
        few.advance()
        assert few.rate_per_s == pytest.approx(0.1)
        assert few.seconds_left is None
    with step("uneven", 9) as uneven:
        now[0] = 200.0
        uneven.at(3)
        assert uneven.seconds_left is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59.4, "59 s"), (185, "3 min 5 s"), (7620, "2 h 7 min")]
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_the_first_of_each_kind_is_a_warning_and_kinds_are_bounded(caplog):
    caplog.set_level(logging.INFO, logger="convsim")
    with step("running") as at:
        for n in range(3):
            at.fail(f"conversation '{n}' failed after {n} s", LOG, n=n)
        for n in range(50):
            at.fail("x" * (n + 1), LOG)
        at.retry("busy", LOG)
    levels = [record.levelname for record in caplog.records]
    assert levels[:3] == ["WARNING", "INFO", "INFO"]
    assert levels.count("WARNING") == MAX_KINDS + 1
    assert at.failures.total() == 53
    assert len(at.failures) == MAX_KINDS + 1
    assert str(at) == "running, 53 failed, 1 retry"
    assert caplog.records[0].fields == {"n": 0, "first_of_its_kind": True}


class UnsaidError(Exception):
    def __str__(self) -> str:
        raise LookupError("no words")


@pytest.mark.parametrize(
    ("raised", "said"),
    [(RuntimeError("no screen"), "RuntimeError: no screen"), (UnsaidError(), "UnsaidError")],
)
def test_a_listener_that_raises_is_told_no_more_and_the_work_goes_on(caplog, raised, said):
    told: list[int] = []

    def show(each: Step) -> None:
        told.append(each.done)
        raise raised

    def work() -> None:
        with step("in a thread") as at:
            at.advance()

    with progress_to(show), step("running", 3) as at:
        at.advance(3)
        asyncio.run(in_thread(work))
    assert (at.done, told) == (3, [0])
    [record] = caplog.records
    assert (record.levelname, record.name) == ("WARNING", "convsim.progress")
    assert record.getMessage().endswith(f"is told no more: {said}")


def test_ctrl_c_in_a_listener_ends_the_work():
    def show(each: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), progress_to(show), step("running"):
        raise AssertionError("it has not begun")
    assert innermost() is None


async def later(each: Step) -> None:
    raise AssertionError("nobody waits for it")


@pytest.mark.parametrize("wrong", [5, None, "print", later])
def test_what_is_no_function_is_refused_at_once(wrong):
    with pytest.raises(InputError, match="progress_to: expected a function that is not async, but it is "):
        progress_to(wrong)


def test_validate_tells_each_validator_by_name(tmp_path):
    from tests.end_to_end.validating import line, written

    real = written(tmp_path / "real.jsonl", [line(n) for n in range(20)])
    simulated = written(tmp_path / "sim.jsonl", [line(n + 500, simulator="bot") for n in range(20)])
    told: list[str] = []
    with convsim.progress_to(lambda each: told.append(str(each))):
        convsim.validate(real, simulated, validators="marginals", seed=1)
    assert "running validators: marginals, 0 of 1" in told
    assert "reading real.jsonl" in told


def test_importing_convsim_and_its_parts_configures_no_handler():
    code = (
        "import logging, convsim\n"
        "convsim.validate, convsim.Study, convsim.read\n"
        "import convsim._loggers\n"
        "[only] = logging.getLogger('convsim').handlers\n"
        "assert type(only) is logging.NullHandler and not logging.getLogger().handlers\n"
        "logging.getLogger('convsim.simulation.runner').warning('unheard')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    assert (done.stdout, done.stderr) == ("", "")
