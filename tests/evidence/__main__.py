"""Evidence on real people: ``python -m tests.evidence NAME … --data FOLDER --out OUT [--runs N]``.

FOLDER holds the sets, as validators/EVIDENCE.md says where to get them; none of them is in the
repository. What is found is kept in ``OUT`` row by row: the same command goes on where it was stopped. ``page`` writes
validators/EVIDENCE.md from it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from convsim.errors import InputError
from tests.evidence import (
    calibration,
    doses,
    firsts,
    lean,
    mixtures,
    orders,
    paper,
    people,
    raters,
    reactions,
    simulators,
)
from tests.evidence.page import WITHOUT_DATA, page

PAGE = Path(__file__).parents[2] / "validators" / "EVIDENCE.md"

EXPERIMENTS: dict[str, tuple[Callable[[Any, Path, int], None], int]] = {
    "people": (people.run, 5),
    "reactions": (reactions.run, 5),
    "firsts": (firsts.run, 150),
    "orders": (orders.run, 10),
    "mixtures": (mixtures.run, 5),
    "raters": (raters.run, 3),
    "simulators": (simulators.run, 1),
    "doses": (doses.run, 3),
    "lean": (lean.run, 1),
    "paper": (paper.run, 5),
    "calibration": (calibration.run, 60),
}
"""Each with the runs that it takes by default."""


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*EXPERIMENTS, "page"]
    parser.add_argument("names", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--data", type=Path, help="folder of the sets; page and calibration need none")
    parser.add_argument("--out", type=Path, required=True, help="folder of what is found")
    parser.add_argument("--runs", type=int, help="how often each is dealt anew")
    asked = parser.parse_args()
    for name in asked.names:
        if name == "page":
            PAGE.write_text(page(asked.out), encoding="utf-8")
            continue
        if asked.data is None and name not in WITHOUT_DATA:
            parser.error(f"{name} needs --data: the folder of the sets")
        experiment, runs = EXPERIMENTS[name]
        try:
            experiment(asked.data, asked.out, asked.runs or runs)
        except InputError as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
