"""What loggers below convsim say on stderr, those too that others have made."""

import json
import logging

import pytest

from convsim.cli.logs import logs_shown
from convsim.cli.talk import TALK
from convsim.web.blind_test.application import LOG as OF_THE_ARENA
from convsim.web.view.application import LOG as OF_THE_VIEW

KEY = "abc123def456ghi"
THEIRS = logging.getLogger("convsim.of_somebody")


class Unsaid:
    def __str__(self) -> str:
        raise LookupError("no words")

    __repr__ = __str__


def test_a_logger_of_others_shows_no_keys_and_one_line_only(capsys):
    with logs_shown():
        THEIRS.warning("asked with Authorization: Bearer %s\nerror: more %s", KEY, "y" * 50_000)
    said = capsys.readouterr().err
    assert KEY not in said
    assert said.startswith("warning: asked with Authorization: [redacted] error: more yyy")
    assert (said.count("\n"), len(said) < 2_100) == (1, True)


CYCLE: dict = {}
CYCLE["itself"] = CYCLE


@pytest.mark.parametrize(
    ("logged", "fields", "expected"),
    [
        (("%d rows", "x"), {}, ("%d rows", {})),
        (("listed",), ["a", f"api_key={KEY}"], ("listed", {"fields": ["a", "api_key=[redacted]"]})),
        (("counted",), 5, ("counted", {"fields": 5})),
        (("in a circle",), CYCLE, ("a message that cannot be shown", {})),
        ((Unsaid(),), {}, ("a message that cannot be shown", {})),
    ],
)
def test_what_is_logged_wrongly_raises_nothing_into_who_logs(capsys, monkeypatch, logged, fields, expected):
    monkeypatch.setattr(TALK, "log_json", True)
    with logs_shown():
        THEIRS.warning(*logged, extra={"fields": fields})
    [line] = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["message"], said["fields"]) == expected


def test_a_record_that_cannot_be_written_raises_nothing_into_who_logs(capsys, monkeypatch):
    monkeypatch.setattr(TALK, "log_json", True)
    with logs_shown():
        THEIRS.warning("kept", extra={"fields": {"value": Unsaid()}})
    assert "no words" in capsys.readouterr().err


@pytest.mark.parametrize("logger", [OF_THE_ARENA, OF_THE_VIEW])
def test_the_pages_loggers_hide_keys_from_every_handler(logger, caplog):
    logger.warning("refused api_key=%s", KEY)
    assert caplog.messages == ["refused api_key=[redacted]"]
