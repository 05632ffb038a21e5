import pytest

from convsim._text import plain
from convsim.report.tables import number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (True, "–"),
        (0, "0"),
        (0.12345, "0.123"),
        (12345.6, "12,346"),
        (-2.5, "-2.5"),
    ],
)
def test_numbers_have_three_figures_and_what_is_none_is_a_dash(value, shown):
    assert number(value) == shown


def test_control_characters_and_directional_overrides_never_reach_a_terminal():
    assert plain("a\x1b[31m\u202eb\x00c\r") == "a�[31m�b�c�"


def test_long_text_is_cut_with_a_mark():
    assert plain("x" * 30, limit=10) == "x" * 10 + "…"
