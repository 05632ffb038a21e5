"""A training as a whole: what its folder holds, when it becomes a shopper, and what is taken back."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import InputError, StudyError, TrainingError
from convsim.models import Local
from convsim.models.chat import chat_tokens
from convsim.schema import ChatMessage
from convsim.shoppers.finetuned import Trained, Training, read_trained
from tests.needs import needed
from tests.unit.models.tiny import make_tiny
from tests.unit.shoppers.finetuned.talks import settings, talk

needed("torch", "transformers", "accelerate")

CONTEXT = 1024


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"), context=CONTEXT)


@pytest.fixture(scope="module")
def shopper(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "shopper"
    training(base).run(folder)
    return folder


def training(base: Path, *, first: int = 0, arm: str = "good", **how: Any) -> Training:
    talks = [talk(n, arm=arm) for n in range(first, first + 24)]
    return Training(talks, str(base), **{"sha256": f"{first:064}", "settings": settings(), **how})


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def manifest(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return said


def test_the_manifest_names_the_base_by_what_is_in_it_and_the_outcome(base: Path, shopper: Path) -> None:
    said = manifest(shopper)
    assert said["plan"]["base"] == {
        "name": base.name,
        "files": {
            name: hashlib.sha256((base / name).read_bytes()).hexdigest()
            for name in ("config.json", "model.safetensors", "tokenizer.json")
        },
    }
    outcome = said["outcome"]
    assert (outcome["learned_conversations"], outcome["held_out_conversations"]) == (20, 4)
    assert (outcome["steps"], outcome["resumed_from"], outcome["decoding"]) == (2, 0, None)
    assert "metadata" not in json.dumps(outcome)
    assert len(said["plan"]["data"]["held_out"]) == 4


def test_the_folder_is_a_shopper_that_names_its_weights_and_all_that_it_learned_from(shopper: Path) -> None:
    trained = read_trained(shopper)
    talks = training(shopper).conversations
    assert set(trained.learned_from.conversations) == {c.fingerprint for c in talks}
    assert (trained.learned_from.sha256, trained.learned_from.arms) == ("0" * 64, ("good",))
    weights = (shopper / "model.safetensors").read_bytes()
    assert trained.weights["model.safetensors"] == hashlib.sha256(weights).hexdigest()
    assert not [name for name in content(shopper) if "checkpoint" in name or name.startswith(".shopper")]


def test_whoever_may_read_the_shopper_may_read_its_weights(shopper: Path) -> None:
    modes = {name: (shopper / name).stat().st_mode for name in ("model.safetensors", "manifest.json")}
    assert modes["model.safetensors"] == modes["manifest.json"]


def test_the_longest_prompt_and_the_longest_message_have_room_in_the_model(shopper: Path) -> None:
    trained = read_trained(shopper)
    # " boots 23" and " no, 24" are shorter than the least that a shopper may say.
    assert trained.max_tokens == 16
    assert trained.max_prompt_tokens == CONTEXT - len("accept 1000:    ") - 16


def test_a_shopper_trained_on_a_trained_shopper_learned_from_both(shopper: Path, tmp_path: Path) -> None:
    training(shopper, first=100, arm="bad").run(tmp_path / "second")
    learned = read_trained(tmp_path / "second").learned_from
    expected = {c.fingerprint for first in (0, 100) for c in training(shopper, first=first).conversations}
    assert set(learned.conversations) == expected
    assert len(learned.conversations) == 48
    assert (learned.arms, learned.sha256) == (("bad", "good"), f"{100:064}")


def test_a_student_of_fewer_layers_is_distilled_from_a_trained_shopper(shopper: Path, tmp_path: Path) -> None:
    how = settings(compress="distill", keep_layers=1)
    training(shopper, first=100, settings=how).run(tmp_path / "student")
    assert json.loads((tmp_path / "student/config.json").read_text())["num_hidden_layers"] == 1
    assert len(read_trained(tmp_path / "student").learned_from.conversations) == 48


def test_a_base_without_a_template_gets_a_plain_one_that_is_saved(tmp_path: Path) -> None:
    bare = make_tiny(tmp_path / "bare", template=None, context=CONTEXT)
    notes: list[str] = []
    training(bare, on_note=notes.append).run(tmp_path / "out")
    assert "no chat template, so a plain one is used and saved with the shopper" in notes[0]
    checkpoint = Local(path=tmp_path / "out").load()
    chat = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="Hello")]
    asked = checkpoint.tokenizer.decode(chat_tokens(checkpoint, chat))
    assert asked == "System: Be brief.\n\nUser: Hello\n\nAssistant:"


def test_what_a_person_would_want_to_know_is_noted(tmp_path: Path) -> None:
    small = make_tiny(tmp_path / "small", context=256)
    notes: list[str] = []
    talks = [talk(n, f"boots {n}", "", "x" * 300 if n == 3 else "no", user=None) for n in range(24)]
    Training(talks, str(small), settings=settings(), on_note=notes.append).run(tmp_path / "out")
    said = "\n".join(notes)
    assert "no user is known: each such conversation counts as a user of its own" in said
    assert "conversations were longer than 256 tokens and cut at a message border" in said
    assert "1 user messages were dropped: with the message that they answer they are longer than 256" in said
    assert "24 user turns without text are context only and not learned" in said
    assert "perplexity of the held-out users' words before training: " in notes[-1]


def test_a_folder_that_is_trained_stays_as_it_is(base: Path, shopper: Path) -> None:
    before, notes = content(shopper), list[str]()
    outcome = training(base, on_note=notes.append).run(shopper)
    assert content(shopper) == before
    assert outcome.steps == 2
    assert notes == [f"{shopper}: is already trained; name another --out to train again"]


def test_another_training_of_the_same_folder_is_refused_and_names_what_changed(
    base: Path, shopper: Path
) -> None:
    before = content(shopper)
    with pytest.raises(StudyError, match=r'settings was \{"max_steps": 2\} and is now \{"max_steps": 3\}\)'):
        training(base, settings=settings(max_steps=3)).run(shopper)
    with pytest.raises(StudyError, match="data was "):
        training(base, exclude=[talk(0)]).run(shopper)
    assert content(shopper) == before


def test_a_folder_that_another_process_trains_is_refused(base: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    out = tmp_path / "out"
    out.mkdir()
    with FileLock(out / ".lock"), pytest.raises(StudyError, match="another convsim process is writing"):
        training(base).run(out)
    assert [path.name for path in out.iterdir()] == [".lock"]


BROKEN = {
    "no causal model": ({"kind": "BertForMaskedLM"}, InputError, "it is not a causal language model"),
    "no room": ({"context": 100}, InputError, "no user message is left .* longer than 100 tokens"),
    "a template that refuses": (
        {"template": "{{ raise_exception('never') }}"}, Exception, "chat template rejects these messages: never",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "error", "problem"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_trained_leaves_nothing_behind(
    tmp_path: Path, kind: dict[str, Any], error: type[Exception], problem: str
) -> None:
    broken = make_tiny(tmp_path / "broken", **kind)
    with pytest.raises(error, match=problem):
        training(broken).run(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(error, match=problem):
        training(broken).run(tmp_path / "empty")
    assert not list((tmp_path / "empty").iterdir())


def test_what_cannot_be_trained_now_removes_no_checkpoint_of_before(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(path: Path) -> None:
        raise InputError(f"the model at {path} cannot be loaded")

    out = tmp_path / "out"
    interrupted(base, out)
    before = content(out)
    assert "checkpoints/checkpoint-10/whole" in before
    monkeypatch.setattr("convsim.shoppers.finetuned.train.load_base", missing)
    with pytest.raises(InputError, match="cannot be loaded"):
        training(base, settings=LONGER).run(out)
    assert content(out) == before


LONGER = settings(max_steps=12, epochs=9)


def interrupted(base: Path, out: Path) -> None:
    def stop(progress: Any) -> None:
        if progress.step == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training(base, settings=LONGER, on_change=stop).run(out)


@pytest.mark.parametrize("step", ["save", "amend", "seal"])
def test_a_disk_that_is_full_at_the_end_leaves_no_shopper_and_the_same_call_ends_it(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from safetensors import SafetensorError

    def full(*_: object) -> None:
        raise SafetensorError("No space left on device") if step == "save" else OSError(28, "No space left")

    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(f"convsim.shoppers.finetuned.{'export' if step == 'save' else 'train'}.{step}", full)
        with pytest.raises(
            TrainingError, match=r"cannot be written to .* \(.*No space left.*checkpoints are kept"
        ):
            training(base).run(out)
    assert not (out / "shopper.json").exists()
    with pytest.raises(
        InputError, match=r"is not a trained shopper: .* run that again if it was interrupted"
    ):
        read_trained(out)
    outcome = training(base).run(out)
    # It had been trained to its end, so only what was left was done.
    assert (outcome.steps, outcome.resumed_from, outcome.tokens_per_second) == (2, 2, None)
    assert isinstance(read_trained(out), Trained)
    assert manifest(out)["outcome"]["steps"] == 2
    assert not (out / "checkpoints").exists()


def test_weights_that_are_trained_are_saved_in_bfloat16_and_differ_from_the_base(
    base: Path, shopper: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    was, now = (load_file(folder / "model.safetensors") for folder in (base, shopper))
    assert was.keys() == now.keys()
    assert {weight.dtype for weight in now.values()} == {torch.bfloat16}
    assert any(not torch.equal(was[name].bfloat16(), now[name]) for name in was)


def test_a_training_that_was_begun_before_a_setting_existed_goes_on_with_it_at_its_default(
    base: Path, shopper: Path, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    shutil.copytree(shopper, older)
    said = manifest(older)
    for name in ("prune_share", "ssm_tau", "calibrate"):  # as it was before these came
        del said["plan"]["settings"][name]
    (older / "manifest.json").write_text(json.dumps(said))
    notes: list[str] = []
    with pytest.raises(StudyError, match="calibrate"):  # which the test's trainings set to 0
        training(base, on_note=notes.append).run(older)
    said["plan"]["settings"]["calibrate"] = 0
    (older / "manifest.json").write_text(json.dumps(said))
    training(base, on_note=notes.append).run(older)
    assert "already trained" in notes[0]
