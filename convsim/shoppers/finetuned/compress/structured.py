"""Prunes attention heads and neurons out of the layers of a causal language model."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from convsim._text import one_line
from convsim.errors import InputError
from convsim.models.checkpoint import multiplies_bfloat16
from convsim.shoppers.finetuned.compress.cuts import Kept, check_form
from convsim.shoppers.finetuned.compress.layers import layer_stack
from convsim.shoppers.finetuned.compress.units import Choice, Prices, Scores, Widths, choose_units
from convsim.shoppers.finetuned.encode import Example
from convsim.shoppers.finetuned.perplexity import laid_out

ATTENTION = tuple(("q_proj", "k_proj", "v_proj", out) for out in ("o_proj", "out_proj", "dense"))
MLP = (("gate_proj", "up_proj", "down_proj"), ("up_proj", "down_proj"), ("fc1", "fc2"), ("c_fc", "c_proj"))
"""How the matrices of a layer are called; the last of each reads what the others make."""


class _Layer(NamedTuple):
    """The names of a layer's matrices."""

    attention: str
    queries: str
    keys: str
    values: str
    output: str
    mlp: str
    into: tuple[str, ...]
    back: str


class Pruning:
    """Prunes a proportion of the parameters of all layers' attention and MLP matrices.

    The importance of a unit is how much the loss would move if its output were faded out, to the first order of a
    Taylor expansion and squared: with a gate z of 1 on what a head or neuron gives to the layer's last matrix, it is
    the mean over sequences of (dL/dz)^2. The gradient by the gate is the sum of weight times gradient over the columns
    of that matrix that read the unit. What is cut is gone: matrices are smaller, and the model says what it would say
    with the columns set to 0, to rounding.

    Configurations have one number for all layers, so all layers are cut to the same widths; which heads and neurons
    go is each layer's own matter. Of heads that share a key and value (grouped queries), all go with it, or as many of
    each.

    Raises:
        InputError: A layer is not of the known form, or so much cannot go.

    Source:
        Molchanov, Mallya, Tyree, Frosio and Kautz (2019), Importance estimation for neural network pruning, CVPR,
        equation 8; of heads: Michel, Levy and Neubig (2019), Are sixteen heads really better than one?, NeurIPS, with
        the square in place of the absolute value.
    """

    def __init__(self, model: Any, share: float):
        self.share = share
        self._how = f"prune={share:g}"
        self._config = copy.deepcopy(model.config)
        self._layers = _known_layers(model, self._how)
        self.whole = self._widths(model)
        self._head_dim = model.get_submodule(self._layers[0].keys).out_features // self.whole.groups
        self._prices = self._priced(model)
        groups = self.whole.groups
        self._allowed = {
            (g, h)
            for g in range(1, groups + 1)
            for h in range(1, self.whole.heads + 1)
            if self._can_say(g, g * h)
        }
        self._check(model)

    @property
    def parameters(self) -> int:
        """Of all that can be pruned, before the first cut."""
        return self._prices.of(self.whole)

    def chosen(self, model: Any, examples: Sequence[Example], *, before: float, after: float) -> Kept:
        """Choose which heads and neurons of each layer stay; ``before`` plays no part."""
        parameters = round((1 - self.share * after) * self.parameters)
        choice = choose_units(
            self._scores(model, examples), self._prices, parameters=parameters, allowed=self._allowed
        )
        return self._kept(choice, self._widths(model).heads)

    def leading(self, model: Any, widths: Mapping[str, int]) -> Kept:
        """Name the first heads and neurons of each layer."""
        now, then = self._widths(model), _read(widths)
        if any(not 1 <= small <= large for small, large in zip(then, now, strict=True)):
            raise ValueError(f"layers of {now} cannot be cut to {then}")
        n = len(self._layers)
        groups = [*range(then.groups)]
        # Places within the layer as it is: ``now.heads`` of each group.
        choice = Choice(
            [groups] * n, [{g: [*range(then.heads)] for g in groups}] * n, [[*range(then.neurons)]] * n
        )
        return self._kept(choice, now.heads)

    def resize(self, model: Any, widths: Mapping[str, int]) -> None:
        """Write the widths into the configuration and the modules."""
        then = _read(widths)
        text = model.config.get_text_config()
        said = {
            "num_attention_heads": then.groups * then.heads,
            "num_key_value_heads": then.groups,
            "num_heads": then.groups * then.heads,
            "num_key_value_groups": then.heads,
            "intermediate_size": then.neurons,
        }
        for name in ("num_attention_heads", "num_key_value_heads", "intermediate_size"):
            if name != "num_key_value_heads" or hasattr(text, name):
                setattr(text, name, said[name])
        text.head_dim = self._head_dim
        for layer in self._layers:
            for module in (model.get_submodule(layer.attention), model.get_submodule(layer.mlp)):
                for name, value in said.items():
                    if isinstance(vars(module).get(name), int):
                        setattr(module, name, value)

    def _widths(self, model: Any) -> Widths:
        text = model.config.get_text_config()
        heads = text.num_attention_heads
        groups = getattr(text, "num_key_value_heads", None) or heads
        return Widths(groups, heads // groups, text.intermediate_size)

    def _kept(self, choice: Choice, each: int) -> Kept:
        """Name the places that stay, of layers with ``each`` heads a key/value head."""
        wide = self._head_dim
        places: dict[str, dict[int, list[int]]] = {}
        for layer, groups, heads, neurons in zip(
            self._layers, choice.groups, choice.heads, choice.neurons, strict=True
        ):
            query = [g * each + h for g in groups for h in heads[g]]
            of_heads, of_groups = (
                [head * wide + place for head in some for place in range(wide)] for some in (query, groups)
            )
            rows = {layer.queries: of_heads, layer.keys: of_groups, layer.values: of_groups}
            rows |= dict.fromkeys(layer.into, neurons)
            for name, kept in rows.items():
                places[f"{name}.weight"] = {0: kept}
                if name in self._with_bias:
                    places[f"{name}.bias"] = {0: kept}
            places[f"{layer.output}.weight"] = {1: of_heads}
            places[f"{layer.back}.weight"] = {1: neurons}
        return Kept(places, _said(choice.widths))

    def _priced(self, model: Any) -> Prices:
        self._with_bias = {
            name
            for layer in self._layers
            for name in (layer.queries, layer.keys, layer.values, *layer.into)
            if model.get_submodule(name).bias is not None
        }
        wide, price = self._head_dim, [0, 0, 0]

        def row(name: str) -> int:
            return int(model.get_submodule(name).in_features) + (name in self._with_bias)

        for layer in self._layers:
            price[0] += wide * (row(layer.keys) + row(layer.values))
            price[1] += wide * (row(layer.queries) + model.get_submodule(layer.output).out_features)
            price[2] += sum(map(row, layer.into)) + model.get_submodule(layer.back).out_features
        return Prices(*price)

    def _can_say(self, groups: int, heads: int) -> bool:
        """Tell whether a configuration takes so many heads; some want them to divide the width of the model."""
        if (groups, heads) == (self.whole.groups, self.whole.groups * self.whole.heads):
            return True
        plain = copy.deepcopy(self._config)
        text = plain.get_text_config()
        text.num_attention_heads, text.head_dim = heads, self._head_dim
        if hasattr(text, "num_key_value_heads"):
            text.num_key_value_heads = groups
        elif groups != heads:
            return False
        from huggingface_hub.errors import StrictDataclassError

        try:
            type(plain).from_dict(plain.to_dict())
        except (ValueError, TypeError, StrictDataclassError):
            return False
        return True

    def _check(self, model: Any) -> None:
        least = min((Widths(groups, heads, 1) for groups, heads in self._allowed), key=self._prices.of)
        most = 1 - self._prices.of(least) / self.parameters
        if self.share > most:
            raise InputError(
                f"--compress {self._how}: a layer keeps one neuron and {least.groups * least.heads} of its "
                f"{self.whole.groups * self.whole.heads} attention heads at least, so give at most "
                f"{int(most * 1000) / 1000:g}"
            )
        smaller = least._replace(neurons=max(1, self.whole.neurons - 1))
        check_form(model, self, _said(smaller), self._how)

    def _scores(self, model: Any, examples: Sequence[Example]) -> Scores:
        """Look at one sequence at a time: how its loss moves with a gate on each unit."""
        import torch

        widths = self._widths(model)
        outputs = [model.get_submodule(layer.output).weight for layer in self._layers]
        backs = [model.get_submodule(layer.back).weight for layer in self._layers]
        was_training = model.training
        model.eval()
        heads, neurons = [], []
        reduced = torch.autocast(model.device.type, torch.bfloat16, enabled=multiplies_bfloat16())
        for example in examples:
            tokens, mask, labels = (part.to(model.device) for part in laid_out([example], [example.labels]))
            with reduced:
                loss = model(input_ids=tokens, attention_mask=mask, labels=labels, use_cache=False).loss
            gradients = torch.autograd.grad(loss.float(), [*outputs, *backs])
            moved = [
                (weight.detach() * gradient).sum(0).float().cpu().numpy()
                for weight, gradient in zip([*outputs, *backs], gradients, strict=True)
            ]
            by_head = [row.reshape(-1, self._head_dim).sum(1) for row in moved[: len(outputs)]]
            heads.append([row.reshape(widths.groups, widths.heads) for row in by_head])
            neurons.append(moved[len(outputs) :])
        model.train(was_training)
        return Scores(*(np.nan_to_num(np.array(each, np.float64)) for each in (heads, neurons)))


def _said(widths: Widths) -> dict[str, int]:
    return {
        "attention_heads": widths.groups * widths.heads,
        "key_value_heads": widths.groups,
        "neurons": widths.neurons,
    }


def _read(said: Mapping[str, int]) -> Widths:
    if said.keys() != {"attention_heads", "key_value_heads", "neurons"} or not said["key_value_heads"]:
        raise ValueError(f"no widths of pruned layers: {dict(said)}")
    groups = said["key_value_heads"]
    return Widths(groups, said["attention_heads"] // groups, said["neurons"])


def _known_layers(model: Any, how: str) -> list[_Layer]:
    """Find the matrices of each layer.

    Raises:
        InputError: A layer has others.
    """
    text = model.config.get_text_config()
    try:
        prefix = layer_stack(model, text.num_hidden_layers)
    except InputError as error:
        raise InputError(f"--compress {how}: {one_line(error)}") from error
    found = []
    for number, layer in enumerate(model.get_submodule(prefix)):
        attention = _named(layer, ATTENTION)
        mlp = _named(layer, MLP)
        if attention is None or mlp is None:
            what = "attention with q_proj, k_proj and v_proj" if attention is None else "one MLP"
            raise InputError(
                f"--compress {how}: layer {number} of this {type(model).__name__} has no {what} as linear layers, so "
                "its heads and neurons are not known; layers=N can be had"
            )
        (heads_at, parts), (mlp_at, (*into, back)) = (
            (".".join(filter(None, (prefix, str(number), where))), names) for where, names in (attention, mlp)
        )
        queries, keys, values, output = (f"{heads_at}.{part}" for part in parts)
        within = tuple(f"{mlp_at}.{part}" for part in into)
        found.append(_Layer(heads_at, queries, keys, values, output, mlp_at, within, f"{mlp_at}.{back}"))
    _check_shapes(model, found, how)
    return found


def _named(layer: Any, forms: Sequence[tuple[str, ...]]) -> tuple[str, tuple[str, ...]] | None:
    """Find the one module within a layer that has linear layers of some names."""
    from torch.nn import Linear

    for form in forms:
        owners = [
            name
            for name, module in layer.named_modules()
            if all(isinstance(getattr(module, part, None), Linear) for part in form)
        ]
        if owners:
            return (owners[0], form) if len(owners) == 1 else None
    return None


def _check_shapes(model: Any, layers: Sequence[_Layer], how: str) -> None:
    """Check that all layers are as wide as the configuration says."""
    text = model.config.get_text_config()
    heads, neurons = (getattr(text, name, None) for name in ("num_attention_heads", "intermediate_size"))
    groups = getattr(text, "num_key_value_heads", None) or heads
    fits = (
        isinstance(heads, int)
        and isinstance(neurons, int)
        and isinstance(groups, int)
        and heads % groups == 0
    )
    for layer in layers if fits else ():
        rows = [model.get_submodule(name).out_features for name in (layer.queries, layer.keys, layer.values)]
        wide = rows[1] // groups
        fits = fits and rows == [heads * wide, groups * wide, groups * wide]
        fits = fits and model.get_submodule(layer.output).in_features == heads * wide
        fits = fits and all(model.get_submodule(name).out_features == neurons for name in layer.into)
        fits = fits and model.get_submodule(layer.back).in_features == neurons
    if not fits:
        raise InputError(
            f"--compress {how}: the layers of this {type(model).__name__} are not as wide as its configuration says"
        )
