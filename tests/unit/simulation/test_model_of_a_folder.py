"""A model that is named by where it lies."""

from pathlib import Path

import pytest

from convsim.errors import InputError, PluginError
from convsim.models import Local, Scripted
from convsim.shoppers import SFT
from convsim.simulation import Assembly
from convsim.simulation.config import StudyConfig
from tests.unit.shoppers.logs import logged
from tests.unit.shoppers.trained import trained_folder


def assembly(name: str, **settings: object) -> Assembly:
    return Assembly(StudyConfig.model_validate({"model": {"name": name, **settings}}))


def checkpoint_folder(folder: Path) -> Path:
    """A folder that may be a model, as far as anybody can tell without loading it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_a_folder_or_a_gguf_file_is_a_model_in_this_process(tmp_path, monkeypatch):
    folder = checkpoint_folder(tmp_path / "trained")
    file = tmp_path / "small.gguf"
    file.write_bytes(b"GGUF")
    monkeypatch.chdir(tmp_path)
    for name in (str(folder), "trained", "./trained", str(file), "small.gguf"):
        model = assembly(name).model()
        assert isinstance(model, Local)
        assert Path(model.path).resolve() in (folder, file)
        assert model.name in ("trained", "small.gguf")


def test_settings_of_the_model_go_with_its_folder(tmp_path):
    model = assembly(str(checkpoint_folder(tmp_path)), max_batch=3, dtype="float32").model()
    assert isinstance(model, Local)
    assert (model.max_batch, model.dtype) == (3, "float32")
    with pytest.raises(InputError, match="no setting 'seed'"):
        assembly(str(tmp_path), seed=3).model()


def test_a_plugin_is_taken_before_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint_folder(tmp_path / "scripted")
    assert isinstance(assembly("scripted", answers=["x"]).model(), Scripted)
    assert isinstance(assembly("./scripted").model(), Local)
    checkpoint_folder(tmp_path / "convsim.models:Scripted")
    assert isinstance(assembly("convsim.models:Scripted", answers=["x"]).model(), Scripted)


def test_what_is_written_like_a_path_and_is_no_model_is_told_what_a_model_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for name in ("./absent", "runs/absent", "absent.gguf", str(tmp_path / "absent")):
        with pytest.raises(InputError, match=r"no model at .*absent.*give a folder with config\.json"):
            assembly(name).model()
    with pytest.raises(InputError, match=r"empty is not a model: it has no config\.json"):
        assembly("empty").model()
    with pytest.raises(PluginError, match=r"no convsim.models plugin 'absent'; installed: .*local"):
        assembly("absent").model()


def test_the_folder_of_a_trained_shopper_is_enough_to_make_one(tmp_path):
    folder = trained_folder(checkpoint_folder(tmp_path / "trained"))
    real = tmp_path / "real.jsonl"
    real.write_text("".join(logged(f"c{n}", f"rain boots {n}").to_json() + "\n" for n in range(4)))
    config = StudyConfig.model_validate(
        {
            "study": {"n": 2},
            "data": {"real": real},
            "shopper": {"name": "sft", "temperature": 0.5},
            "model": {"name": str(folder)},
        }
    )
    study = Assembly(config).study()
    assert isinstance(study.shopper, SFT)
    assert (study.shopper.temperature, study.model) == (0.5, "trained")
    assert study.shopper.learned_from.arms == ("good",)
    assert {*study.shopper.prompt_hashes} == {"sft", "opening", "shopper.json"}
    plan = study.manifest()["plan"]
    assert isinstance(plan, dict)
    assert plan["prompts"] == study.shopper.prompt_hashes


def test_a_shopper_that_nobody_trained_is_refused_before_anything_runs(tmp_path):
    folder = checkpoint_folder(tmp_path)
    for model, problem in (
        ({"name": str(folder)}, "is not a trained shopper: it has no shopper.json"),
        ({"name": "scripted", "answers": ["x"]}, "needs a trained shopper's folder"),
    ):
        config = StudyConfig.model_validate({"shopper": {"name": "sft"}, "model": model})
        with pytest.raises(InputError, match=problem):
            Assembly(config).study()
