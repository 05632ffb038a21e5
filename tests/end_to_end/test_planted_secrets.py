"""A key is planted with servers that repeat it, programs and plugins that say it, and people who wrote it: no command
brings it to a file, a page, the terminal or a traceback.
"""

import base64
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.end_to_end.commands import typed
from tests.end_to_end.runs import held, prepare
from tests.end_to_end.validating import line, written

KEY = "sk-LEAKME/0123+456789abcdef"
CODED = base64.b64encode(KEY.encode()).decode()[:24]
FORMS = ("LEAKME", quote(KEY, safe="")[:14], CODED)
PLUGINS = """
import base64, os, sys, logging, warnings
from urllib.parse import quote
import convsim

KEY = os.environ["SHOP_KEY"].strip()
FORMS = (KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode(), f"Bearer {KEY}")
n = 0

def agent(conversation):
    global n
    n += 1
    print("on stdout", KEY)
    print("on stderr", KEY, file=sys.stderr)
    logging.getLogger("shop").warning("in a log %s", KEY)
    if n % 2:
        raise ValueError(f"refused: {FORMS[n // 2 % 4]} " + "x" * n + KEY)
    items = [{"id": KEY, "title": KEY, "attributes": {KEY: [KEY]}}]
    return {"content": f"your key is {FORMS[n // 2 % 4]}", "items": items}

@convsim.metric(unit="words")
def leaky(conversation):
    raise ValueError(f"cannot count for {KEY}")

class Crash(BaseException):
    pass

def annotator(conversation):
    raise ValueError(f"no label for {KEY}")

async def dying(conversation):
    raise Crash(KEY)
"""


def echo(request: Request) -> Response:
    """Repeat the key in the next of many ways."""
    said = request.headers["Authorization"]
    answer = {"content": f"your header was {said}", "items": [{"id": "a", "title": said}]}
    message = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": f"it was {said}"},
    }
    good = answer if b"conversation_id" in request.data else {"choices": [message]}
    ways = [
        Response(json.dumps(good), 200),
        Response(json.dumps({"error": {"message": f"Incorrect API key provided: {said}"}}), 401),
        Response(json.dumps({"error": {"message": f"Incorrect API key provided: {quote(said)}"}}), 400),
        Response(f"boom {base64.b64encode(said.encode()).decode()}", 500),
        Response(f"{'.' * 60} {said}", 200),
        Response(json.dumps({said: said}), 200),
        Response(json.dumps([said] * 20), 200),
        Response("{}", 429, {"Retry-After": said}),
        Response("", 302, {"Location": f"http://127.0.0.2/?q={quote(said)}"}),
        Response("{}", f"500 {said}"),
    ]
    asked: Iterator[int] = request.environ["asked"]
    return ways[next(asked) % len(ways)]


@pytest.fixture
def address(httpserver: HTTPServer) -> str:
    asked = itertools.count()

    def answer(request: Request) -> Response:
        request.environ["asked"] = asked
        return echo(request)

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(answer)
    httpserver.expect_request("/reply").respond_with_handler(answer)
    return httpserver.url_for("")


@dataclass(frozen=True)
class Command:
    """Types a command in ``folder``; what it printed and all that lies there then is searched for the key."""

    folder: Path
    inputs: frozenset[Path]
    environment: dict[str, str]

    def __call__(self, *arguments: object, exits: int | None = None) -> str:
        done = typed(*arguments, cwd=self.folder, env=self.environment)
        printed = done.stdout + done.stderr
        assert not any(form in printed for form in FORMS), printed
        assert exits is None or done.returncode == exits, printed
        for path in {path for path in self.folder.parent.rglob("*") if path.is_file()} - self.inputs:
            content = path.read_bytes()
            assert not any(form.encode() in content for form in FORMS), (path, content[:3000])
        return printed


@pytest.fixture
def command(tmp_path: Path) -> Command:
    folder, temporary = tmp_path / "work", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    environment = prepare(folder)
    (folder / "mine.py").write_text(PLUGINS)
    said = {"role": "user", "content": f"my key is {KEY}, boots please"}
    lines = [line(n, messages=[said], user=f"u{n}") for n in range(24)]
    inputs = frozenset(written(folder / name, lines) for name in ("real.jsonl", "sim.jsonl"))
    planted = {
        "SHOP_KEY": f"{KEY}\n",
        "TMPDIR": str(temporary),
        "OPENAI_LOG": "debug",
        "CONVSIM_VERBOSE": "2",
    }
    return Command(folder, inputs, {**environment, **planted})


MODEL = ("--model", "openai_compatible", "--set", "model.model=m", "--set", "model.api_key_env=SHOP_KEY")
DATA = ("--catalogue", "items.jsonl", "--personas", "people.toml", "--real", "real.jsonl")


def test_an_agent_behind_http_that_repeats_the_key(command, address):
    command(
        "simulate", *DATA, "--n", "20", "--max-turns", "3", "--out", "run", "--agent", "http",
        "--set", f"agent.url={address}/reply", "--set", "agent.api_key_env=SHOP_KEY",
    )  # fmt: skip
    reasons = {c["failure"]["reason"] for c in held(command.folder / "run") if c.get("failure")}
    assert sum("[SHOP_KEY]" in reason for reason in reasons) >= 4, reasons
    command("report", "run", exits=2)
    command("show", "run")
    command("data", "describe", "run")
    command("validate", "real.jsonl", "run", "--out", "card", "--arm", "good")


def test_a_model_that_repeats_the_key(command, address):
    for shopper in ("prompted", "icl"):
        command(
            "simulate", *DATA, "--n", "20", "--max-turns", "2", "--out", shopper, "--shopper", shopper, *MODEL,
            "--set", f"model.base_url={address}/v1", "--set", "model.max_retries=0",
        )  # fmt: skip
    reasons = {c["failure"]["reason"] for c in held(command.folder / "prompted") if c.get("failure")}
    assert sum("[SHOP_KEY]" in reason for reason in reasons) >= 3, reasons
    command(
        "annotate", "real.jsonl", "--with", "judge", "--out", "labelled.jsonl", *MODEL,
        "--set", f"model.base_url={address}/v1", "--set", "model.max_retries=0",
    )  # fmt: skip


def test_a_plugin_that_says_the_key_wherever_it_can(command):
    command("simulate", *DATA, "--n", "12", "--max-turns", "3", "--out", "own", "--agent", "mine:agent")
    conversations = held(command.folder / "own")
    assert any("[SHOP_KEY]" in json.dumps(c["messages"]) for c in conversations)
    assert any("[SHOP_KEY]" in c["failure"]["reason"] for c in conversations if c.get("failure"))
    command("simulate", *DATA, "--n", "2", "--out", "dying", "--agent", "mine:dying")
    command("annotate", "real.jsonl", "--with", "mine:annotator", "--out", "labelled.jsonl", exits=3)
    command(
        "--traceback", "annotate", "real.jsonl", "--with", "mine:nothing", "--out", "labelled.jsonl", exits=2
    )


def test_a_crash_over_the_key_and_its_private_traceback(command):
    crash = "import os\nclass Crash(BaseException):\n    pass\nraise Crash(os.environ['SHOP_KEY'])\n"
    (command.folder / "crashing.py").write_text(crash)
    for shown in ((), ("--traceback",)):
        printed = command(*shown, "simulate", *DATA, "--n", "1", "--agent", "crashing:agent", exits=3)
        assert "unexpected Crash: [SHOP_KEY]" in printed
    [traceback] = command.folder.parent.glob("temporary/convsim-traceback-*")
    assert "Crash: [SHOP_KEY]" in traceback.read_text()


def test_a_program_that_says_the_key(command):
    program = (
        'import os, sys; sys.stdin.readline(); sys.stderr.write("no " + os.environ["SHOP_KEY"]); sys.exit(1)'
    )
    (command.folder / "program.py").write_text(program)
    printed = command(
        "simulate", *DATA, "--n", "2", "--out", "run", "--agent", "command",
        "--set", f"agent.command={json.dumps(['python3', 'program.py'])}",
    )  # fmt: skip
    assert "[SHOP_KEY]" in printed


def test_people_who_wrote_the_key_and_a_metric_that_fails_over_it(command):
    for form in ("text", "json", "md"):
        command(
            "validate", "real.jsonl", "sim.jsonl", "--out", f"card-{form}", "--format", form,
            "--metrics", "+mine:leaky", "--force",
        )  # fmt: skip
    assert "[SHOP_KEY]" in (command.folder / "card-json/findings.json").read_text()
    for form in ("html", "md", "json", "junit"):
        command("report", "card-json", "--format", form, "--out", f"again.{form}")
    command("compare", "real.jsonl", "sim.jsonl", "own.jsonl", exits=2)
    command("compare", "real.jsonl", "sim.jsonl", "--name", KEY, "--out", "compared")
    command("show", "real.jsonl", "--limit", "2", exits=0)
    command("data", "describe", "real.jsonl", exits=0)
    command("simulate", *DATA, "--n", "4", "--out", "resampled", "--set", f"shopper.k={KEY}")


@pytest.mark.parametrize(
    "wrong",
    [
        ("--set", f"agent.url=http://joe:{KEY}@127.0.0.1/"),
        ("--set", f"agent.url=http://127.0.0.1/?api_key={quote(KEY, safe='')}"),
        ("--set", f"agent.api_key_env={KEY}"),
        ("--set", KEY),
        ("--agent", KEY),
        (f"--{KEY}",),
        ("--out", f"{KEY}/x/y"),
    ],
)
def test_a_mistake_that_holds_the_key_is_told_without_it(command, wrong):
    command("simulate", *DATA, "--n", "1", "--agent", "http", *wrong)
