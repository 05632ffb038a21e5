"""The table of metrics of one side, kept beside its file: what was measured once of the same conversations is read."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple
from zipfile import BadZipFile, ZipFile

from convsim._cache import LOG, Cache, code_digest, counted_with, folder_digest, key_of
from convsim._code import code_of
from convsim._text import one_line
from convsim.metrics.language import NeedsLanguage
from convsim.metrics.registry import BUILT_IN
from convsim.schema import Metric
from convsim.text.language import Language
from convsim.text.lexicons import Lexicon

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

PACKAGE = Path(__file__).parents[1]
UNREADABLE = (ValueError, KeyError, OSError, TypeError, EOFError, BadZipFile, zlib.error, RecursionError)
BESIDE = 1 << 20
"""Bytes of a table beside its values: what is undefined, and why."""


class Measured(NamedTuple):
    """Columns by metric, why some are undefined, and the language of the side."""

    values: Mapping[str, FloatArray]
    undefined: Mapping[str, str]
    language: Language | None


def identity(metric: Metric) -> list[str] | None:
    """Say in words all that a metric's values depend on besides the conversations; None where nobody states it.

    Built-in metrics and labels are measured by convsim's own code, of which the digest is part of every key. Somebody
    else's function may read what nobody knows of, unless it states a version; its code is part of the key, too.
    """
    origin = [metric.name, metric.unit, metric.level, metric.role, metric.source, metric.description]
    if BUILT_IN.get(metric.name) is metric:
        return ["built-in", metric.name]
    if metric.label:
        return ["label", *origin, *map(str, metric.label)]
    if not metric.version:
        return None
    code = _code(getattr(metric.measure, "function", metric.measure))
    if code is None or not isinstance(metric.undefined_for, NeedsLanguage | None):
        return None
    languages = sorted(metric.undefined_for.codes) if metric.undefined_for else []
    return ["foreign", *origin, metric.version, str(metric.moved_by_agent), code, *languages]


def _code(function: object) -> str | None:
    """Return the digest of somebody's function; None where it is another thing, of which the state is not known."""
    try:
        return code_of(function) if isinstance(function, FunctionType) else None
    except OSError:
        return None


def lexicon_digest(lexicon: Lexicon) -> str | None:
    """Return the digest of a team's own word lists, empty without any; None where they are no longer as they were."""
    if lexicon.folder is None:
        return ""
    with suppress(OSError):
        if folder_digest(lexicon.folder) == lexicon.digest:
            return lexicon.digest
    return None


@dataclass(frozen=True)
class KeptTable:
    """Where the table of conversations with one digest is kept."""

    cache: Cache
    digest: str
    """Of all conversations, in their order."""
    n: int

    def key(self, metrics: Mapping[str, Metric], lexicon: Lexicon) -> str | None:
        """Return what stands for a table of those metrics whose identity is known; None where word lists changed."""
        lists = lexicon_digest(lexicon)
        if lists is None:
            return None
        return key_of(
            {
                "kind": "table of metrics",
                "conversations": self.digest,
                "metrics": [*_known(metrics).values()],
                "lexicon": lists,
                "code": code_digest(PACKAGE),
                "counted with": counted_with(),
            }
        )

    def read(self, key: str, metrics: Mapping[str, Metric]) -> Measured | None:
        """Return what was measured before of those metrics whose identity is known; None where nothing was."""
        import numpy as np

        known = _known(metrics)
        content = self.cache.read(key)
        if content is None:
            return None
        try:
            with ZipFile(BytesIO(content)) as packed:
                _check_size(sum(part.file_size for part in packed.infolist()), len(known) * self.n)
            with np.load(BytesIO(content), allow_pickle=False) as held:
                values = np.asarray(held["values"], np.float64)
                said = json.loads(bytes(held["said"]))
            language = said["language"] and Language.model_validate(said["language"])
        except UNREADABLE as error:  # sealed by us, and yet of another layout
            LOG.info("a kept table of metrics cannot be used: %s", one_line(error))
            return None
        if values.shape != (len(known), self.n):
            return None
        return Measured(dict(zip(known, values, strict=True)), said["undefined"], language)

    def write(self, key: str, metrics: Mapping[str, Metric], measured: Measured) -> None:
        """Keep the columns of those metrics whose identity is known."""
        import numpy as np

        known = [name for name in _known(metrics) if name in measured.values]
        if len(known) < len(_known(metrics)):
            return
        said = {
            "language": measured.language and measured.language.model_dump(mode="json"),
            "undefined": {name: why for name, why in measured.undefined.items() if name in known},
        }
        values = np.asarray([measured.values[name] for name in known], np.float64).reshape(len(known), self.n)
        held = BytesIO()
        np.savez_compressed(held, values=values, said=np.frombuffer(json.dumps(said).encode(), np.uint8))
        self.cache.write(key, held.getvalue())


def _known(metrics: Mapping[str, Metric]) -> dict[str, list[str]]:
    return {name: said for name, metric in metrics.items() if (said := identity(metric)) is not None}


def _check_size(n_bytes: int, n_values: int) -> None:
    """Check how many bytes a table is said to take when it is unpacked; its reader takes no more than that."""
    if n_bytes > 8 * n_values + BESIDE:
        raise ValueError(f"it would take {n_bytes:,} bytes")
