"""``convsim metrics`` says what there is to be counted: every metric once, with its unit, judge and languages."""

import json

import pytest

from convsim.cli import main
from convsim.metrics import FAMILY_METRICS, METRICS, RELATION_METRICS
from convsim.text.lexicons import SHIPPED


@pytest.fixture
def command(capsys, monkeypatch):
    def run(*words, code=0):
        monkeypatch.setattr("sys.argv", ["convsim", "metrics", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


@pytest.fixture
def by_name(command):
    return {row["name"]: row for row in json.loads(command("--format", "json"))}


def test_every_metric_is_listed_once_with_its_unit_and_judge(by_name, command):
    every = {**METRICS, **FAMILY_METRICS, **RELATION_METRICS}
    assert list(by_name) == list(every)
    assert all(row["unit"] == every[name].unit for name, row in by_name.items())
    assert by_name["turns"]["judged_by"] == "marginals"
    assert by_name["echo"]["judged_by"] == "coherence"
    assert by_name["agent_words_per_turn"]["role"] == "control"
    shown = [line.split()[0] for line in command().splitlines() if line[:2] == "  " and line[2:3].strip()]
    assert shown == list(every)


def test_languages_are_those_in_which_it_has_values(by_name):
    listed = sorted(path.name for path in SHIPPED.iterdir() if (path / "thanks.txt").is_file())
    thanks, lower, turns = (by_name[name] for name in ("user_thanks", "user_lowercase_start", "turns"))
    assert (thanks["languages"], thanks["other_languages"]) == (listed, False)
    assert lower["other_languages"]
    assert {"ja", "zh"} == {*listed} - {*lower["languages"]}
    assert (turns["languages"], turns["other_languages"]) == (listed, True)


def test_one_metric_is_shown_with_its_source_and_a_misspelt_one_with_the_nearest(command):
    shown = command("user_thanks")
    assert shown.startswith("user_thanks: proportion of messages; in ")
    assert "judged by: marginals" in shown
    assert "source: " in shown
    assert "did you mean 'user_thanks'?" in command("user_thnks", code=2)
