"""Which long tests need not run in full: what they prove is as it was when they last ran in full.

``python .ci/proved.py`` prints the markers whose files have the hash that ``.ci/proved.json`` holds, between commas;
``python .ci/proved.py record`` writes the hashes of today, which ``.ci/run --all`` does once everything has passed.
"""

import hashlib
import json
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
RECORD = HERE / "proved.json"


def hashes(repository: Path, markers: dict[str, dict[str, list[str]]]) -> dict[str, str]:
    """Return for each marker one SHA-256 of the names and contents of the files that it proves.

    Raises:
        ValueError: A pattern that no file fits, so that what it meant to name is not watched.
    """
    return {name: _hash(repository, name, told["proves"]) for name, told in markers.items()}


def _hash(repository: Path, marker: str, patterns: Iterable[str]) -> str:
    files: set[Path] = set()
    for pattern in patterns:
        found = {
            path for path in repository.glob(pattern) if path.is_file() and "__pycache__" not in path.parts
        }
        if not found:
            raise ValueError(f".ci/markers.toml: {marker} proves {pattern!r}, and no file fits")
        files |= found
    whole = hashlib.sha256()
    for name, path in sorted((path.relative_to(repository).as_posix(), path) for path in files):
        whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def main() -> None:
    """Print the markers that still hold, or record all."""
    now = hashes(HERE.parent, tomllib.loads((HERE / "markers.toml").read_text(encoding="utf-8")))
    if sys.argv[1:] == ["record"]:
        RECORD.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
        return
    recorded = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    print(",".join(marker for marker, found in now.items() if recorded.get(marker) == found))


if __name__ == "__main__":
    main()
