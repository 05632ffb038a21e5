"""Runs notebooks as a reader does, in a folder of their own, without a network; ``python -m`` keeps what they show.

``python -m tests.end_to_end.notebooks [NAME…]`` runs all of them, or those that are named, and stores their outputs.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "notebooks"
BOOKS = sorted(FOLDER.glob("*.ipynb"))
TIMEOUT_S = 1800
"""Of a notebook; the one that trains takes minutes, and many on a busy machine."""
# A process of its own: the warnings of the notebook machinery are not the tests', and its sockets close with it.
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=1500, kernel_name="this-python").execute()
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
METADATA = {
    "kernelspec": {"display_name": "Python 3", "name": "python3"},
    "language_info": {"name": "python"},
}


def kernel_of_this_python(folder: Path) -> dict[str, str]:
    """Return an environment whose kernel is this interpreter, whatever kernels and settings the user has."""
    kernel = folder / "jupyter/kernels/this-python/kernel.json"
    startup = folder / "ipython/profile_default/startup/offline.py"
    for file in (kernel, startup, folder / "temporary/x"):
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


def run(book: Path, folder: Path) -> tuple[nbformat.NotebookNode, Path]:
    """Run a notebook beside a copy of the files that it reads; return it with its outputs, and where it ran."""
    beside = folder / "notebooks"
    beside.mkdir()
    for file in FOLDER.glob("*.csv"):
        shutil.copy(file, beside)
    done = folder / "done.ipynb"
    result = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(book), str(done)], capture_output=True, text=True, cwd=beside,
        env=kernel_of_this_python(folder), check=False, timeout=TIMEOUT_S,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    return nbformat.read(done, as_version=4), beside


def keep(book: Path) -> None:
    """Run a notebook and store what it shows."""
    with tempfile.TemporaryDirectory() as folder:
        done, _ = run(book, Path(folder))
    done.metadata = nbformat.from_dict(METADATA)
    for cell in done.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":  # what libraries warn of names this machine's folders
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(done, book)


if __name__ == "__main__":
    for each in BOOKS:
        if not sys.argv[1:] or each.stem in sys.argv[1:]:
            keep(each)
            print(f"{each.stem}: {each.stat().st_size:,} bytes")
