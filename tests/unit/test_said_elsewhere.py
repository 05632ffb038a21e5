"""What is noted of a worker's log is logged again as it was, once."""

from __future__ import annotations

import logging
import pickle

import pytest

from convsim import _said_elsewhere
from convsim._loggers import logger_of
from convsim._said_elsewhere import noted, say_again

LOG = logger_of("convsim.tried")


def _say() -> None:
    LOG.info("quiet")
    LOG.warning("loud %d", 1, extra={"fields": {"n": 3}})
    try:
        raise ValueError("no")
    except ValueError:
        LOG.exception("failed")


def test_what_is_noted_is_logged_again_with_its_fields_and_its_traceback(caplog: pytest.LogCaptureFixture):
    with noted(logging.WARNING) as said:
        _say()
    caplog.clear()
    say_again(pickle.loads(pickle.dumps(said)))  # noqa: S301
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
        ("convsim.tried", "WARNING", "loud 1"),
        ("convsim.tried", "ERROR", "failed"),
    ]
    assert caplog.records[0].__dict__["fields"] == {"n": 3}
    assert "ValueError: no" in str(caplog.records[1].exc_text)


def test_a_flood_of_lines_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_said_elsewhere, "MOST", 2)
    with noted(logging.WARNING) as said:
        for number in range(5):
            LOG.warning("line %d", number)
    assert [each.message for each in said] == ["line 0", "line 1", "3 more lines were logged by this worker"]
    LOG.warning("later")
    assert len(said) == 3
