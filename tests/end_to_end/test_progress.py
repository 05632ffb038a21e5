"""What a command says while it works: on a terminal, through a pipe, with -v, -q and --log-json, and of failures."""

import asyncio
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.commands import environment, typed
from tests.end_to_end.faulty_server import answered, body, faulty
from tests.end_to_end.runs import prepare
from tests.end_to_end.validating import line, written
from tests.unit.models.loopback import Reply, Request, answering, failure

CLEARED = "\r\x1b[2K"
SHOWN_EARLY = {"_CONVSIM_PROGRESS": "0.01,0.05"}
N = 6
ANNOTATORS = """
import asyncio

async def slow(conversation):
    await asyncio.sleep(0.2)
    return {"mood": len(conversation.messages)}

async def failing(conversation):
    raise ValueError("no label, \\x1b[2J\\u202e really\\nerror: a line of its own " + "x" * 5000)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare(tmp_path)
    (tmp_path / "slowly.py").write_text(ANNOTATORS)
    written(tmp_path / "logs.jsonl", [line(n) for n in range(N)])
    return tmp_path


def annotating(*more: str, by: str = "slow") -> tuple[str, ...]:
    return (
        "annotate", "logs.jsonl", "--with", f"slowly:{by}", "--out", "out.jsonl", "--concurrency", "1", "--force",
        *more,
    )  # fmt: skip


def run(folder: Path, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return typed(*words, cwd=folder, env={**os.environ, **SHOWN_EARLY, **variables})


def records(said: str) -> list[dict]:
    """Parse every line; each has the same five keys."""
    parsed = [json.loads(each) for each in said.splitlines()]
    assert parsed
    assert all(set(each) == {"time", "level", "logger", "message", "fields"} for each in parsed)
    return parsed


def on_a_terminal(folder: Path, *words: str, **variables: str) -> str:
    """Run a command whose stderr and stdout are a terminal, and return all that the terminal was sent."""
    ours, theirs = pty.openpty()
    env = {**environment(), **SHOWN_EARLY, "TERM": "xterm", "COLUMNS": "100", **variables}
    with subprocess.Popen(
        [sys.executable, "-m", "convsim", *words],
        cwd=folder,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        sent = b""
        try:
            while more := os.read(ours, 65_536):
                sent += more
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    return sent.decode()


def seen(sent: str) -> list[str]:
    """Return the lines that stay on the terminal."""
    return [each.rpartition(CLEARED)[2].strip("\r") for each in sent.split("\n")]


def test_a_terminal_shows_what_is_done_and_how_far_and_keeps_none_of_it(folder):
    sent = on_a_terminal(folder, *annotating())
    drawn = re.findall(r"labelling with slow[^,]*, (\d) of 6", sent)
    assert drawn
    assert drawn == sorted(drawn)
    kept = seen(sent)
    assert kept[-2:] == ["wrote out.jsonl", ""]
    assert not any("labelling" in each for each in kept)


def test_a_dumb_terminal_is_sent_lines_and_a_quiet_command_draws_nothing(folder):
    sent = on_a_terminal(folder, *annotating(), TERM="dumb")
    assert CLEARED not in sent
    assert re.search(r"(?m)^\d+ s: labelling with slow.*, \d of 6", sent)
    assert on_a_terminal(folder, "-q", *annotating()).count("\n") == 1  # the result


def test_without_a_terminal_there_are_lines_with_the_same(folder):
    done = run(folder, *annotating())
    assert done.returncode == 0
    assert re.search(r"(?m)^\d+ s: labelling with slow.*, \d of 6", done.stderr)
    assert "\x1b" not in done.stderr
    assert done.stdout == ""


def test_what_ends_soon_says_nothing_of_progress(folder):
    done = typed(*annotating(), cwd=folder)
    assert [*map(str.strip, done.stderr.splitlines())][-1] == "wrote out.jsonl"
    assert " s: " not in done.stderr


@pytest.mark.parametrize("place", ["before", "after", "variable"])
def test_records_of_progress_say_the_same_in_fields(folder, place):
    asked = annotating()
    done = {
        "before": lambda: run(folder, "--log-json", *asked),
        "after": lambda: run(folder, *asked, "--log-json"),
        "variable": lambda: run(folder, *asked, CONVSIM_LOG_JSON="1"),
    }[place]()
    said = records(done.stderr)
    shown = [each for each in said if each["logger"] == "convsim.progress"]
    labelling = [each["fields"] for each in shown if each["fields"]["what"].startswith("labelling")]
    assert labelling
    assert {each["total"] for each in labelling} == {N}
    assert all(0 <= each["done"] <= N and each["failed"] == 0 for each in labelling)
    assert said[-1] | {"time": ""} == {
        "time": "", "level": "info", "logger": "convsim.cli", "message": "wrote out.jsonl", "fields": {}
    }  # fmt: skip


def test_a_wrong_word_is_a_record_too_and_so_is_what_plugins_print(folder):
    (folder / "loud.py").write_text(
        "import sys, warnings\n"
        "def label(conversation):\n"
        "    print('printed', file=sys.stderr)\n"
        "    sys.stderr.write('unfinished')\n"
        "    return {'mood': 1}\n"
    )
    [wrong] = records(run(folder, "validate", "a", "b", "--sed", "1", "--log-json").stderr)
    assert (wrong["level"], wrong["logger"]) == ("error", "convsim.cli")
    assert "did you mean --seed?" in wrong["message"]
    asked = ("annotate", "logs.jsonl", "--with", "loud:label", "--out", "out.jsonl", "--log-json")
    said = records(run(folder, *asked).stderr)
    printed = [each["message"] for each in said if each["logger"] == "stderr"]
    assert "".join(printed).count("printed") == N  # conversations are labelled side by side


def test_more_is_said_before_and_after_the_name_of_a_command_and_the_data_stay_the_same(folder):
    describe = ("data", "describe", "logs.jsonl", "--format", "json")
    plain = typed(*describe, cwd=folder)
    said = {
        words: typed(*words, cwd=folder)
        for words in (
            ("-v", *describe), (*describe, "-v"), ("-q", *describe), (*describe, "-vv", "--log-json"),
        )
    }  # fmt: skip
    assert {each.stdout for each in said.values()} == {plain.stdout}
    before, after, quiet, _ = said.values()
    for each in (before, after):
        assert each.stderr.count(" info io: read 6 conversations from logs.jsonl") == 1
    assert quiet.stderr == ""
    assert "read 6" not in plain.stderr


@pytest.mark.parametrize(
    ("words", "variables", "code", "expected"),
    [
        (("-v", "data", "list", "-q"), {}, 2, "error: -v says more and -q says less: give one of them\n"),
        (("data", "list"), {"CONVSIM_VERBOSE": "loud"}, 0, "warning: CONVSIM_VERBOSE has no effect"),
        (("data", "list", "-v"), {"CONVSIM_QUIET": "1", "CONVSIM_VERBOSE": "loud"}, 0, ""),
    ],
)
def test_what_contradicts_itself_is_refused_and_what_cannot_be_read_is_warned_of(
    folder, words, variables, code, expected
):
    done = run(folder, *words, **variables)
    assert done.returncode == code
    assert done.stderr.startswith(expected)


def test_quiet_leaves_the_reason_of_a_failure_and_nothing_else(folder):
    done = run(folder, *annotating(by="failing"), "-q")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "warning" not in done.stderr
    [only] = records(run(folder, "validate", "nowhere.jsonl", "logs.jsonl", "-q", "--log-json").stderr)
    assert only["level"] == "error"


def test_the_first_failure_is_said_at_once_in_one_harmless_line_and_others_like_it_are_counted(folder):
    done = run(folder, *annotating("--log-json", by="failing"))
    said = records(done.stderr)
    first = next(n for n, each in enumerate(said) if "could not be labelled: " in each["message"])
    assert said[first]["level"] == "warning"
    assert said[first]["fields"]["first_of_its_kind"] is True
    assert len(said[first]["message"]) < 500
    assert sum(each["level"] == "warning" for each in said) == 1
    plain = run(folder, *annotating(by="failing")).stderr
    assert "\x1b" not in plain
    assert "\u202e" not in plain
    assert not any(each.startswith("error: a line of its own") for each in plain.splitlines())
    each_one = run(folder, *annotating("-v", by="failing")).stderr
    assert len(re.findall(r" (?:info|warning) annotation\.run: a conversation could not be", each_one)) == N


SIMULATE = (
    "simulate", "--shopper", "mine:Brief", "--catalogue", "items.jsonl", "--personas", "people.toml", "--agent", "http",
    "--n", "4", "--max-turns", "2", "--out", "run", "--concurrency", "1",
)  # fmt: skip


def http_at(port: int, **settings: object) -> tuple[str, ...]:
    stated = {"url": f"http://127.0.0.1:{port}/reply", **settings}
    return tuple(word for name, value in stated.items() for word in ("--set", f"agent.{name}={value}"))


MODEL = (
    "simulate", "--shopper", "prompted", "--model", "openai_compatible", "--set", "model.model=m", "--set",
    "model.base_url=http://127.0.0.1:9/v1", "--catalogue", "items.jsonl", "--personas", "people.toml",
    "--agent", "mine:Slow", "--n", "4", "--max-turns", "2", "--out", "run", "--concurrency", "1", "--no-fail-fast",
    "--set", "model.max_retries=1",
)  # fmt: skip


def test_an_unreachable_server_is_said_with_the_first_request_and_with_v_with_every_one(folder):
    said = run(folder, *MODEL).stderr.splitlines()
    retried = [n for n, each in enumerate(said) if "cannot be reached" in each and "trying again in" in each]
    failed = [n for n, each in enumerate(said) if each.startswith("warning: a conversation failed: ")]
    [ended] = [n for n, each in enumerate(said) if "ran 4 of 4 conversations" in each]
    assert (len(retried), len(failed)) == (1, 1)
    assert retried < failed < [ended]
    every = run(folder, *MODEL, "--retry-failed", "-v").stderr
    assert len(re.findall(r"retries: .*trying again in", every)) >= 4
    assert len(re.findall(r"runner: a conversation failed: ", every)) == 4


async def test_requests_that_a_server_puts_off_are_counted_and_the_first_is_said(folder):
    def good(request: Request) -> Reply:
        return answered(200, body("http"))

    busy = failure(429, "slow down", Retry_After="0")
    replies = [lambda _: busy, lambda _: busy, good, lambda _: busy, good]
    async with answering(*replies) as server:
        done = await asyncio.to_thread(run, folder, *SIMULATE, *http_at(server.port), "--log-json", "-v")
    said = records(done.stderr)
    put_off = [each for each in said if "429" in each["message"] and "trying again" in each["message"]]
    assert [each["level"] for each in put_off] == ["warning", "info", "info"]
    assert [each["fields"]["tries"] for each in put_off] == [1, 2, 1]
    assert done.returncode == 0


async def test_a_server_that_asks_for_a_day_is_one_line_with_the_reason(folder):
    (folder / "people.toml").write_text('[[persona]]\nid = "a"\ntask = "t"\nneed = "boots mode-429"\n')
    async with answering(faulty("http", lambda _: answered(200, body("http")))) as server:
        done = await asyncio.to_thread(run, folder, *SIMULATE, *http_at(server.port), "--allow-failures")
    said = [each for each in done.stderr.splitlines() if each.startswith("warning: a conversation failed")]
    assert len(said) == 1
    assert "status 429" in said[0]
    assert "86400 s" in said[0]
