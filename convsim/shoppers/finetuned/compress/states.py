"""Reduces the state of selective state-space layers (Mamba, FalconMamba, Mamba2 and what is built of them)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from convsim.errors import InputError
from convsim.schema.arrays import FloatArray
from convsim.shoppers.balanced_truncation import rank_keeping
from convsim.shoppers.finetuned.compress.cuts import Kept, check_form
from convsim.shoppers.finetuned.encode import Example

if TYPE_CHECKING:
    import torch

SIZES = ("state_size", "ssm_state_size", "mamba_d_state")
"""How configurations call the states of a channel."""
WIDTH = "states"
MOST_NUMBERS = 1 << 24
"""Of a tensor that is held while a sequence's dynamics are followed; channels are taken in parts for that."""


def coordinate_energies(decay: torch.Tensor, inputs: torch.Tensor, reads: torch.Tensor) -> torch.Tensor:
    """Return how much each state coordinate of diagonal systems, as observed along a sequence, matters to the output.

    The systems are h[t] = decay[t] h[t-1] + inputs[t], y[t] = sum over states of reads[t] h[t]. The reachability energy
    of a coordinate is the mean over t of h[t]^2; its observability energy the mean over t of the energy that a unit in
    it at t puts out from then on; the result is the square root of their product.

    Where a system does not vary with time and its input is white, of variance 1, both energies are the diagonals of its
    Gramians, but for the ends of the sequence, and the result is the Hankel singular value of a system that has this
    coordinate alone. Of a selective system, whose decay, inputs and reads follow its input, they are averages over what
    was seen, and coordinates are looked at as if they were alone: a heuristic.

    Args:
        decay: Shape (tokens, channels, states), or (tokens, channels, 1) where states share it.
        inputs: Shape (tokens, channels, states).
        reads: Shape (tokens, channels, states).

    Returns:
        Shape (channels, states).

    Source:
        Empirical Gramians: Lall, Marsden and Glavaski (1999), Empirical model reduction of controlled nonlinear
        systems, IFAC World Congress; here their diagonals, along an observed input in place of impulses.
    """
    import torch

    tokens = len(inputs)
    state, reached = torch.zeros_like(inputs[0]), torch.zeros_like(inputs[0])
    seen, seen_sum = torch.zeros_like(inputs[0]), torch.zeros_like(inputs[0])
    for at in range(tokens):
        state = decay[at] * state + inputs[at]
        reached += state**2
    for at in reversed(range(tokens)):
        after = decay[at + 1] ** 2 * seen if at + 1 < tokens else 0.0
        seen = reads[at] ** 2 + after
        seen_sum += seen
    return (reached * seen_sum).sqrt() / tokens


@dataclass(frozen=True)
class _Mixer:
    """One layer with a state, and what passed through its parts on the way."""

    name: str
    module: Any
    passed: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def is_mamba2(self) -> bool:
        """Whether one decay is shared by all states of a head."""
        return bool(self.module.A_log.ndim == 1)

    @property
    def size(self) -> int:
        """States of a channel."""
        return int(self.module.ssm_state_size)

    @property
    def groups(self) -> int:
        """How many choices of states there are: channels of a group share what writes and reads their states."""
        return int(self.module.n_groups) if self.is_mamba2 else 1

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep what passes through its parts."""

        def keep(name: str) -> Callable[..., None]:
            def hook(_module: Any, given: Any, made: Any) -> None:
                self.passed[f"{name} in"], self.passed[name] = given[0].detach(), made.detach()

            return hook

        with ExitStack() as hooks:
            for name, part in self.module.named_children():
                if name in ("in_proj", "x_proj", "dt_layernorm", "b_layernorm", "c_layernorm"):
                    hooks.callback(part.register_forward_hook(keep(name)).remove)
            yield
        self.passed.clear()

    def energies(self) -> FloatArray:
        """Return the energy of each state in the sequence that has passed; shape (groups, states)."""
        parts = self._mamba2() if self.is_mamba2 else self._mamba()
        return np.stack([part.double().cpu().numpy() for part in parts])

    def _mamba(self) -> list[torch.Tensor]:
        from torch.nn import functional

        module, passed = self.module, self.passed
        x = passed["x_proj in"][0].float()
        rank = module.time_step_rank
        step, write, read = (
            part.float() for part in passed["x_proj"][0].split([rank, self.size, self.size], dim=-1)
        )
        step, write, read = (
            passed[name][0].float() if name in passed else part
            for name, part in zip(
                ("dt_layernorm", "b_layernorm", "c_layernorm"), (step, write, read), strict=True
            )
        )
        step = functional.softplus(functional.linear(step, module.dt_proj.weight, module.dt_proj.bias))
        gate = passed["in_proj"][0].float()[:, -x.shape[1] :]
        weight = functional.silu(gate) * module.out_proj.weight.norm(dim=0)
        a = -module.A_log.float().exp()
        total = 0.0
        for some in _chunks(x.shape[1], len(x) * self.size):
            found = coordinate_energies(
                (step[:, some, None] * a[some]).exp(),
                (step * x)[:, some, None] * write[:, None],
                weight[:, some, None] * read[:, None],
            )
            total = total + found.sum(0)
        return [total]

    def _mamba2(self) -> list[torch.Tensor]:
        from torch.nn import functional

        module, size, groups = self.module, self.size, self.groups
        wide, n_heads = module.intermediate_size, module.num_heads
        said = passed_through(module, self.passed["in_proj"].float())
        x, write, read = (part[0] for part in said.split([wide, groups * size, groups * size], dim=-1))
        start = self.passed["in_proj"].shape[-1] - n_heads
        step = functional.softplus(self.passed["in_proj"][0, :, start:].float() + module.dt_bias)
        step = step.clamp(*module.time_step_limit)
        gate = self.passed["in_proj"][0, :, start - said.shape[-1] - wide : start - said.shape[-1]].float()
        weight = functional.silu(gate) * module.norm.weight * module.out_proj.weight.norm(dim=0)
        decay = (-module.A_log.float().exp() * step).exp()
        head_dim, found = wide // n_heads, []
        for group in range(groups):
            own = slice(group * size, (group + 1) * size)
            first, last = (edge * wide // groups for edge in (group, group + 1))
            total = 0.0
            for some in _chunks(last - first, len(x) * size):
                channels = slice(first + some.start, first + some.stop)
                head = [channel // head_dim for channel in range(channels.start, channels.stop)]
                total = total + coordinate_energies(
                    decay[:, head, None],
                    (step[:, head] * x[:, channels])[:, :, None] * write[:, None, own],
                    weight[:, channels, None] * read[:, None, own],
                ).sum(0)
            found.append(total)
        return found

    def places(self, kept: Sequence[Sequence[int]]) -> dict[str, dict[int, list[int]]]:
        """Name what stays of each weight when each group keeps some states."""
        module, size, name = self.module, self.size, self.name
        if not self.is_mamba2:
            [states] = map(list, kept)
            rank = module.time_step_rank
            rows = [*range(rank), *(rank + n for n in states), *(rank + size + n for n in states)]
            places = {f"{name}.A_log": {1: states}, f"{name}.x_proj.weight": {0: rows}}
            for norm in ("b_layernorm", "c_layernorm"):
                if hasattr(module, norm):
                    places[f"{name}.{norm}.weight"] = {0: states}
            return places
        wide, groups = module.intermediate_size, self.groups
        states = [group * size + n for group, own in enumerate(kept) for n in own]
        channels = [
            *range(wide),
            *(wide + place for place in states),
            *(wide + groups * size + place for place in states),
        ]
        rows_in = module.in_proj.out_features
        before = rows_in - module.num_heads - module.conv_dim
        rows = [*range(before), *(before + c for c in channels), *range(rows_in - module.num_heads, rows_in)]
        places = {f"{name}.in_proj.weight": {0: rows}, f"{name}.conv1d.weight": {0: channels}}
        for part, kept_rows in (("in_proj", rows), ("conv1d", channels)):
            if getattr(module, part).bias is not None:
                places[f"{name}.{part}.bias"] = {0: kept_rows}
        return places

    def factors(self, size: int) -> dict[str, float]:
        """Make up for norms over the states, whose mean is over fewer then: what is left is as large as before."""
        module, name = self.module, self.name
        if self.is_mamba2 or not hasattr(module, "b_layernorm"):
            return {}
        ratio = size / self.size
        if "weight" in module.b_layernorm._parameters:
            return dict.fromkeys(
                (f"{name}.{norm}.weight" for norm in ("b_layernorm", "c_layernorm")), ratio**-0.5
            )
        return {f"{name}.D": ratio, f"{name}.out_proj.weight": 1 / ratio}


def passed_through(module: Any, projected: torch.Tensor) -> torch.Tensor:
    """Return what Mamba2's convolution makes of its projected input; shape (rows, tokens, channels)."""
    from torch.nn import functional

    conv, width = module.conv1d, module.conv_dim
    start = projected.shape[-1] - module.num_heads - width
    given = projected[..., start : start + width].transpose(1, 2)
    said = functional.conv1d(given, conv.weight, conv.bias, padding=conv.kernel_size[0] - 1, groups=width)
    activated: torch.Tensor = module.act(said[..., : given.shape[-1]]).transpose(1, 2)
    return activated


def _chunks(channels: int, numbers: int) -> list[slice]:
    wide = max(1, MOST_NUMBERS // max(1, numbers))
    return [slice(start, min(start + wide, channels)) for start in range(0, channels, wide)]


class StateReduction:
    """Keeps as many states of every channel as hold all but ``tau`` of their energy; the rest is cut out.

    A layer's system is selective: what a token says decides how it decays, what is written and what is read, so there
    are no Gramians of it. In their place, sequences that are learned from pass through the model, and the energies of
    each coordinate (``coordinate_energies``) are taken along them, each channel weighted by the layer's gate and its
    output matrix, then summed over channels and averaged over sequences: a heuristic. Coordinates are not mixed: the
    matrix of decays has to stay diagonal, and what writes and reads the states is shared by all channels.

    Exact is the removal: the model says what it would say with the rows that write and read the cut states set to 0.
    Norms over the states (FalconMamba, Jamba) are made up for, but for their epsilon. The rank is one for all layers,
    as the configuration has one number: the largest that a layer needs.

    Raises:
        InputError: The model has no such layers, or is built otherwise.

    Source:
        Chahine, Nazari, Rus and Rusch (2026), The curious case of in-training compression of state space models, ICLR
        (arXiv 2510.02823), for time-invariant systems; Mamba: Gu and Dao (2023), arXiv 2312.00752; Mamba2: Dao and Gu
        (2024), arXiv 2405.21060.
    """

    def __init__(self, model: Any, tau: float):
        self.tau = tau
        self._how = f"ssm={tau:g}"
        mixers = _mixers(model)
        if not mixers:
            raise InputError(
                f"--compress {self._how} is for state-space models (Mamba, Mamba2 and others): this "
                f"{type(model).__name__} has no layer with a state; prune=SHARE and layers=N are for others"
            )
        text = model.config.get_text_config()
        size = mixers[0].size
        named = [name for name in SIZES if getattr(text, name, None) == size]
        if not named or any(mixer.size != size for mixer in mixers):
            raise InputError(
                f"--compress {self._how}: the configuration of this {type(model).__name__} does not say how many "
                "states its layers have"
            )
        self._named, self.whole = named[0], size
        if size > 1:
            check_form(model, self, {WIDTH: size - 1}, self._how)

    def chosen(self, model: Any, examples: Sequence[Example], *, before: float, after: float) -> Kept:
        """Choose the states of each layer that stay: all cuts together keep 1 - tau of what each has found."""
        tau = 1 - (1 - self.tau * after) / (1 - self.tau * before)
        mixers = _mixers(model)
        energies = _observed(model, mixers, examples)
        rank = max(
            rank_keeping(np.sort(group)[::-1], tau) for energy in energies for group in np.nan_to_num(energy)
        )
        kept = [
            [sorted(np.argsort(-group, kind="stable")[:rank].tolist()) for group in energy]
            for energy in energies
        ]
        return self._kept(mixers, kept, rank)

    def leading(self, model: Any, widths: Mapping[str, int]) -> Kept:
        """Name the first states of each layer; nothing is made up for."""
        mixers, rank = _mixers(model), widths.get(WIDTH, 0)
        if not 1 <= rank <= mixers[0].size:
            raise ValueError(f"layers of {mixers[0].size} states cannot be cut to {dict(widths)}")
        return self._kept(mixers, [[[*range(rank)]] * mixer.groups for mixer in mixers], rank)

    def resize(self, model: Any, widths: Mapping[str, int]) -> None:
        """Write the number of states into the configuration and the modules."""
        rank = widths[WIDTH]
        setattr(model.config.get_text_config(), self._named, rank)
        for mixer in _mixers(model):
            if mixer.is_mamba2:
                mixer.module.conv_dim = mixer.module.conv1d.out_channels
            mixer.module.ssm_state_size = rank

    def _kept(self, mixers: Sequence[_Mixer], kept: Sequence[Sequence[Sequence[int]]], rank: int) -> Kept:
        places, factors = dict[str, dict[int, list[int]]](), dict[str, float]()
        for mixer, own in zip(mixers, kept, strict=True):
            places |= mixer.places(own)
            factors |= mixer.factors(rank)
        return Kept(places, {WIDTH: rank}, factors)


def _mixers(model: Any) -> list[_Mixer]:
    """Find the layers with a state, of either form."""
    from torch import nn

    def has(module: Any, name: str, kind: Any) -> bool:
        return isinstance(getattr(module, name, None), kind)

    found = []
    for name, module in model.named_modules():
        log = getattr(module, "A_log", None)
        if not isinstance(log, nn.Parameter) or not has(module, "ssm_state_size", int):
            continue
        parts = {"in_proj": nn.Linear, "out_proj": nn.Linear, "conv1d": nn.Conv1d}
        parts |= (
            {"x_proj": nn.Linear, "dt_proj": nn.Linear, "time_step_rank": int}
            if log.ndim == 2
            else {
                "n_groups": int, "conv_dim": int, "num_heads": int, "intermediate_size": int, "norm": nn.Module,
                "time_step_limit": (list, tuple),
            }
        )  # fmt: skip
        if all(has(module, part, kind) for part, kind in parts.items()):
            found.append(_Mixer(name, module))
    return found


def _observed(model: Any, mixers: Sequence[_Mixer], examples: Sequence[Example]) -> list[FloatArray]:
    """Return the energies of each layer's states, averaged over sequences."""
    import torch

    was_training = model.training
    model.eval()
    sums: list[Any] = [0.0] * len(mixers)
    with torch.no_grad(), ExitStack() as watching:
        for mixer in mixers:
            watching.enter_context(mixer.watched())
        for example in examples:
            model(input_ids=torch.tensor([example.tokens], device=model.device), use_cache=False)
            sums = [total + mixer.energies() for total, mixer in zip(sums, mixers, strict=True)]
    model.train(was_training)
    return [total / len(examples) for total in sums]
