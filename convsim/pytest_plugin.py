"""pytest's plugin: small studies, a team's gate, and validations that tests share, as fixtures.

``convsim_study`` holds a small study for a test, and ``convsim_gate`` reads a gate. ``convsim_report`` gives
validations that are computed once a session, by whichever process of pytest-xdist asks first, with one report of all.

They cost a session that does not use them nothing but their import: what they need is imported where it is used. The
assertions that go with them are ``convsim.testing.assert_findings`` and ``assert_gate``.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from convsim.evaluation import Gate
    from convsim.testing import SharedReports

GATE = "gate.toml"
OUT = "convsim_report"
"""Under this name a process of pytest-xdist is told where reports are kept, and tells what it asked for."""
REPORTS = pytest.StashKey["SharedReports"]()
TOGETHER = pytest.StashKey[set[str]]()
UNWRITTEN = pytest.StashKey[str]()
"""Why there is no report of all validations."""


class HoldStudy(Protocol):
    """What the fixture gives: ``convsim.testing.hold_study``, in a folder of its own at each call."""

    def __call__(
        self, *, file: Path | str | None = None, shopper: Any = None, agent: Any = None, **sections: object
    ) -> Path:
        """Hold a study and return its run folder."""


@pytest.fixture(scope="session")
def convsim_study(tmp_path_factory: pytest.TempPathFactory) -> HoldStudy:
    """Hold small studies in temporary folders; the arguments are those of ``convsim.testing.hold_study``."""

    def hold(
        *, file: Path | str | None = None, shopper: Any = None, agent: Any = None, **sections: object
    ) -> Path:
        from convsim.testing import hold_study

        folder = tmp_path_factory.mktemp("convsim") / "run"
        return hold_study(folder, file=file, shopper=shopper, agent=agent, **sections)

    return hold


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a project say in its settings of pytest where its gate lies, and where reports are kept."""
    parser.getgroup("convsim").addoption(
        "--convsim-report", metavar="DIR",
        help="keep the report, findings and JUnit of the validations of convsim_report in DIR",
    )  # fmt: skip
    parser.addini(OUT, "as --convsim-report, which wins; in pytest's root folder", default="")
    parser.addini(
        "convsim_gate", f"file of the fixture convsim_gate, in pytest's root folder ({GATE})", default=GATE
    )


@pytest.fixture(scope="session")
def convsim_gate(pytestconfig: pytest.Config) -> Gate:
    """Read the gate that ``convsim_gate`` names in pytest's settings, by default ``gate.toml``."""
    from convsim.evaluation import Gate

    return Gate.read(pytestconfig.rootpath / pytestconfig.getini("convsim_gate"))


@pytest.fixture(scope="session")
def convsim_report(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> SharedReports:
    """Give validations that all tests of the session share, in all processes: ``convsim_report.validate(…)``."""
    from convsim.testing import SharedReports

    folder = tmp_path_factory.getbasetemp()
    if hasattr(pytestconfig, "workerinput"):
        folder = folder.parent  # each process has its own below the session's
    reports = SharedReports(folder / "convsim-report", _out(pytestconfig))
    pytestconfig.stash[REPORTS] = reports
    return reports


def _out(config: pytest.Config) -> Path | None:
    """Return the folder of reports; a process of pytest-xdist is told it."""
    if hasattr(config, "workerinput"):
        told = config.workerinput[OUT]
        return Path(told) if told else None
    if given := config.getoption("convsim_report"):
        return config.invocation_params.dir / str(given)
    stated: str = config.getini(OUT)
    return config.rootpath / stated if stated else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where reports are kept."""
    node.workerinput[OUT] = str(_out(node.config) or "")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Hear from a process of pytest-xdist which validations its tests asked for."""
    told = getattr(node, "workeroutput", {}).get(OUT, [])
    node.config.stash.setdefault(TOGETHER, set()).update(told)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say below a test that failed where the pages of its validations are."""
    report = yield
    reports = item.config.stash.get(REPORTS, None)
    if report.failed and reports is not None and OUT in getattr(item, "fixturenames", ()):
        pages = [str(page) for page in reports.pages.values() if page.is_file()]
        if pages:
            report.sections.append(("convsim report", "\n".join(pages)))
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write one JUnit and one summary of all validations; a process of pytest-xdist tells which it asked for.

    Where they cannot be written, the session fails.
    """
    config = session.config
    reports = config.stash.get(REPORTS, None)
    names = {name for name, page in reports.pages.items() if page.is_file()} if reports is not None else set()
    if hasattr(config, "workeroutput"):
        config.workeroutput[OUT] = sorted(names)
        return
    together = config.stash.setdefault(TOGETHER, set())
    together.update(names)
    out = _out(config)
    if together and out is not None:
        from convsim._text import one_line
        from convsim.errors import ConvsimError
        from convsim.testing.reports import write_together

        try:
            write_together(out, sorted(together))
        except (ConvsimError, OSError) as error:
            config.stash[UNWRITTEN] = one_line(error)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the reports, or say why that of all validations cannot be written."""
    names, out = config.stash.get(TOGETHER, set()), _out(config)
    if names and out is not None:
        terminalreporter.section("convsim report")
        for name in sorted(names):
            terminalreporter.line(f"{out / name / 'report.html'}")
        if UNWRITTEN in config.stash:
            terminalreporter.line(
                f"ERROR: the report of all validations is not written: {config.stash[UNWRITTEN]}", red=True
            )
        else:
            terminalreporter.line(f"{out / 'junit.xml'}")
