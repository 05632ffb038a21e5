"""Makes a smaller shopper of a model: fewer layers, a teacher to learn from, weights of eight bits."""

from __future__ import annotations

import copy
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convsim.errors import InputError
from convsim.models.checkpoint import check_path, needs_torchao, quiet, require_packages
from convsim.one_line import one_line
from convsim.training.encoding import IGNORED

if TYPE_CHECKING:
    import torch

WEIGHTS = "*.safetensors*"
"""Weights in one file or in several, with their index."""


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
    stack = _stack(model, n_layers)
    kept = [round(place * (n_layers - 1) / max(keep - 1, 1)) for place in range(keep)]
    try:
        smaller = _built(model, kept)
        smaller.load_state_dict(_renumbered(model.state_dict(), stack, kept))
    except (ValueError, TypeError, RuntimeError, AttributeError, IndexError) as error:
        raise InputError(f"no layers of this model can be dropped: {one_line(error)}") from error
    smaller.train(model.training)
    _check_same_kind(model.get_submodule(stack), smaller.get_submodule(stack), kept)
    return smaller.to(model.device)


def _stack(model: Any, n_layers: int) -> str:
    """Return the name of the module list that holds the layers."""
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


def distillation_loss(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    labels: torch.Tensor,
    *,
    temperature: float,
    weight: float,
    num_items_in_batch: int | None = None,
) -> torch.Tensor:
    """Return how far a student is from its teacher and from what was said, a token.

    ``weight`` of the Kullback-Leibler divergence of the student's softened distribution from the teacher's, times the
    squared temperature, and the rest of the cross entropy, at the tokens that are learned.

    Args:
        student_logits: Shape (rows, tokens, vocabulary); those at a token are for the next one.
        teacher_logits: The same shape.
        labels: Shape (rows, tokens); -100 where nothing is learned.
        temperature: What both distributions are softened by; above 0.
        weight: Share of the teacher, from 0 to 1.
        num_items_in_batch: Learned tokens of all rows that one optimizer step adds up; None takes those of these rows.

    Raises:
        ValueError: The shapes of the logits differ: the models do not share a vocabulary.

    Source:
        Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network, arXiv 1503.02531, section 2,
        with the divergence in place of the cross entropy, which differ by what the student cannot change.
    """
    from torch.nn import functional

    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            "a student needs its teacher's vocabulary: their logits have the shapes "
            f"{tuple(student_logits.shape)} and {tuple(teacher_logits.shape)}"
        )
    following = labels[:, 1:]
    learned = following != IGNORED
    student = student_logits[:, :-1][learned].float()
    teacher = teacher_logits[:, :-1][learned].float()
    divergence = functional.kl_div(
        (student / temperature).log_softmax(-1),
        (teacher / temperature).log_softmax(-1),
        log_target=True,
        reduction="sum",
    )
    surprise = functional.cross_entropy(student, following[learned], reduction="sum")
    count = num_items_in_batch if num_items_in_batch is not None else learned.sum()
    loss: torch.Tensor = (weight * temperature**2 * divergence + (1 - weight) * surprise) / count
    return loss


def quantise_int8(folder: Path) -> None:
    """Rewrite the weights of a model's folder in int8, one scale a row; embeddings and activations stay as they are.

    New files are written beside the folder and then put in place, the configuration last: a folder that was left
    between the two cannot be loaded, and is never loaded as something else.

    Raises:
        InputError: The folder holds no model that can be loaded, or one in int8.
        MissingExtraError: The extra "lean" is not installed.
        OSError: The files cannot be written.
    """
    require_packages("torch", "transformers", "torchao", extra="lean")
    check_path(folder)
    if needs_torchao(folder):
        raise InputError(f"the model at {folder} is quantized already")
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-int8-"))
    try:
        with quiet():
            _save_int8(folder, beside)
        made = {file.name for file in beside.glob(WEIGHTS)}
        for old in folder.glob(WEIGHTS):
            if old.name not in made:
                old.unlink()
        for name in (*sorted(made), "config.json"):
            (beside / name).replace(folder / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _save_int8(folder: Path, into: Path) -> None:
    import torch
    from safetensors import SafetensorError
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import AutoModelForCausalLM, TorchAoConfig

    models: Any = AutoModelForCausalLM
    rows: Any = TorchAoConfig
    try:
        model = models.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.bfloat16,
            quantization_config=rows(Int8WeightOnlyConfig()),
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(f"the model at {folder} cannot be loaded: {one_line(error)}") from error
    model.save_pretrained(into)
