"""Writes a classifier to one file, and reads one that anybody may have made, running nothing of it.

The file is NumPy's .npz, a zip of arrays, with a card as JSON beside them. NumPy's own reader makes room for whatever
size an array claims; here every size is held against the zip's directory first, and only numbers are let through.
"""

from __future__ import annotations

import io
import json
import struct
import tokenize
import warnings
import zipfile
import zlib
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, ValidationError, model_validator

from convsim._files import write_whole
from convsim._inputs import read_input
from convsim._text import complaint, one_line
from convsim.annotation.agreement import AgreementReport
from convsim.annotation.classifier.dataset import Target
from convsim.annotation.classifier.features import FEATURES_VERSION
from convsim.annotation.classifier.model import Learned
from convsim.errors import InputError
from convsim.schema.conversation import LearnedFrom
from convsim.schema.record import Count, Name, Record, Text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

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
    agreement: AgreementReport
    """Labels given out of fold, held against those that it learned from; one entry a target.

    The folds, like the intervals, keep whole users together, or conversations. The intervals resample what the folds
    said, not the fitting, and are somewhat narrow for it: of 95 % intervals of tau over labels that were drawn by coin
    for 145 users, 87 in 100 held 0 (Bengio and Grandvalet, 2004, show that cross-validation has no unbiased estimate of
    its variance).
    """
    file: Text | None = None
    """Name of the file that it learned from."""
    learned_from: LearnedFrom
    """That file's SHA-256, and the fingerprints of the conversations: labels of these are not predictions."""
    seed: int
    folds: Count
    warnings: tuple[Text, ...] = ()
    convsim: Name
    scikit_learn: Name

    @model_validator(mode="after")
    def _agreement_of_targets(self) -> Self:
        targets = {(target.name, target.level) for target in self.targets}
        if len(targets) < len(self.targets):
            raise ValueError("a target occurs twice")
        if missing := targets - {(entry.label, entry.level) for entry in self.agreement.entries}:
            raise ValueError(f"the agreement has no entry for {min(missing)[0]!r}")
        return self


SCHEMA = "convsim.classifier/2"
ENDING = ".npz"
CARD = "card.json"
CARD_OF_SKOPS = "convsim.json"
"""What the card was called in files of ``convsim.classifier/1``, which skops wrote."""
MAX_FILE_BYTES = 256 << 20
MAX_BYTES = 512 << 20
"""Of all members together, unpacked."""
MAX_CARD_BYTES = 16 << 20
MAX_MEMBERS = 32
MAX_DIRECTORY_BYTES = 16 << 10
MAX_HEADER_BYTES = 256
DTYPES = ("<f8", "|u1")
"""Of the arrays that a classifier holds."""
ZIP = b"PK"
END = struct.Struct("<4s4H2LH")
"""How a zip without a comment ends: mark, four counts (the last: of members), bytes of the directory, its place."""
END_MARK, LARGE_MARK, LARGE_BYTES = b"PK\x05\x06", b"PK\x06\x07", 20
PICKLE = b"\x80"
"""How pickles begin since protocol 2; older ones are not zip files either."""
WRITTEN_AT = (1980, 1, 1, 0, 0, 0)
"""The date of every member, so that the same classifier is the same file."""
MALFORMED = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError, TypeError,
    ValueError, Warning, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile and NumPy raise over a file that nobody's tools wrote."""
AGAIN = "train it again: convsim annotator train FILE --out PATH"


def check_model_path(path: Path) -> None:
    """Check, before anything is learned, that a classifier can be written there; raises InputError."""
    if path.suffix.lower() != ENDING:
        raise InputError(f"{path}: expected a file name that ends in {ENDING}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: there is no folder {path.parent}")


def save(trained: Trained, path: str | Path) -> None:
    """Write a classifier to ``path``, which ends in ``.npz``, whole or not at all.

    Raises:
        InputError: Another ending, or a place that cannot be written.
    """
    import numpy as np

    path = Path(path)
    check_model_path(path)
    card = {"schema": SCHEMA, **trained.card.model_dump(mode="json", by_alias=True)}
    members = {CARD: json.dumps(card, indent=1, ensure_ascii=True, allow_nan=False).encode()}
    for name, array in trained.learned.arrays().items():
        member = io.BytesIO()
        np.lib.format.write_array(member, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
        members[f"{name}.npy"] = member.getvalue()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, WRITTEN_AT), content, compress_type=zipfile.ZIP_DEFLATED)
    write_whole(path, buffer.getvalue())


def load(path: str | Path) -> tuple[Card, Learned]:
    """Read a classifier; whatever the file holds, none of it is run.

    Raises:
        InputError: No such file, a pickle or another kind of file, another schema, another version of scikit-learn,
            content that a classifier does not need, or content that is damaged; and what to do.
    """
    path = Path(path)
    data = _bytes_of(path)
    try:
        _check_end(data)
        # What NumPy or Python warns of while it reads a header is a reason to refuse the file.
        with zipfile.ZipFile(io.BytesIO(data)) as archive, warnings.catch_warnings():
            warnings.simplefilter("error")
            _check_members(path, archive)
            card = _card(path, archive)
            learned = Learned.of(card.targets, _arrays(archive))
    except InputError:
        raise
    except MALFORMED as error:
        raise InputError(f"{path}: is damaged, or not a classifier: {one_line(error)}; {AGAIN}") from None
    if learned.version != card.version:
        raise InputError(
            f"{path}: contains {learned.version}, but claims to be {one_line(card.version)}: it was modified; {AGAIN}"
        )
    return card, learned


def _bytes_of(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise InputError(
                f"{path}: is a folder or a device; a classifier is one file that ends in {ENDING}"
            )
        data = read_input(path, MAX_FILE_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if data.startswith(PICKLE):
        raise InputError(f"{path}: is a pickle, which would run code if it were read, so it is not; {AGAIN}")
    if not data.startswith(ZIP):
        raise InputError(f"{path}: is not a classifier: expected a {ENDING} file, which is a zip; {AGAIN}")
    return data


def _check_end(data: bytes) -> None:
    """Refuse a zip with a longer directory than a classifier's, before the directory is read; raises ValueError."""
    if len(data) < END.size:
        raise ValueError("it breaks off")
    mark, *_, n_members, n_bytes, _, n_comment = END.unpack(data[-END.size :])
    before = data[-END.size - LARGE_BYTES : -END.size]
    if mark != END_MARK or n_comment or before.startswith(LARGE_MARK):
        raise ValueError("it does not end as a classifier's zip does")
    if n_members > MAX_MEMBERS or n_bytes > MAX_DIRECTORY_BYTES:
        raise ValueError(f"it lists more than the {MAX_MEMBERS} members that a classifier may have")


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse what the directory says of the members, before any is unpacked; raises InputError."""
    members, names = archive.infolist(), archive.namelist()
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_BYTES:
        raise InputError(f"{path}: unpacks to more than a classifier can contain; {AGAIN}")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise InputError(f"{path}: uses a compression that convsim does not write; {AGAIN}")
    if CARD not in names and CARD_OF_SKOPS in names:
        raise InputError(
            f"{path}: is a classifier in the format of an earlier convsim (.skops), which is no longer read; {AGAIN}"
        )
    if CARD not in names:
        raise InputError(f"{path}: contains no {CARD}, so convsim did not write it; {AGAIN}")
    if len(set(names)) < len(names):
        raise InputError(f"{path}: contains two members of the same name; {AGAIN}")


def _card(path: Path, archive: zipfile.ZipFile) -> Card:
    size = archive.getinfo(CARD).file_size
    if size > MAX_CARD_BYTES:
        raise ValueError(f"{CARD} is larger than {MAX_CARD_BYTES >> 20} MiB")
    with archive.open(CARD) as member:
        # A bounded read: without one, zipfile unpacks all that is there, whatever the directory says.
        content = json.loads(member.read(size))
    schema = content.pop("schema", None) if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise InputError(f"{path}: its schema is {one_line(repr(schema))}, but {SCHEMA!r} is read; {AGAIN}")
    try:
        card = Card.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise InputError(f"{path}: {CARD}: {complaint(error)}; {AGAIN}") from None
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


def _arrays(archive: zipfile.ZipFile) -> Arrays:
    """Read all arrays; raises what MALFORMED lists."""
    members = [member for member in archive.infolist() if member.filename != CARD]
    if strange := [member.filename for member in members if not member.filename.endswith(".npy")]:
        raise ValueError(f"it contains {one_line(strange[0])}, which a classifier does not need")
    return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[np.generic]:
    """Read a vector or matrix of numbers that is as large as it says; raises what MALFORMED lists."""
    from numpy.lib import format as npy

    name = one_line(member.filename)
    with archive.open(member) as content:
        if npy.read_magic(content) != (1, 0):
            raise ValueError(f"its {name} is not an array that a classifier can contain")
        shape, is_fortran, dtype = npy.read_array_header_1_0(content, max_header_size=MAX_HEADER_BYTES)
        is_plain = dtype.str in DTYPES and len(shape) in (1, 2) and all(type(side) is int for side in shape)
        if not is_plain or is_fortran or min(shape) < 0:
            raise ValueError(f"its {name} is not an array that a classifier can contain")
        if content.tell() + prod(shape) * dtype.itemsize != member.file_size:
            raise ValueError(f"its {name} has another size than it says")
    with archive.open(member) as content:
        array: npt.NDArray[np.generic] = npy.read_array(
            content, allow_pickle=False, max_header_size=MAX_HEADER_BYTES
        )
    return array
