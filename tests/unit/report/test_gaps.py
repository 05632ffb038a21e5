"""What to change first, as each report shows it: whatever the transcripts hold is text."""

from convsim.evaluation import Scorecard
from convsim.report import to_markdown
from convsim.report.gaps import lines, page_gaps
from convsim.report.html import to_html
from convsim.report.terminal import scorecard
from convsim.schema import Gap
from convsim.schema.conversation import Conversation, Message

EVIL = "<script>alert(1)</script>\x1b[31m|`"
SIDE = {"path": None, "sha256": None, "n": 1, "simulator": "s", "arms": {"-": 1}, "tasks": {"-": 1}}


def gap(n=1, id="c0", words="Messages are longer"):
    return Gap(
        name=f"m{n}",
        validator="marginals",
        kind="metric",
        words=words,
        share=0.25,
        direction="more",
        knob="lower `[shopper] max_tokens`",
        examples=[
            {"side": "simulated", "conversation": id, "message": 0, "value": 3.0},
            {"side": "people", "conversation": "p0", "message": 0, "value": 1.0},
        ],
    )


def card(*gaps):
    return Scorecard.model_validate(
        {"schema": "convsim.findings/1", "real": SIDE, "simulated": SIDE, "gaps": gaps}
    )


def said(id, text):
    return Conversation(id=id, messages=(Message(role="user", content=text),))


def screen(of):
    return "\n".join(str(part) for part in scorecard(of))


def test_the_screen_shows_three_and_says_how_many_more_there_are():
    shown = screen(card(*(gap(n, words=f"gap {n}") for n in range(5))))
    assert "What to change first" in shown
    assert "1. gap 0. To change: lower [shopper] max_tokens." in shown
    assert "gap 2" in shown
    assert "gap 3" not in shown
    assert "and 2 more in the report" in shown


def test_where_nothing_is_to_be_changed_nothing_is_said_of_it():
    assert lines(card()) == []
    for text in (screen(card()), to_markdown(card()), to_html(card(), [], []), str(card())):
        assert "What to change first" not in text


def test_the_markdown_names_the_conversations_and_escapes_them():
    text = to_markdown(card(gap(id=EVIL)))
    assert "1. Messages are longer. To change: lower \\[shopper\\] max\\_tokens. Shown by: " in text
    assert "<script" not in text
    assert "\x1b" not in text


def test_the_page_shows_what_was_said_and_escapes_it():
    page = to_html(card(gap(id=EVIL, words=EVIL)), [said("p0", "ok")], [said(EVIL, EVIL)])
    section = page.split('id="gaps"')[1].split("</section>")[0]
    assert "<script" not in section
    assert "&lt;script&gt;" in section
    assert "\x1b" not in section
    assert "To change: lower [shopper] max_tokens." in section
    assert "25 % of the distance" in section


def test_an_example_is_linked_where_the_page_shows_its_conversation():
    [shown] = page_gaps(card(gap()), [said("p0", "short")], [said("c0", "long " * 99)], {"c0": "place"})
    assert [(each.who, each.href) for each in shown.examples] == [("simulated", "place"), ("people", None)]
    assert len(shown.examples[0].excerpt) <= 161
    assert shown.examples[1].excerpt == "short"


def test_without_transcripts_the_page_names_the_conversations_alone():
    page = to_html(card(gap()), None, None)
    section = page.split('id="gaps"')[1].split("</section>")[0]
    assert "(not at hand)" in section
    assert "c0" in section


def test_what_is_said_fits_a_screen_of_a_notebook():
    text = str(card(*(gap(n) for n in range(10))))
    assert "1. Messages are longer" in text
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 100
