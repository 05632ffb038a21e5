"""Which items are found for what was said."""

from __future__ import annotations

from convsim.agents.search import Results, Shelf, find, listen
from convsim.schema.catalogue import Catalogue
from tests.unit.agents.shops import item, shop, talk


def found(*said: str, catalogue: Catalogue | None = None, n: int = 12) -> Results:
    shelf = Shelf(catalogue or shop())
    return find(shelf, listen(talk(*said), shelf.vocabulary, shelf.price_of), n)


def ids(result: Results) -> list[str]:
    return [item.id for item in result.items]


def test_only_what_meets_every_wish_is_found_where_something_does() -> None:
    assert set(ids(found("boots"))) == {"boot-a", "boot-b", "boot-c"}
    assert ids(found("boots under $50")) == ["boot-b"]
    assert set(ids(found("boots, max 50"))) == {"boot-b", "boot-c"}
    assert ids(found("black boots in size 9")) == ["boot-a"]
    assert set(ids(found("black shoes"))) == {"boot-a", "shoe-d"}


def test_nothing_that_fits_gives_the_nearest_and_says_in_what_it_differs() -> None:
    result = found("red boots size 9")
    assert result.n_fitting == 0
    assert result.unmet == ("colors",)
    assert set(ids(result)) == {"boot-a", "boot-b", "boot-c"}


def test_the_nearest_misses_a_color_rather_than_a_size() -> None:
    # red is boot-b alone, which has no size 9; a color weighs less than a size.
    assert ids(found("red boots size 9"))[-1] == "boot-b"


def test_another_kind_is_the_last_resort() -> None:
    assert ids(
        found("red parka", catalogue=Catalogue.of([item("p", "Long parka"), item("b", "Red boots")]))
    ) == ["p"]


def test_what_is_refused_is_not_even_near() -> None:
    assert "boot-c" not in ids(found("brown boots, no leather"))
    only = Catalogue.of([item("x", "Corrie boots", material="leather")])
    assert found("boots, no leather", catalogue=only).items == ()


def test_a_refusal_of_leather_takes_vegan_leather_along_unless_that_is_wanted() -> None:
    assert "coat-f" not in ids(found("a jacket or coat, no leather"))
    assert "coat-f" in ids(found("a jacket, no leather", "vegan leather is fine"))


def test_what_was_said_last_holds_however_often_it_was_said() -> None:
    back_and_forth = ("a jacket, no leather", "vegan leather is fine", "no leather after all")
    assert "coat-f" not in ids(found(*back_and_forth))
    assert "coat-f" in ids(found(*back_and_forth, "ok, vegan leather"))


def test_a_later_wish_does_not_lift_another_refusal() -> None:
    assert "shoe-d" not in ids(found("sneakers, not black", "white ones"))


def test_an_unknown_price_does_not_fit_a_budget() -> None:
    catalogue = Catalogue.of([item("a", "Alder boots", price=None), item("b", "Basin boots", price=10.0)])
    assert ids(found("boots under $50", catalogue=catalogue)) == ["b"]


def test_a_title_counts_where_the_attribute_says_something_else() -> None:
    catalogue = Catalogue.of(
        [item("a", "Denim shirt", material="chambray"), item("b", "Plain shirt", material="denim")]
    )
    assert set(ids(found("a denim shirt", catalogue=catalogue))) == {"a", "b"}


def test_a_wider_word_for_a_kind_takes_in_the_narrower_ones() -> None:
    catalogue = Catalogue.of(
        [item("a", "Alder overcoat"), item("b", "Basin trench coat"), item("c", "Corrie vest")]
    )
    assert set(ids(found("a coat", catalogue=catalogue))) == {"a", "b"}
    assert ids(found("an overcoat", catalogue=catalogue)) == ["a"]


def test_equal_items_keep_the_catalogues_order() -> None:
    catalogue = Catalogue.of([item(f"boot-{i}", "Alder boots") for i in (3, 1, 2)])
    assert ids(found("boots", catalogue=catalogue)) == ["boot-3", "boot-1", "boot-2"]


def test_the_title_weighs_more_than_the_description() -> None:
    catalogue = Catalogue.of(
        [
            item("said", "Alder shoes", description="Good with a trail map."),
            item("titled", "Trail shoes", description="Good with a plain map."),
        ]
    )
    assert ids(found("trail", catalogue=catalogue)) == ["titled", "said"]


def test_an_occasion_lifts_but_does_not_exclude() -> None:
    assert ids(found("a coat or jacket for hiking")) == ["coat-f", "coat-e"]


def test_nothing_is_found_where_nothing_was_asked_for() -> None:
    assert found("hi there").items == ()
    assert found("").items == ()
    assert found().items == ()


def test_a_catalogue_without_attributes_is_searched_by_its_words() -> None:
    bare = {"description": "Plain.", "price": None}
    catalogue = Catalogue.model_validate(
        {"items": [{"id": "a", "title": "Alder boots", **bare}, {"id": "b", "title": "Basin hat", **bare}]}
    )
    assert ids(found("a hat, size 9", catalogue=catalogue)) == ["b"]


def test_a_catalogue_whose_titles_hold_no_word_is_searched_without_a_find() -> None:
    catalogue = Catalogue.model_validate(
        {"items": [{"id": "a", "title": "!!", "description": "?", "price": None}]}
    )
    assert found("boots", catalogue=catalogue).items == ()
