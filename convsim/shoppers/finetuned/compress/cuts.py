"""Cuts weights out of a model while it is trained: when, how much at a time, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field

from convsim._inputs import read_input
from convsim._text import one_line
from convsim.errors import InputError
from convsim.schema.record import Count, Number, Record
from convsim.shoppers.finetuned.encode import Example
from convsim.shoppers.finetuned.perplexity import user_perplexity

if TYPE_CHECKING:
    import torch

MOST_CUTS = 5
CUTS_FILE = "cuts.json"
MAX_CUTS_BYTES = 1 << 20


class Cut(Record):
    """One cut; perplexities are of the held-out users' words, null where the model gave them no probability."""

    step: Count
    """The optimizer step after which it was made."""
    widths: dict[str, Count]
    """Of every layer, afterwards."""
    parameters: Count
    """Of the whole model, afterwards."""
    perplexity_before: Number | None
    perplexity_after: Number | None


class Cuts(Record):
    """All cuts that were made until a checkpoint."""

    cuts: tuple[Cut, ...] = Field(max_length=MOST_CUTS)


@dataclass(frozen=True)
class Kept:
    """What stays of a model: by the name of a parameter or buffer, the places kept along its dimensions."""

    places: Mapping[str, Mapping[int, Sequence[int]]]
    widths: Mapping[str, int]
    """Of every layer, afterwards."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """What a parameter is multiplied by afterwards."""


class Cutter(Protocol):
    """Chooses what is cut out of one model, which it was made for before any cut."""

    def chosen(self, model: Any, examples: Sequence[Example], *, before: float, after: float) -> Kept:
        """Choose what stays, from what examples show; of all that is to go, ``before`` has gone and ``after`` will."""

    def leading(self, model: Any, widths: Mapping[str, int]) -> Kept:
        """Name the first places of each dimension, for weights that are loaded over them.

        Raises:
            ValueError: The model has no such widths.
        """

    def resize(self, model: Any, widths: Mapping[str, int]) -> None:
        """Write the widths where a model that is loaded from a file has them: its configuration and its modules."""


def cut_steps(steps: int) -> tuple[int, ...]:
    """Return the steps after which is cut, evenly over the first third of ``steps``; the rest is for recovery."""
    last = max(1, steps // 3)
    count = min(MOST_CUTS, last)
    return tuple(-(-number * last // count) for number in range(1, count + 1))


def proportion_cut(number: int, count: int) -> float:
    """Return which proportion of all that is to go has gone after so many of ``count`` cuts: much at first.

    Source:
        Zhu and Gupta (2017), To prune, or not to prune, arXiv 1710.01878, equation 1, from a sparsity of 0.
    """
    return 1 - (1 - number / count) ** 3


def check_steps(steps: int, how: str) -> None:
    """Check that there are steps for a cut and for recovery.

    Raises:
        InputError: There are fewer than 2.
    """
    if steps < 2:
        raise InputError(
            f"--compress {how} cuts after a step and recovers in those that follow: give 2 optimizer steps or more, "
            f"not {steps}"
        )


def n_parameters(model: Any) -> int:
    """Count a model's parameters: a matrix in two places once, and LoRA's, which end up in others, never."""
    return sum(weight.numel() for name, weight in model.named_parameters() if ".lora_" not in name)


def cut(model: Any, kept: Kept, optimizer: Any = None) -> None:
    """Cut a model in place: its matrices get smaller, and what an optimizer remembers of each with them.

    An optimizer's moments of the weights that stay are kept as they are. Gradients are dropped.
    """
    import torch
    from torch import nn

    with torch.no_grad():
        for name, places in kept.places.items():
            owner_name, _, own = name.rpartition(".")
            owner = model.get_submodule(owner_name)
            tensor = getattr(owner, own)
            was = tensor.shape
            tensor.data = _selected(tensor.data, places)
            tensor.grad = None
            remembered = optimizer.state[tensor] if optimizer and tensor in optimizer.state else {}
            for key, value in remembered.items():
                if isinstance(value, torch.Tensor) and value.shape == was:
                    remembered[key] = _selected(value, places)
            if own == "weight" and isinstance(owner, nn.Linear):
                owner.out_features, owner.in_features = tensor.shape
            elif own == "weight" and isinstance(owner, nn.Conv1d):  # depthwise
                owner.in_channels = owner.out_channels = owner.groups = len(tensor)
        for name, factor in kept.factors.items():
            model.get_parameter(name).data.mul_(factor)


def check_form(model: Any, cutter: Cutter, widths: Mapping[str, int], how: str) -> None:
    """Check, without memory, that a model cut to ``widths`` is what its configuration would then make.

    Raises:
        InputError: It is not: the model is built in another way than its parts are named.
    """
    import copy

    import torch
    from huggingface_hub.errors import StrictDataclassError

    own = type(model)
    with torch.device("meta"):
        small = own._from_config(copy.deepcopy(model.config))
    try:
        cut(small, cutter.leading(small, widths))
        cutter.resize(small, widths)
        config = type(model.config).from_dict(small.config.to_dict())
        with torch.device("meta"):
            loaded = own._from_config(config)
    except (ValueError, TypeError, RuntimeError, AttributeError, IndexError, StrictDataclassError) as error:
        why = one_line(error)
        raise InputError(f"--compress {how}: a {own.__name__} cannot be made smaller: {why}") from error
    if other := sorted(_shapes(small).items() ^ _shapes(loaded).items()):
        raise InputError(
            f"--compress {how}: a {own.__name__} cannot be made smaller: {other[0][0]} would not fit its "
            "configuration"
        )


def _shapes(model: Any) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(each.shape)
        for named in (model.named_parameters(), model.named_buffers())
        for name, each in named
    }


def _selected(tensor: torch.Tensor, places: Mapping[int, Sequence[int]]) -> torch.Tensor:
    import torch

    for dim, kept in places.items():
        tensor = tensor.index_select(dim, torch.tensor(kept, device=tensor.device, dtype=torch.long))
    return tensor.contiguous()


@dataclass
class Cutting:
    """The cuts of one training: made after their steps, written with each checkpoint, and read from one."""

    cutter: Cutter
    examples: Sequence[Example]
    """What is looked at to choose."""
    held_out: Sequence[Example]
    steps: int
    batch: int
    """Held-out sequences at a time."""
    cuts: list[Cut] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether no cut is still to come."""
        return len(self.cuts) == len(cut_steps(self.steps))

    def after_step(self, step: int, model: Any, optimizer: Any) -> None:
        """Cut, where this is a step to cut after."""
        planned = cut_steps(self.steps)
        if self.is_done or step != planned[len(self.cuts)]:
            return
        number, count = len(self.cuts), len(planned)
        before = self._perplexity(model)
        kept = self.cutter.chosen(
            model,
            self.examples,
            before=proportion_cut(number, count),
            after=proportion_cut(number + 1, count),
        )
        cut(model, kept, optimizer)
        self.cutter.resize(model, kept.widths)
        self.cuts.append(
            Cut(
                step=step,
                widths=dict(kept.widths),
                parameters=n_parameters(model),
                perplexity_before=before,
                perplexity_after=self._perplexity(model),
            )
        )

    def save(self, folder: Path) -> None:
        """Write the cuts until now into a checkpoint."""
        (folder / CUTS_FILE).write_text(Cuts(cuts=tuple(self.cuts)).model_dump_json(), encoding="utf-8")

    def restore(self, folder: Path, model: Any) -> None:
        """Make a model that was not cut of the shape that a checkpoint's has, whose weights are loaded then.

        Raises:
            OSError, ValueError: The checkpoint does not say what was cut, or it does not fit the model.
        """
        self.cuts = [*Cuts.model_validate_json(read_input(folder / CUTS_FILE, MAX_CUTS_BYTES)).cuts]
        if self.cuts:
            widths = self.cuts[-1].widths
            cut(model, self.cutter.leading(model, widths))
            self.cutter.resize(model, widths)

    def _perplexity(self, model: Any) -> float | None:
        found = user_perplexity(model, self.held_out, batch=self.batch)
        return None if found is None or math.isinf(found) else found
