"""``convsim train --policy``: which options belong to it, and what it tells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convsim._text import plain
from convsim.cli.console import err, result
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.io import Transcripts
    from convsim.schema.conversation import Conversation

OUT = Path("runs/policy")
MAX_DIGITS = 20
"""Of a proportion."""


def check_options(given: Mapping[str, bool], *, policy: bool) -> None:
    """Refuse options of fine-tuning with ``--policy``, and those of a policy without it.

    Args:
        given: Options that belong to one of both, and whether they were given.
        policy: Whether a policy is asked for.

    Raises:
        InputError: One that was given belongs to the other.
    """
    of_policy = {"--kind", "--infer-endings", "--acts-label"}
    wrong = [name for name, is_given in given.items() if is_given and (name in of_policy) != policy]
    if not wrong:
        return
    if policy:
        raise InputError(
            f"{', '.join(wrong)}: is for fine-tuning a model, and --policy learns decisions alone, without one; "
            "leave one of both out"
        )
    raise InputError(f"{', '.join(wrong)}: is for a decision policy; add --policy")


def train_policy(
    real: Transcripts,
    out: Path,
    *,
    kind: str,
    learn_arm: str | None,
    exclude: Sequence[Conversation],
    infer_endings: bool,
    acts_label: str | None,
    compress: str | None,
    seed: int,
) -> None:
    """Learn a policy into a folder, and tell how good it is."""
    from convsim.shoppers.policies import TAU, PolicyTraining, checked_kind

    checked = checked_kind(kind)
    tau = TAU if compress is None else _tau(compress)
    talk, told = err(), result()
    talk.print(f"seed {seed}")
    for warning in real.warnings:
        talk.print(plain(warning))
    evaluation = PolicyTraining(
        real.conversations,
        kind=checked,
        seed=seed,
        sha256=real.sha256,
        learn_arm=learn_arm,
        exclude=exclude,
        infer_endings=infer_endings,
        acts_label=acts_label,
        tau=tau,
        on_note=lambda note: talk.print(plain(note)),
    ).run(out)
    for line in evaluation.lines():
        told.print(line)
    told.print(f"{out}: a policy of the kind {checked}")
    told.print(f"convsim simulate --shopper hybrid --set shopper.policy={out} --real {real.path}")


def _tau(said: str) -> float:
    how, equals, number = said.partition("=")
    try:
        tau = float(number) if how == "ssm" and equals and len(number) <= MAX_DIGITS else math.nan
    except ValueError:
        tau = math.nan
    if not 0 <= tau < 1:
        raise InputError(
            f"--compress {said!r}: with --policy --kind ssm it is ssm=TAU, with TAU from 0, which cuts no states, to "
            "below 1"
        )
    return tau
