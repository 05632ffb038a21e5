"""The notebooks run from top to bottom, offline, write nothing beside themselves, and are kept without outputs."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from convsim.simulation import Assembly
from convsim.simulation.config import read_study

REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
PICTURES = {
    "01_first_study": ["floor", "one"],
    "02_your_agent": ["patience"],
    "03_counterfactual": ["shift-picture", "ladder"],
    "04_your_validator": ["trust-picture"],
    "05_simulators_compared": ["picture"],
    "06_trained_shopper": ["distances"],
}
"""The cells that draw."""
LINES = {
    "01_first_study": [
        r"120 conversations run, 0 failed",
        r"user_lowercase_start: different; .*means: 0\.\d+ real",
    ],
    "02_your_agent": [r"user  Recycled fleece jacket", r"ballet flats", r"refused: \d+ of 80 simulated"],
    "03_counterfactual": [r"user complaints, user restates", r"fail to react in 1", r"thanks_no_more@bad"],
    "04_your_validator": [
        r"close +fading +alike",
        r"naive +fading +different",
        r"rejects .*: [1-9]\.\d% of",
    ],
    "05_simulators_compared": [
        r"replay: HLS 0\.(4[5-9]|5[0-4]), and [1-9] reactions",
        r"close: nothing wrong was shown",
    ],
    "06_trained_shopper": [
        r"perplexity of held-out users' words: \d",
        r"sft: 8 conversations run",
        r"nearest to people: ",
    ],
}
"""What each notebook's prose says that one will see."""
TRAINS = ("06_trained_shopper",)
"""Those that need the extra "train", and the embedded model."""
# A process of its own: the warnings of the notebook machinery are not the tests', and its sockets close with it.
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=600, kernel_name="this-python").execute()
nbformat.write(notebook, sys.argv[2])
"""
OFFLINE = """
import sys
def _refuse(event, arguments):
    if event == "socket.getaddrinfo" and arguments[0] not in (None, "localhost", "127.0.0.1", "::1"):
        raise OSError(f"a notebook asked for {arguments[0]}, and none may leave this machine")
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] not in ("127.0.0.1", "::1"):
        raise OSError(f"a notebook connected to {arguments[1][0]}, and none may leave this machine")
sys.addaudithook(_refuse)
"""


def kernel_of_this_python(folder: Path) -> dict[str, str]:
    """Return an environment whose kernel is this interpreter, whatever kernels and settings the user has."""
    kernel = folder / "jupyter/kernels/this-python/kernel.json"
    startup = folder / "ipython/profile_default/startup/offline.py"
    for file in (kernel, startup, folder / "temporary/x", folder / "empty/x"):
        file.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "this-python", "language": "python"}))
    startup.write_text(OFFLINE)
    return {
        **os.environ,
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'validators'}",
        "JUPYTER_PATH": str(folder / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "IPYTHONDIR": str(folder / "ipython"),
        "TMPDIR": str(folder / "temporary"),
    }


@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(path, marks=[pytest.mark.smoke] * (path == NOTEBOOKS[0]), id=path.stem)
        for path in NOTEBOOKS
    ],
)
@pytest.mark.notebooks
def test_a_notebook_runs_offline_and_shows_what_it_says(notebook, tmp_path):
    if notebook.stem in TRAINS:
        pytest.importorskip("peft", reason='the extra "train" is not installed')
    done = tmp_path / "done.ipynb"
    environment = kernel_of_this_python(tmp_path)
    result = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(notebook), str(done)], capture_output=True, text=True,
        cwd=tmp_path / "empty", env=environment, check=False, timeout=900,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    cells = {cell.id: cell for cell in nbformat.read(done, as_version=4).cells if cell.cell_type == "code"}
    assert all(cell.execution_count for cell in cells.values())
    outputs = [(name, output) for name, cell in cells.items() for output in cell.outputs]
    assert not [output for _, output in outputs if output.output_type == "error"]
    drawn = {
        name: output.data["image/png"] for name, output in outputs if "image/png" in output.get("data", {})
    }
    assert list(drawn) == PICTURES[notebook.stem]
    for picture in drawn.values():
        assert base64.b64decode(picture).startswith(b"\x89PNG")
        assert len(picture) > 10_000
    said = "".join(output.text for _, output in outputs if output.get("name") == "stdout")
    for line in LINES[notebook.stem]:
        assert re.search(line, said), (line, said)
    assert list((tmp_path / "empty").iterdir()) == []
    assert not list((tmp_path / "temporary").glob("**/conversations.jsonl"))


def test_all_six_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == sorted(PICTURES) == sorted(LINES)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_holds_no_output_and_says_that_no_person_wrote_its_data(notebook):
    document = nbformat.read(notebook, as_version=4)
    nbformat.validate(document)
    assert document.metadata == {"kernelspec": {"display_name": "Python 3", "name": "python3"}}
    code = [cell for cell in document.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert all(cell.metadata == {} for cell in document.cells)
    assert 8 <= len(document.cells) <= 16
    assert "no person wrote them" in document.cells[0].source


def test_the_settings_that_a_notebook_gives_for_an_agent_can_be_used(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_API_KEY", "none")
    (tmp_path / "my_module.py").write_text("def my_shop(messages):\n    return 'hello'\n")
    monkeypatch.syspath_prepend(tmp_path)
    document = nbformat.read(REPOSITORY / "notebooks/02_your_agent.ipynb", as_version=4)
    shown = [
        text for cell in document.cells for text in re.findall(r"```toml\n(.*?)```", cell.source, re.DOTALL)
    ]
    made = []
    for text in shown:
        file = tmp_path / "STUDY.toml"
        file.write_text(text)
        made.append(Assembly(read_study(file)).agent().name)
    assert made == ["http", "command", "python"]
