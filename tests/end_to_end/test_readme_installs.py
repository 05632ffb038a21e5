"""Every line that installs convsim works from a checkout: it is on no package index."""

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "validators/README.md")),
    *(REPOSITORY / "convsim/guide").glob("*.md"),
]


def test_every_line_that_installs_names_a_checkout_and_extras_that_there_are():
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    lines = [line for page in PAGES for line in re.findall(r"pip install[^&\n#`]*", page.read_text("utf-8"))]
    assert len(lines) >= 4
    for line in lines:
        target = line.split()[-1].strip('"`')
        assert target.startswith("."), line
        assert set(re.findall(r"\[(\w+)\]", target)) <= extras.keys(), line
