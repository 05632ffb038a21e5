"""Reads the word and character lists that stand beside the metrics as text files."""

import re
from importlib.resources import files


def read_lexicon(name: str) -> frozenset[str]:
    """Return the entries of ``lexicon/<name>.txt``: one a line, lines that start with ``# `` left out."""
    lines = (
        files("convsim.metrics").joinpath("lexicon", f"{name}.txt").read_text(encoding="utf-8").split("\n")
    )
    return frozenset(line for line in lines if line and not line.startswith("# "))


def read_character_class(name: str) -> re.Pattern[str]:
    """Return a pattern that matches any one character listed in ``lexicon/<name>.txt``."""
    return re.compile(f"[{re.escape(''.join(sorted(read_lexicon(name))))}]")
