"""Smaller shoppers, on models of a few kilobytes: fewer layers, and a teacher to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.shoppers.finetuned.compress import distillation_loss, drop_layers
from tests.needs import needed
from tests.unit.shoppers.finetuned.families import FAMILIES, cached_logits, logits, made

torch = needed("torch")
transformers = needed("transformers")


def skipping(model: Any, layers: Any, kept: list[int]) -> Any:
    """The logits of the whole model, the output of every layer that is not kept replaced by its input."""

    def pass_on(layer: Any, given: Any, options: Any, output: Any) -> Any:
        hidden = given[0] if given else options["hidden_states"]
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

    hooks = [
        layer.register_forward_hook(pass_on, with_kwargs=True)
        for place, layer in enumerate(layers)
        if place not in kept
    ]
    try:
        return logits(model)
    finally:
        for hook in hooks:
            hook.remove()


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_model_of_fewer_layers_says_what_the_whole_says_without_the_others(kind: str) -> None:
    model = made(kind)
    layers = next(m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 6)
    before = logits(model)
    smaller = drop_layers(model, 3)
    # Evenly spaced over 0 to 5, and 2.5 to the even neighbor.
    torch.testing.assert_close(logits(smaller), skipping(model, layers, [0, 2, 5]))
    assert smaller.config.num_hidden_layers == 3
    assert (logits(model) == before).all()
    assert not torch.allclose(logits(smaller), before, atol=0.1)


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_model_of_fewer_layers_says_the_same_with_its_cache_and_after_loading(
    kind: str, tmp_path: Path
) -> None:
    smaller = drop_layers(made(kind), 4)
    whole = logits(smaller)
    torch.testing.assert_close(cached_logits(smaller), whole, atol=1e-4, rtol=1e-4)
    smaller.save_pretrained(tmp_path)
    again, found = getattr(transformers, kind).from_pretrained(tmp_path, output_loading_info=True)
    assert not found["missing_keys"]
    assert not found["unexpected_keys"]
    assert (logits(again) == whole).all()


@pytest.mark.parametrize(("keep", "kept"), [(1, [0]), (2, [0, 5]), (4, [0, 2, 3, 5]), (5, [0, 1, 2, 4, 5])])
def test_the_layers_that_are_kept_are_evenly_spaced(keep: int, kept: list[int]) -> None:
    model = made("LlamaForCausalLM")
    for number, layer in enumerate(model.model.layers):
        layer.input_layernorm.weight.data.fill_(number)
    smaller = drop_layers(model, keep)
    assert [layer.input_layernorm.weight[0].item() for layer in smaller.model.layers] == kept


def test_a_model_of_fewer_layers_keeps_its_precision_its_mode_and_how_it_generates() -> None:
    model = made("LlamaForCausalLM").to(torch.bfloat16).train()
    model.generation_config.max_new_tokens = 7
    smaller = drop_layers(model, 2)
    assert smaller.dtype == torch.bfloat16
    assert smaller.training
    assert smaller.generation_config.max_new_tokens == 7


@pytest.mark.parametrize("keep", [-1, 0, 6, 7])
def test_as_many_layers_as_there_are_or_none_cannot_be_kept(keep: int) -> None:
    with pytest.raises(InputError, match=rf"cannot keep {keep} layers: the model has 6, so give 1 to 5"):
        drop_layers(made("LlamaForCausalLM"), keep)


def test_a_model_whose_layers_cannot_be_found_or_dropped_is_one_line() -> None:
    two_stacks = made("LlamaForCausalLM")
    two_stacks.more = torch.nn.ModuleList([torch.nn.Linear(2, 2) for _ in range(6)])
    with pytest.raises(
        InputError, match="no layers of a LlamaForCausalLM can be dropped: it has 2 lists of 6"
    ):
        drop_layers(two_stacks, 3)
    no_stack = made("LlamaForCausalLM")
    no_stack.config.num_hidden_layers = 7
    with pytest.raises(InputError, match="it has 0 lists of 7 layers"):
        drop_layers(no_stack, 3)
    # Only the layer of this number is dense, so another one would be dense after dropping.
    odd = made("Qwen2MoeForCausalLM", mlp_only_layers=[1], num_experts=2, moe_intermediate_size=8)
    with pytest.raises(InputError, match=r"no layers of this model can be dropped: .*Missing key") as raised:
        drop_layers(odd, 3)
    assert "\n" not in str(raised.value)


def test_the_last_layer_with_full_attention_is_never_dropped() -> None:
    kinds = ["sliding_attention", "full_attention", *["sliding_attention"] * 4]
    model = made("Gemma3ForCausalLM", layer_types=kinds)
    with pytest.raises(InputError, match="none with full_attention would be left, so keep more"):
        drop_layers(model, 2)


def distilled(student: Any, teacher: Any, labels: Any, *, t: float, weight: float) -> float:
    """The loss by its formula, in NumPy: one row."""

    def softmax(values: Any) -> Any:
        raised = np.exp(values - values.max())
        return raised / raised.sum()

    losses = []
    for place in range(len(labels) - 1):
        if labels[place + 1] == -100:
            continue
        p, q = softmax(teacher[place] / t), softmax(student[place] / t)
        divergence = (p * np.log(p / q)).sum()
        surprise = -np.log(softmax(student[place])[labels[place + 1]])
        losses.append(weight * t**2 * divergence + (1 - weight) * surprise)
    return float(np.mean(losses))


@pytest.mark.parametrize(("t", "weight"), [(1.0, 0.5), (2.0, 0.5), (4.0, 0.9), (2.0, 1.0), (2.0, 0.0)])
def test_the_distillation_loss_is_that_of_its_formula(t: float, weight: float) -> None:
    rng = np.random.default_rng(1)
    student, teacher = rng.normal(size=(2, 6, 5)) * 2
    labels = [3, -100, 2, 0, -100, 4]
    given = [torch.tensor(one[None]) for one in (student, teacher)]
    loss = distillation_loss(given[0], given[1], torch.tensor([labels]), temperature=t, weight=weight)
    assert loss.item() == pytest.approx(distilled(student, teacher, labels, t=t, weight=weight), rel=1e-5)


def test_the_distillation_loss_of_two_choices_is_that_of_a_calculation_by_hand() -> None:
    # Teacher 3 : 1, student 1 : 1, the token said is the second. KL = .75 ln 1.5 + .25 ln .5 = .130812; at
    # temperature 1 half of it and half of ln 2 make .411980.
    teacher = torch.tensor([[[3.0, 1.0], [1.0, 1.0]]]).log()
    loss = distillation_loss(
        torch.zeros(1, 2, 2), teacher, torch.tensor([[-100, 1]]), temperature=1.0, weight=0.5
    )
    assert loss.item() == pytest.approx(0.411980, abs=1e-6)


def test_the_distillation_loss_of_parts_adds_up_to_that_of_the_whole() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 4, 9, 7)
    student.requires_grad_()
    labels = torch.randint(0, 7, (4, 9))
    labels[0, :7] = labels[1] = -100
    how: dict[str, Any] = {"temperature": 2.0, "weight": 0.5}
    (whole,) = torch.autograd.grad(distillation_loss(student, teacher, labels, **how), student)
    count = int((labels[:, 1:] != -100).sum())
    parts = [
        distillation_loss(student[rows], teacher[rows], labels[rows], **how, num_items_in_batch=count)
        for rows in (slice(0, 1), slice(1, 2), slice(2, 4))
    ]
    assert parts[1].item() == 0
    (summed,) = torch.autograd.grad(sum(parts), student)
    torch.testing.assert_close(summed, whole)


def test_a_teacher_with_another_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs its teacher's vocabulary: .*\(1, 3, 5\) and \(1, 3, 6\)"):
        distillation_loss(
            torch.zeros(1, 3, 5), torch.zeros(1, 3, 6), torch.zeros(1, 3).long(), temperature=1.0, weight=0.5
        )
