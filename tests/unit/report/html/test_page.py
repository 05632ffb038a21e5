"""What stands in the page, and what cannot get into it."""

import json
import re
import warnings
from html.parser import HTMLParser

import pytest

from convsim.report.html import to_html
from tests.reports import (
    HOSTILE,
    card,
    conversation,
    curves,
    distance,
    dose,
    finding,
    hls,
    people,
    shift,
    shoppers,
)  # fmt: skip

SCORES = {"s0": 0.01, "s1": 0.2, "s2": 0.4, "s3": 0.8}
VOID = {"meta", "input", "br", "link"}


class Elements(HTMLParser):
    """Collects elements and ids, and checks that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def elements(page: str) -> Elements:
    parsed = Elements()
    parsed.feed(page)
    assert parsed.open == []
    return parsed


def everything():
    """Findings of every kind that has a picture."""
    return card(
        distance("turns"), distance("user_words_per_turn", 0.03, verdict="aligned"), hls(SCORES),
        shift("turns", 2.0, 0.1, verdict="under_reacts"),
        shift("hazard_of_leaving", 0.0, 0.0, details={"curves": {"real": curves(0.9, 0.4), "simulated": curves(0.8)}}),
        dose("user_thanks", [0.1, 0.3], expected="increase"),
        finding("relations", "complains", verdict="undecided", reason="nothing to ask"),
    )  # fmt: skip


def test_the_parts_stand_in_the_order_of_the_argument():
    page = to_html(everything(), people(), shoppers())
    ids = [attrs["id"] for tag, attrs in elements(page).tags if tag == "section" and "id" in attrs]
    assert ids == [
        "habits", "recognition", "reactions", "giveaways", "conversations", "findings", "provenance",
    ]  # fmt: skip
    assert (
        page.index("These shoppers do not")
        < page.index("What this does not show")
        < page.index('id="habits"')
    )


def test_what_was_not_tested_has_no_section_and_the_navigation_leads_only_to_what_is_there():
    page = to_html(card(distance("turns")), None, None)
    parsed = elements(page)
    sections = {attrs["id"] for tag, attrs in parsed.tags if tag == "section" and "id" in attrs}
    assert sections == {"habits", "findings", "provenance"}
    navigation = page.split("<nav")[1].split("</nav>")[0]
    assert re.findall(r'href="#(\w+)"', navigation) == ["habits", "findings", "provenance"]


def test_every_picture_is_an_image_with_a_title_and_a_description_of_its_own():
    page = to_html(everything(), people(), shoppers())
    parsed = elements(page)
    svgs = [attrs for tag, attrs in parsed.tags if tag == "svg"]
    captions = [re.sub("<[^>]*>", "", b) for b in re.findall(r"<figcaption><b>(.*?)</b>", page)]
    assert {"turns", "user words per turn", "user thanks"} < set(captions)
    # A figure a caption; one that is wide has another picture for narrow screens.
    assert page.count('<div class="wide">') == page.count('<div class="narrow">') > 0
    assert len(svgs) == len(captions) + page.count('<div class="narrow">')
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for svg in svgs:
        assert svg["role"] == "img"
        assert all(part in ids for part in svg["aria-labelledby"].split())


def test_references_within_pictures_lead_somewhere():
    page = to_html(everything(), people(), shoppers())
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    targets = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    assert len(targets) > 50
    assert set(targets) <= ids


def test_the_page_asks_for_nothing_from_anywhere():
    page = to_html(everything(), people(), shoppers())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe-eval" not in policy[1]
    for tag, attrs in elements(page).tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert "src" not in attrs
        assert not any(name.startswith("on") for name in attrs)
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page


def test_a_hostile_message_is_text_wherever_it_stands():
    hostile = shoppers(first=f"certainly {HOSTILE} certainly")
    marked = card(
        distance(HOSTILE), hls(SCORES), finding(HOSTILE, HOSTILE, question=HOSTILE, reason=HOSTILE, source=HOSTILE),
        shift(HOSTILE, 2.0, 1.0), dose(HOSTILE, [0.1, 0.2], fault=HOSTILE), warnings=(HOSTILE,),
        simulated={**card().simulated.model_dump(), "simulator": HOSTILE, "path": HOSTILE},
    )  # fmt: skip
    page = to_html(marked, people(), hostile, notes=[HOSTILE])
    assert page.count("&lt;script&gt;") > 10
    assert page.count("<script") == 2  # ours, and the conversations as data
    assert "<img" not in page
    elements(page)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\u202e", "\u2066", "\ufeff", "\U000e0041"])
def test_control_characters_and_overrides_of_direction_are_replaced(character):
    page = to_html(card(hls(SCORES)), people(), shoppers(first=f"certainly a{character}b"))
    assert character not in page
    assert "a�b" in page


def test_emoji_and_right_to_left_text_stay_as_they_were_and_find_their_direction():
    said = "certainly 👩‍👩‍👧 می‌خواهم مرحبا"
    page = to_html(card(hls(SCORES)), people(), shoppers(first=said))
    assert "👩‍👩‍👧 می‌خواهم مرحبا" in page
    assert '<p dir="auto">' in page


def test_a_message_of_five_megabytes_is_cut_with_a_mark():
    page = to_html(card(hls(SCORES)), people(), shoppers(first="certainly " + "x" * 5_000_000))
    assert len(page) < 400_000
    assert "4,996,010 more characters" in page


def test_a_long_conversation_and_many_items_are_bounded():
    said = [{"role": "user", "content": f"certainly {i} " + "y" * 3_000} for i in range(499)]
    items = [{"id": f"i{i}", "title": "t" * 5_000} for i in range(500)]
    messages = [{"role": "assistant", "content": "", "items": items}, *said]
    long = conversation("s0").but(messages=messages)
    page = to_html(card(hls({"s0": 0.1}), n=1), people(1), [long])
    assert len(page) < 300_000
    assert "440 more messages are not shown" in page
    assert "492 more" in page


def test_two_hundred_metrics_make_bounded_pictures_and_a_whole_table():
    findings = [distance(f"metric_{i}", i / 200) for i in range(200)]
    findings += [shift(f"metric_{i}", i / 100, 0.1) for i in range(200)]
    page = to_html(card(*findings), people(), shoppers())
    assert len(page.encode()) < 3_000_000
    assert page.count("<tr data-kind=") == 400
    assert "The 40 largest of 200 metrics" in page
    assert "metric 0<" in page


def test_forty_metrics_stay_under_three_megabytes():
    page = to_html(card(*(distance(f"metric_{i}", i / 40) for i in range(40))), people(), shoppers())
    assert len(page.encode()) < 1_000_000


def test_without_transcripts_the_page_says_so_and_goes_without():
    page = to_html(everything(), None, None)
    assert "the real conversations could not be read" in page
    assert "the simulated conversations could not be read" in page
    assert "Distributions need the conversations of both sides" in page
    assert "How well a classifier tells simulated from real" in page


def test_transcripts_that_are_not_those_that_were_judged_are_a_warning():
    page = to_html(card(hls(SCORES), n=4), people(4), shoppers(3))
    assert "transcripts have 3 conversations in these arms and tasks, but 4 were judged" in page


def test_failed_conversations_and_other_arms_take_no_part():
    failed = conversation("s4", "certainly not", failure="the model is gone")
    elsewhere = conversation("s5", "certainly elsewhere", arm="another")
    page = to_html(card(hls({**SCORES, "s4": 0.0, "s5": 0.0})), people(), [*shoppers(), failed, elsewhere])
    assert "certainly elsewhere" not in page.lower()
    assert "were judged" not in page


def test_an_empty_scorecard_is_a_page():
    page = to_html(card(n=0), [], [])
    assert "No findings." in page
    assert 'id="habits"' not in page


def test_details_of_any_shape_never_break_the_page():
    junk = [None, True, 3, 1e300, "x", [], {}, [[1]], {"a": None}]
    names = [
        "human_sd", "human_shift", "simulated_shift", "severities", "means", "mean_intervals", "curves", "tells",
        "conversation_scores", "control_histogram", "auc", "auc_interval", "accuracy", "margin", "real",
    ]  # fmt: skip
    for value in junk:
        details = dict.fromkeys(names, value)
        findings = [
            finding(validator, metric, estimate=0.5, details=details)
            for validator, metric in (
                ("marginals", "turns"), ("humanlikeness", "hls"), ("counterfactual", "hazard_of_leaving"),
                ("dose_response", "turns"), ("relations", "r"),
            )
        ]  # fmt: skip
        elements(to_html(card(*findings), people(), shoppers()))


def test_numbers_too_large_to_draw_are_left_to_the_table():
    page = to_html(card(distance("turns", 1e300), shift("turns", 1e200, 2.0)), people(), shoppers())
    assert "<svg" not in page
    assert page.count("<tr data-kind=") == 2


def test_names_with_dollars_and_scripts_without_a_font_draw_without_complaint():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = to_html(card(distance("$\\frac{a$"), distance("مرحبا 😀 हिन्दी")), people(), shoppers())
    assert "$\\frac{a$" in page


def test_the_words_that_gave_it_away_are_marked_in_place():
    page = to_html(card(hls(SCORES)), people(), shoppers())
    assert '<mark class="simulated">Certainly</mark>! I would like boots.' in page
    assert '<mark class="human">nah mate</mark>, boots' in page


def test_the_least_and_the_most_human_conversations_stand_apart():
    page = to_html(card(hls(SCORES)), people(), shoppers())
    least, most = page.index("Least like a person"), page.index("Most like a person")
    order = [page.index(f"<bdi>{name}</bdi> ·", least) for name in ("s0", "s1", "s3", "s2")]
    assert order == sorted(order)
    assert order[1] < most < order[2]


def test_the_cost_is_added_up_and_unknown_prices_are_counted():
    usage = {"input_tokens": 1000, "output_tokens": 50, "seconds": 2.0}
    priced = conversation("s0", "hi", usage={**usage, "cost_usd": 0.5})
    free = conversation("s1", "hi", usage=usage)
    page = to_html(card(n=2), people(2), [priced, free])
    assert "<bdi>2,000</bdi>" in page
    assert "Use is recorded for 2 of 2 conversations; no price is known for 1." in page


def test_the_manifest_of_a_run_is_the_provenance(tmp_path):
    manifest = {
        "plan": {"model": "small-1", "seed": 7, "prompts": {"shopper": "abc123"}, "personas": ["p"] * 30},
        "versions": {"convsim": "9.9"}, "command": ["simulate", "--n", "30", HOSTILE],
    }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    found = card()
    there = found.but(simulated=found.simulated.but(path=str(tmp_path)))
    page = to_html(there, people(), shoppers())
    for said in (
        "small-1",
        "prompts shopper",
        "abc123",
        "30 of them",
        "convsim simulate --n 30 &lt;script&gt;",
        "9.9",
    ):
        assert said in page


@pytest.mark.parametrize("text", ["{", "[1]", '{"plan": 3}', "NaN", ""])
def test_a_damaged_manifest_is_as_if_there_were_none(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    found = card()
    elements(to_html(found.but(simulated=found.simulated.but(path=str(tmp_path))), people(), shoppers()))


def test_the_same_scorecard_gives_the_same_page():
    assert to_html(everything(), people(), shoppers()) == to_html(everything(), people(), shoppers())
