"""Heads and neurons that are cut out: which, how many, and that nothing but them is gone."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.shoppers.finetuned.compress import (
    Pruning,
    cut,
    cut_steps,
    n_parameters,
    proportion_cut,
    structured,
)
from convsim.shoppers.finetuned.compress.units import Prices, Scores, Widths, choose_units
from convsim.shoppers.finetuned.encode import Example, Span
from tests.needs import needed
from tests.unit.shoppers.finetuned.families import cached_logits, logits, made

torch = needed("torch")
transformers = needed("transformers")

KINDS = (
    "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "Gemma2ForCausalLM",
    "Gemma3ForCausalLM", "PhiForCausalLM", "Starcoder2ForCausalLM",
)  # fmt: skip
BIASED = {"attention_bias": True, "mlp_bias": True}


def examples(count: int = 4) -> list[Example]:
    draw = random.Random(0)
    return [Example(tuple(draw.randrange(3, 64) for _ in range(14)), (Span(3, 5, 12),)) for _ in range(count)]


def pruned(model: Any, share: float) -> tuple[Any, Pruning, Any]:
    """A smaller copy, what made it, and what it kept."""
    smaller = copy.deepcopy(model)
    pruning = Pruning(smaller, share)
    kept = pruning.chosen(smaller, examples(), before=0.0, after=1.0)
    cut(smaller, kept)
    pruning.resize(smaller, kept.widths)
    return smaller, pruning, kept


def masked(model: Any, kept: Any) -> Any:
    """The whole model, with the columns that read what was cut out set to 0."""
    whole = copy.deepcopy(model)
    for name, places in kept.places.items():
        if 1 in places:
            weight = whole.get_parameter(name).data
            stays = torch.zeros(weight.shape[1], dtype=torch.bool)
            stays[places[1]] = True
            weight[:, ~stays] = 0
    return whole


@pytest.mark.parametrize("share", [0.3, 0.7])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pruned_model_says_what_the_whole_says_with_the_cut_units_silent(kind: str, share: float) -> None:
    model = made(kind)
    smaller, _, kept = pruned(model, share)
    torch.testing.assert_close(logits(smaller), logits(masked(model, kept)), atol=5e-4, rtol=1e-3)
    assert not torch.allclose(logits(smaller), logits(model), atol=0.1)
    assert n_parameters(smaller) < n_parameters(model)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pruned_model_says_the_same_with_its_cache_and_loads_as_any_other(
    kind: str, tmp_path: Path
) -> None:
    smaller, _, kept = pruned(made(kind), 0.7)
    assert kept.widths["attention_heads"] < 4
    whole = logits(smaller)
    torch.testing.assert_close(cached_logits(smaller), whole, atol=1e-4, rtol=1e-4)
    smaller.save_pretrained(tmp_path)
    again, found = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not found["missing_keys"]
    assert not found["unexpected_keys"]
    assert not found["mismatched_keys"]
    assert (logits(again) == whole).all()


def test_biases_of_what_is_cut_out_go_with_it() -> None:
    model = made("LlamaForCausalLM", **BIASED)
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(weight)
    smaller, _, kept = pruned(model, 0.7)
    torch.testing.assert_close(logits(smaller), logits(masked(model, kept)), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.7])
def test_the_share_is_of_the_parameters_of_attention_and_mlp_matrices(share: float) -> None:
    model = made("LlamaForCausalLM")
    # Six layers: queries and output of 32 x 32, keys and values of 16 x 32, three matrices of 64 x 32.
    assert Pruning(model, share).parameters == 6 * (2 * 32 * 32 + 2 * 16 * 32 + 3 * 64 * 32)
    smaller, pruning, _ = pruned(model, share)
    gone = n_parameters(model) - n_parameters(smaller)
    # As near as one neuron of each layer is.
    assert abs(share * pruning.parameters - gone) <= 6 * 3 * 32


def test_a_share_that_leaves_no_head_is_refused_with_the_most_that_can_go() -> None:
    model = made("LlamaForCausalLM")
    with pytest.raises(
        InputError, match=r"prune=0\.99: a layer keeps one neuron and 1 of its 4 .* at most 0\.8"
    ) as said:
        Pruning(model, 0.99)
    most = float(str(said.value).rpartition(" ")[2])
    _, _, kept = pruned(model, most)
    assert kept.widths == {"attention_heads": 1, "key_value_heads": 1, "neurons": 1}


def silent_head(model: Any, *, layer: int, heads: list[int]) -> None:
    """Let the layer's output read next to nothing of some heads."""
    weight = model.model.layers[layer].self_attn.o_proj.weight.data
    for head in heads:
        weight[:, 8 * head : 8 * (head + 1)] *= 1e-6


def test_heads_that_nobody_listens_to_go_first_with_the_key_and_value_that_they_share() -> None:
    model = made("LlamaForCausalLM")
    # In each layer another pair: 0 and 1 share the first key and value, 2 and 3 the second.
    for layer in range(6):
        silent_head(model, layer=layer, heads=[0, 1] if layer % 2 else [2, 3])
    smaller, _, kept = pruned(model, 0.2)
    assert (kept.widths["attention_heads"], kept.widths["key_value_heads"]) == (2, 1)
    for layer in range(6):
        stays = [*range(16, 32)] if layer % 2 else [*range(16)]
        at = f"model.layers.{layer}.self_attn"
        assert kept.places[f"{at}.q_proj.weight"][0] == stays
        assert kept.places[f"{at}.k_proj.weight"][0] == [*range(8, 16)] if layer % 2 else [*range(8)]
    # Nearly nothing is lost: all else that went are the least important neurons.
    assert smaller.config.num_key_value_heads == 1


def test_of_every_key_and_value_one_silent_head_goes_where_that_costs_least() -> None:
    model = made("LlamaForCausalLM")
    for layer in range(6):
        silent_head(model, layer=layer, heads=[0, 3])
    _, _, kept = pruned(model, 0.15)
    assert (kept.widths["attention_heads"], kept.widths["key_value_heads"]) == (2, 2)
    assert kept.places["model.layers.0.self_attn.q_proj.weight"][0] == [*range(8, 24)]
    assert kept.places["model.layers.0.self_attn.k_proj.weight"][0] == [*range(16)]


def test_neurons_that_do_nothing_go_first_in_each_layer_its_own() -> None:
    model = made("LlamaForCausalLM")
    draw = random.Random(1)
    idle = [sorted(draw.sample(range(64), 16)) for _ in range(6)]
    for layer, neurons in zip(model.model.layers, idle, strict=True):
        layer.mlp.up_proj.weight.data[neurons] = 0
    # A quarter of the neurons' 6,144 of 9,216 parameters of a layer.
    smaller, _, kept = pruned(model, 0.25 * 6144 / 9216)
    assert kept.widths == {"attention_heads": 4, "key_value_heads": 2, "neurons": 48}
    for layer, neurons in enumerate(idle):
        stays = kept.places[f"model.layers.{layer}.mlp.down_proj.weight"][1]
        assert stays == [place for place in range(64) if place not in neurons]
    torch.testing.assert_close(logits(smaller), logits(model), atol=2e-5, rtol=1e-4)


def test_the_scores_are_the_gradient_by_a_gate_on_each_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "multiplies_bfloat16", lambda: False)
    model, [one] = made("LlamaForCausalLM"), examples(1)
    scores = Pruning(model, 0.5)._scores(model, [one])
    layer = model.model.layers[2]
    gates = {
        "self_attn.o_proj": torch.ones(4, requires_grad=True),
        "mlp.down_proj": torch.ones(64, requires_grad=True),
    }
    for name, gate in gates.items():
        wide = layer.get_submodule(name).in_features // len(gate)

        def opened(_: Any, given: Any, gate: Any = gate, wide: int = wide) -> Any:
            return (given[0] * gate.repeat_interleave(wide),)

        layer.get_submodule(name).register_forward_pre_hook(opened)
    tokens, labels = (torch.tensor([row]) for row in (one.tokens, one.labels))
    found = torch.autograd.grad(model(tokens, labels=labels).loss, [*gates.values()])
    np.testing.assert_allclose(scores.heads[0, 2].ravel(), found[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scores.neurons[0, 2], found[1], rtol=1e-4, atol=1e-6)


def test_units_are_weighed_by_what_a_parameter_of_theirs_is_worth() -> None:
    # One layer, 2 key/value heads of 1 head, 4 neurons. Heads cost 10 each of 10 + 10; neurons 1, 2, 3, 4 of 5 each.
    scores = Scores(np.sqrt([[[[10.0], [30.0]]]]), np.sqrt([[[1.0, 2.0, 3.0, 4.0]]]))
    prices, both = Prices(10, 10, 5), {(1, 1), (2, 1)}
    # Of 60, 15 go: the first neuron (.2 a parameter), the second (.4), and, as a head (.5) is too much, the third.
    choice = choose_units(scores, prices, parameters=45, allowed=both)
    assert choice.widths == Widths(2, 1, 1)
    assert choice.neurons == [[3]]
    # Of 60, 35 go: two neurons, then the head (.5) before the third neuron (.6), and that one.
    choice = choose_units(scores, prices, parameters=25, allowed=both)
    assert (choice.widths, choice.groups) == (Widths(1, 1, 1), [[1]])
    # A configuration that cannot say one head keeps both, and goes as far as neurons do.
    choice = choose_units(scores, prices, parameters=25, allowed={(2, 1)})
    assert choice.widths == Widths(2, 1, 1)


def test_numbers_of_heads_that_a_configuration_refuses_are_not_come_to() -> None:
    # Llama wants them to divide the width of the model: of 32, 3 heads do not.
    model = made("LlamaForCausalLM", num_key_value_heads=4)
    for layer in range(6):
        silent_head(model, layer=layer, heads=[1])
    _, pruning, kept = pruned(model, 0.6)
    assert kept.widths["attention_heads"] in (1, 2, 4)
    assert (3, 1) not in pruning._allowed


OTHERS = {
    "GPT2LMHeadModel": ({}, "has no attention with q_proj, k_proj and v_proj as linear layers"),
    "GPTNeoXForCausalLM": ({}, "has no attention with q_proj"),
    "Olmo2ForCausalLM": ({}, r"cannot be made smaller: .*norm\.weight would not fit its configuration"),
    "Qwen2MoeForCausalLM": (
        {"num_experts": 2, "moe_intermediate_size": 8}, "as wide as its configuration says|no one MLP",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_a_model_of_another_form_is_refused_with_the_reason(kind: str) -> None:
    more, problem = OTHERS[kind]
    with pytest.raises(InputError, match=rf"--compress prune=0\.3: .*({problem})") as said:
        Pruning(made(kind, **more), 0.3)
    assert "\n" not in str(said.value)


def test_the_moments_of_an_optimizer_are_cut_as_their_weights_are() -> None:
    model = made("LlamaForCausalLM").train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    tokens = torch.randint(3, 64, (2, 9))
    model(tokens, labels=tokens).loss.backward()
    optimizer.step()
    before = {
        name: {key: value.clone() for key, value in optimizer.state[weight].items()}
        for name, weight in model.named_parameters()
    }
    pruning = Pruning(model, 0.7)
    kept = pruning.chosen(model, examples(), before=0.0, after=1.0)
    cut(model, kept, optimizer)
    pruning.resize(model, kept.widths)
    for name, weight in model.named_parameters():
        for key in ("exp_avg", "exp_avg_sq"):
            expected = before[name][key].numpy()
            for dim, places in kept.places.get(name, {}).items():
                expected = expected.take(places, axis=dim)
            assert (optimizer.state[weight][key].numpy() == expected).all()
        assert optimizer.state[weight]["step"] == 1
    # And it goes on with them.
    model(tokens, labels=tokens).loss.backward()
    optimizer.step()


def test_cuts_come_in_the_first_third_and_take_most_at_first() -> None:
    assert cut_steps(300) == (20, 40, 60, 80, 100)
    assert cut_steps(40) == (3, 6, 8, 11, 13)
    assert [cut_steps(n) for n in (2, 3, 6, 9)] == [(1,), (1,), (1, 2), (1, 2, 3)]
    # 1 - (4/5)^3, 1 - (3/5)^3, ...
    assert [proportion_cut(n, 5) for n in range(6)] == pytest.approx([0, 0.488, 0.784, 0.936, 0.992, 1])
