"""Makes the demo data: ``python -m tests.demo_data.generate [--out DIR] [--seed N]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from convsim.errors import InputError
from tests.demo_data.humans import humans_archive
from tests.demo_data.simulators import simulator_lines
from tests.demo_data.stock import Stock, make_stock

FOLDER = Path("data/demo")
SEED = 0


def generate(seed: int) -> dict[str, str]:
    """Return the text of each demo file by its name; the same seed gives the same bytes."""
    stock = make_stock(seed)
    return {
        "catalogue.jsonl": "".join(f"{_line(each)}\n" for each in stock),
        "convapparel_standin.json": humans_archive(stock, seed=seed),
        "simulator_close.jsonl": simulator_lines("close", stock, seed=seed),
        "simulator_naive.jsonl": simulator_lines("naive", stock, seed=seed),
    }


def write(folder: Path, seed: int) -> list[str]:
    """Write the demo files into ``folder``, each wholly or not at all, and return their names.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = generate(seed)
        for name, text in files.items():
            part = folder / f"{name}.part"
            part.write_text(text, encoding="utf-8", newline="\n")
            part.replace(folder / name)
    except OSError as error:
        raise InputError(
            f"{folder}: the demo data cannot be written here: {error.strerror or error}"
        ) from None
    return list(files)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments``, or with those of the command line; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo_data.generate", description="Makes the demo data."
    )
    parser.add_argument("--out", type=Path, help=f"the folder to write to (default: {FOLDER}, in a checkout)")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="the seed of every draw (default: %(default)s)"
    )
    asked = parser.parse_args(arguments)
    try:
        if asked.out is None and not FOLDER.is_dir():
            raise InputError(f"{FOLDER} is not here: run this in a checkout, or name a folder with --out")
        folder = asked.out or FOLDER
        names = write(folder, asked.seed)
        print(f"{folder}: wrote {', '.join(names)} with seed {asked.seed}", file=sys.stderr)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _line(stock: Stock) -> str:
    item = stock.item
    fields = {"id": item.id, "title": item.title, "description": item.description, "price": item.price}
    return json.dumps({**fields, "attributes": item.attributes}, ensure_ascii=False, allow_nan=False)


if __name__ == "__main__":
    sys.exit(main())
