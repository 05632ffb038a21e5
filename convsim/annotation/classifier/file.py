"""Writes a classifier to one file, and reads one that anybody may have made, running nothing of it.

The file is skops's zip of a flat dictionary of arrays, and a card as JSON beside it. skops trusts, by default, every
estimator of scikit-learn and whatever attributes the file gives it; here nothing is let through but numbers.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, ValidationError, model_validator

from convsim._text import one_line
from convsim.annotation.classifier.dataset import Target
from convsim.annotation.classifier.features import FEATURES_VERSION
from convsim.annotation.classifier.model import Learned
from convsim.annotation.classifier.scores import Scores
from convsim.errors import InputError
from convsim.schema.conversation import LearnedFrom
from convsim.schema.record import Count, Name, Record, Text

if TYPE_CHECKING:
    from convsim.annotation.classifier.model import Arrays
    from convsim.annotation.classifier.train import Trained


class Card(Record):
    """Stands beside the arrays in a classifier's file."""

    version: Name
    """Twelve hexadecimal digits of what decides on labels."""
    features_version: Count
    source: Name
    """Whose labels it learned to give."""
    targets: tuple[Target, ...] = Field(min_length=1)
    scores: tuple[Scores, ...]
    """One a target, in their order; cross-validated."""
    file: Text | None = None
    """Name of the file that it learned from."""
    learned_from: LearnedFrom
    """That file's SHA-256, and the fingerprints of the conversations: labels of these are no prediction."""
    seed: int
    folds: Count
    warnings: tuple[Text, ...] = ()
    convsim: Name
    scikit_learn: Name
    skops: Name

    @model_validator(mode="after")
    def _scores_of_targets(self) -> Self:
        if len(self.scores) != len(self.targets):
            raise ValueError(f"{len(self.targets)} targets have {len(self.scores)} scores")
        if len({(target.name, target.level) for target in self.targets}) < len(self.targets):
            raise ValueError("a target stands twice")
        return self


TREE = "schema.json"
MAX_JSON_BYTES = 16 << 20
TRUSTED = frozenset(
    {
        ("DictNode", "builtins", "dict"),
        ("ListNode", "builtins", "list"),
        ("TypeNode", "builtins", "str"),
        ("NdArrayNode", "numpy", "ndarray"),
    }
)
"""What may stand in the tree of a file: skops's loader, and the module and class that it makes. Nothing is added."""
NPY = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)\{'descr': '(?P<dtype><f8|\|u1)', 'fortran_order': False, "
    rb"'shape': \((?P<rows>\d{1,9}),(?: (?P<columns>\d{1,9}))?\), \} *\n",
    re.DOTALL,
)
"""The header of the arrays that a classifier holds; NumPy would make room for whatever size a header claims."""
MAX_HEADER_BYTES = 256
MALFORMED = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile, skops and NumPy raise over a file that nobody's tools wrote."""


def check_tree(archive: zipfile.ZipFile) -> None:
    """Refuse loaders, types and arrays that no classifier needs, before skops sees it; raises ValueError."""
    nodes: list[object] = [read_json(archive, TREE)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes.extend(node)
        elif isinstance(node, dict):
            if "__loader__" in node or "__class__" in node or "__module__" in node:
                kind = (node.get("__loader__"), node.get("__module__"), node.get("__class__"))
                if kind not in TRUSTED:
                    what = f"{kind[1]}.{kind[2]} (by {kind[0]})"
                    raise ValueError(f"it holds {one_line(what)}, which no classifier needs")
                if kind[0] == "NdArrayNode":
                    _check_array(archive, node)
            nodes.extend(node.values())


def _check_array(archive: zipfile.ZipFile, node: Mapping[str, object]) -> None:
    """Refuse an array that is no vector or matrix of numbers, or has another size than it says; raises ValueError."""
    name = str(node.get("file"))
    header = None
    if node.get("type") == "numpy":
        with archive.open(name) as member:
            header = NPY.match(member.read(MAX_HEADER_BYTES))
    if header is None or header.end("length") + int.from_bytes(header["length"], "little") != header.end():
        raise ValueError(f"its {name} is no array that a classifier holds")
    size = int(header["rows"]) * int(header["columns"] or 1) * (8 if header["dtype"] == b"<f8" else 1)
    if header.end() + size != archive.getinfo(name).file_size:
        raise ValueError(f"its {name} has another size than it says")


def read_json(archive: zipfile.ZipFile, name: str) -> object:
    """Read a member of at most 16 MiB; raises what MALFORMED lists."""
    if archive.getinfo(name).file_size > MAX_JSON_BYTES:
        raise ValueError(f"{name} is larger than {MAX_JSON_BYTES >> 20} MiB")
    content: object = json.loads(archive.read(name))
    return content


SCHEMA = "convsim.classifier/1"
ENDING = ".skops"
CARD = "convsim.json"
MAX_FILE_BYTES = 256 << 20
MAX_BYTES = 512 << 20
"""Of all members together, unpacked."""
MAX_MEMBERS = 64
ZIP = b"PK"
PICKLE = b"\x80"
"""How pickles begin since protocol 2; older ones are no zip either."""
AGAIN = "train it again: convsim annotator train FILE --out PATH"


def check_model_path(path: Path) -> None:
    """Check, before anything is learned, that a classifier can be written there; raises InputError."""
    if path.suffix.lower() != ENDING:
        raise InputError(f"{path}: a classifier is written to a file that ends in {ENDING}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: there is no folder {path.parent}")


def save(trained: Trained, path: str | Path) -> None:
    """Write a classifier to ``path``, which ends in ``.skops``, whole or not at all.

    Raises:
        InputError: Another ending, or a place that cannot be written.
    """
    import skops.io

    path = Path(path)
    check_model_path(path)
    buffer = io.BytesIO(skops.io.dumps(dict(trained.learned.arrays()), compression=zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(buffer, "a", compression=zipfile.ZIP_DEFLATED) as archive:
        card = {"schema": SCHEMA, **trained.card.model_dump(mode="json", exclude_defaults=True)}
        archive.writestr(CARD, json.dumps(card, indent=1, ensure_ascii=True, allow_nan=False))
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(buffer.getvalue())
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)


def load(path: str | Path) -> tuple[Card, Learned]:
    """Read a classifier; whatever the file holds, none of it is run.

    Raises:
        InputError: No such file, a pickle or another kind of file, another schema, another version of scikit-learn,
            content that a classifier does not need, or content that is damaged; and what to do.
    """
    path = Path(path)
    data = _bytes_of(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            card = _card(path, archive)
            check_tree(archive)
        learned = Learned.of(card.targets, _arrays(data))
    except InputError:
        raise
    except MALFORMED as error:
        raise InputError(f"{path}: is damaged, or no classifier: {one_line(error)}; {AGAIN}") from None
    if learned.version != card.version:
        raise InputError(
            f"{path}: holds {learned.version}, but says that it is {one_line(card.version)}: it was changed; {AGAIN}"
        )
    return card, learned


def _bytes_of(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise InputError(
                f"{path}: is a folder or a device; a classifier is one file that ends in {ENDING}"
            )
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path}: is larger than {MAX_FILE_BYTES >> 20} MiB, and no classifier is")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if data.startswith(PICKLE):
        raise InputError(f"{path}: is a pickle, which would run code if it were read, so it is not; {AGAIN}")
    if not data.startswith(ZIP):
        raise InputError(f"{path}: is no classifier: expected a {ENDING} file, which is a zip; {AGAIN}")
    return data


def _card(path: Path, archive: zipfile.ZipFile) -> Card:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_BYTES:
        raise InputError(f"{path}: unpacks to more than a classifier holds; {AGAIN}")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise InputError(f"{path}: is packed in a way that convsim does not write; {AGAIN}")
    if CARD not in archive.namelist():
        raise InputError(f"{path}: holds no {CARD}, so it is no classifier that convsim wrote; {AGAIN}")
    content = read_json(archive, CARD)
    schema = content.pop("schema", None) if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise InputError(f"{path}: its schema is {one_line(repr(schema))}, but {SCHEMA!r} is read; {AGAIN}")
    try:
        card = Card.model_validate_json(json.dumps(content))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise InputError(f"{path}: {CARD}: {one_line(place)}: {one_line(problem['msg'])}; {AGAIN}") from None
    here = version("scikit-learn")
    if card.scikit_learn.split(".")[:2] != here.split(".")[:2]:
        raise InputError(
            f"{path}: was trained with scikit-learn {one_line(card.scikit_learn)}, but {here} is installed, "
            f"which may count words otherwise; {AGAIN}"
        )
    if card.features_version != FEATURES_VERSION:
        raise InputError(
            f"{path}: has features of version {card.features_version}, but {FEATURES_VERSION} is made here; {AGAIN}"
        )
    return card


def _arrays(data: bytes) -> Arrays:
    import skops.io

    if untrusted := skops.io.get_untrusted_types(data=data):
        raise ValueError(f"it holds {untrusted[0]}")
    arrays: Arrays = skops.io.loads(data, trusted=[])
    return arrays
