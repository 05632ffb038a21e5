"""What convsim, its validators and its tests import is what pyproject declares, and nothing is declared for nobody."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
FOR_US = {"dev", "docs"}
"""Extras of programs that work on the repository, and that nobody imports."""
OURS = {"convsim", "convsim_validators", "tests"}
LOADED_BY = {
    HOME / "convsim" / "pytest_plugin.py": "pytest",
    HOME / "tests" / "benchmarks" / "deepeval_loop.py": "deepeval",
}
"""Modules that are loaded only where a package is that they import, and the package."""
DECLARED_AS = {"mlflow": ["mlflow-skinny"]}
"""What is declared for a package that a larger distribution brings, too."""
STUBS = {"_typeshed"}
"""Known to type checkers alone."""
AT_ONCE = {"web": "arena", "shoppers/finetuned": "train", "shoppers/policies/recurrence": "train"}
"""Folders that are loaded only where an extra is installed, and may import its packages at the top."""


@pytest.mark.parametrize(
    ("folder", "dev"), [("convsim", False), ("validators/convsim_validators", False), ("tests", True)]
)
def test_every_package_that_is_imported_is_declared(folder: str, dev: bool):
    declared = set().union(*(names for extra, names in _declared().items() if dev or extra != "dev"))
    missing = {
        f"{path.relative_to(HOME)}: {name} (of {' or '.join(sorted(_distributions(name)))})"
        for path, tree in _modules(folder)
        for name in _imported(ast.walk(tree))
        if not _distributions(name) & declared and LOADED_BY.get(path) != name
    }
    assert not missing


def test_what_is_imported_at_the_top_comes_with_convsim_itself_or_with_the_folders_extra():
    missing = set()
    for folder in ("convsim", "validators/convsim_validators"):
        for path, tree in _modules(folder):
            known = set(_declared()[""])
            for of, extra in AT_ONCE.items():
                if path.is_relative_to(HOME / "convsim" / of):
                    known |= _declared()[extra]
            if path in LOADED_BY:
                known.add(LOADED_BY[path])
            missing |= {
                f"{path}: {name}"
                for name in _imported(_run_at_once(tree))
                if not _distributions(name) & known
            }
    assert not missing


def test_every_package_that_is_declared_is_imported_or_looked_for_by_name():
    modules = [*_modules("convsim"), *_modules("validators/convsim_validators")]
    imported = set().union(
        *(_distributions(name) for _, tree in modules for name in _imported(ast.walk(tree)))
    )
    looked_for = {
        _normal(node.value)
        for _, tree in modules
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[\w-]+", node.value)
    }
    declared = set().union(*(names for extra, names in _declared().items() if extra not in FOR_US))
    assert declared - imported - looked_for == set()


def test_the_walk_sees_an_import_wherever_it_stands():
    tree = ast.parse(
        "import a.b\nif TYPE_CHECKING:\n    import c\ndef f():\n    from d.e import g\nfrom . import h\n"
    )
    assert set(_imported(ast.walk(tree))) == {"a", "c", "d"}
    assert set(_imported(_run_at_once(tree))) == {"a"}


@cache
def _declared() -> dict[str, set[str]]:
    """Return the distributions by extra, those of the extras that it names among them; of convsim itself by ""."""
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = {"": project["dependencies"], **project["optional-dependencies"]}

    def of(extra: str) -> Iterator[str]:
        for line in listed[extra]:
            name, within = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", line).groups()
            if name == project["name"]:
                for other in within.split(","):
                    yield from of(other)
            else:
                yield _normal(name)

    return {extra: set(of(extra)) for extra in listed}


@cache
def _modules(folder: str) -> list[tuple[Path, ast.Module]]:
    return [
        (path, ast.parse(path.read_text(encoding="utf-8"))) for path in sorted((HOME / folder).rglob("*.py"))
    ]


def _run_at_once(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what runs when the module is loaded: no body of a function, and nothing for type checkers alone."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            left.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            left.extend(ast.iter_child_nodes(node))


def _imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Yield the packages of others that are imported, by the name in the import."""
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        for name in names:
            package = name.partition(".")[0]
            if package not in sys.stdlib_module_names | OURS | STUBS:
                yield package


@cache
def _distributions(package: str) -> frozenset[str]:
    """Return what brings the package; by its own name where it is not installed."""
    names = [*_installed().get(package, [package]), *DECLARED_AS.get(package, [])]
    return frozenset(map(_normal, names))


@cache
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
