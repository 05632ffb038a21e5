"""The commit that git names is read without git, and nothing that a hostile repository configures is run."""

import os
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


def test_nothing_that_a_repository_configures_is_run(repository, monkeypatch):
    trap = repository.parent / "ran"
    hook = repository / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
    hook.chmod(0o755)
    for key in ("core.fsmonitor", "filter.lfs.clean", "core.pager", "diff.external", "alias.status"):
        git(repository, "config", key, f"!sh -c 'touch {trap}'")
    (repository / ".gitattributes").write_text("* filter=lfs\n")
    # An "embedded bare repository": a folder of data that is itself laid out as one.
    bare = repository / "data"
    for name, content in (
        ("HEAD", "ref: refs/heads/main\n"),
        ("config", "[core]\n\tbare = false\n\tworktree = .\n"),
    ):
        (bare / name).write_text(content)
    (bare / "objects").mkdir()
    (bare / "refs").mkdir()
    monkeypatch.chdir(bare)
    commit = provenance()["git"]
    assert commit == {"commit": (repository / ".git" / _head(repository)).read_text().strip()}
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
