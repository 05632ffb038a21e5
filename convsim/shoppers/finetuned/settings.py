"""How a shopper is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_type_hints

from pydantic import Field, JsonValue, ValidationError

from convsim._settings import refused_setting
from convsim._text import nearest
from convsim.errors import InputError
from convsim.schema.record import Count, Flag, Number, Record

MIN_CALIBRATED_STEPS = 50
"""A model that was hardly trained is not yet worth choosing how it is sampled."""

Compression = Literal["layers", "distill", "prune", "ssm", "int8"]


class TrainingSettings(Record):
    """What moves the outcome of training; all of it stands in the manifest.

    ``learning_rate`` None is 5e-5 for all weights and 2e-4 for LoRA's. ``keep_layers`` is how many layers ``compress``
    "layers" and "distill" keep; ``prune_share`` is the proportion of the parameters of the layers' attention and MLP
    matrices that "prune" cuts out; ``ssm_tau`` is the proportion of the states' energy that "ssm" may cut away.
    """

    seed: int
    epochs: Annotated[Count, Field(ge=1)] = 6
    max_steps: Count | None = None
    """Optimizer steps at most; 0 trains nothing."""
    lora: Flag = False
    lora_rank: Annotated[Count, Field(ge=1)] = 16
    learning_rate: Annotated[Number, Field(gt=0)] | None = None
    batch: Annotated[Count, Field(ge=1)] = 8
    """Sequences a step; ``micro_batch`` of them are held in memory at a time."""
    micro_batch: Annotated[Count, Field(ge=1)] = 4
    max_tokens: Annotated[Count, Field(ge=64)] = 1024
    """Tokens of the longest sequence; longer conversations are cut at message borders."""
    n_items: Annotated[Count, Field(ge=1)] = 4
    """Items of a carousel that the shopper is shown."""
    held_out: Annotated[Number, Field(gt=0, lt=1)] = 0.15
    """Proportion of users whose messages stop the training and choose how it is sampled."""
    patience: Annotated[Count, Field(ge=1)] = 2
    """Evaluations without a better held-out perplexity before training stops."""
    calibrate: Annotated[Count, Field(le=40)] = 40
    """Turns generated under each setting of temperature and top-p that is tried; 0 tries none."""
    compress: Compression | None = None
    keep_layers: Annotated[Count, Field(ge=1)] | None = None
    prune_share: Annotated[Number, Field(gt=0, lt=1)] | None = None
    ssm_tau: Annotated[Number, Field(gt=0, lt=1)] | None = None

    @property
    def rate(self) -> float:
        """The learning rate that is used."""
        return self.learning_rate or (2e-4 if self.lora else 5e-5)

    @property
    def cuts(self) -> bool:
        """Whether weights are cut out while the model is trained."""
        return self.compress in ("prune", "ssm")

    def planned_steps(self, sequences: int) -> int:
        """Return the optimizer steps at most, for so many sequences to learn from."""
        planned = -(-sequences // self.batch) * self.epochs
        return planned if self.max_steps is None else min(self.max_steps, planned)

    def check(self, *, is_trained: bool) -> None:
        """Check settings that depend on one another; ``is_trained``: the base is a trained shopper.

        Raises:
            InputError: Two of them contradict one another.
        """
        drops = self.compress in ("layers", "distill")
        if drops != (self.keep_layers is not None):
            raise InputError(
                "--compress layers=N and distill=N need a number of layers, int8 takes none; found "
                f"--compress {self.compress} with {self.keep_layers} layers"
            )
        for how, name, number in (("prune", "SHARE", self.prune_share), ("ssm", "TAU", self.ssm_tau)):
            if (self.compress == how) != (number is not None):
                raise InputError(
                    f"--compress {how}={name} needs a number between 0 and 1, and no other way to compress takes one; "
                    f"found --compress {self.compress} with {number}"
                )
        if self.cuts and self.lora:
            raise InputError(
                f"--compress {self.compress} cuts weights while all of them are trained: leave out --lora"
            )
        if self.compress == "distill" and not is_trained:
            raise InputError(
                "--compress distill: --base is the teacher, so it must be a shopper trained by convsim train"
            )
        if self.max_steps == 0 and self.compress != "int8":
            raise InputError("--max-steps 0 trains nothing, which only makes sense with --compress int8")


def default_settings() -> dict[str, JsonValue]:
    """Return what each setting is, as a manifest states it, where nobody set it; not the seed, which must be given."""
    return TrainingSettings(seed=0).model_dump(mode="json", exclude={"seed"})


def checked_settings(given: Mapping[str, object]) -> TrainingSettings:
    """Check settings of training by their names.

    Raises:
        InputError: There is no such setting, or its value cannot be used.
    """
    if unknown := sorted(given.keys() - (known := TrainingSettings.model_fields.keys())):
        meant = nearest(unknown[0], known)
        raise InputError(
            f"training has no setting {unknown[0]!r}; it has: {', '.join(sorted(known))}"
            + (f"; did you mean {meant!r}?" if meant else "")
        )
    try:
        return TrainingSettings.model_validate(given)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0])
        annotation = get_type_hints(TrainingSettings, include_extras=True)[name]
        raise InputError(refused_setting("training", name, problem["input"], annotation)) from error
