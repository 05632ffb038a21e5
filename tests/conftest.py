"""Long tests carry the markers of ``.ci/markers.toml``; ``--smoke`` keeps only a few of those that need not all run."""

import os
import tempfile
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from filelock import FileLock

REPOSITORY = Path(__file__).parents[1]
MARKERS = tomllib.loads((REPOSITORY / ".ci/markers.toml").read_text(encoding="utf-8"))

# Before numpy is imported, here and in the processes that tests start: one core for each, for threads of BLAS that wait
# for one another only slow the others down; and what one process has compiled is there for the next.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ["PYTHONDONTWRITEBYTECODE"] = ""

SMOKED = {name for name, told in MARKERS.items() if told.get("smoke", True)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--smoke", default="", metavar="MARKERS",
        help="of tests with one of these markers, run those marked smoke, or the first of each file",
    )  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = {name for name in config.getoption("smoke").split(",") if name}
    if unknown := wanted - {*MARKERS}:
        raise pytest.UsageError(f"--smoke {unknown.pop()!r}: no marker of .ci/markers.toml")
    kept, seen = [], set()
    for item in items:
        whole = _markers_of_its_file(item)
        for marker in whole:
            item.add_marker(marker)
        carried = {mark.name for mark in item.iter_markers()}
        if not wanted & carried or "smoke" in carried:
            kept.append(item)
        elif wanted & whole & SMOKED and item.path not in seen and not _has_smoke(items, item.path):
            kept.append(item)
            seen.add(item.path)
    left = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in left])
    items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let clusters be tried one at a time: Ray gives itself 30 s to start, and starts a dozen processes."""
    if item.get_closest_marker("cluster") is None:
        return (yield)
    with FileLock(Path(tempfile.gettempdir()) / "convsim-clusters.lock"):
        return (yield)


def _markers_of_its_file(item: pytest.Item) -> set[str]:
    place = item.path.relative_to(REPOSITORY).as_posix()
    return {name for name, told in MARKERS.items() if any(fnmatch(place, each) for each in told["tests"])}


def _has_smoke(items: list[pytest.Item], path: Path) -> bool:
    return any(item.path == path and item.get_closest_marker("smoke") for item in items)
