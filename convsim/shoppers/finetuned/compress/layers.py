"""Drops layers of a causal language model."""

from __future__ import annotations

import copy
from typing import Any

from convsim._text import one_line
from convsim.errors import InputError


def drop_layers(model: Any, keep: int) -> Any:
    """Return a causal language model of ``keep`` of the layers of ``model``, evenly spaced, first and last kept.

    It is built anew from a configuration of so many layers and takes over the weights, so that whatever depends on a
    layer's number (its place in the cache, its kind of attention) is what loading it from a file would make it. What
    it says is poor until it has been trained. ``model`` stays as it is.

    Raises:
        InputError: ``keep`` is not between 1 and the number of layers less one, or the model is built in a way that
            does not allow it.

    Source:
        Sajjad, Dalvi, Durrani and Nakov (2023), On the effect of dropping layers of pre-trained transformer models,
        Computer Speech and Language 77, section 3 (alternate dropping), here at any ratio.
    """
    n_layers = model.config.get_text_config().num_hidden_layers
    if not 1 <= keep < n_layers:
        raise InputError(f"cannot keep {keep} layers: the model has {n_layers}, so give 1 to {n_layers - 1}")
    stack = layer_stack(model, n_layers)
    kept = [round(place * (n_layers - 1) / max(keep - 1, 1)) for place in range(keep)]
    try:
        smaller = _built(model, kept)
        smaller.load_state_dict(_renumbered(model.state_dict(), stack, kept))
    except (ValueError, TypeError, RuntimeError, AttributeError, IndexError) as error:
        raise InputError(f"no layers of this model can be dropped: {one_line(error)}") from error
    smaller.train(model.training)
    _check_same_kind(model.get_submodule(stack), smaller.get_submodule(stack), kept)
    return smaller.to(model.device)


def layer_stack(model: Any, n_layers: int) -> str:
    """Return the name of the module list that holds the layers.

    Raises:
        InputError: There is none, or more than one.
    """
    from torch.nn import ModuleList

    found: list[str] = [
        name
        for name, module in model.named_modules()
        if isinstance(module, ModuleList) and len(module) == n_layers
    ]
    # Layers may hold lists of the same length themselves, of experts say.
    outer = [name for name in found if not any(name.startswith(f"{other}.") for other in found)]
    if len(outer) != 1:
        raise InputError(
            f"no layers of a {type(model).__name__} can be dropped: it has {len(outer)} lists of {n_layers} layers"
        )
    return outer[0]


def _built(model: Any, kept: list[int]) -> Any:
    config = copy.deepcopy(model.config)
    text = config.get_text_config()
    n_layers = text.num_hidden_layers
    for name, value in vars(text).copy().items():
        # Which attention each layer has, say: one entry a layer.
        if "layer" in name and isinstance(value, list | tuple) and len(value) == n_layers:
            setattr(text, name, [value[layer] for layer in kept])
    kinds = getattr(model.config.get_text_config(), "layer_types", None) or ()
    if gone := set(kinds) - {kinds[layer] for layer in kept if kinds}:
        # Caches of mixed models look for one of each.
        raise ValueError(f"none with {sorted(gone)[0]} would be left, so keep more")
    text.num_hidden_layers = len(kept)
    config = type(config).from_dict(config.to_dict())
    built = type(model)._from_config(
        config, dtype=model.dtype, attn_implementation=model.config._attn_implementation
    )
    built.generation_config = copy.deepcopy(model.generation_config)
    return built


def _renumbered(weights: dict[str, Any], stack: str, kept: list[int]) -> dict[str, Any]:
    """Take the weights of the kept layers, under their new numbers, and all that belong to no layer."""
    prefix = f"{stack}."
    places = {str(layer): place for place, layer in enumerate(kept)}
    renumbered = {}
    for name, weight in weights.items():
        layer, _, rest = name.removeprefix(prefix).partition(".")
        if not name.startswith(prefix):
            renumbered[name] = weight
        elif layer in places:
            renumbered[f"{prefix}{places[layer]}.{rest}"] = weight
    return renumbered


def _check_same_kind(before: Any, after: Any, kept: list[int]) -> None:
    """Check that each layer is what it was but for its number; a configuration may make every nth another kind."""
    for place, layer in enumerate(kept):
        for old, new in zip(before[layer].modules(), after[place].modules(), strict=True):
            for name, value in vars(old).items():
                made = getattr(new, name, None)
                is_number = (value, made) == (layer, place)
                if isinstance(value, bool | int | float | str) and made != value and not is_number:
                    raise InputError(
                        f"no layers of this model can be dropped: as number {place}, layer {layer} would have "
                        f"{name} {made!r} instead of {value!r}"
                    )
