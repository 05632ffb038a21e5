"""The terminal's tables of a reliability check."""

from rich.console import Console

from convsim.annotation.agreement import check
from convsim.report.agreement import agreement_table
from tests.labelled import labelled_messages, labelled_sessions


def printed(conversations, *, source, against, width=160) -> str:
    result = check(conversations, conversations, source=source, against=against, seed=1, n_resamples=99)
    console = Console(width=width, record=True, force_terminal=True, color_system=None)
    with console.capture() as capture:
        for part in agreement_table(result):
            console.print(part)
    return capture.get()


def test_it_shows_numbers_the_constant_answer_and_the_published_level():
    values = {"self": [0, 1, 1, 0, 1] * 8, "judge:m:1": [0, 1, 0, 0, 1] * 8}
    page = printed(labelled_sessions("satisfaction", values), source="judge:m:1", against="self")
    assert "satisfaction of a conversation" in page
    assert "Kendall's tau-b" in page
    assert "reported 0.165 (judge / self)" in page
    assert "0.579 (judge / third_party, not comparable)" in page
    accuracy = next(line for line in page.splitlines() if line.startswith("accuracy"))
    assert accuracy.split()[1] == "0.8"
    assert "0.6" in accuracy.split()[-1:]
    assert "by 40 independent users or conversations" in page


def test_unlabelled_conversations_are_a_warning():
    values = {"self": [0, 1] * 6, "rules:1": [0, 1] * 5 + [None, None]}
    page = printed(labelled_sessions("satisfaction", values), source="rules:1", against="self")
    assert "warning: 2 of them have no label by rules:1" in page


def test_hostile_names_are_shown_as_text_without_control_characters():
    names = ["[bold]a[/bold]", "b\x1b[31m"]
    values = {"third_party": [[n] for n in names] * 10, "rules:1": [[names[1]], [names[1]]] * 10}
    made = labelled_messages("a[red]cts", values, per_conversation=1)
    page = printed(made, source="rules:1", against="third_party")
    assert "\x1b" not in page
    assert "[bold]a[/bold]" in page
    assert "a[red]cts of a message" in page


def test_an_undefined_number_is_a_dash_with_its_reason():
    values = {"self": [1] * 10, "rules:1": [1] * 10}
    page = printed(labelled_sessions("satisfaction", values), source="rules:1", against="self")
    tau = next(line for line in page.splitlines() if line.startswith("Kendall"))
    assert "–" in tau
    assert "the same value to every item" in tau
