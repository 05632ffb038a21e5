"""A policy on disk: ``policy.json`` and ``arrays.npz``, of which nothing is ever run."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field, ValidationError

from convsim._files import replacing
from convsim._inputs import amount, read_input
from convsim._text import complaint, one_line
from convsim.errors import InputError
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.conversation import LearnedFrom
from convsim.schema.record import Count, Flag, Name, Number, Record, Text
from convsim.shoppers.policies.boosted import LEAF, Trees
from convsim.shoppers.policies.choosing import ITEM_FEATURES, ItemChoice
from convsim.shoppers.policies.evaluation import Evaluation
from convsim.shoppers.policies.features import FEATURES
from convsim.shoppers.policies.histories import N_WORDS
from convsim.shoppers.policies.logistic import Logistic, Multinomial
from convsim.shoppers.policies.model import KINDS, Kind, Model
from convsim.shoppers.policies.monotone import Direction, Part
from convsim.shoppers.policies.recurrent import Block, Recurrent
from convsim.shoppers.policies.table import TINY, Columns, Feature

POLICY_FILE, ARRAYS_FILE = "policy.json", "arrays.npz"
SCHEMA = "convsim.policy/1"
MAX_BYTES = 64 << 20
"""Of either file, and of the arrays once they are unpacked."""
Arrays = Mapping[str, npt.NDArray[np.generic]]
MOST = 1e9
"""Of a weight, and of what a feature may be."""
MOST_BLOCKS, MOST_WIDTH, MOST_STATES = 8, 1_024, 4_096
"""Of a recurrence."""
TREE_ARRAYS = ("feature", "threshold", "missing_left", "left", "right", "value", "roots", "intercept")


RECURRENT_ARRAYS = ("encoder", "encoder_bias", "head", "head_bias")
BLOCK_ARRAYS = ("scale", "shift", "skip", "gated", "gated_bias")
COMPLEX_ARRAYS = ("eigenvalues", "inputs", "outputs")


class EndingsRead(Record):
    """Endings that were read from the last words, as the logs do not state them."""

    accepted: Count
    left: Count
    untold: Count
    checked: Count
    """Conversations that state their ending, by which the error is told."""
    told: Count
    wrong: Count
    error_known: Flag


class Learned(Record):
    """What a policy was learned from, and what it is, without its numbers: the file ``policy.json``."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.policy/1"] = Field("convsim.policy/1", alias="schema")
    kind: Kind
    language: Text | None
    """ISO 639 code of the word lists that are looked at; null for none."""
    tasks: tuple[Text, ...]
    """The domain: tasks of the conversations that it learned from."""
    learned_from: LearnedFrom
    feature_names: tuple[Name, ...]
    """All that are looked at; another version may look at others."""
    item_feature_names: tuple[Name, ...]
    features: tuple[Feature, ...]
    """Those that vary."""
    accept: Annotated[Number, Field(ge=0, le=1)] | None
    """P(accept given the end) where that does not depend on features."""
    has_items: Flag
    n_blocks: Annotated[int, Field(ge=0, le=MOST_BLOCKS)] = 0
    """Of a recurrence, which the kind ``ssm`` alone may have; 0 where the history adds nothing."""
    acts: tuple[Name, ...]
    acts_label: Name = "acts"
    """The label that named them."""
    directions: tuple[Direction, ...]
    endings_read: EndingsRead | None
    """Null where every ending is as the logs state it."""
    evaluation: Evaluation
    arrays_sha256: Name

    def model_of(self, arrays: Arrays) -> Model:
        """Put the policy together.

        Raises:
            InputError: An array is missing, or is not of the shape or kind that it must be.
        """
        names = [feature.name for feature in self.features]
        if len(names) > len({*names} & FEATURES.keys()):
            raise InputError(f"{POLICY_FILE}: features must name each one once, of those that are looked at")
        if any(
            not (f.scale > TINY and -MOST <= f.low <= f.high <= MOST >= abs(f.mean)) for f in self.features
        ):
            raise InputError(
                f"{POLICY_FILE}: a feature's scale must be above 0, its high at least its low, and all within {MOST:g}"
            )
        if len(self.acts) > len({*self.acts}):
            raise InputError(f"{POLICY_FILE}: acts must name each one once")
        columns, found = Columns(self.features), _Checked(arrays)
        n_columns = len(columns.names)

        def part(name: Part) -> Logistic | Trees:
            if self.kind != "trees":
                return Logistic(
                    found.numbers(f"{name}.weights", (n_columns,)),
                    float(found.numbers(f"{name}.intercept", (1,))[0]),
                )
            return found.trees(name, len(self.features))

        items = acts = None
        if self.has_items:
            shape = (len(ITEM_FEATURES),)
            items = ItemChoice(found.numbers("items.weights", shape), found.numbers("items.scales", shape))
        if self.acts:
            acts = Multinomial(
                found.numbers("acts.weights", (len(self.acts), n_columns)),
                found.numbers("acts.intercepts", (len(self.acts),)),
            )
        end = part("end")
        accept = part("accept") if self.accept is None else self.accept
        recurrent = found.recurrent(self.n_blocks, n_columns) if self.n_blocks else None
        found.check_all_used()
        if items is not None and not (items.scales > 0).all():
            raise InputError(f"{ARRAYS_FILE}: items.scales must be above 0")
        if recurrent is not None and self.kind != "ssm":
            raise InputError(f"{POLICY_FILE}: a policy of the kind {self.kind} has no recurrence")
        return Model(self.kind, columns, end, accept, items, self.acts, acts, self.directions, recurrent)


def arrays_of(model: Model) -> dict[str, npt.NDArray[np.generic]]:
    """Return the numbers of a policy by their names."""
    found: dict[str, npt.NDArray[np.generic]] = {}
    for name, part in (("end", model.end), ("accept", model.accept)):
        if isinstance(part, Logistic):
            found |= {f"{name}.weights": part.weights, f"{name}.intercept": np.asarray([part.intercept])}
        elif isinstance(part, Trees):
            found |= {
                f"{name}.{field}": np.atleast_1d(np.asarray(getattr(part, field))) for field in TREE_ARRAYS
            }
    if model.items is not None:
        found |= {"items.weights": model.items.weights, "items.scales": model.items.scales}
    if model.acts is not None:
        found |= {"acts.weights": model.acts.weights, "acts.intercepts": model.acts.intercepts}
    return found if model.recurrent is None else found | _arrays_of_recurrent(model.recurrent)


def _arrays_of_recurrent(recurrent: Recurrent) -> dict[str, npt.NDArray[np.generic]]:
    found: dict[str, npt.NDArray[np.generic]] = {
        f"ssm.{name}": getattr(recurrent, name) for name in RECURRENT_ARRAYS
    }
    for number, block in enumerate(recurrent.blocks):
        name = f"ssm.{number}"
        found |= {f"{name}.{field}": getattr(block, field) for field in BLOCK_ARRAYS}
        for field in COMPLEX_ARRAYS:
            values = getattr(block, field)
            found |= {f"{name}.{field}.real": values.real, f"{name}.{field}.imaginary": values.imag}
    return found


def packed(arrays: Arrays) -> bytes:
    """Return arrays as the file holds them."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def write_policy(folder: Path, learned: Learned, content: bytes) -> None:
    """Write a policy; ``policy.json``, which makes a folder one, stands there last."""
    with replacing(folder / ARRAYS_FILE) as file:
        file.write(content)
    text = learned.model_dump_json(by_alias=True, exclude={"learned_from": {"metadata"}}, indent=2)
    with replacing(folder / POLICY_FILE) as file:
        file.write(text.encode("utf-8") + b"\n")


class Loaded(NamedTuple):
    """A policy that was read."""

    learned: Learned
    model: Model


def read_policy(folder: Path) -> Loaded:
    """Read a policy and check all of it.

    Raises:
        InputError: There is none, it is of another version of convsim, or a number in it cannot be.
    """
    path = folder / POLICY_FILE
    try:
        text = read_input(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{folder} is not a policy: it has no {POLICY_FILE}; make one with convsim train LOGS --policy --out "
            f"{folder}, and run that again if it was interrupted"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    _check_version(path, text)
    try:
        learned = Learned.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{path}: {complaint(error)}") from error
    content = _content(folder / ARRAYS_FILE)
    if hashlib.sha256(content).hexdigest() != learned.arrays_sha256:
        raise InputError(
            f"{folder}: {ARRAYS_FILE} is not the one that {POLICY_FILE} names; train the policy again"
        )
    try:
        return Loaded(learned, learned.model_of(_unpacked(folder / ARRAYS_FILE, content)))
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error


class _Head(Record):
    model_config = ConfigDict(extra="ignore")
    schema_: Text = Field("", alias="schema")
    kind: Text = ""
    feature_names: tuple[Text, ...] = ()
    item_feature_names: tuple[Text, ...] = ()

    @classmethod
    def _with_unknown_keys(cls, data: dict[str, object]) -> dict[str, object]:
        return {key: value for key, value in data.items() if key in cls.known_keys}


def _check_version(path: Path, text: bytes) -> None:
    """Say what another version of convsim wrote before anything else of it is looked at."""
    try:
        head = _Head.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{path}: {complaint(error)}") from error
    if head.schema_ != SCHEMA:
        raise InputError(
            f"{path}: is of the format {one_line(head.schema_ or 'none')[:60]}, and this version of convsim reads "
            f"{SCHEMA}; train the policy again"
        )
    if head.kind not in KINDS:
        raise InputError(
            f"{path}: is a policy of the kind {one_line(head.kind)[:60]!r}; this version of convsim knows "
            f"{', '.join(KINDS)}"
        )
    known = ((head.feature_names, tuple(FEATURES)), (head.item_feature_names, tuple(ITEM_FEATURES)))
    if any(found != expected for found, expected in known):
        changed = [name for found, expected in known for name in sorted({*found} ^ {*expected})]
        what = (
            f"differ in {', '.join(one_line(name)[:60] for name in changed[:4])}"
            if changed
            else "stand in another order"
        )
        raise InputError(
            f"{path}: looks at other features than this version of convsim ({what}); train it again"
        )


def _content(path: Path) -> bytes:
    try:
        return read_input(path, MAX_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); train the policy again") from error


def _unpacked(path: Path, content: bytes) -> Arrays:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if (size := sum(info.file_size for info in archive.infolist())) > MAX_BYTES:
                raise InputError(
                    f"{path.name}: unpacks to {size:,} bytes; at most {amount(MAX_BYTES)} are read"
                )
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: np.asarray(file[name]) for name in file.files}
    except InputError:
        raise
    except Exception as error:  # a file that somebody made may make NumPy and zipfile raise anything
        raise InputError(f"{path.name}: is not a file of arrays ({one_line(error)[:160]})") from error


class _Checked:
    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._used: set[str] = set()

    def numbers(self, name: str, shape: tuple[int | None, ...], *, infinite: bool = False) -> FloatArray:
        found = np.asarray(self._of(name, shape, "f"), np.float64)
        if np.isnan(found).any() or not (infinite or (np.abs(found) <= MOST).all()):
            raise InputError(f"{ARRAYS_FILE}: {name} has a number that is not finite, or beyond {MOST:g}")
        return found

    def whole(self, name: str, shape: tuple[int | None, ...]) -> IntArray:
        return np.asarray(self._of(name, shape, "i"), np.int64)

    def _of(self, name: str, shape: tuple[int | None, ...], kind: str) -> npt.NDArray[np.generic]:
        if name not in self._arrays:
            raise InputError(f"{ARRAYS_FILE}: has no array {name}")
        self._used.add(name)
        found = self._arrays[name]
        fits = len(found.shape) == len(shape) and all(
            n is None or n == have for n, have in zip(shape, found.shape, strict=True)
        )
        if found.dtype.kind != kind or not fits:
            wanted = "x".join("any" if n is None else str(n) for n in shape)
            is_shape = "x".join(map(str, found.shape)) or "a single number"
            raise InputError(
                f"{ARRAYS_FILE}: {name} must be {wanted} {'numbers' if kind == 'f' else 'whole numbers'}, but is "
                f"{is_shape} of {found.dtype}"
            )
        return found

    def trees(self, part: str, n_features: int) -> Trees:
        n = len(np.atleast_1d(self._arrays.get(f"{part}.feature", np.zeros(0))))
        made = Trees(
            feature=self.whole(f"{part}.feature", (n,)),
            threshold=self.numbers(f"{part}.threshold", (n,), infinite=True),
            missing_left=self.whole(f"{part}.missing_left", (n,)),
            left=self.whole(f"{part}.left", (n,)),
            right=self.whole(f"{part}.right", (n,)),
            value=self.numbers(f"{part}.value", (n,)),
            roots=self.whole(f"{part}.roots", (None,)),
            intercept=float(self.numbers(f"{part}.intercept", (1,))[0]),
        )
        inner = made.feature != LEAF
        place = np.arange(n)
        sound = (
            ((made.feature >= LEAF) & (made.feature < n_features)).all()
            and all(((side > place) & (side < n))[inner].all() for side in (made.left, made.right))
            and ((made.roots >= 0) & (made.roots < n)).all()
        )
        if not sound:
            raise InputError(f"{ARRAYS_FILE}: the trees of {part} lead nowhere, or in a circle")
        return made

    def recurrent(self, n_blocks: int, n_columns: int) -> Recurrent:
        width = self._length("ssm.encoder_bias", MOST_WIDTH)
        blocks = tuple(self._block(f"ssm.{number}", width) for number in range(n_blocks))
        return Recurrent(
            self.numbers("ssm.encoder", (width, n_columns + N_WORDS)),
            self.numbers("ssm.encoder_bias", (width,)),
            blocks,
            self.numbers("ssm.head", (2, width)),
            self.numbers("ssm.head_bias", (2,)),
        )

    def _block(self, name: str, width: int) -> Block:
        states = self._length(f"{name}.eigenvalues.real", MOST_STATES)
        real = {
            field: self.numbers(f"{name}.{field}", shape)
            for field, shape in zip(
                BLOCK_ARRAYS, ((width,), (width,), (width,), (2 * width, width), (2 * width,)), strict=True
            )
        }
        eigenvalues, inputs, outputs = (
            self.numbers(f"{name}.{field}.real", shape)
            + 1j * self.numbers(f"{name}.{field}.imaginary", shape)
            for field, shape in zip(
                COMPLEX_ARRAYS, ((states,), (states, width), (width, states)), strict=True
            )
        )
        if not (np.abs(eigenvalues) < 1).all():
            raise InputError(f"{ARRAYS_FILE}: {name}.eigenvalues must all be below 1 in absolute value")
        return Block(**real, eigenvalues=eigenvalues, inputs=inputs, outputs=outputs)

    def _length(self, name: str, most: int) -> int:
        n = len(np.atleast_1d(self._arrays.get(name, np.zeros(0))))
        if not 1 <= n <= most and name in self._arrays:
            raise InputError(f"{ARRAYS_FILE}: {name} must have 1 to {most} numbers, but has {n}")
        return n

    def check_all_used(self) -> None:
        if unknown := sorted(self._arrays.keys() - self._used):
            raise InputError(
                f"{ARRAYS_FILE}: has an array {one_line(unknown[0])[:60]} that belongs to no policy"
            )
