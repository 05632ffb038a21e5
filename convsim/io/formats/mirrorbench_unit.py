"""Where MirrorBench keeps an episode, and what that place tells: who played the user, and of which data."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from convsim.errors import TranscriptError
from convsim.io.files import MAX_FILE_BYTES

ARTIFACTS = "artifacts"
MAX_EPISODES = 200_000


class Unit(NamedTuple):
    """What a folder of episodes is called after, and the file in it."""

    proxy: str
    dataset: str
    split: str
    metric: str
    seed: str
    file: str

    @classmethod
    def of(cls, path: Path) -> Unit | None:
        """Read the unit off an episode's path; None where the path does not tell.

        Names may hold a ``/``, and are folders in folders then.
        """
        _, _, below = path.absolute().as_posix().rpartition(f"/{ARTIFACTS}/")
        names = below.split("|", 4)
        if len(names) < 5:
            return None
        seed, _, file = names[4].partition("/")
        return cls(names[0], names[1], names[2], names[3], seed, file)


def episode_files(folder: Path) -> tuple[Path, list[Path]]:
    """List the episodes of a run or of one unit, sorted; return the folder that they are told from, and them.

    Raises:
        TranscriptError: There is none, or there are more than are read.
    """
    root = folder / ARTIFACTS if (folder / ARTIFACTS).is_dir() else folder
    files: list[Path] = []
    size = 0
    for file in root.rglob("*.json"):
        files.append(file)
        size += file.stat().st_size if file.is_file() else 0
        if len(files) > MAX_EPISODES or size > MAX_FILE_BYTES:
            most = f"{MAX_EPISODES:,} episodes or {MAX_FILE_BYTES >> 30} GiB"
            raise TranscriptError(folder, f"holds more than {most}, the most that is read")
    if not files:
        raise TranscriptError(folder, "holds no episode of MirrorBench: there is no .json file in it")
    return root, sorted(files)
