import logging

from convsim._loggers import MAX_CHARACTERS, logger_of
from convsim._secrets import know

SECRET = "sk-PLANTED0123456789abcdef"
LOG = logger_of("convsim.of_loggers")


def test_messages_fields_and_tracebacks_are_without_secrets_in_one_bounded_line(caplog):
    know(SECRET, "PLANTED_KEY")
    caplog.set_level(logging.DEBUG, logger="convsim")
    try:
        raise ValueError(f"refused {SECRET}")
    except ValueError:
        LOG.exception(
            "asked with %s and\x1b[2J\u202e\nerror: more %s", SECRET, "y" * 10_000,
            extra={"fields": {"header": f"Bearer {SECRET}", "nested": [{"api_key": SECRET}], "n": 3}},
        )  # fmt: skip
    [record] = caplog.records
    said = logging.Formatter("%(message)s %(fields)s").format(record)
    assert "PLANTED0" not in said
    assert "[PLANTED_KEY]" in record.getMessage()
    assert "ValueError: refused [PLANTED_KEY]" in said
    assert record.fields["n"] == 3
    assert len(record.getMessage()) <= MAX_CHARACTERS + 1
    assert not set("\n\x1b\u202e") & set(record.getMessage())


def test_a_message_that_cannot_be_made_is_the_message_as_it_stands(caplog):
    caplog.set_level(logging.DEBUG, logger="convsim")
    LOG.info("three %s %s", "one")
    assert caplog.messages == ["three %s %s"]


def test_the_same_logger_filters_once():
    assert logger_of("convsim.of_loggers") is LOG
    assert len(LOG.filters) == 1
