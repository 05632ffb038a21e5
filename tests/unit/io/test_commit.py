"""The commit that git names is read without git, and nothing that a hostile repository configures is run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from convsim.io.commit import commit_of
from convsim.io.provenance import provenance

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b.example")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    (folder / "data").mkdir(parents=True)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    return folder


def checked_out(repository):
    return repository


def below(repository):
    return repository / "data"


def packed(repository):
    git(repository, "branch", "longer/name")
    git(repository, "pack-refs", "--all")
    return repository


def detached(repository):
    git(repository, "checkout", "-q", "--detach")
    return repository


def worktree(repository):
    git(repository, "worktree", "add", "-q", "../other", "-b", "side")
    git(repository.parent / "other", "commit", "-q", "--allow-empty", "-m", "y")
    return repository.parent / "other"


def packed_worktree(repository):
    return packed(worktree(repository))


@pytest.mark.parametrize("place", [checked_out, below, packed, detached, worktree, packed_worktree])
def test_the_commit_is_the_one_that_git_names(repository, place):
    folder = place(repository)
    assert commit_of(folder) == git(folder, "rev-parse", "HEAD")


def test_a_repository_without_a_commit_and_a_folder_without_a_repository_have_none(tmp_path):
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    (tmp_path / "plain").mkdir()
    assert commit_of(tmp_path / "empty") is None
    assert commit_of(tmp_path / "plain") is None


def configured(repository, trap):
    """A repository whose own configuration and hooks start a program whenever git looks at its files."""
    for key in ("core.fsmonitor", "filter.lfs.clean", "core.pager", "diff.external"):
        git(repository, "config", key, f"sh -c 'touch {trap}'")
    (repository / ".gitattributes").write_text("* filter=lfs\n")
    hook = repository / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
    hook.chmod(0o755)
    return repository / "data"


def embedded(repository, trap):
    """A folder of data that is itself laid out as a repository, as an ordinary clone brings it."""
    bare = repository / "data"
    for name in ("objects", "refs", "HEAD"):
        copy = shutil.copytree if (repository / ".git" / name).is_dir() else shutil.copy
        copy(repository / ".git" / name, bare / name)
    (bare / "worktree").mkdir()
    core = [
        "repositoryformatversion = 0", "bare = false", "worktree = worktree",
        f"fsmonitor = \"sh -c 'touch {trap}; exit 1'\"",
    ]  # fmt: skip
    (bare / "config").write_text("\n\t".join(["[core]", *core, ""]))
    return bare


@pytest.mark.parametrize("hostile", [configured, embedded])
def test_nothing_that_a_repository_configures_is_run(repository, hostile, monkeypatch):
    trap = repository.parent / "ran"
    folder = hostile(repository, trap)
    expected = (repository / ".git" / _head(repository)).read_text().strip()
    subprocess.run(
        ["git", "-c", "safe.bareRepository=all", "status"], cwd=folder, capture_output=True, check=False
    )
    assert trap.exists(), "git itself falls for it"
    trap.unlink()
    monkeypatch.chdir(folder)
    assert provenance()["git"] == {"commit": expected}
    assert not trap.exists()


def _head(repository: Path) -> str:
    return (repository / ".git/HEAD").read_text().removeprefix("ref: ").strip()


def fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    "head",
    [
        "ref: ../../outside",
        "ref: refs/../../../outside",
        "ref: refs/heads/loop",
        "x" * 5000,
        "\0",
        "ref: refs/a\nb",
        fifo,
    ],
)
def test_a_hostile_head_names_no_commit_and_reads_nothing_else(tmp_path, head):
    (tmp_path / "outside").write_text("0" * 40)
    refs = tmp_path / "repository/.git/refs/heads"
    refs.mkdir(parents=True)
    (refs / "loop").write_text("ref: refs/heads/loop\n")
    place = tmp_path / "repository/.git/HEAD"
    head(place) if callable(head) else place.write_text(head)
    assert commit_of(tmp_path / "repository") is None
