"""``convsim prompts export`` as a user types it: our files, over nobody's."""

from __future__ import annotations

from pathlib import Path

from convsim.models.own_prompts import FILES, our_file
from tests.end_to_end.commands import typed


def test_our_prompts_are_written_once_used_as_they_are_and_replaced_only_by_force(tmp_path: Path) -> None:
    done = typed("prompts", "export", "own", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    own = {path.name: path for path in (tmp_path / "own").iterdir() if not path.name.startswith(".")}
    assert {name: path.read_bytes() for name, path in own.items()} == {
        f"{name}.txt.j2": our_file(name) for name in FILES
    }
    own["chat.txt.j2"].write_text("mine")
    (tmp_path / "own" / "opening.txt.j2").unlink()
    again = typed("prompts", "export", "own", cwd=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "chat.txt.j2 is there already" in again.stderr
    assert own["chat.txt.j2"].read_text() == "mine"
    assert not (tmp_path / "own" / "opening.txt.j2").exists()
    model = (
        "--model",
        "openai_compatible",
        "--set",
        "model.model=m",
        "--set",
        "model.base_url=http://127.0.0.1:9/v1",
    )
    asked = (
        "simulate",
        "--shopper",
        "prompted",
        "--n",
        1,
        "--dry-run",
        *model,
        "--set",
        "shopper.prompts=own",
    )
    plan = typed(*asked, cwd=tmp_path)
    assert plan.returncode == 0, plan.stderr
    assert typed("prompts", "export", "own", "--force", cwd=tmp_path).returncode == 0
    assert own["chat.txt.j2"].read_bytes() == our_file("chat")
