"""Whether the model that a config.json describes is of the size of its weights: one that is not fills the memory."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from convsim._inputs import open_input, read_input

MAX_CONFIG_BYTES = 16 << 20
LAYERS = re.compile(r"(^|_)(layers?|blocks?|block_count|depth)$", re.IGNORECASE)
"""How settings are called that number a model's layers."""
MOST_PARAMETERS_A_BYTE = 16
"""Of weights that are packed: more than any way of packing them gets into a byte."""
MOST_PARAMETERS_A_WEIGHT = 2
"""Of weights as they are: a matrix that stands for two is written once."""
MAX_BUFFER_BYTES = 1 << 30
"""Of a model's tables that are no weights, such as masks, besides as many bytes as the weights have."""


def check_layers(folder: Path) -> None:
    """Check, before a model is built, that a config.json names no more layers than there are tensors in the weights.

    Raises:
        OSError, ValueError: There is no such file, it is no JSON or too large, or it names too many.
    """
    tensors, _, _ = _stored(folder)
    config = _config(folder)
    for name, value in _numbers(config):
        if tensors and LAYERS.search(name) and value > tensors:
            raise ValueError(f"config.json says {name} = {value:,}, but the weights are {tensors:,} tensors")


GGUF_BYTES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
GGUF_TEXT, GGUF_LIST = 8, 9
"""Kinds of values in a GGUF file, as its specification numbers them; the plain ones with their form in ``struct``."""
MAX_GGUF_VALUES = 10_000


def check_gguf_layers(path: Path) -> None:
    """Check, before a model is built, that a GGUF file names no more layers than it has tensors.

    Raises:
        OSError, ValueError: It cannot be read, or names too many. What else is wrong with it is for its loader to say.

    Source:
        The specification of GGUF, versions 2 and 3, little-endian.
    """
    with open_input(path) as file:
        start = file.read(24)
        if len(start) < 24 or not start.startswith(b"GGUF"):
            return
        tensors, values = struct.unpack("<QQ", start[8:])
        with suppress(struct.error, KeyError):  # it ends too early, or has values of another kind
            for _ in range(min(values, MAX_GGUF_VALUES)):
                name = _text(file)
                found = _value(file, _number(file, "I"))
                if name.endswith(b".block_count") and found is not None:
                    if found > tensors:
                        raise ValueError(f"it names {found:,} layers, but has {tensors:,} tensors")
                    return


def _number(file: IO[bytes], form: str) -> int:
    found: int = struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))[0]
    return found


def _text(file: IO[bytes]) -> bytes:
    length = _number(file, "Q")
    if length > MAX_CONFIG_BYTES:
        raise ValueError(f"a text in it is longer than {MAX_CONFIG_BYTES:,} bytes")
    return file.read(length)


def _value(file: IO[bytes], kind: int) -> int | None:
    """Read over a value, and return it where it is a number."""
    if kind == GGUF_TEXT:
        _text(file)
    elif kind == GGUF_LIST:
        of, count = _number(file, "I"), _number(file, "Q")
        if of in GGUF_BYTES:
            file.seek(count * struct.calcsize(f"<{GGUF_BYTES[of]}"), os.SEEK_CUR)
        else:
            for _ in range(count):
                _value(file, of)
    else:
        return _number(file, GGUF_BYTES[kind])
    return None


def check_size(folder: Path) -> None:
    """Check that the model of a config.json, built without memory, is of the size of its weights.

    Raises:
        OSError, ValueError: It is far larger, or is not a model that can be built.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tensors, weights, n_bytes = _stored(folder)
    if not tensors:
        return
    configs: Any = AutoConfig
    models: Any = AutoModelForCausalLM
    config = configs.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    is_packed = getattr(config, "quantization_config", None) is not None
    with torch.device("meta"):
        model = models.from_config(config, trust_remote_code=False)
    parameters = sum(each.numel() for each in model.parameters())
    most = MOST_PARAMETERS_A_BYTE * n_bytes if is_packed else MOST_PARAMETERS_A_WEIGHT * weights
    if parameters > most:
        raise ValueError(
            f"config.json describes {parameters:,} parameters, but the weights are {weights:,} numbers"
        )
    tables = sum(each.numel() * each.element_size() for each in model.buffers())
    if tables > MAX_BUFFER_BYTES + n_bytes:
        raise ValueError(
            f"config.json describes tables of {tables:,} bytes beside {n_bytes:,} bytes of weights"
        )


def _stored(folder: Path) -> tuple[int, int, int]:
    """Count the tensors in a folder's safetensors files, their numbers, and their bytes."""
    from math import prod

    from safetensors import safe_open

    tensors = numbers = n_bytes = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118, no mapping
        tensors += len(shapes)
        numbers += sum(prod(shape) for shape in shapes)
        n_bytes += path.stat().st_size
    return tensors, numbers, n_bytes


def _config(folder: Path) -> object:
    try:
        return json.loads(read_input(folder / "config.json", MAX_CONFIG_BYTES))
    except RecursionError:
        raise ValueError("config.json is nested too deeply") from None


def _numbers(value: object, name: str = "") -> Iterator[tuple[str, int]]:
    """Yield the whole numbers in a document of JSON, each with its key."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(part, str(key))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield name, value
