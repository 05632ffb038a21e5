"""States that are cut out of state-space models: how they are weighed, and that nothing but them is gone."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.shoppers.balanced_truncation import DiagonalSystem, hankel_singular_values
from convsim.shoppers.finetuned.compress import StateReduction, cut, n_parameters
from convsim.shoppers.finetuned.compress.states import coordinate_energies
from tests.needs import needed
from tests.unit.shoppers.finetuned.families import made
from tests.unit.shoppers.finetuned.test_pruning import examples

torch = needed("torch")
transformers = needed("transformers")

SMALL: dict[str, Any] = {
    "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "bos_token_id": 1, "eos_token_id": 2,
    "pad_token_id": 0,
}  # fmt: skip
HEADS: dict[str, Any] = {"intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
MAMBA2: dict[str, Any] = {"mamba_d_state": 8, "mamba_n_heads": 4, "mamba_d_head": 16}
KINDS: dict[str, dict[str, Any]] = {
    "Mamba": {"state_size": 8},
    "FalconMamba": {"state_size": 8},
    "Mamba2": {"state_size": 8, "num_heads": 4, "head_dim": 16, "n_groups": 2, "chunk_size": 16},
    "Jamba": {
        **HEADS, "mamba_d_state": 8, "mamba_dt_rank": 4, "attn_layer_period": 2, "attn_layer_offset": 1,
        "expert_layer_period": 2, "num_experts": 1, "num_experts_per_tok": 1, "use_mamba_kernels": False,
    },
    "Bamba": {**HEADS, **MAMBA2, "mamba_n_groups": 2, "mamba_chunk_size": 16, "attn_layer_indices": [1]},
}  # fmt: skip


def model_of(kind: str) -> Any:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**{**SMALL, **KINDS[kind]})
    model = getattr(transformers, f"{kind}ForCausalLM")(config).eval()
    for name, weight in model.named_parameters():
        # Far enough from how they are set up that each state does something of its own.
        if name.endswith(("x_proj.weight", "in_proj.weight")):
            torch.nn.init.normal_(weight, std=0.4)
    return model


def said(model: Any) -> Any:
    with torch.inference_mode():
        return model(torch.tensor([examples(1)[0].tokens]), use_cache=False).logits


def mixers(model: Any) -> list[tuple[str, Any]]:
    return [(name, each) for name, each in model.named_modules() if hasattr(each, "A_log")]


def silence(mixer: Any, group: int, state: int) -> None:
    """Let nothing write a state, and nothing read it."""
    size = mixer.ssm_state_size
    if mixer.A_log.ndim == 2:
        rank = mixer.time_step_rank
        mixer.x_proj.weight.data[[rank + state, rank + size + state]] = 0
        return
    start = mixer.in_proj.out_features - mixer.num_heads - mixer.conv_dim
    for place in (group * size + state, (mixer.n_groups + group) * size + state):
        channel = mixer.intermediate_size + place
        mixer.in_proj.weight.data[start + channel] = 0
        mixer.conv1d.weight.data[channel] = 0
        if mixer.conv1d.bias is not None:
            mixer.conv1d.bias.data[channel] = 0


def reduced(model: Any, tau: float) -> tuple[Any, Any]:
    smaller = copy.deepcopy(model)
    reduction = StateReduction(smaller, tau)
    kept = reduction.chosen(smaller, examples(), before=0.0, after=1.0)
    cut(smaller, kept)
    reduction.resize(smaller, kept.widths)
    return smaller, kept


def groups_of(mixer: Any) -> int:
    return mixer.n_groups if mixer.A_log.ndim == 1 else 1


@pytest.mark.parametrize("kind", KINDS)
def test_states_that_do_nothing_go_and_the_model_says_the_same(kind: str) -> None:
    model = model_of(kind)
    idle = {}
    for number, (name, mixer) in enumerate(mixers(model)):
        for group in range(groups_of(mixer)):
            # In each layer and group others.
            idle[name, group] = [(number + group) % 3, 4 + number, 7 - group]
            for state in idle[name, group]:
                silence(mixer, group, state)
    smaller, kept = reduced(model, 1e-9)
    assert kept.widths == {"states": 5}
    torch.testing.assert_close(said(smaller), said(model), atol=1e-4, rtol=1e-4)
    assert n_parameters(smaller) < n_parameters(model)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_says_what_the_whole_says_with_the_cut_states_silent(kind: str) -> None:
    model = model_of(kind)
    smaller, kept = reduced(model, 0.4)
    assert kept.widths["states"] < 8
    whole = copy.deepcopy(model)
    for name, mixer in mixers(whole):
        size, groups = mixer.ssm_state_size, groups_of(mixer)
        for group in range(groups):
            if mixer.A_log.ndim == 2:
                stay = set(kept.places[f"{name}.A_log"][1])
            else:
                first = mixer.intermediate_size + group * size
                stay = {place - first for place in kept.places[f"{name}.conv1d.weight"][0]}
            for state in set(range(size)) - stay:
                silence(mixer, group, state)
    torch.testing.assert_close(said(smaller), said(whole), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(said(smaller), said(model), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reduced_model_loads_as_any_other_and_writes_with_its_cache(kind: str, tmp_path: Path) -> None:
    smaller, _ = reduced(model_of(kind), 0.4)
    smaller.save_pretrained(tmp_path)
    again, found = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not found["missing_keys"]
    assert not found["unexpected_keys"]
    assert (said(again) == said(smaller)).all()
    asked = torch.tensor([examples(1)[0].tokens])
    with torch.inference_mode():
        written = again.generate(asked, max_new_tokens=4, min_new_tokens=4, do_sample=False)
        for place in range(asked.shape[1], written.shape[1]):
            following = again(written[:, :place], use_cache=False).logits[0, -1]
            assert following[written[0, place]] >= following.max() - 1e-4 or written[0, place] != 2


def test_the_energies_of_a_system_that_does_not_vary_are_its_hankel_values() -> None:
    rng = np.random.default_rng(1)
    decay, write, read = np.array([0.95, 0.6, -0.3]), np.array([0.3, 1.0, 2.0]), np.array([1.0, -2.0, 0.7])
    expected = [
        hankel_singular_values(DiagonalSystem(*(np.array(p, complex) for p in ([a], [[b]], [[c]]))))[0]
        for a, b, c in zip(decay, write, read, strict=True)
    ]
    tokens, white = 10_000, rng.normal(size=10_000)
    rows = [
        np.broadcast_to(decay, (tokens, 1, 3)),
        (white[:, None] * write)[:, None],
        np.broadcast_to(read, (tokens, 1, 3)),
    ]
    found = coordinate_energies(*(torch.tensor(np.ascontiguousarray(row)) for row in rows))
    np.testing.assert_allclose(found[0], expected, rtol=0.1)


def test_the_energies_of_a_system_that_varies_are_those_of_a_calculation_by_hand() -> None:
    # Two tokens, one state. h = 2, then .5 * 2 + 1 = 2: mean square 4. A unit in it at the first token puts out 1, then
    # .5 * 3; at the second 3: energies 3.25 and 9, mean 6.125.
    found = coordinate_energies(
        *(torch.tensor(row).reshape(2, 1, 1) for row in ([0.9, 0.5], [2.0, 1.0], [1.0, 3.0]))
    )
    assert found.item() == pytest.approx((4 * 6.125) ** 0.5)


@pytest.mark.parametrize("kind", ["Mamba", "FalconMamba", "Mamba2"])
def test_the_energies_are_those_of_the_states_that_the_model_itself_comes_to(kind: str) -> None:
    """The last state of the followed dynamics is that in the model's own cache."""
    model = model_of(kind)
    asked = torch.tensor([examples(1)[0].tokens])
    from convsim.shoppers.finetuned.compress import states

    seen: list[Any] = []

    def spy(decay: Any, inputs: Any, reads: Any) -> Any:
        state = torch.zeros_like(inputs[0])
        for at in range(len(inputs)):
            state = decay[at] * state + inputs[at]
        seen.append(state)
        return torch.zeros_like(state)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(states, "coordinate_energies", spy)
        states._observed(model, states._mixers(model), examples(1))
    with torch.inference_mode():
        cache = model(asked, use_cache=True).cache
    found = torch.cat(seen).reshape(2, -1, 8)
    for layer in range(2):
        own = cache.get_recurrent_state(layer, state_idx=0).reshape(-1, 8)
        torch.testing.assert_close(found[layer], own, atol=1e-5, rtol=1e-4)


def test_cuts_together_keep_what_is_asked_for() -> None:
    model = model_of("Mamba")
    reduction = StateReduction(model, 0.5)
    tolerances: list[float] = []

    def ranked(_: Any, tau: float) -> int:
        tolerances.append(tau)
        return 8

    with pytest.MonkeyPatch.context() as patched:
        from convsim.shoppers.finetuned.compress import states

        patched.setattr(states, "rank_keeping", ranked)
        for before, after in ((0.0, 0.488), (0.488, 0.784), (0.784, 1.0)):
            reduction.chosen(model, examples(1), before=before, after=after)
    assert np.prod([1 - tau for tau in dict.fromkeys(tolerances)]) == pytest.approx(0.5)


def test_a_model_without_states_is_refused_with_the_reason() -> None:
    with pytest.raises(
        InputError, match=r"ssm=0\.1 is for state-space models .*: this LlamaForCausalLM has no layer"
    ):
        StateReduction(made("LlamaForCausalLM"), 0.1)


def test_a_model_whose_other_parts_depend_on_the_states_is_refused() -> None:
    more = {**HEADS, **MAMBA2, "mamba_d_ssm": 64, "mamba_n_groups": 1, "mamba_chunk_size": 16}
    torch.manual_seed(0)
    model = transformers.FalconH1ForCausalLM(transformers.FalconH1Config(**{**SMALL, **more}))
    with pytest.raises(
        InputError, match=r"FalconH1ForCausalLM cannot be made smaller: .*mup_vector would not fit"
    ):
        StateReduction(model, 0.1)
