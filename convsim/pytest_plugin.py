"""pytest's plugin: the fixtures ``convsim_study``, which holds a small study for a test, and ``convsim_gate``.

They cost a session that does not use them nothing but their import: what they need is imported where it is used. The
assertions that go with them are ``convsim.testing.assert_findings`` and ``assert_gate``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from convsim.evaluation import Gate

GATE = "gate.toml"


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
    """Let a project say in its settings of pytest where its gate lies."""
    parser.addini(
        "convsim_gate", f"file of the fixture convsim_gate, in pytest's root folder ({GATE})", default=GATE
    )


@pytest.fixture(scope="session")
def convsim_gate(pytestconfig: pytest.Config) -> Gate:
    """Read the gate that ``convsim_gate`` names in pytest's settings, by default ``gate.toml``."""
    from convsim.evaluation import Gate

    return Gate.read(pytestconfig.rootpath / pytestconfig.getini("convsim_gate"))
