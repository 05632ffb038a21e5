"""A user's own agent, shopper, annotator and validator, in every spelling, by the command and in Python."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import convsim
from convsim.cli import main
from convsim.testing import hold_study

MODULE = '''
"""Parts of a user's own."""

def agent(conversation):
    return "Which size do you take?"

async def async_agent(messages):
    return {"content": "Which size do you take?"}

class Agent:
    def __init__(self, words="Which size do you take?"):
        self.words = words

    def reply(self, conversation):
        yield self.words

agent_object = Agent()

def shopper(conversation, persona):
    return ("leave", "bye") if conversation.messages else persona.need

async def async_shopper(conversation, persona, seed):
    return ("leave", "bye") if conversation.messages else persona.need

class Shopper:
    async def speak(self, conversation, persona, *, seed):
        return ("leave", "bye") if conversation.messages else persona.need

shopper_object = Shopper()

def annotator(conversation):
    return {"satisfaction": {"value": 1 + len(conversation.messages) % 5, "scale": [1, 5]}}

async def async_annotator(conversation):
    return annotator(conversation)

class Annotator:
    source = "rules:mine"

    async def annotate(self, conversation):
        return annotator(conversation)

annotator_object = Annotator()

def validator(real, simulated):
    return {"estimate": len(real) - len(simulated), "verdict": "undecided", "reason": "counted"}

async def async_validator(real, simulated, *, seed):
    return validator(real, simulated)

class Validator:
    margin = 0.0

    def validate(self, real, simulated):
        yield validator(real, simulated)

validator_object = Validator()

class CrossName:
    @property
    def name(self):
        raise OSError("nobody\\nknows")

    def speak(self, *args):
        return "hi"

    reply = annotate = validate = speak

class CrossInit:
    def __init__(self):
        raise OSError("shut")

    def speak(self, *args):
        return "hi"

    reply = annotate = validate = speak

def fails(*args):
    raise OSError("out\\nof stock")

async def hangs(*args):
    import asyncio
    await asyncio.sleep(3600)

def nothing(*args):
    return None
'''
PEOPLE = '[[persona]]\nid = "ann"\nneed = "rain boots"\n'
FORMS = ("{}", "async_{}", "{}_object")
NAMES = [form.format(kind) for kind in ("agent", "shopper", "annotator", "validator") for form in FORMS]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command in a folder with the user's module; the interpreter does not know the folder."""
    (tmp_path / "own_parts.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp_path))])

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["convsim", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return int(stopped.value.code or 0), printed.out, printed.err

    yield command
    sys.modules.pop("own_parts", None)


def held(folder: Path | str = "run") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(folder) / "conversations.jsonl").read_text().splitlines()]


SIMULATE = ("simulate", "--personas", "people.toml", "--n", "2", "--max-turns", "3", "--out", "run")
SPELLINGS: dict[str, Callable[[str, str], tuple[str, ...]]] = {
    "--KIND module:thing": lambda kind, name: (f"--{kind}", f"own_parts:{name}"),
    "--KIND python --set": lambda kind, name: (
        f"--{kind}", "python", "--set", f"{kind}.target=own_parts:{name}",
    ),
    "[KIND] name = module:thing": lambda kind, name: _study(f'[{kind}]\nname = "own_parts:{name}"\n'),
    "[KIND] name = python": lambda kind, name: _study(
        f'[{kind}]\nname = "python"\ntarget = "own_parts:{name}"\n'
    ),
}  # fmt: skip


def _study(text: str) -> tuple[str, ...]:
    Path("STUDY.toml").write_text(text, encoding="utf-8")
    return ("STUDY.toml",)


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("form", [*FORMS, "Class"])
def test_every_form_of_agent_and_shopper_talks_in_every_spelling(
    run: Run, spelling: Callable[[str, str], tuple[str, ...]], form: str
) -> None:
    agent, shopper = (
        kind.capitalize() if form == "Class" else form.format(kind) for kind in ("agent", "shopper")
    )
    code, _, err = run(
        *SIMULATE[:1], *spelling("agent", agent), *SIMULATE[1:], "--shopper", "own_parts:shopper"
    )
    assert code == 0, err
    assert {c["ending"] for c in held()} == {"left"}
    assert [m["content"] for m in held()[0]["messages"]] == ["rain boots", "Which size do you take?", "bye"]
    other = [*SIMULATE[1:-1], "other"]
    code, _, err = run(*SIMULATE[:1], *spelling("shopper", shopper), *other, "--agent", "own_parts:agent")
    assert code == 0, err
    assert [m["content"] for m in held("other")[0]["messages"]] == [
        "rain boots", "Which size do you take?", "bye",
    ]  # fmt: skip
    assert {c["shopper"] for c in held("other")} == {shopper if "object" not in form else "Shopper"}


@pytest.mark.parametrize("form", [*FORMS, "Class"])
def test_every_form_of_validator_and_annotator_judges(run: Run, form: str) -> None:
    validator, annotator = (
        kind.capitalize() if form == "Class" else form.format(kind) for kind in ("validator", "annotator")
    )
    ask = ("--agent", "own_parts:agent", "--shopper", "own_parts:shopper")
    assert run(*SIMULATE, *ask)[0] == 0
    code, out, err = run(
        "validate", "run", "run", "--validators", f"own_parts:{validator},marginals", "--annotate",
        f"own_parts:{annotator}", "--format", "json", "--allow-overlap", "--set", "marginals.n_resamples=9",
    )  # fmt: skip
    assert code == 0, err
    findings = json.loads(out)["findings"]
    assert [
        (f["estimate"], f["reason"]) for f in findings if f["validator"] not in ("marginals", "metrics")
    ] == [(0, "counted")]
    assert "satisfaction" in {f["metric"] for f in findings}
    code, _, err = run("annotate", "run", "--with", f"own_parts:{annotator}", "--out", "labelled.jsonl")
    assert code == 0, err
    source = "rules:mine" if form in ("{}_object", "Class") else f"python:{annotator}"
    [line, _] = Path("labelled.jsonl").read_text().splitlines()
    assert json.loads(line)["labels"]["satisfaction"] == {"value": 4, "source": source, "scale": [1, 5]}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_in_python(run: Run, form: str) -> None:
    space: dict[str, Any] = {"__name__": "own_parts_here"}
    exec(compile(MODULE, "own_parts", "exec"), space)
    agent, shopper, annotator, validator = (
        space[form.format(kind)] for kind in ("agent", "shopper", "annotator", "validator")
    )
    people = [convsim.Persona(id="ann", need="rain boots")]
    for study in (
        convsim.Study(shopper, agent, people, seed=1, n=2),
        convsim.Study(shopper=shopper, agent=agent, personas=people, seed=1, n=2),
    ):
        assert study.run("run").failed == 0
    assert {c["ending"] for c in held()} == {"left"}
    card = convsim.validate(
        "run", "run", seed=1, validators=[validator], annotator=annotator, allow_overlap=True
    )
    assert [f.reason for f in card.findings] == ["counted"]
    folder = hold_study("held", shopper=shopper, agent=agent, study={"n": 2, "max_turns": 3})
    assert {c["ending"] for c in held(folder)} == {"left"}


@pytest.mark.parametrize("kind", ["agent", "shopper"])
@pytest.mark.parametrize(
    ("thing", "code", "says"),
    [
        ("CrossName", 2, "its name raised OSError: nobody knows"),
        ("CrossInit", 2, "CrossInit cannot be created without arguments: OSError: shut"),
        ("fails", 3, "fails raised OSError: out of stock"),
        ("hangs", 3, "hangs did not answer within 0.1 s"),
        ("nothing", 3, "nothing answered nothing (None)"),
    ],
)
def test_a_part_that_goes_wrong_is_a_record_or_one_line_and_never_a_failed_gate(
    run: Run, kind: str, thing: str, code: int, says: str
) -> None:
    other = {"agent": "shopper", "shopper": "agent"}[kind]
    wait = ("--set", f"{kind}.timeout_s=0.1") if thing == "hangs" else ()
    ended, _, err = run(
        *SIMULATE, f"--{kind}", f"own_parts:{thing}", f"--{other}", f"own_parts:{other}", *wait
    )
    assert ended == code
    assert says in err
    if code == 2:
        assert len(err.splitlines()) == 1
        assert not Path("run").exists()
    else:
        assert {c["ending"] for c in held()} == {f"{kind}_failed"}
        assert all(says in c["failure"]["reason"] for c in held())


@pytest.mark.parametrize(
    ("thing", "code", "says"),
    [
        ("CrossName", 2, "its name raised OSError"),
        ("CrossInit", 2, "OSError: shut"),
        ("fails", 3, "out of stock"),
    ],
)
def test_an_annotator_that_goes_wrong_labels_nothing(run: Run, thing: str, code: int, says: str) -> None:
    assert run(*SIMULATE, "--agent", "own_parts:agent", "--shopper", "own_parts:shopper")[0] == 0
    ended, _, err = run("annotate", "run", "--with", f"own_parts:{thing}", "--out", "labelled.jsonl")
    assert ended == code
    assert says in err
    assert not Path("labelled.jsonl").exists()


def test_the_guide_s_own_parts_do_what_it_says(run: Run) -> None:
    page = (Path(__file__).parents[2] / "convsim/guide/plugins.md").read_text(encoding="utf-8")
    [module] = re.findall(r"```python\n# shop.py\n(.*?)```", page, re.DOTALL)
    [commands] = re.findall(r"```sh\n(convsim simulate --agent shop:.*?)```", page, re.DOTALL)
    commands = commands.replace("shop:", "own_shop:").replace("\\\n", "")
    simulate, validate = (line.split() for line in commands.splitlines())
    Path("own_shop.py").write_text(module, encoding="utf-8")
    code, _, err = run(*simulate[1:])
    assert code == 0, err
    assert run("data", "convert", "mine", "real.jsonl")[0] == 0
    code, out, err = run(*validate[1:], "--format", "json", "--set", "marginals.n_resamples=9")
    assert code == 0, err
    findings = json.loads(out)["findings"]
    assert {f["unit"] for f in findings if f["validator"] == "longer"} == {"words"}
    assert {"shouting", "satisfaction"} <= {f["metric"] for f in findings if f["validator"] == "marginals"}


@pytest.mark.parametrize("sleeping", ["def", "async def"])
def test_ctrl_c_ends_a_run_whose_agent_hangs(tmp_path: Path, sleeping: str) -> None:
    wait = "await asyncio.sleep(3600)" if sleeping == "async def" else "time.sleep(3600)"
    body = f"{sleeping} agent(conversation):\n    pathlib.Path('asked').touch()\n    {wait}\n"
    (tmp_path / "hanging_shop.py").write_text(f"import asyncio, pathlib, time\n{body}", encoding="utf-8")
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    running = subprocess.Popen(
        [sys.executable, "-m", "convsim", *SIMULATE, "--agent", "hanging_shop:agent"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for _ in range(600):
            if (tmp_path / "asked").exists() or running.poll() is not None:
                break
            time.sleep(0.1)
        for _ in range(2):
            running.send_signal(signal.SIGINT)
            time.sleep(0.5)
        err = running.communicate(timeout=20)[1]
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 3, err
    assert "2 conversations are missing (interrupted); run the same command again to continue" in err
    assert "Traceback" not in err
