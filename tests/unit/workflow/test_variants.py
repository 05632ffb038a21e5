"""What a sweep stands for: its combinations and cases, their names, and what is refused."""

import pytest

from convsim.errors import StudyError
from convsim.workflow.variants import MOST_VARIANTS, read_whole_study


def whole(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return read_whole_study(path)


def test_a_study_without_a_sweep_is_one_run(tmp_path):
    read = whole(tmp_path, '[study]\nname = "first"\n')
    assert (read.name, read.judge) == ("first", None)
    assert [(each.name, each.changes) for each in read.variants] == [("run", {})]


def test_every_combination_is_a_run_of_its_own_and_only_what_varies_is_other(tmp_path):
    read = whole(
        tmp_path,
        '[shopper]\nname = "prompted"\n[sweep]\nshopper.temperature = [0.5, 1]\n"study.seed" = [1, 2]\n',
    )
    assert [each.name for each in read.variants] == [
        "temperature=0.5,seed=1", "temperature=0.5,seed=2", "temperature=1,seed=1", "temperature=1,seed=2",
    ]  # fmt: skip
    last = read.variants[-1].config
    assert (last.shopper.name, last.shopper.settings, last.study.seed) == ("prompted", {"temperature": 1}, 2)


def test_cases_are_listed_with_names_and_join_the_combinations(tmp_path):
    read = whole(
        tmp_path,
        '[sweep]\nstudy.seed = [1]\n[[sweep.case]]\nname = "short talks"\nstudy.max_turns = 2\n'
        '[[sweep.case]]\nname = "short talks"\nstudy.max_turns = 3\n',
    )
    assert [each.name for each in read.variants] == ["seed=1", "short-talks", "short-talks-2"]
    assert [each.config.study.max_turns for each in read.variants] == [10, 2, 3]


def test_paths_in_a_sweep_are_of_the_studys_folder(tmp_path):
    read = whole(tmp_path, '[sweep]\n"data.real" = ["a.jsonl", "b/../../c.jsonl"]\n')
    assert [each.config.data.real for each in read.variants] == [
        tmp_path / "a.jsonl", tmp_path / "b/../../c.jsonl",
    ]  # fmt: skip
    assert [each.name for each in read.variants] == ["real=a.jsonl", "real=b-..-..-c.jsonl"]


def test_the_names_of_runs_can_be_folders(tmp_path):
    told = f'[sweep]\n"data.real" = ["../../up", "..", "ÄÖ films", "con/x\\u0000", "{"y" * 200}"]\n'
    names = [each.name for each in whole(tmp_path, told).variants]
    assert names[:4] == ["real=..-..-up", "real=", "real=ÄÖ-films", "real=con-x"]
    assert all("/" not in name and not name.startswith(".") and len(name) <= 80 for name in names)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("sweep = 3", r"\[sweep\] must be a table of lists"),
        ("[sweep]\nshopper.k = 3", r"\[sweep\] shopper.k: must be a list of values, but is 3"),
        ("[sweep]\nshopper.k = []", "shopper.k: must be a list of values"),
        ("[sweep]\nshopper.k = [1, 1]", "shopper.k: a value stands there twice"),
        ("[sweep]\narm.name = ['a']", "arm.name: cannot be varied"),
        ("[sweep]\nstudy = [1]", "study: cannot be varied"),
        ("[sweep]\nstudy.seed = ['a']", "study.seed: must be a whole number"),
        ("[sweep]\ncase = 3", "must be tables"),
        ("[[sweep.case]]\nname = 3", "name: must be text"),
        (f"[sweep]\nstudy.seed = {list(range(MOST_VARIANTS + 1))}", "201 combinations; at most 200"),
        (f"[sweep]\nstudy.seed = {list(range(200))}\nstudy.n = [1, 2]", "400 combinations; at most 200"),
        ("[judge]\nreel = 'x'", r"\[judge\] .*did you mean 'real'"),
        ("[judge]\nreal = 'x'\ncontrol = 'a'", "reactions need control and treatment"),
        ("[model]\nname = 'openai_compatible'\n[sweep]\nmodel.api_key = ['sk-123456789012']", "secret"),
    ],
)  # fmt: skip
def test_what_no_study_can_be_made_of_is_refused(tmp_path, told, why):
    with pytest.raises(StudyError, match=why):
        whole(tmp_path, told)
