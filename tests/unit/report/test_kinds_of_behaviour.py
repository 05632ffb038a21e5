from convsim.report.html.page import environment
from convsim.report.kinds import N_SHOWN, marked, page_kinds
from convsim.report.markdown import table_cell
from convsim.report.tables import value_of_side
from convsim.schema import Finding
from convsim.schema.conversation import Conversation, Message


def kind(status: str, number: int, **changes):
    return {
        "status": status, "share_real": 0.3, "share_simulated": 0.02, "words": ["<b>", "boots"],
        "habits": ["more user_turns (9 against 3)"], "real": f"r{number}", "simulated": None, **changes,
    }  # fmt: skip


def finding(clusters) -> Finding:
    return Finding(
        validator="diversity", metric="forward_kl", question="q", unit="nats", verdict="different", reason="r",
        n_real=9, n_simulated=9, seed=1, version="1", source="s",
        details={"level_real": 0.1, "level_simulated": 0.9, "clusters": clusters},
    )  # fmt: skip


def said(name: str, text: str) -> Conversation:
    return Conversation(id=name, messages=(Message(role="user", content=text),))


SEVERAL = [
    *(kind("missed", n) for n in range(N_SHOWN + 2)),
    kind("captured", 50, simulated="s50", share_simulated=0.3),
]


def test_the_page_shows_the_first_of_each_status_with_how_their_users_begin():
    shown = page_kinds(
        [finding(SEVERAL)], [said("r0", "hello\n<i>you</i>")], [said("s50", "hi")], {"s50": "c-1"}
    )
    assert list(shown) == [
        f"People do this, the simulator hardly ever ({N_SHOWN + 2}, the first {N_SHOWN})", "Both do this (1)",
    ]  # fmt: skip
    first, *_ = missed = next(iter(shown.values()))
    assert len(missed) == N_SHOWN
    assert first.habits == "more user turns (9 against 3)"
    assert (first.examples[0].who, first.examples[0].excerpt) == ("people", "hello <i>you</i>")
    assert [(each.id, each.href) for each in shown["Both do this (1)"][0].examples] == [
        ("r50", None),
        ("s50", "c-1"),
    ]
    page = '{% from "kinds.html.j2" import kinds_of_behaviour %}{{ kinds_of_behaviour(shown) }}'
    section = environment().from_string(page).render(shown=shown)
    assert "&lt;i&gt;you&lt;/i&gt;" in section
    assert '<bdi class="word">&lt;b&gt;</bdi>' in section
    assert '<a href="#c-1"><bdi>s50</bdi></a>' in section
    assert "simulated 2&nbsp;%" in section


def test_markdown_lists_what_one_side_lacks_alone():
    table = marked([finding([kind("invented", 1, real=None, simulated="s|1"), *SEVERAL[-1:]])], table_cell)
    assert (
        "| invented | more user turns (9 against 3) | &lt;b&gt;, boots | 30 % | 2 % | simulated s\\|1 |"
        in table
    )
    assert "captured" not in table
    assert marked([finding(SEVERAL[-1:])], table_cell) == ""


def test_a_card_without_kinds_has_no_section():
    assert page_kinds([finding([])], [], [], {}) == {}


def test_both_levels_stand_in_the_table_of_findings():
    assert (value_of_side(finding([]), "real"), value_of_side(finding([]), "simulated")) == (0.1, 0.9)
