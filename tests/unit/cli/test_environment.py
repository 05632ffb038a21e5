"""No environment variable changes what a command is; every option of every command is tried."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from convsim.cli.app import app, run
from convsim.cli.environment import give_variables
from convsim.cli.process import Asked
from convsim.errors import InputError

NASTY = ("1", "undecided", "a.b=1")
WORDS = {
    ("demo",): [],
    ("validate",): ["real", "sim"],
    ("counterfactual",): ["real", "sim"],
    ("compare",): ["real", "sim"],
    ("plan",): ["real"],
    ("rank",): ["real", "sim"],
    ("drift",): ["real"],
    ("calibrate",): [],
    ("probe",): ["logs", "--shopper", "resample"],
    ("tune",): ["real", "run", "--out", "o"],
    ("annotate",): ["file", "--out", "o"],
    ("check",): [],
    ("simulate",): [],
    ("study",): ["file"],
    ("history",): [],
    ("train",): ["file"],
    ("arena",): ["real", "sim"],
    ("report",): ["run"],
    ("show",): ["file"],
    ("view",): [],
    ("guide",): [],
    ("help",): [],
    ("annotator", "train"): ["file", "--out", "o"],
    ("annotator", "check"): ["file", "--against", "self"],
    ("data", "list"): [],
    ("data", "describe"): ["file"],
    ("data", "fetch"): ["convapparel"],
    ("data", "convert"): ["file", "out"],
    ("data", "import"): ["file"],
    ("data", "split"): ["file", "--by", "user"],
    ("personas", "from"): ["logs", "--out", "o"],
    ("personas", "check"): ["file"],
    ("prompts", "export"): ["dir"],
    ("metrics",): [],
    ("plugins",): [],
}
"""What each command needs at least."""
GATES = {
    "fail_on",
    "gate",
    "baseline",
    "validators",
    "settings",
    "task",
    "arm",
    "annotate",
    "control",
    "treatment",
    "ladder",
    "by",
    "date",
    "outcome",
    "known_order",
    "only",
}
"""Parameters that say what a command that judges judges, how strictly, and whether it fails."""
JUDGES = {
    ("validate",),
    ("counterfactual",),
    ("compare",),
    ("plan",),
    ("rank",),
    ("drift",),
    ("probe",),
    ("tune",),
    ("report",),
}
OF_CONVSIM = [name for name in os.environ if name.startswith("CONVSIM_")]


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
    for name, each in (below or {}).items():
        yield from commands(each, (*path, name))


WHOLE = typer.main.get_command(app)
ALL = dict(commands(WHOLE))


def options_of(command: Any) -> list:
    return [each for each in command.params if each.param_type_name == "option"]


def names(path: tuple[str, ...], option) -> list[str]:
    """Every name that an option's variable could have: with and without the command, after option or parameter."""
    words = {
        word.lstrip("-").replace("-", "_").upper()
        for word in (*option.opts, *option.secondary_opts, option.name)
    }
    return [
        f"CONVSIM_{'_'.join([*stem, word])}"
        for word in words
        for stem in ([part.upper() for part in path], [])
    ]


@pytest.fixture
def called(monkeypatch):
    """Run a command that only notes how it was called, in an environment without variables of ours."""
    for name in OF_CONVSIM:
        monkeypatch.delenv(name)

    def call(path: tuple[str, ...], **environment: str) -> dict[str, object] | None:
        noted: list[dict[str, object]] = []
        refused, code = "", None
        for each, leaf in ALL.items():
            leaf.callback = lambda each=each, **given: noted.append({"command": each, **given})
        with monkeypatch.context() as patched:
            patched.setattr("convsim.cli.app.whole", lambda: WHOLE)
            for name, value in environment.items():
                patched.setenv(name, value)
            try:
                code = run(Asked(), [*path, *WORDS[path]])
            except InputError as error:
                refused = str(error)
        if refused:
            assert any(name in refused for name in environment)
            return None
        assert code == 0
        assert len(noted) == 1, f"{environment} made another thing of {path}"
        return noted[0]

    return call


def test_the_walk_knows_what_every_command_needs():
    assert set(WORDS) == set(ALL)


@pytest.mark.parametrize("path", list(WORDS), ids=" ".join)
def test_no_variable_changes_what_a_command_is_nor_opens_a_gate(path, called, capsys):
    plain = called(path)
    for option in [*options_of(ALL[path]), *options_of(WHOLE)]:
        for name in names(path, option):
            for value in NASTY:
                under = called(path, **{name: value})
                if under is None:  # refused by name: nothing was done
                    continue
                changed = {key for key in under if under[key] != plain[key]}
                assert changed <= {option.name}, (name, value)
                flag = getattr(option, "is_flag", False)
                if flag or (path in JUDGES and option.name in GATES):
                    assert not changed, (name, value)
    capsys.readouterr()


@pytest.mark.parametrize(
    "name",
    ["CONVSIM_VERSION", "CONVSIM_HELP", "CONVSIM_VALIDATE_HELP", "_CONVSIM_COMPLETE", "CONVSIM_TRACEBACK"],
)
def test_a_command_stays_itself_whatever_asks_for_help_or_completion(name, called, capsys):
    assert called(("validate",), **{name: "source_bash"}) == called(("validate",))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("prog", ["convsim", "python -m convsim"])
def test_completion_cannot_be_had_by_a_variable(prog, called, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [prog])
    variable = f"_{prog}_COMPLETE".replace("-", "_").upper()
    assert called(("data", "list"), **{variable: "complete_bash"}) is not None
    assert called(("data", "list"), _PYTEST_COMPLETE="complete_bash") is not None


def test_options_that_carry_data_keep_their_variables(called):
    under = called(
        ("validate",), CONVSIM_VALIDATE_SEED="5", CONVSIM_VALIDATE_FORMAT="json", CONVSIM_VALIDATE_OUT="o"
    )
    assert (under["seed"], under["output"].value, str(under["out_dir"])) == (5, "json", "o")
    assert called(("simulate",), CONVSIM_SIMULATE_ARM="good bad")["arm"] == ["good", "bad"]
    assert called(("data", "fetch"), CONVSIM_DATA_FETCH_VERSION="2")["version"] == 2


@pytest.mark.parametrize("name", ["CONVSIM_DATA_SPLIT_OUT", "CONVSIM_DATA_SPLIT_OUT_DIR"])
def test_a_former_name_of_a_variable_still_counts(name, called):
    assert str(called(("data", "split"), **{name: "there"})["out_dir"]) == "there"


def test_help_shows_a_variable_where_there_is_one_and_only_there():
    command = typer.main.get_command(app)
    variables = give_variables(command, {})
    shown = 0
    for path, leaf in commands(command):
        context = typer.Context(leaf, info_name=" ".join(path))
        for option in options_of(leaf):
            record = option.get_help_record(context)[1]
            assert ("[env var: " in record) == (option.envvar is not None), (path, option.name)
            assert option.envvar is None or option.envvar in record
            shown += option.envvar is not None
    assert (
        len(variables.known) == shown + 7
    )  # CONVSIM_CACHE, CONVSIM_NO_CACHE and the tokens of arena and view belong to no option, and three to all commands
    assert "CONVSIM_VALIDATE_ALLOW_OVERLAP" in variables.refused


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CONVSIM_VALIDATE_SED", "did you mean CONVSIM_VALIDATE_SEED?"),
        ("CONVSIM_CACH", "did you mean CONVSIM_CACHE?"),
        ("CONVSIM_VALIDATE_FAIL_ON", "--fail-on can only be given on the command line"),
        ("CONVSIM_VERSION", "--version can only be given on the command line"),
        ("CONVSIM_SOMETHING_OF_MINE", ""),
        ("CONVSIM_CACHE", ""),
    ],
)
def test_a_variable_without_effect_that_looks_like_one_of_ours_is_warned_of(name, said, called, capsys):
    called(("plugins",), **{name: "1"})
    err = capsys.readouterr().err
    assert err.count("\n") == bool(said)
    assert said in err
    assert not said or err.startswith(f"warning: {name} has no effect")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["vlidate"], "No such command 'vlidate'; did you mean 'validate', 'calibrate'?"),
        (["validate", "a", "b", "--sed", "1"], "No such option: --sed; did you mean --seed?"),
        (
            ["validate", "a", "b", "--format", "jsn"],
            "'jsn' is not one of 'text', 'md', 'json', 'junit'; did you mean json?",
        ),
        (["validate", "a", "b", "--fail-on", "diferent"], "did you mean different?"),
        (["validate", "a"], "Missing argument 'sim'"),
        (
            ["validate", "a", "b", "--seed", "one"],
            "Invalid value for '--seed': must be a whole number",
        ),
    ],
)
def test_a_wrong_word_is_one_line_with_the_nearest_right_one(typed, said):
    with pytest.raises(InputError) as raised:
        run(Asked(), typed)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "--help)" in str(raised.value)
