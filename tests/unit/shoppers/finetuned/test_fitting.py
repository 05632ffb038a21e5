"""Fitting: when it stops, what it keeps, and what of a model it moves."""

import random
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TrainingError
from convsim.shoppers.finetuned import Progress
from convsim.shoppers.finetuned.compress import n_parameters
from convsim.shoppers.finetuned.encode import Example, Span
from convsim.shoppers.finetuned.fit import Fitted, Fitting, adapt, merged
from convsim.shoppers.finetuned.perplexity import user_perplexity
from tests.needs import needed
from tests.unit.models.tiny import make_tiny
from tests.unit.shoppers.finetuned.talks import settings

torch = needed("torch")
transformers = needed("transformers")


def random_examples(count: int, *, seed: int) -> list[Example]:
    """Messages that nothing can be learned of but by heart."""
    draw = random.Random(seed)
    return [
        Example((*(draw.randrange(256) for _ in range(11)), 257), (Span(4, 5, 12),)) for _ in range(count)
    ]


LEARNED, HELD_OUT = random_examples(22, seed=1), random_examples(6, seed=2)
OVERFIT: dict[str, Any] = {"learning_rate": 0.01, "epochs": 40, "max_steps": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


def pristine(folder: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(folder)


def fitting(model: Any, folder: Path, *, on_change: Any = lambda progress: None, **changes: Any) -> Fitting:
    folder.mkdir(exist_ok=True)
    return Fitting(
        model=model, learned=LEARNED, held_out=HELD_OUT, settings=settings(**changes), folder=folder,
        on_change=on_change,
    )  # fmt: skip


def same(one: Any, other: Any) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(name == known and torch.equal(here, there) for (name, here), (known, there) in pairs)


@pytest.fixture(scope="module")
def overfit(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Fitted, list[Progress], Path]:
    told: list[Progress] = []
    where = tmp_path_factory.mktemp("overfit")
    return fitting(pristine(folder), where, on_change=told.append, **OVERFIT).run(), told, where


def test_training_stops_once_held_out_users_are_no_longer_better_understood(
    overfit: tuple[Fitted, list[Progress], Path],
) -> None:
    fitted, told, _ = overfit
    # 22 sequences in steps of 8, 40 times.
    assert told[0].steps == 120
    # The patience is two evaluations, 10 steps apart.
    assert fitted.steps == fitted.best_step + 20 < 120
    assert told[-1].step == fitted.steps
    assert told[-1].loss is not None
    evaluated = list(dict.fromkeys(progress.perplexity for progress in told if progress.perplexity))
    assert min(evaluated) == fitted.perplexity
    assert evaluated[-2] > fitted.perplexity < evaluated[-1]


def test_the_model_of_the_best_evaluation_is_kept(overfit: tuple[Fitted, list[Progress], Path]) -> None:
    fitted, _, _ = overfit
    assert user_perplexity(fitted.model, HELD_OUT, batch=4) == pytest.approx(fitted.perplexity, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({"epochs": 2, "max_steps": None}, 6),
        ({"epochs": 2}, 2),
        ({"epochs": 1, "max_steps": 99, "batch": 6}, 4),
    ],
)
def test_so_many_steps_are_planned_and_done(
    folder: Path, tmp_path: Path, changes: dict[str, Any], steps: int
) -> None:
    planned = fitting(pristine(folder), tmp_path, **changes)
    assert planned.steps == steps
    fitted = planned.run()
    assert (fitted.steps, fitted.resumed_from) == (steps, 0)
    # Every sequence has 12 tokens; what an epoch has left over is a smaller step.
    batch = planned.settings.batch
    sequences = [min(batch, 22 - start) for start in range(0, 22, batch)] * 2
    assert fitted.trained_tokens == 12 * sum(sequences[:steps])


def test_lora_moves_no_weight_of_the_base_and_the_merged_model_is_base_and_change(
    folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    model = adapt(pristine(folder), settings(lora=True))
    fitted = fitting(model, tmp_path, lora=True, max_steps=4, learning_rate=0.01).run()
    base = pristine(folder).state_dict()
    trained = fitted.model.state_dict()
    kept = {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): w for name, w in trained.items()
    }
    assert all(torch.equal(weight, kept[name]) for name, weight in base.items())
    expected = dict(base)
    for name, down in trained.items():
        if "lora_A" in name:
            changed = name.removeprefix("base_model.model.").replace(".lora_A.default", "")
            up = trained[name.replace("lora_A", "lora_B")]
            assert up.abs().max() > 0
            # Twice the rank, over the rank.
            expected[changed] = base[changed] + 2 * up @ down
    assert sum(not torch.equal(expected[name], base[name]) for name in base) == 14
    for name, weight in merged(fitted.model).state_dict().items():
        torch.testing.assert_close(weight, expected[name])


def test_training_that_diverges_is_said_and_keeps_nothing(folder: Path, tmp_path: Path) -> None:
    wild = fitting(pristine(folder), tmp_path, learning_rate=1e9, max_steps=12, epochs=9)
    with pytest.raises(
        TrainingError, match=r"diverged within 12 steps.* with a train\.learning_rate below 1e\+09"
    ):
        wild.run()


def stopped(folder: Path, where: Path, *, at: int, **changes: Any) -> None:
    """Train until the end of a step, and stop there as by Ctrl-C."""

    def stop(progress: Progress) -> None:
        if progress.step == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitting(pristine(folder), where, on_change=stop, **changes).run()


def test_training_that_was_stopped_goes_on_from_its_checkpoint_and_ends_the_same(
    folder: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"max_steps": 24, "epochs": 9, "learning_rate": 1e-3}
    whole = fitting(pristine(folder), tmp_path / "whole", **how).run()
    # In the middle of an epoch, and of a second interval.
    stopped(folder, tmp_path / "twice", at=14, **how)
    again = fitting(pristine(folder), tmp_path / "twice", **how).run()
    assert (again.steps, again.resumed_from, again.best_step) == (24, 10, whole.best_step)
    assert again.trained_tokens < whole.trained_tokens
    assert same(again.model, whole.model)
    assert not same(again.model, pristine(folder))


SMALLER: dict[str, tuple[str, dict[str, Any]]] = {
    "prune": ("LlamaForCausalLM", {"compress": "prune", "prune_share": 0.5}),
    "ssm": ("MambaForCausalLM", {"compress": "ssm", "ssm_tau": 0.5}),
}


@pytest.mark.parametrize("way", SMALLER)
def test_a_training_that_cuts_goes_on_in_the_middle_of_its_cuts_and_ends_the_same(
    tmp_path: Path, way: str
) -> None:
    kind, smaller = SMALLER[way]
    base = make_tiny(tmp_path / "base", kind=kind)
    how: dict[str, Any] = {"max_steps": 40, "epochs": 20, "learning_rate": 1e-3, **smaller}
    whole = fitting(pristine(base), tmp_path / "whole", **how).run()
    assert [cut.step for cut in whole.cuts] == [3, 6, 8, 11, 13]
    # The checkpoint of step 10 has three of five cuts.
    stopped(base, tmp_path / "twice", at=12, **how)
    again = fitting(pristine(base), tmp_path / "twice", **how).run()
    assert (again.steps, again.resumed_from, again.cuts) == (whole.steps, 10, whole.cuts)
    assert same(again.model, whole.model)
    assert again.model.config.to_dict() == whole.model.config.to_dict()
    assert n_parameters(again.model) == whole.cuts[-1].parameters < n_parameters(pristine(base))
    # What was kept is the model after all cuts, however well a larger one did.
    assert again.best_step >= 20
    ended = fitting(pristine(base), tmp_path / "twice", **how).run()
    assert (ended.trained_tokens, ended.cuts) == (0, whole.cuts)
    assert same(ended.model, whole.model)


@pytest.mark.parametrize(("name", "said"), [("cuts.json", "{}"), ("cuts.json", '{"cuts": [{"step": 1}]}')])
def test_a_checkpoint_that_does_not_say_what_was_cut_is_named_and_stays(
    folder: Path, tmp_path: Path, name: str, said: str
) -> None:
    how: dict[str, Any] = {"max_steps": 40, "epochs": 20, "compress": "prune", "prune_share": 0.5}
    stopped(folder, tmp_path, at=12, **how)
    (tmp_path / "checkpoint-10" / name).write_text(said)
    with pytest.raises(TrainingError, match=r"checkpoint-10 is broken \(.*\): delete it and run the same"):
        fitting(pristine(folder), tmp_path, **how).run()


def test_a_larger_model_than_was_asked_for_is_never_the_best(folder: Path, tmp_path: Path) -> None:
    knows = Fitting(
        model=pristine(folder), learned=HELD_OUT, held_out=HELD_OUT, folder=tmp_path,
        settings=settings(max_steps=60, epochs=60, learning_rate=0.01),
    ).run().model  # fmt: skip
    how: dict[str, Any] = {"max_steps": 40, "epochs": 20, "compress": "prune", "prune_share": 0.8}
    told: list[Progress] = []
    fitted = fitting(knows, tmp_path / "cut", on_change=told.append, learning_rate=1e-6, **how).run()
    early = next(progress.perplexity for progress in told if progress.perplexity)
    assert fitted.cuts[-1].step == 13
    assert early < fitted.perplexity
    assert fitted.best_step >= 20
    assert n_parameters(fitted.model) == fitted.cuts[-1].parameters


def test_a_folder_that_was_moved_is_gone_on_with_and_its_best_model_found(
    folder: Path, tmp_path: Path, overfit: tuple[Fitted, list[Progress], Path]
) -> None:
    fitted, _, _ = overfit
    # After the best, before the end.
    stopped(folder, tmp_path / "here", at=fitted.best_step + 15, **OVERFIT)
    (tmp_path / "here").rename(tmp_path / "there")
    again = fitting(pristine(folder), tmp_path / "there", **OVERFIT).run()
    assert (again.steps, again.best_step) == (fitted.steps, fitted.best_step)
    assert again.resumed_from == fitted.best_step + 10
    assert same(again.model, fitted.model)
    (tmp_path / "there").rename(tmp_path / "elsewhere")
    ended = fitting(pristine(folder), tmp_path / "elsewhere", **OVERFIT).run()
    assert ended.trained_tokens == 0
    assert same(ended.model, fitted.model)


def test_training_that_had_stopped_early_is_loaded_and_not_trained_on(
    folder: Path, overfit: tuple[Fitted, list[Progress], Path]
) -> None:
    fitted, _, where = overfit
    again = fitting(pristine(folder), where, **OVERFIT).run()
    assert (again.steps, again.best_step, again.trained_tokens) == (fitted.steps, fitted.best_step, 0)
    assert again.perplexity == fitted.perplexity
    assert same(again.model, fitted.model)


@pytest.mark.parametrize("lora", [False, True])
def test_training_that_had_done_all_its_steps_is_loaded_and_not_trained_on(
    folder: Path, tmp_path: Path, lora: bool
) -> None:
    if lora:
        pytest.importorskip("peft")
    # 4 steps are an epoch and a third.
    how: dict[str, Any] = {"max_steps": 4, "lora": lora}
    done = fitting(adapt(pristine(folder), settings(**how)), tmp_path, **how).run()
    again = fitting(adapt(pristine(folder), settings(**how)), tmp_path, **how).run()
    assert (again.steps, again.trained_tokens) == (4, 0)
    assert same(again.model, done.model)


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "trainer_state.json"])
def test_a_checkpoint_that_was_broken_afterwards_is_named_and_stays(
    folder: Path, tmp_path: Path, name: str
) -> None:
    how: dict[str, Any] = {"max_steps": 12, "epochs": 9}
    stopped(folder, tmp_path, at=11, **how)
    good = tmp_path / "checkpoint-10"
    content = (good / name).read_bytes()
    (good / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainingError, match=r"checkpoint-10 is broken \(.*\): delete it and run the same"):
        fitting(pristine(folder), tmp_path, **how).run()
    assert good.is_dir()
