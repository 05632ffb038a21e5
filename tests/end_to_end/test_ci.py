"""Long tests are left out only where what they prove has not changed."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def proved():
    spec = importlib.util.spec_from_file_location("proved", REPOSITORY / ".ci/proved.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path):
    for name, text in (("a/x.py", "1"), ("a/deep/y.toml", "2"), ("b.py", "3")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


MARKERS = {"long": {"proves": ["a/**/*"]}, "longer": {"proves": ["b.py"]}}


def test_a_hash_moves_with_content_names_and_new_files_of_its_marker_and_with_no_place(
    proved, checkout, tmp_path
):
    before = proved.hashes(checkout, MARKERS)
    (checkout / "a/__pycache__").mkdir()
    (checkout / "a/__pycache__/x.pyc").write_text("compiled")
    assert proved.hashes(checkout, MARKERS) == before
    moved = checkout.rename(tmp_path.parent / f"{tmp_path.name}-elsewhere")
    assert proved.hashes(moved, MARKERS) == before
    for change in (
        lambda: (moved / "a/x.py").write_text("1 "),
        lambda: (moved / "a/x.py").rename(moved / "a/z.py"),
        lambda: (moved / "a/new.txt").write_text(""),
    ):
        change()
        after = proved.hashes(moved, MARKERS)
        assert after["long"] != before["long"]
        assert after["longer"] == before["longer"]
        before = after


def test_a_pattern_that_no_file_fits_is_an_error_and_not_unwatched(proved, checkout):
    with pytest.raises(ValueError, match=r"long proves 'moved/\*\.py', and no file fits"):
        proved.hashes(checkout, {"long": {"proves": ["b.py", "moved/*.py"]}})


def test_every_pattern_of_this_repository_fits_a_file():
    done = subprocess.run(
        [sys.executable, ".ci/proved.py"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_test_that_the_table_of_faults_names_is_there():
    table = (REPOSITORY / "tests/FAULTS.md").read_text(encoding="utf-8")
    named = re.findall(r"[\w/]+\.py", table)
    assert len(named) > 50
    assert [
        name for name in named if not (REPOSITORY / "tests" / name.removeprefix("tests/")).is_file()
    ] == []


TESTS = """
import pytest

@pytest.mark.parametrize("n", range(3))
def test_long(n):
    pass

@pytest.mark.calibration
def test_marked_where_it_stands():
    pass

def test_short():
    pass
"""


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        ((), ["test_here.py::test_short"]),
        (
            ("-m", "calibration"),
            [
                "test_here.py::test_marked_where_it_stands",
                *(f"test_long.py::test_long[{n}]" for n in range(3)),
            ],
        ),
        (("-m", "", "--smoke", "calibration"), ["test_here.py::test_short", "test_long.py::test_long[0]"]),
    ],
)
def test_a_marker_is_left_out_run_in_full_or_as_a_smoke_test(tmp_path, options, ran):
    (tmp_path / ".ci").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / ".ci/markers.toml").write_text('[calibration]\ntests = ["tests/test_long.py"]\nproves = []\n')
    (tmp_path / "pyproject.toml").write_bytes((REPOSITORY / "pyproject.toml").read_bytes())
    (tmp_path / "tests/conftest.py").write_bytes((REPOSITORY / "tests/conftest.py").read_bytes())
    long, _, short = TESTS.partition("@pytest.mark.calibration")
    (tmp_path / "tests/test_long.py").write_text(long)
    (tmp_path / "tests/test_here.py").write_text(f"import pytest\n@pytest.mark.calibration{short}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *options],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert (
        sorted(
            each.removeprefix("PASSED tests/")
            for each in done.stdout.splitlines()
            if each.startswith("PASSED")
        )
        == ran
    )
