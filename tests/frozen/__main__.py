"""Makes the frozen references again: ``python -m tests.frozen`` in the root of the repository, or some by name.

Say in CHANGELOG.md under "Findings changed" which numbers moved, and why.
"""

import sys
import tempfile
from pathlib import Path

from tests.frozen.differences import told
from tests.frozen.references import MADE, libraries, load, make, save


def main() -> None:
    chosen = sys.argv[1:] or [*MADE]
    if unknown := [name for name in chosen if name not in MADE]:
        sys.exit(f"{unknown[0]!r} is not frozen; there are {', '.join(MADE)}")
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            made = make(name, Path(folder))
        for file, answer in made.items():
            print(told(file, load(file), answer) or f"{file}: nothing differs")
            save(file, answer)
    save("libraries.json", libraries())


if __name__ == "__main__":
    main()
