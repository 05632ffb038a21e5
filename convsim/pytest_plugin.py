"""pytest's plugin: the fixture ``convsim_study``, which holds a small study for a test.

It costs a session that does not use it nothing but its import: what it needs is imported where it is used. The
assertion that goes with it is ``convsim.testing.assert_findings``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest


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
