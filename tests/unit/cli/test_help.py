"""Help pages: an example that the command takes, short helps that are whole, -h, completion."""

import re
import shlex
from typing import Any

import pytest

from convsim.cli import main
from convsim.cli.app import run, whole
from convsim.cli.environment import give_variables
from convsim.cli.examples import leaves, read_examples
from convsim.cli.process import Asked
from convsim.errors import InputError

WHOLE = whole()
COMMANDS = dict(leaves(WHOLE))
LINES = [(name, line) for name, lines in read_examples().items() for line in lines]


@pytest.fixture
def page(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def read(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["convsim", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        return str(capsys.readouterr().out)

    return read


def test_every_command_has_an_example_and_no_example_is_of_another():
    assert set(read_examples()) == set(COMMANDS)


@pytest.mark.parametrize(("name", "line"), LINES, ids=[line for _, line in LINES])
def test_an_example_is_one_that_the_command_takes(name, line, monkeypatch):
    give_variables(WHOLE, {})
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(COMMANDS[name], "callback", lambda **values: given.append(values))
    monkeypatch.setattr("convsim.cli.app.whole", lambda: WHOLE)
    program, *words = shlex.split(line)
    assert program == "convsim"
    assert run(Asked(), words) == 0
    assert len(given) == 1


def pages() -> list[tuple[str, ...]]:
    groups = {tuple(name.split()[:-1]) for name in COMMANDS}
    return sorted(groups)


@pytest.mark.parametrize("group", pages(), ids=" ".join)
def test_short_helps_are_whole_at_80_columns(group, page):
    listed = page(*group, "-h").partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert listed
    for line in listed:
        assert re.match(r"  \S+  +\S.*[.?]$", line), line
        assert not line.endswith("..."), line
        assert len(line) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_by_either_option_ends_with_examples_within_80_columns(name, page):
    short = page(*name.split(), "-h")
    assert short == page(*name.split(), "--help")
    examples = read_examples()[name]
    assert re.search(r"\n  Examples?:\n    convsim ", short)
    assert short.rstrip().splitlines()[-len(examples) :] == [f"    {line}" for line in examples]
    assert max(map(len, short.splitlines())) <= 80


def test_completion_can_be_shown(page, monkeypatch):
    said = page("--help")
    assert "--install-completion" in said
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: ("bash", "/bin/bash"))
    assert "_CONVSIM_COMPLETE=complete_bash" in page("--show-completion")


def test_a_shell_is_told_how_a_line_goes_on(page, monkeypatch):
    for typed, expected in {"convsim val": "validate", "convsim validate a b --metr": "--metrics"}.items():
        words = typed.split()
        monkeypatch.setenv("_CONVSIM_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", typed)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        assert page().split() == [expected]


@pytest.mark.parametrize("words", [["validate", "a"], ["--nothing"]])
def test_what_is_typed_is_never_taken_for_completion(words, monkeypatch):
    for name in ("_CONVSIM_COMPLETE", "_PYTEST_COMPLETE", "_PYTHON _M CONVSIM_COMPLETE"):
        monkeypatch.setenv(name, "source_bash")
    with pytest.raises(InputError):
        run(Asked(), words)
