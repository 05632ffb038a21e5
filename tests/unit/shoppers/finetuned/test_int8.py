"""Models in int8, with and without torchao, on models of a few kilobytes."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convsim.errors import InputError, MissingExtraError
from convsim.models import Local
from convsim.schema import ChatMessage
from convsim.shoppers.finetuned.compress import quantize_int8
from tests.needs import needed
from tests.unit.models.tiny import edit_config, make_tiny

torch = needed("torch")
transformers = needed("transformers")

has_torchao = importlib.util.find_spec("torchao") is not None
needs_torchao = pytest.mark.skipif(not has_torchao, reason='the extra "lean" (torchao) is not installed')


def test_int8_without_torchao_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_tiny(tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torchao" else find(name))
    with pytest.raises(MissingExtraError, match=r'torchao is missing.*pip install "convsim\[lean\]"'):
        quantize_int8(folder)
    edit_config(folder, quantization_config={"quant_method": "torchao"})
    with pytest.raises(MissingExtraError, match=r'torchao is missing.*pip install "convsim\[lean\]"'):
        Local(path=folder).load()


def test_an_ordinary_model_loads_without_torchao(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_tiny(tmp_path)
    edit_config(folder, quantization_config=None)
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torchao" else find(name))
    assert Local(path=folder).load().context == 256


@needs_torchao
async def test_a_model_in_int8_is_loaded_as_any_other_and_says_nearly_the_same(tmp_path: Path) -> None:
    folder = make_tiny(tmp_path / "model")
    (folder / "shopper.json").write_text("{}")
    shutil.copytree(folder, tmp_path / "whole")
    weights = folder / "model.safetensors"
    before = weights.stat().st_size
    quantize_int8(folder)
    assert weights.stat().st_size < 0.6 * before
    assert {file.name for file in folder.iterdir()} == {file.name for file in (tmp_path / "whole").iterdir()}
    assert {file.name for file in tmp_path.iterdir()} == {"model", "whole"}
    small, whole = (Local(path=path, dtype="float32") for path in (folder, tmp_path / "whole"))
    kinds = {
        type(part.weight).__name__
        for part in small.load().model.model.layers[0].mlp.children()
        if hasattr(part, "weight")
    }
    assert kinds == {"Int8Tensor"}
    tokens = torch.tensor([[72, 101, 108, 108, 111]])
    with torch.inference_mode():
        said, expected = (one.load().model(tokens).logits.float() for one in (small, whole))
    assert torch.nn.functional.cosine_similarity(said, expected, dim=-1).min() > 0.99
    asked = [ChatMessage(role="user", content="Hello")]
    answer = await small.complete_opened(asked, "say:", max_tokens=5, temperature=1.0, top_p=0.9, seed=1)
    assert answer.output_tokens > 0


@needs_torchao
def test_weights_in_several_files_become_one(tmp_path: Path) -> None:
    folder = make_tiny(tmp_path / "model")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="30KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    quantize_int8(folder)
    assert [file.name for file in folder.glob("*.safetensors*")] == ["model.safetensors"]
    Local(path=folder).load()


@needs_torchao
def test_a_folder_that_cannot_be_rewritten_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_tiny(tmp_path / "model")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("transformers.PreTrainedModel.save_pretrained", full)
    with pytest.raises(OSError, match="No space left"):
        quantize_int8(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert list(tmp_path.iterdir()) == [folder]


@needs_torchao
def test_what_is_in_int8_already_or_no_model_is_refused(tmp_path: Path) -> None:
    folder = make_tiny(tmp_path / "model")
    quantize_int8(folder)
    assert (
        json.loads((folder / "config.json").read_text())["quantization_config"]["quant_method"] == "torchao"
    )
    with pytest.raises(InputError, match="is already quantized"):
        quantize_int8(folder)
    with pytest.raises(InputError, match="no model at"):
        quantize_int8(tmp_path / "absent")


@needs_torchao
def test_loading_with_torchao_installed_says_nothing(tmp_path: Path) -> None:
    folder = make_tiny(tmp_path / "model")
    quantize_int8(folder)
    code = "import sys; from convsim.models import Local; Local(path=sys.argv[1]).load()"
    ran = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, timeout=120, check=True
    )
    assert (ran.stdout, ran.stderr) == ("", "")


@needs_torchao
def test_a_folder_left_between_weights_and_configuration_is_not_loaded_as_something_else(
    tmp_path: Path,
) -> None:
    folder = make_tiny(tmp_path / "model")
    ordinary = (folder / "config.json").read_bytes()
    quantize_int8(folder)
    (folder / "config.json").write_bytes(ordinary)
    with pytest.raises(InputError, match="cannot be loaded: its weights do not fit a LlamaForCausalLM"):
        Local(path=folder).load()
