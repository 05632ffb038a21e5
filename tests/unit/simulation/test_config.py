"""What a STUDY.toml may say, and what is refused in one line."""

import re
import shutil

import pytest

from convsim.cli.console import parse_settings
from convsim.errors import InputError, StudyError
from convsim.schema.persona import Persona
from convsim.shoppers.policies import train_policy
from convsim.simulation import Assembly, Study
from convsim.simulation.config import StudyConfig, read_study
from convsim.simulation.personas import read_personas
from tests.unit.shoppers.policies.known import DEPENDS, simulated_world

WHOLE = """
[study]
name = "autumn"
seed = 7
n = 30
max_turns = 6
concurrency = 2
budget_usd = 1.5
[model]
name = "openai_compatible"
model = "m-1"
base_url = "http://127.0.0.1:8000/v1"
api_key_env = "SOME_KEY"
[shopper]
name = "icl"
k = 2
[agent]
name = "retrieval"
[data]
real = "logs/real.jsonl"
learn_arm = "good"
catalogue = "/shop/items.jsonl"
personas = "people.toml"
[[arm]]
name = "good"
[[arm]]
name = "bad"
"""


def study(tmp_path, text):
    path = tmp_path / "STUDY.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_study_is_read_and_relative_paths_start_at_its_folder(tmp_path):
    config = read_study(study(tmp_path, WHOLE))
    assert (config.study.name, config.study.seed, config.study.n) == ("autumn", 7, 30)
    assert (config.study.max_turns, config.study.concurrency, config.study.budget_usd) == (6, 2, 1.5)
    assert config.model.settings["base_url"] == "http://127.0.0.1:8000/v1"
    assert (config.shopper.name, config.shopper.settings) == ("icl", {"k": 2})
    assert config.data.real == tmp_path / "logs/real.jsonl"
    assert config.data.personas == tmp_path / "people.toml"
    assert str(config.data.catalogue) == "/shop/items.jsonl"
    assert [arm.name for arm in config.arm] == ["good", "bad"]


def test_a_policy_is_taken_from_the_studys_folder_and_told_by_what_is_in_it(tmp_path):
    people = simulated_world(DEPENDS, n_users=20, seed=1).conversations
    train_policy(people, tmp_path / "policy")
    (tmp_path / "people.jsonl").write_text("".join(c.to_json() + "\n" for c in people))
    text = '[study]\nn = 3\n[shopper]\nname = "hybrid"\npolicy = "policy"\n[data]\nreal = "people.jsonl"\n'
    config = read_study(study(tmp_path, text))
    assert config.shopper.settings == {"policy": str(tmp_path / "policy")}
    plan = Assembly(config).study().manifest()["plan"]
    assert isinstance(plan, dict)
    assert plan["settings"] == {"shopper": {"name": "hybrid"}, "agent": {"name": "retrieval"}}
    prompts = plan["prompts"]
    assert isinstance(prompts, dict)
    assert [*prompts] == ["policy"]
    (tmp_path / "moved").mkdir()
    shutil.move(tmp_path / "policy", tmp_path / "moved/policy")
    again = read_study(study(tmp_path, text.replace('"policy"', '"./moved/policy"')))
    assert Assembly(again).study().manifest()["plan"] == plan
    other = read_study(study(tmp_path, '[shopper]\nname = "pkg:Mine"\npolicy = "strict"\n'))
    assert other.shopper.settings == {"policy": "strict"}


def test_every_part_has_a_default_that_works_offline(tmp_path):
    config = read_study(study(tmp_path, ""))
    assert config == StudyConfig()
    assert (config.shopper.name, config.agent.name, config.model) == ("resample", "retrieval", None)


def test_flags_win_over_the_file_and_what_was_not_said_stays(tmp_path):
    flags: dict[str, dict[str, object]] = {
        "study": {"n": 5, "seed": None},
        "shopper": {"settings": {"style": "chat"}},
    }
    config = read_study(study(tmp_path, WHOLE)).with_flags(flags, arms=["worse"])
    assert (config.study.n, config.study.seed) == (5, 7)
    assert config.shopper.settings == {"k": 2, "style": "chat"}
    assert [arm.name for arm in config.arm] == ["worse"]


def test_another_plugin_by_flag_does_not_inherit_the_settings_of_the_files(tmp_path):
    config = read_study(study(tmp_path, WHOLE)).with_flags({"shopper": {"name": "replay"}})
    assert (config.shopper.name, config.shopper.settings) == ("replay", {})


def test_a_fault_on_the_command_line_adds_an_arm_that_is_named_like_it(tmp_path):
    config = read_study(study(tmp_path, "[[arm]]\nname = 'fine'")).with_flags(
        {}, faults=["bad=0.5", "bad", "rude_text+unavailable=0.25", "bad=0"]
    )
    assert [(arm.name, arm.fault, arm.severity) for arm in config.arm] == [
        ("fine", None, None),
        ("bad=0.5", "bad", 0.5),
        ("bad", "bad", 1.0),
        ("rude_text+unavailable=0.25", "rude_text+unavailable", 0.25),
        ("bad=0", "bad", 0.0),
    ]


@pytest.mark.parametrize("said", ["bad=1.5", "bad=-1", "bad=nan", "bad=much", "=0.5", ""])
def test_a_fault_that_cannot_be_read_is_one_line(said):
    with pytest.raises(StudyError, match=r"--fault .*: expected FAULT=SEVERITY.* from 0 to 1") as caught:
        StudyConfig().with_flags({}, faults=[said])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[arm]]\nname = 'a'\nseverity = 0.5", "has a severity but no fault"),
        ("[[arm]]\nname = 'a'\nfault = 'bad'\nseverity = 2", r"arm\.0\.severity"),
        ("[study]\nturns = 3", r"study\.turns: no such key"),
        ("[studdy]\nn = 3", r"studdy: no such key; did you mean 'study'\?"),
        ("[study]\nn = 'three'", r"study\.n: must be a whole number, but is 'three'"),
        ("[study]\nn = 0", r"study\.n: must be at least 1, but is 0"),
        ("[study]\nn = 2.0", r"study\.n: must be a whole number"),
        ("[study]\nbudget_usd = -1", r"study\.budget_usd"),
        ("[study]\nbudget_usd = nan", r"study\.budget_usd"),
        ("[shopper]\nk = 3", r"shopper\.name: is missing"),
        ("shopper = 'resample'", "shopper: must be an object, but is 'resample'"),
        ("[[arm]]\nname = 'a'\n[[arm]]\nname = 'a'", "arms need distinct names"),
        ("arm = []", "arms need distinct names"),
        ("[[arm]]\nname = 'a'\nfaults = 3", r"arm\.0\.faults: no such key"),
        ("[data]\nreal = 3", r"data\.real"),
        ("[study\nn = 3", "is not TOML"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_names_file_and_place(tmp_path, text, problem):
    path = study(tmp_path, text)
    with pytest.raises(StudyError, match=problem) as caught:
        read_study(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        'api_key = "anything"',
        'apikey = ["anything"]',
        'password = "anything"',
        'extra_body = { token = "anything" }',
        'api_key_env = "sk-abcdefgh12345"',
        'extra_body = { header = "Bearer abcdefgh12345" }',
        'url = "https://somebody:word@shop.example/reply"',
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path, line):
    path = study(tmp_path, f'[model]\nname = "openai_compatible"\n{line}\n')
    with pytest.raises(StudyError, match=r"model\.\w+.* looks like a secret, .*api_key_env$") as caught:
        read_study(path)
    assert not re.search("anything|abcdefgh|somebody", str(caught.value))


def test_a_secret_on_the_command_line_is_refused_since_the_manifest_would_hold_it():
    flags = {"model": {"name": "openai_compatible", "settings": {"api_key_env": "sk-abcdefgh12345"}}}
    with pytest.raises(StudyError, match=r"the command line: .*looks like a secret"):
        StudyConfig().with_flags(flags)


def test_a_header_may_name_the_variable_of_its_key_and_not_hold_it(tmp_path):
    text = '[agent]\nname = "http"\nurl = "http://a"\n[agent.headers]\n"X-Api-Key" = "%s"\n'
    for named in ("env:SHOP_KEY", "Bearer env:SHOP_KEY"):
        assert read_study(study(tmp_path, text % named)).agent.settings["headers"] == {"X-Api-Key": named}
        flags = {"agent": {"name": "http", "settings": {"headers": {"Authorization": named}}}}
        assert StudyConfig().with_flags(flags).agent.settings["headers"] == {"Authorization": named}
    for key in ("LEAKME", "env:LEAK ME", "env:"):
        with pytest.raises(
            StudyError, match=r"X-Api-Key looks like a secret, .*write env:NAME in its place"
        ) as caught:
            read_study(study(tmp_path, text % key))
        assert "LEAK" not in str(caught.value)


def test_max_tokens_and_api_key_env_are_no_secrets(tmp_path):
    text = '[model]\nname = "m"\napi_key_env = "SOME_KEY"\nmax_tokens = 5\n'
    assert read_study(study(tmp_path, text)).model.settings["max_tokens"] == 5


def test_a_file_that_is_absent_a_folder_too_large_or_no_text_is_refused(tmp_path):
    large = study(tmp_path, "# " + "x" * (1 << 20))
    with pytest.raises(StudyError, match="is larger than"):
        read_study(large)
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path / "absent.toml")
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path)
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError, match="is not TOML"):
        read_study(tmp_path / "b.toml")


def test_more_conversations_than_can_be_planned_are_refused_before_any_is():
    with pytest.raises(StudyError, match=r"study\.n: must be at most 1,000,000, but is 1000000000000"):
        StudyConfig().with_flags({"study": {"n": 10**12}})
    with pytest.raises(InputError, match=r"600,000 conversations in each of 2 arms are more than 1,000,000"):
        Study(lambda _: "hi", lambda _: "ok", [Persona(id="p", need="n")], seed=0, n=600_000, arms=("a", "b"))


@pytest.mark.parametrize("text", ["[" * 20_000, "1" * 5_000, '{"a":' * 20_000])
def test_a_setting_that_is_no_json_within_bounds_is_taken_as_the_text_that_it_is(text):
    assert parse_settings([f"shopper.k={text}"], ("shopper",)) == {"shopper": {"k": text}}


def test_a_null_character_in_a_path_of_a_study_is_one_line(tmp_path):
    for part, use in (("catalogue", Assembly.catalogue), ("personas", Assembly.personas)):
        config = read_study(study(tmp_path, f'[data]\n{part} = "a\\u0000b.csv"\n'))
        with pytest.raises(InputError, match="cannot be read: embedded null byte"):
            use(Assembly(config))


def test_personas_are_compared_once_each_and_not_in_pairs(tmp_path):
    """20,000 in pairs are 400 million comparisons."""
    compared = 0

    class Name(str):
        __slots__ = ()

        def __eq__(self, other):
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    path = tmp_path / "p.toml"
    path.write_text("".join(f'[[persona]]\nid = "p{i}"\nneed = "n"\n' for i in range(2_000)))
    before = Persona.model_validate
    made = lambda table: before(table).model_copy(update={"id": Name(table["id"])})  # noqa: E731
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Persona, "model_validate", made)
        assert len(read_personas(path)) == 2_000
    assert compared < 20_000
    path.write_text('[[persona]]\nid = "p"\nneed = "n"\n' * 2)
    with pytest.raises(StudyError, match="the persona id 'p' occurs twice"):
        read_personas(path)
