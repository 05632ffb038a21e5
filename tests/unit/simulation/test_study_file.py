"""A study that is written and read again is the same study."""

from convsim.simulation.config import StudyConfig, read_study
from convsim.simulation.study_file import study_toml


def written(config: StudyConfig, folder) -> StudyConfig:
    (folder / "made.toml").write_text(study_toml(config, folder=folder, said="made for a test\nin two lines"))
    return read_study(folder / "made.toml")


def test_a_mixture_with_odd_names_and_nested_settings_is_read_as_it_was(tmp_path):
    config = StudyConfig.model_validate(
        {
            "study": {"name": "quoted \"name\"\n\x7f", "n": 7, "seed": 3},
            "agent": {"name": "http", "settings": {"url": "http://127.0.0.1:1/", "fields": {"id": "a.b", "x y": "é"}}},
            "data": {"personas": tmp_path / "p.toml", "persona_weights": {"p 1": 0.25, "p2": 0.0}},
            "arm": [{"name": "good"}, {"name": "bad", "fault": "rude_text", "severity": 0.5}],
            "mixture": [
                {
                    "name": "a.b", "weight": 0.6,
                    "shopper": {"name": "prompted", "settings": {"prompts": str(tmp_path / "own")}},
                    "model": {"name": "openai_compatible", "settings": {"omit": ["seed"], "stream": True}},
                },
                {
                    "name": "b", "weight": 0.4, "shopper": {"name": "resample", "settings": {"k": 3}},
                    "data": {"real": tmp_path / "real.jsonl", "learn_arm": "good"},
                },
            ],
        }
    )  # fmt: skip
    assert written(config, tmp_path) == config


def test_one_shopper_is_written_with_its_model(tmp_path):
    config = StudyConfig.model_validate(
        {"model": {"name": "scripted"}, "shopper": {"name": "icl", "settings": {"k": 2}}}
    )
    assert written(config, tmp_path) == config
