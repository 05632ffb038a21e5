"""What a notebook shows: one screen, escaped, that says what is left out and where it is."""

import html
import re

import pytest

import convsim
from convsim.annotation.agreement import AgreementReport
from convsim.schema.conversation import Conversation, Fault, Item, Message
from tests.unit.report.test_glance import HOSTILE, Tags

ROWS = """Ticket;Who;Said;Bought
1;client;{first};yes
1;bot;how about these boots?;yes
1;client;fine, thanks;yes
2;client;a red dress for a wedding;no
2;bot;no dresses here;no
2;client;ok bye;no
"""


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture
def table(tmp_path):
    (tmp_path / "chats.csv").write_text(ROWS.format(first="warm boots please"), encoding="utf-8")
    return convsim.read_table(tmp_path / "chats.csv")


def test_a_table_says_how_it_was_read_and_how_its_conversations_begin(table):
    shown = words(table._repr_html_())
    assert shown.startswith("2 conversations of 2 turns on average chats.csv, read as table")
    for said in ("Ticket conversation", "Said text", "Bought ending", "6 rows read, 6 used", "client = user"):
        assert said in shown
    assert "a red dress for a wedding left" in shown
    assert "more conversations" not in shown


def test_more_conversations_than_fit_are_counted():
    many = convsim.demo_data("close")
    assert "and 295 more conversations: .to_frame() has every message" in words(many._repr_html_())


def test_a_conversation_reads_as_it_was_held():
    fault = Fault(name="rude_text", severity=1, acted=True, detail="was rude")
    items = tuple(Item(id=f"i{n}", title=f"Boot {n}") for n in range(6))
    said = (
        Message(role="user", content="boots"),
        Message(role="assistant", content="whatever", items=items, faults=(fault,)),
        Message(role="user", content="", action="accept", accepted=("i1",)),
    )
    shown = words(Conversation(id="c1", arm="bad", messages=said, ending="accepted")._repr_html_())
    assert shown == (
        "c1 arm bad user boots assistant whatever shows Boot 0, Boot 1, Boot 2, Boot 3 and 2 more "
        "made worse by rude_text: was rude user (empty) [accept] ending: accepted"
    )


def test_hostile_text_stays_text_and_a_long_chat_is_cut():
    said = [Message(role="user", content=HOSTILE)] * 100
    conversation = Conversation(id=HOSTILE, task=HOSTILE, messages=said)
    page = conversation._repr_html_()
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert not tags.open
    assert "script" not in tags.seen
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "and 76 more messages" in words(page)
    assert len(page) < 30_000
    assert len(repr(conversation)) < 200


def test_a_ladder_that_cannot_be_drawn_does_not_promise_a_figure():
    people, naive = convsim.demo_data("people")[:40], convsim.demo_data("naive")[:40]
    card = convsim.validate(people, naive, seed=1, validators=["copies"])
    assert ".plot()" not in card._repr_html_()
    with pytest.raises(convsim.InputError, match="nothing to draw"):
        card.plot()


def test_agreement_shows_a_row_for_each_label_beside_a_constant_answer():
    def judge(conversation):
        return {"satisfaction": {"value": len(conversation.messages) % 2, "scale": [0, 1]}}

    report = convsim.check_annotator(convsim.demo_data("people")[:60], judge, seed=1)
    assert isinstance(report, AgreementReport)
    [entry] = [each for each in report.entries if each.level == "conversation"]
    assert entry.n == 60
    shown = words(report._repr_html_())
    assert shown.startswith("python:judge against self, in 60 conversations")
    assert "satisfaction of a conversation 60 Kendall's tau-b" in shown
    assert repr(report) == "AgreementReport(python:judge against self: satisfaction of a conversation)"


def test_an_annotator_that_labels_nothing_is_one_line():
    def broken(conversation):
        raise ValueError("no key")

    with pytest.raises(convsim.InputError, match=r"broken could label none of 4 conversations: .*no key"):
        convsim.check_annotator(convsim.demo_data("people")[:4], broken)


def test_a_figure_is_the_same_each_time_and_as_wide_as_there_is_room():
    people, naive = convsim.demo_data("people")[:40], convsim.demo_data("naive")[:40]
    card = convsim.validate(people, naive, seed=1, validators=["marginals"])
    first, again = card.plot()._repr_svg_(), card.plot()._repr_svg_()
    assert first == again
    assert re.search(r'<svg style="max-width:100%;height:auto" ', first)
    assert "dc:date" not in first
