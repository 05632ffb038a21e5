"""What earlier validations of the same conversations found, kept beside the file: nothing is computed twice.

A key holds all that a finding depends on: both sides' conversations as they take part, with their labels; the metrics;
the word lists; the validator, its settings and its code; the seed; convsim's code and the libraries it counts with.
What cannot be named so is computed each time.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic_core import PydanticSerializationError

from convsim._cache import LOG, OFF, Cache, beside, code_digest, counted_with, key_of
from convsim._code import code_of
from convsim._text import one_line
from convsim.evaluation.sides import Side
from convsim.lifting.lifted import LiftedValidator
from convsim.metrics.kept_table import PACKAGE, KeptTable, identity, lexicon_digest
from convsim.schema import BaseValidator, Corpus, Finding, Validator

MIN_CONVERSATIONS = 1_000
"""Of both sides together; fewer are judged in seconds, and nothing is written beside their files."""
OWN = "convsim_validators"


@dataclass
class Kept:
    """What is kept of two sides, and what of it was used."""

    cache: Cache
    digests: tuple[str, str]
    sizes: tuple[int, int]
    used: list[str] = field(default_factory=list)
    """Validators whose findings were there."""
    asked: int = 0
    _keys: dict[int, str | None] = field(default_factory=dict, repr=False)
    """Of each validator, by its identity, as its code was before it ran."""

    @classmethod
    def of(cls, real: Side, simulated: Side, *, at_least: int = MIN_CONVERSATIONS) -> Kept | None:
        """Return what is kept of two sides; None where nothing is: small sides, none from a file, or turned off."""
        sizes = len(real.conversations), len(simulated.conversations)
        file = simulated.file or real.file
        if file is None or sum(sizes) < at_least or os.environ.get(OFF):
            return None
        try:
            digests = real.digest, simulated.digest
            code_digest(PACKAGE)
        except (PydanticSerializationError, ValueError, RecursionError) as error:
            LOG.info("the cache is off: a conversation cannot be written: %s", one_line(error))
            return None
        except OSError as error:
            LOG.info("the cache is off: %s", one_line(error))
            return None
        return cls(beside(file), digests, sizes)

    @property
    def tables(self) -> tuple[KeptTable, KeptTable]:
        """Where both sides' tables of metrics are kept."""
        real, simulated = (
            KeptTable(self.cache, digest, n) for digest, n in zip(self.digests, self.sizes, strict=True)
        )
        return real, simulated

    def findings(
        self, validator: Validator, real: Corpus, simulated: Corpus, *, seed: int
    ) -> list[Finding] | None:
        """Return what a validator found of these very sides before; None where that is not known."""
        self.asked += 1
        key = self._keys[id(validator)] = self._key(validator, real, simulated, seed)
        content = self.cache.read(key) if key else None
        if content is None:
            return None
        try:
            found = [Finding.model_validate(each) for each in json.loads(content)]
        except (ValueError, RecursionError) as error:
            LOG.info("kept findings of %s cannot be used: %s", validator.name, one_line(error))
            return None
        self.used.append(str(validator.name))
        return found

    def keep(
        self, validator: Validator, real: Corpus, simulated: Corpus, findings: Sequence[Finding], *, seed: int
    ) -> None:
        """Keep what a validator found, unless it failed or would not be read as it was written."""
        key = self._key(validator, real, simulated, seed)
        # Whose file has been edited meanwhile may have run as it was before.
        if (
            key is None
            or key != self._keys.get(id(validator), key)
            or any(finding.verdict == "failed" for finding in findings)
        ):
            return
        written = _written(findings)
        if written and written == _written([Finding.model_validate(each) for each in json.loads(written)]):
            self.cache.write(key, written)

    @property
    def told(self) -> str | None:
        """Say in a sentence how much was not computed anew; None where all was."""
        if not self.used:
            return None
        return (
            f"findings of {len(self.used)} of {self.asked} validators are those of an earlier run on the same "
            f"conversations ({self.cache.folder}); --no-cache computes them anew"
        )

    def _key(self, validator: Validator, real: Corpus, simulated: Corpus, seed: int) -> str | None:
        """Return the key of a validator's findings; None where something that they depend on has no name."""
        measured = [_measured(side) for side in (real, simulated)]
        try:
            asked = _asked(validator)
            if asked is None or None in measured:
                return None
            return key_of(
                {
                    "kind": "findings",
                    "conversations": self.digests,
                    "metrics": measured,
                    "validator": asked,
                    "seed": seed,
                    "code": code_digest(PACKAGE),
                    "counted with": counted_with(),
                }
            )
        except (TypeError, ValueError, AttributeError, OSError):
            # A setting that JSON does not have, such as another side; or a class of a notebook, which no file has.
            return None


def _written(findings: Sequence[Finding]) -> bytes:
    try:
        return json.dumps([finding.model_dump(mode="json") for finding in findings], allow_nan=False).encode()
    except (TypeError, ValueError):
        return b""


def _measured(side: Corpus) -> list[object] | None:
    named = [identity(metric) for metric in side.metrics.values()]
    lists = lexicon_digest(side.lexicon)
    if None in named or lists is None or side.failed:
        return None
    return [named, lists]


def _asked(validator: Validator) -> list[object] | None:
    """Name a validator with its settings and its code; None for somebody else's that states no version."""
    asked: object = validator
    if isinstance(validator, LiftedValidator):
        asked = getattr(validator.ask.function, "__self__", None)
    kind: type = type(asked)
    package = kind.__module__.partition(".")[0]
    if package == OWN:
        code = code_digest(Path(sys.modules[OWN].__path__[0]))
    elif package not in ("convsim", "builtins") and _states_version(kind):
        found = code_of(kind)
        if found is None:
            return None
        code = found
    else:
        return None
    settings: Mapping[str, object] = (
        {each.name: getattr(asked, each.name) for each in dataclasses.fields(asked)}
        if dataclasses.is_dataclass(asked)
        else vars(asked)
    )
    if any(_may_be_a_file(value) for value in settings.values()):
        return None  # what stands in it is not known
    return [
        kind.__module__,
        kind.__qualname__,
        str(validator.name),
        str(getattr(validator, "version", "")),
        _of_class(kind),
        dict(settings),
        code,
    ]


def _of_class(kind: type) -> dict[str, object]:
    """Return the settings that stand in a class, as they are now: somebody may have set them."""
    return {
        name: value
        for part in reversed(kind.__mro__)
        for name, value in vars(part).items()
        if not name.startswith("__") and isinstance(value, str | int | float | None)
    }


def _may_be_a_file(value: object) -> bool:
    if isinstance(value, str):
        with suppress(OSError, ValueError):
            return bool(value) and Path(value).exists()
        return False
    if isinstance(value, Mapping):
        return any(map(_may_be_a_file, value.values()))
    return isinstance(value, Path) or (isinstance(value, Iterable) and any(map(_may_be_a_file, value)))


def _states_version(kind: type) -> bool:
    return any("version" in vars(part) for part in kind.__mro__ if part is not BaseValidator)
