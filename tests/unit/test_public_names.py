import importlib
import importlib.metadata
import subprocess
import sys

import pytest

import convsim

HEAVY = {
    "convsim.schema",
    "importlib.metadata",
    "jinja2",
    "matplotlib",
    "numpy",
    "openai",
    "pandas",
    "pydantic",
    "pygments",
    "rich.console",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
}


@pytest.mark.parametrize("name", convsim.__all__)
def test_every_public_name_is_what_its_home_calls_so(name):
    [home] = [home for home, names in convsim.HOMES.items() if name in names]
    assert getattr(convsim, name) is getattr(importlib.import_module(f"convsim.{home}"), name)


def test_homes_and_public_names_are_the_same():
    assert sorted(name for names in convsim.HOMES.values() for name in names) == sorted(convsim.__all__)
    assert dir(convsim) == sorted(convsim.__all__)


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'valdate'"):
        getattr(convsim, "valdate")  # noqa: B009


def test_the_version_is_that_of_the_installed_distribution():
    assert convsim.__version__ == importlib.metadata.version("convsim")


def test_a_checkout_that_is_not_installed_has_the_version_that_its_project_file_says(monkeypatch, tmp_path):
    def not_installed(distribution):
        raise importlib.metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr("convsim.io.provenance.version", not_installed)
    assert convsim.__version__ == "0.1.0+checkout"
    for text in (None, "not TOML", "[project]\n", '[project]\nname = "other"\nversion = "9"\n'):
        if text is not None:
            (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr("convsim.io.provenance.PYPROJECT", tmp_path / "pyproject.toml")
        assert convsim.__version__ == "0+unknown"


def test_help_imports_none_of_the_heavy_libraries():
    code = "import sys, convsim.cli.app as it; it.run(None, ['--help']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(loaded.split())
