"""The image: its recipe is clean, names what it is built from, and is built and run where there is a docker daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

from tests.end_to_end.validating import REPOSITORY, line, written

NAME = "convsim-under-test"


@pytest.fixture(scope="module")
def steps(tmp_path_factory) -> list[tuple[str, str]]:
    """Read the recipe: each instruction and what it says."""
    copy = tmp_path_factory.mktemp("recipe") / "Dockerfile"
    shutil.copy(REPOSITORY / "Dockerfile", copy)
    parsed = DockerfileParser(str(copy)).structure
    return [(each["instruction"], each["value"]) for each in parsed if each["instruction"] != "COMMENT"]


def said(steps: list[tuple[str, str]], instruction: str) -> list[str]:
    return [value for name, value in steps if name == instruction]


def test_hadolint_finds_nothing():
    hadolint = Path(sysconfig.get_path("scripts"), "hadolint")
    done = subprocess.run(
        [str(hadolint), "--failure-threshold", "style", "Dockerfile"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_bases_are_slim_and_pinned_and_it_runs_as_nobody_special(steps):
    for base in said(steps, "FROM"):
        name, _, tag = base.split()[0].partition(":")
        assert (name, tag) == ("python", "3.11-slim-bookworm")
    last = max(n for n, (name, _) in enumerate(steps) if name == "FROM")
    [user] = said(steps[last:], "USER")
    assert int(user) > 0
    assert said(steps, "ENTRYPOINT") == ['["convsim"]']
    names = {word.split("=")[0] for word in " ".join([*said(steps, "ENV"), *said(steps, "ARG")]).split()}
    # A name such as CONVSIM_VERSION would be an option of a command; a secret in an image can be read by everybody.
    assert names == {"EXTRAS", "PATH", "MPLCONFIGDIR", "PYTHONUNBUFFERED"}


def context(folder: Path, steps: list[tuple[str, str]]) -> Iterator[str]:
    """Copy what the recipe copies, as far as ``.dockerignore`` lets it; yield the names."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {each[1:] for each in lines if each.startswith("!")}
    hidden = [each.removeprefix("**/") for each in lines if each.startswith("**/")]
    assert "*" in lines
    for copied in said(steps, "COPY"):
        *sources, target = copied.split()
        for source in sources if not copied.startswith("--from") else ():
            assert source in allowed
            if (REPOSITORY / source).is_dir():
                shutil.copytree(
                    REPOSITORY / source, folder / target,
                    ignore=lambda _, names: [n for n in names if any(fnmatch(n, each) for each in hidden)],
                )  # fmt: skip
            else:
                shutil.copy(REPOSITORY / source, folder / target)
            yield source


def test_what_it_copies_is_enough_to_install_and_run(steps, tmp_path):
    source, target = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    assert set(context(source, steps)) >= {"convsim", "validators", "data", "pyproject.toml"}
    install = ("install", "-q", "--no-index", "--no-deps", "--no-build-isolation", "--target", target, ".")
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, install)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = {str(each.relative_to(target)) for each in target.rglob("*") if each.is_file()}
    assert "convsim/_share/data/demo/simulator_naive.jsonl" in files
    assert "convsim_validators/__init__.py" in files
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)
    shown = subprocess.run(
        [sys.executable, "-m", "convsim", "guide", "first-study"], cwd=tmp_path, capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": str(target)},
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr


def docker(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.docker
def test_the_image_is_built_and_judges_a_mounted_folder(tmp_path):
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    if docker("info").returncode:
        pytest.skip("no docker daemon answers")
    built = docker("build", "--quiet", "--tag", NAME, REPOSITORY)
    assert built.returncode == 0, built.stderr
    try:
        written(tmp_path / "real.jsonl", [line(n) for n in range(30)])
        written(tmp_path / "sim.jsonl", [line(n + 500, simulator="bot") for n in range(30)])
        user = (
            "--user",
            f"{os.getuid()}:{os.getgid()}",
            "--network",
            "none",
            "--volume",
            f"{tmp_path}:/work",
        )
        quick = ("--validators", "marginals", "--set", "marginals.n_resamples=49")
        done = docker(
            "run", "--rm", *user, NAME, "validate", "real.jsonl", "sim.jsonl", *quick, "--out", "report"
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "report/report.html").is_file()
        assert docker("run", "--rm", "--entrypoint", "id", NAME, "--user").stdout.strip() == "10001"
    finally:
        docker("image", "rm", "--force", NAME)
