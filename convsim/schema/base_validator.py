"""A base class for validators, which fills in what the harness knows: a validator is then ten lines."""

from __future__ import annotations

import functools
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from difflib import get_close_matches
from math import isnan
from typing import ClassVar, NamedTuple

from pydantic import JsonValue

from convsim._async import called
from convsim.schema.corpus import Corpus
from convsim.schema.finding import Finding, HumanBaseline, Verdict

OWN = frozenset({"name", "version", "source", "question", "unit", "on_request"})
"""What a class says of itself; all else that it declares is a setting."""


class _Asked(NamedTuple):
    real: Corpus
    simulated: Corpus
    seed: int


_asked: ContextVar[_Asked] = ContextVar("what a validator is asked")


class BaseValidator(ABC):
    """An optional base of validators: yield ``self.finding(…)`` from ``validate(real, simulated, *, seed)``.

    What the class declares with a default is a setting, given by keyword where one is made. ``name`` is the class's in
    small letters, ``source`` where it stands and ``question`` its docstring's first paragraph, unless it says
    otherwise.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    source: ClassVar[str]
    question: ClassVar[str]
    unit: ClassVar[str] = "value"
    on_request: ClassVar[bool] = False
    """Run only where it is named: what it asks must be set up first."""

    def __init_subclass__(cls, **more: object) -> None:
        super().__init_subclass__(**more)
        said = vars(cls)
        if "name" not in said:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        if "source" not in said:
            cls.source = f"{cls.__module__}:{cls.__qualname__}"
        if "question" not in said:
            cls.question = " ".join((inspect.cleandoc(cls.__doc__ or "")).split("\n\n")[0].split())
        if "validate" in said:
            cls.validate = _asking(said["validate"])  # type: ignore[assignment, method-assign]

    def __init__(self, **settings: object) -> None:
        """Take settings by keyword; raises TypeError for one that the class does not declare, or lacks."""
        known = _settings(type(self))
        for name, value in settings.items():
            if name not in known:
                close = get_close_matches(name, known, n=1)
                meant = f"; did you mean {close[0]}" if close else ""
                raise TypeError(
                    f"{self.name} has no setting {name!r}{meant}; it has: {', '.join(known) or 'none'}"
                )
            setattr(self, name, value)
        for name in known:
            if not hasattr(self, name):
                raise TypeError(f"{self.name} needs the setting {name!r}")

    @abstractmethod
    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Iterable[Finding]:
        """Yield or return findings; never raise for data that merely decide nothing."""

    def finding(  # noqa: PLR0913  (the fields of a finding)
        self,
        metric: str,
        *,
        verdict: Verdict,
        reason: str,
        estimate: float | None = None,
        unit: str | None = None,
        interval: tuple[float, float] | None = None,
        level: float = 0.95,
        p_value: float | None = None,
        p_adjusted: float | None = None,
        noise_floor: HumanBaseline | None = None,
        question: str | None = None,
        n_real: int | None = None,
        n_simulated: int | None = None,
        details: Mapping[str, JsonValue] | None = None,
    ) -> Finding:
        """Say what was found of ``metric``; NaN stands for undefined and becomes None, NumPy's numbers plain ones.

        Args:
            metric: What the estimate is of.
            verdict: "aligned", "different", "undecided" or a reaction.
            reason: Why, in one sentence.
            estimate: The number; None where it is undefined.
            unit: Its unit; by default the class's.
            interval: Its limits at ``level``.
            level: Of the interval.
            p_value: Of the test, as it is.
            p_adjusted: Corrected for the others of its family.
            noise_floor: What chance alone gives at these sizes.
            question: By default the class's.
            n_real: Conversations that were used; by default all of the real side.
            n_simulated: Conversations that were used; by default all of the simulated side.
            details: Further values of JSON.

        Raises:
            RuntimeError: It is called outside ``validate``.
        """
        try:
            asked = _asked.get()
        except LookupError:
            raise RuntimeError(f"{self.name}: finding() can only be called while validate() runs") from None
        limits = None if interval is None else [_plain(limit) for limit in interval]
        return Finding.model_validate(
            {
                "validator": self.name,
                "metric": metric,
                "question": question or self.question or f"What does {self.name} say of {metric}?",
                "estimate": _plain(estimate),
                "unit": unit or self.unit,
                "interval": None if limits is None or None in limits else tuple(limits),
                "level": level,
                "p_value": _plain(p_value),
                "p_adjusted": _plain(p_adjusted),
                "noise_floor": noise_floor,
                "verdict": verdict,
                "reason": reason,
                "n_real": len(asked.real) if n_real is None else int(n_real),
                "n_simulated": len(asked.simulated) if n_simulated is None else int(n_simulated),
                "seed": asked.seed,
                "version": self.version,
                "source": self.source,
                "details": {} if details is None else dict(details),
            }
        )


def _asking(validate: Callable[..., object]) -> Callable[..., object]:
    """Wrap ``validate`` so that ``finding`` knows what is asked while it runs; what it yields becomes a list."""

    @functools.wraps(validate)
    def asked(self: BaseValidator, real: Corpus, simulated: Corpus, *, seed: int) -> object:
        token = _asked.set(_Asked(real, simulated, seed))
        try:
            answer = called(validate, self, real, simulated, seed=seed)
            return [] if answer is None else answer
        finally:
            _asked.reset(token)

    return asked


def _settings(kind: type) -> list[str]:
    """Name the settings that a class and its bases declare."""
    return list(dict.fromkeys(name for part in kind.__mro__ for name in _declared(part)))


def _declared(part: type) -> Iterator[str]:
    if part in (BaseValidator, *BaseValidator.__mro__):
        return
    for name in dict.fromkeys([*inspect.get_annotations(part), *vars(part)]):
        value = vars(part).get(name)
        if name in OWN or name.startswith("_") or "ClassVar" in str(inspect.get_annotations(part).get(name)):
            continue
        if not callable(value) and not hasattr(type(value), "__get__"):
            yield name


def _plain(value: float | None) -> float | None:
    """Return a number as Python's own; None where it is undefined."""
    if value is None:
        return None
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and isnan(number) else number
