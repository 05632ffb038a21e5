"""Child seeds, derived by name, so that adding a draw moves no other."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def child_seed(seed: int, *names: str | int) -> int:
    """Derive a 63-bit seed for the draw named ``names`` under ``seed``."""
    text = "\x1f".join([str(int(seed)), *(str(name) for name in names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator for the draw named ``names`` under ``seed``."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(child_seed(seed, *names)))
