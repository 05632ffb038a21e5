"""Tables in a terminal that is too narrow for them."""

import io

from rich.console import Console

from convsim.report.reactions import reactions
from convsim.report.tables import filled
from tests.reports import shift

COLUMNS = ("metric", "people's shift", "simulated", "difference", "baseline", "verdict")
ROWS = [
    ("user_no_final_punctuation", "0.05 [-0.014, 0.11]", "0 [-0.03, 0.03]", "-0.05 [-0.12, 0.02]", "0.063",
     "needs more data: about 1,300 more of each"),
    ("user_mattr", "-0.0093 [-0.024, 0.0056]", "-0.0024 [-0.0062, 0.0014]", "0.0069 [-0.0084, 0.022]", "0.0068",
     "over-reacts"),
]  # fmt: skip


def lines(width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(filled(COLUMNS, ROWS, "a note"))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_at_80_columns_no_word_or_number_is_cut() -> None:
    shown = lines(80)
    assert max(map(len, shown)) <= 80
    words = set(" ".join(shown).split())
    assert {word for cell in (*COLUMNS, *ROWS[0], *ROWS[1]) for word in cell.split()} <= words


def test_where_there_is_room_every_row_is_one_line() -> None:
    shown = [line for line in lines(200) if line.strip()]
    assert len(shown) == len(("header", "rule", *ROWS, "note"))


def test_where_even_the_words_do_not_fit_the_table_is_still_shown() -> None:
    shown = lines(30)
    assert max(map(len, shown)) <= 30
    assert "a note" in shown


def test_shifts_take_a_line_a_metric_at_80_columns_and_have_their_intervals_where_there_is_room() -> None:
    metrics = ("user_no_final_punctuation", "user_complaints")
    found = [shift(name, 0.2, 0.1, verdict="under_reacts") for name in metrics]
    for width, wide in ((80, False), (120, True)):
        console = Console(file=io.StringIO(), width=width)
        for part in reactions(found):
            console.print(part)
        file = console.file
        assert isinstance(file, io.StringIO)
        shown = file.getvalue().splitlines()
        assert max(map(len, shown)) <= width
        for name in metrics:
            [row] = [line for line in shown if line.startswith(name)]
            assert "under-reacts" in row
            assert ("[" in row) == wide
