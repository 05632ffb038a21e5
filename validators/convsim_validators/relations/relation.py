"""A metamorphic relation: what must hold between what shoppers do with a bad agent and what they do with a good one."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, InstanceOf, StringConstraints, model_validator

from convsim.schema import Metric
from convsim.schema.record import Name, Number, Record

Direction = Literal["increase", "decrease", "no_increase", "no_decrease"]
ANY = "any"
"""In place of a fault: each that was recorded."""


class Relation(Record):
    """One relation, declared; it is tested by ``Relations``.

    ``metric`` is a metric's name, or a ``Metric``. ``tolerance`` and ``margin`` are in its unit; with ``compare =
    "slope"`` per unit of severity, which is the change from severity 0 to 1. A *hard* relation is broken where its
    metric is above 0, and ``tolerance`` is the share of personas that may break it.
    """

    name: Annotated[Name, StringConstraints(max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    question: Annotated[Name, StringConstraints(max_length=300)]
    fault: Annotated[Name, StringConstraints(max_length=200)]
    metric: Annotated[Name, StringConstraints(max_length=200)] | InstanceOf[Metric]
    kind: Literal["directional", "hard"]
    direction: Direction | None = None
    compare: Literal["highest", "slope"] = "highest"
    """The highest recorded severity against severity 0, or each persona's least-squares slope over severities."""
    tolerance: Annotated[Number, Field(ge=0)] = 0.0
    margin: Annotated[Number, Field(gt=0)] | None = None
    """An expected change that is shown to be smaller is none; by default 5 % of a share or of a label's scale, else a
    fifth of the standard deviation at severity 0, and never less than the tolerance."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.kind == "hard":
            if self.direction or self.margin is not None or self.compare != "highest":
                raise ValueError("a hard relation has no direction, margin or comparison")
            if self.tolerance > 1:
                raise ValueError(
                    f"the tolerance of a hard relation is a share up to 1, but is {self.tolerance:g}"
                )
        elif self.direction is None:
            raise ValueError(
                "a directional relation needs a direction: increase, decrease, no_increase or no_decrease"
            )
        elif self.direction.startswith("no_"):
            if self.tolerance == 0:
                raise ValueError(
                    f"{self.direction} needs a tolerance above 0: how large a change still counts as none? "
                    "Without one it could never be shown where nothing changes"
                )
            if self.margin is not None:
                raise ValueError(f"{self.direction} has a tolerance and no margin")
        return self

    @property
    def metric_name(self) -> str:
        """What the metric is called."""
        return self.metric if isinstance(self.metric, str) else self.metric.name

    @property
    def upwards(self) -> bool:
        """Whether a relation holds where its metric is high rather than low."""
        return self.direction in ("increase", "no_decrease")

    @property
    def expects_change(self) -> bool:
        """Whether something must change, rather than not get worse."""
        return self.direction in ("increase", "decrease")
