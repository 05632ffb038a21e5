"""What a conversation is understood to ask for."""

from __future__ import annotations

import pytest

from convsim.agents.search import Shelf, Wishes, listen
from convsim.agents.search.preferences import Facet
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Message
from convsim.text.constraints import Budget
from tests.unit.agents.shops import item, shop, talk


def heard(conversation: Conversation) -> Wishes:
    shelf = Shelf(shop())
    return listen(conversation, shelf.vocabulary, shelf.price_of)


def wanted(conversation: Conversation, facet: Facet) -> set[str]:
    return {" ".join(wish.phrase) for wish in heard(conversation).wanted.get(facet, ())}


def refused(conversation: Conversation) -> set[str]:
    return {
        " ".join(judgement.phrase) for judgement in heard(conversation).judgements if not judgement.wanted
    }


def test_one_message_can_state_everything() -> None:
    wishes = heard(talk("Black leather boots for hiking, size 9, under $80"))
    said = {facet: [wish.said for wish in wanted] for facet, wanted in wishes.wanted.items()}
    assert said == {
        "colors": ["black"],
        "material": ["leather"],
        "kind": ["boots"],
        "occasion": ["hiking"],
        "sizes": ["size 9"],
    }
    assert wishes.budget == Budget(ceiling=80, below=True)


def test_what_was_said_last_wins() -> None:
    assert wanted(talk("red boots", "black ones"), "colors") == {"black"}
    assert wanted(talk("red boots, actually black"), "colors") == {"black"}
    assert wanted(talk("red boots. black instead"), "colors") == {"black"}
    assert wanted(talk("white boots, actually red or black"), "colors") == {"red", "black"}


def test_what_was_said_before_is_remembered() -> None:
    assert wanted(talk("red boots", "under 50", "thanks"), "colors") == {"red"}


def test_alternatives_in_one_message_add_up() -> None:
    assert wanted(talk("red or black boots"), "colors") == {"red", "black"}


def test_also_adds_to_what_was_said_before() -> None:
    assert wanted(talk("red boots", "also black"), "colors") == {"red", "black"}


def test_the_last_word_of_a_value_names_it() -> None:
    assert wanted(talk("a blue jacket"), "colors") == {"blue"}


@pytest.mark.parametrize(
    ("text", "unwanted", "still_wanted"),
    [
        ("not black", {"black"}, set()),
        ("no black, white or red please", {"black", "white", "red"}, set()),
        ("not black, red", {"black"}, {"red"}),
        ("Not black I have too much black. Red.", {"black"}, {"red"}),
        ("anything but red", {"red"}, set()),
        ("red instead of black", {"black"}, {"red"}),
        ("I don't like these, show me black", set(), {"black"}),
        ("no, black", set(), {"black"}),
        ("I don't mind black", set(), {"black"}),
        ("no thanks, black", set(), {"black"}),
        ("not red but black", {"red"}, {"black"}),
        ("I hate red", {"red"}, set()),
    ],
)
def test_a_negation_reaches_as_far_as_it_is_meant(
    text: str, unwanted: set[str], still_wanted: set[str]
) -> None:
    assert refused(talk(text)) == unwanted
    assert wanted(talk(text), "colors") == still_wanted


def test_free_after_a_material_refuses_it() -> None:
    assert refused(talk("leather-free boots")) == {"leather"}


def test_a_refusal_takes_back_a_wish() -> None:
    assert wanted(talk("black or red boots", "not black"), "colors") == {"red"}


def test_a_wish_can_be_taken_back() -> None:
    assert wanted(talk("red boots", "any color is fine"), "colors") == set()
    assert not heard(talk("boots under $50", "price doesn't matter")).budget


def test_what_the_shopper_owns_is_no_wish() -> None:
    conversation = talk("a red coat to go with my black boots")
    assert wanted(conversation, "kind") == {"coat"}
    assert wanted(conversation, "colors") == {"red"}


def test_another_kind_replaces_the_kind_and_drops_a_size_of_another_category() -> None:
    wishes = heard(talk("boots size 9 in black", "now a coat"))
    assert [wish.said for wish in wishes.wanted["kind"]] == ["coat"]
    assert "sizes" not in wishes.wanted
    assert [wish.said for wish in wishes.wanted["colors"]] == ["black"]


def test_shoes_are_the_category_footwear() -> None:
    assert wanted(talk("shoes please"), "category") == {"footwear"}


@pytest.mark.parametrize(
    "text",
    [
        "something else",
        "not these",
        "none of those",
        "no",
        "show me more",
        "what else do you have",
        "nope, sorry",
    ],
)
def test_a_shopper_can_set_aside_what_was_shown(text: str) -> None:
    assert heard(talk("boots", text, shown=[["boot-a", "boot-b"]])).set_aside == {"boot-a", "boot-b"}


@pytest.mark.parametrize("text", ["the first one", "why not this one", "no leather", "not black"])
def test_other_answers_set_nothing_aside(text: str) -> None:
    assert not heard(talk("boots", text, shown=[["boot-a"]])).set_aside


def test_what_is_set_aside_stays_aside() -> None:
    conversation = talk("boots", "not these", "in red", shown=[["boot-a"], ["boot-b"]])
    assert heard(conversation).set_aside == {"boot-a"}


def test_cheaper_is_measured_on_the_last_reply() -> None:
    # Alder hiking boots are 90, Basin rain boots 40.
    wishes = heard(talk("boots", "cheaper", shown=[["boot-a", "boot-b"]]))
    assert wishes.budget == Budget(ceiling=40, below=True)


def test_only_user_messages_are_heard() -> None:
    said = [("system", "red"), ("assistant", "black"), ("tool", "white"), ("user", "brown boots")]
    messages = tuple(Message.model_validate({"role": role, "content": text}) for role, text in said)
    assert wanted(Conversation(id="c", messages=messages), "colors") == {"brown"}


def test_a_huge_message_is_read_only_so_far() -> None:
    assert wanted(talk("boots " * 1_000 + "red"), "colors") == set()


def test_the_words_to_search_for_leave_out_what_is_refused() -> None:
    assert heard(talk("rain boots, no leather")).words == [("rain", "boot")]


def test_half_of_a_hyphened_word_names_no_value() -> None:
    catalogue = Catalogue.of(
        [item("a", "Alder boots", material="full-grain leather"), item("b", "Basin boots")]
    )
    shelf = Shelf(catalogue)
    assert "material" not in listen(talk("full length boots"), shelf.vocabulary, shelf.price_of).wanted
    assert "material" in listen(talk("boots of leather"), shelf.vocabulary, shelf.price_of).wanted
