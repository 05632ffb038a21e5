"""``typography``: what counts as format, what does not move it, what is said, and when nothing is."""

import numpy as np
import pytest
from pydantic import JsonValue, TypeAdapter

from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.validation import judge
from convsim.report.answers import FORMAT_FIRST, whole
from convsim.schema import Corpus
from convsim.schema.details import FormatDetails
from convsim_validators import Typography
from convsim_validators.typography.audit import Marked
from convsim_validators.typography.characters import EDGE, Runs, in_words, written_as_kinds
from convsim_validators.typography.formats import TESTS, formats, marked
from convsim_validators.typography.typography import NOTHING_VARIES
from tests.made_up_talk import side
from tests.typists import WAYS, typists


def having(text: str) -> set[str]:
    has, _ = marked([text])
    return {each.name for each, found in zip(formats(), has[0], strict=True) if found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I want a red coat, size 10.", {"ends_in_stop"}),
        ("I want a red coat", {"ends_bare"}),
        ("is it red?", {"all_lower", "lower_first"}),
        ("Red Coats Please", {"title_case", "ends_bare"}),
        ("RED COATS", {"all_upper", "ends_bare"}),
        ("Hey! Show me boots.", {"exclamation_within", "ends_in_stop"}),
        ("Boots!!", {"repeated_marks", "ends_in_exclamation"}),
        ("It’s fine — really…", {"typographic_apostrophe", "apostrophe", "long_dash", "ellipsis_character"}),
        ("It's fine.", {"apostrophe", "ends_in_stop"}),
        ("- **Boots** under $50", {"bold", "bullet", "ends_bare"}),
        ("# Wishes\nBoots.", {"heading", "line_break", "ends_in_stop"}),
        ("Boots 😀", {"emoji", "ends_bare"}),
        ("Boots :)", {"emoticon"}),
        ("Boots\u00a0please.", {"no_break_space", "ends_in_stop"}),
        ("Boots\r\nplease.", {"carriage_return", "line_break", "ends_in_stop"}),
        ("Boots &amp; coats.", {"entity", "ends_in_stop"}),
        ("Boots\\nplease.", {"escape", "ends_in_stop"}),
        ("A cafe\u0301 coat.", {"decomposed", "ends_in_stop"}),
        ("A café coat.", {"ends_in_stop"}),
        ("A \ufb01ne coat.", {"compatibility_forms", "ends_in_stop"}),
        ("\ufeffBoots.", {"unseen", "ends_in_stop"}),
        (" Boots.  ", {"leading_space", "trailing_space", "ends_in_stop"}),
        ("Red  boots.", {"double_space", "ends_in_stop"}),
        ("“Red boots.”", {"quoted", "typographic_quotes", "ends_in_stop"}),
        ("我想要红色的外套。", {"ends_in_stop"}),
        ("我想要外套,谢谢", {"narrow_mark", "ends_bare"}),
        ("Ｒed boots.", {"full_width", "ends_in_stop"}),
        ("   ", set()),
        ("", set()),
    ],
)
def test_formats_are_told_by_how_a_message_is_written(text, expected):
    assert having(text) == expected


def test_every_format_says_what_it_is_and_what_to_do():
    assert all(each.pattern or each.test in TESTS for each in formats())
    assert not [each.name for each in formats() if each.pattern and each.test]
    assert {each.kind for each in formats()} == {"file", "prompt"}


def test_a_message_counts_only_where_it_could_have_a_format():
    found = Marked.of((side([["Is it red?", "ok.", "我要外套"]], "r"), side([[""]], "s")))
    by_name = {each.name: column for column, each in enumerate(formats())}
    shares = found.proportions(2)
    assert shares[0, by_name["all_lower"]] == 1 / 2  # the Chinese message has no case
    assert shares[0, by_name["ends_in_stop"]] == 1 / 2  # the question could not end in a full stop
    assert shares[0, by_name["emoji"]] == 0
    assert np.isnan(shares[0, by_name["decomposed"]])
    assert np.isnan(shares[1]).all()


def test_letters_are_written_as_their_kinds_and_all_else_as_it_is():
    assert written_as_kinds("I’m 42, Éva! 外套 😀\u00a0ok") == "X’x 00, Ẋxx! 字字 ☺\u00a0xx"


def test_runs_are_proportions_of_those_in_the_same_place():
    said = [["Ab, cd."], ["Ab cd.", "ef"], ["?"]] * 8
    runs = Runs.of((side(said, "r"), side([["x"]], "s")), np.arange(25))
    by_run = dict(zip(runs.runs, runs.rates.T.tolist(), strict=True))
    assert by_run[f"{EDGE}X"][:3] == [1, 1 / 2, 0]
    assert by_run[f".{EDGE}"][:3] == [1, 1 / 2, 0]
    # Between the first and the last character lie "b, cd", of four pairs, and "b cd", of three.
    assert by_run[", "][:2] == [1 / 4, 0]
    assert by_run["x "][:2] == [0, pytest.approx(1 / 3)]
    assert np.isnan(by_run[", "][2])
    assert in_words(f".{EDGE}") == "messages that end in “.”"
    assert in_words("x\u00a0X") == r"the characters “x\xa0X”"


def test_neither_how_much_nor_how_often_somebody_writes_moves_a_run():
    few, many = ["One red coat, please."], ["One red coat, please."] * 5
    runs = Runs.of((side([few] * 8, "r"), side([many] * 8, "s")), np.arange(16))
    assert runs.runs == ()  # nothing varies


def both(way: str | None, n: int) -> tuple[Corpus, Corpus]:
    rng = np.random.default_rng(5)
    return typists(rng, n, "r"), typists(rng, n, "s", change=WAYS[way] if way else None)


@pytest.mark.parametrize("way", ["title_case", "carriage_return"])
def test_a_way_of_typing_is_found_and_told_in_words(way):
    characters, format_ = Typography(n_resamples=99).validate(*both(way, 24), seed=0)
    assert (characters.verdict, format_.verdict) == ("different", "different")
    details = format_.details
    assert isinstance(details, FormatDetails)
    [told] = [each for each in details.formats if each.name == way]
    assert told.simulated > 0.9 > 0.1 > told.real
    assert told.says in str(details["giveaway"]) or len(details.formats) > 3
    examples = TypeAdapter(list[dict[str, JsonValue]]).validate_python(details["examples"])
    assert [each["side"] for each in examples] == ["simulated"] * 3 + ["people"]
    assert all(each["message"] == 0 for each in examples[:3])
    assert "simulated" in str(characters.details["giveaway"])
    of_run = TypeAdapter(list[dict[str, JsonValue]]).validate_python(characters.details["examples"])
    assert len([each for each in of_run if each["message"] is not None]) >= 1
    assert told.advice in format_.reason or len(details.formats) > 3


def test_format_is_said_before_anything_else():
    real, simulated = both("bold", 20)
    people = Side.of(list(real.conversations), "real", Selection())
    shoppers = Side.of(list(simulated.conversations), "simulated", Selection())
    card = judge(people, shoppers, [Typography(n_resamples=99)], seed=0)
    assert card.warnings[0].startswith("format alone tells the sides apart: AUC 1.000")
    assert whole(card).startswith(FORMAT_FIRST) or not card.headlines
    alike = judge(people, people, [Typography(n_resamples=99)], seed=0, allow_overlap=True)
    assert not [each for each in alike.warnings if "format alone" in each]


def test_too_few_decide_nothing():
    found = Typography(n_resamples=99).validate(*both(None, 6), seed=0)
    assert [f.verdict for f in found] == ["undecided", "undecided"]
    assert all("6 real and 6 simulated" in f.reason for f in found)


def test_where_nothing_could_vary_nothing_is_alike():
    same = [["外套"] for _ in range(80)]
    found = Typography(n_resamples=99).validate(side(same, "r"), side(same, "s"), seed=0)
    assert {f.verdict for f in found} == {"undecided"}
    varied = [["外套" * (1 + row)] for row in range(80)]
    found = Typography(n_resamples=99).validate(side(varied, "r"), side(varied[::-1], "s"), seed=0)
    assert [f.verdict for f in found] == ["undecided", "undecided"]
    assert {f.reason for f in found} == {NOTHING_VARIES}


@pytest.mark.parametrize("said", [[], [[""]] * 20, [[]] * 20])
def test_those_who_wrote_nothing_decide_nothing(said):
    found = Typography(n_resamples=99).validate(both(None, 20)[0], side(said, "s"), seed=0)
    assert [f.verdict for f in found] == ["undecided", "undecided"]


def test_scripts_without_case_are_told_apart_by_their_marks():
    rng = np.random.default_rng(0)
    said = [
        ["".join(rng.choice(list("红色外套大衣"), 6)) + str(rng.choice(["。", ""])) for _ in range(3)]
        for _ in range(80)
    ]
    with_marks = [[f"{message.rstrip('。')}！" for message in messages] for messages in said[40:]]
    found = Typography(n_resamples=99).validate(side(said[:40], "r"), side(with_marks, "s"), seed=0)
    assert [f.verdict for f in found] == ["different", "different"]


def test_the_order_of_lines_changes_nothing():
    real, simulated = both("all_lower", 20)
    turned = simulated.take(np.random.default_rng(1).permutation(20))
    once, again = (Typography(n_resamples=99).validate(real, each, seed=3) for each in (simulated, turned))
    assert [f.model_dump() for f in once] == [f.model_dump() for f in again]
