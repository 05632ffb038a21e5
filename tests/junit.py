"""What a document of JUnit says, for tests: each suite's cases with their outcomes, and that it counts them."""

from collections.abc import Mapping
from xml.etree import ElementTree

OUTCOMES = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def outcomes(document: str) -> Mapping[str, Mapping[str, str]]:
    """Return the outcome of each case by its suite and name; a case's only tag, or ``passed``."""
    root = ElementTree.fromstring(document)
    assert (root.tag, root.get("name")) == ("testsuites", "convsim")
    found: dict[str, dict[str, str]] = {}
    for suite in root:
        cases = found.setdefault(str(suite.get("name")), {})
        for case in suite:
            assert case.get("classname") == f"convsim.{suite.get('name')}"
            tags = [part.tag for part in case if part.tag != "system-out"]
            assert len(tags) <= 1
            cases[str(case.get("name"))] = tags[0] if tags else "passed"
        told = {name: suite.get(name) for name in ("tests", *OUTCOMES.values())}
        counted = {plural: str([*cases.values()].count(tag)) for tag, plural in OUTCOMES.items()}
        assert told == {"tests": str(len(cases)), **counted}
    return found
