"""The demo catalogue: its size, its variety, and whether a search in it means anything."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from convsim.schema.catalogue import Catalogue


@pytest.fixture(scope="module")
def catalogue(demo_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    path: Path = tmp_path_factory.mktemp("demo") / "catalogue.jsonl"
    path.write_text(demo_files["catalogue.jsonl"], encoding="utf-8")
    return Catalogue.read(path)


def test_it_has_120_items_of_each_category(catalogue: Catalogue) -> None:
    counts = Counter(item.text_of("category") for item in catalogue.items)
    assert counts == {"footwear": 120, "outerwear": 120, "tops": 120, "bottoms": 120}


def test_every_item_is_complete_and_plausibly_priced(catalogue: Catalogue) -> None:
    for item in catalogue.items:
        assert all(item.text_of(name) for name in ("brand", "material", "occasion"))
        assert len(set(item.list_of("colors"))) == len(item.list_of("colors")) >= 2
        assert len(item.list_of("sizes")) >= 4
        assert item.price is not None
        assert 10 <= item.price <= 400
        assert 1 <= len(re.findall(r"[.!?](?: |$)", item.description)) <= 2


def test_no_title_stands_twice_and_words_vary(catalogue: Catalogue) -> None:
    assert len({item.title for item in catalogue.items}) == 480
    assert len({item.description for item in catalogue.items}) >= 450
    words = {
        word
        for item in catalogue.items
        for word in re.findall(r"\w+", f"{item.title} {item.description}".lower())
    }
    assert len(words) >= 1000
    assert len({item.text_of("brand") for item in catalogue.items}) >= 15


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("waterproof hiking boots", "hiking boots"),
        ("leather loafers for the office", "loafers"),
        ("long down parka for snow", "parka"),
        ("linen shirt for hot days", "linen shirt"),
        ("stretch denim skirt", "denim skirt"),
    ],
)
def test_bm25_finds_the_garment_that_was_asked_for(catalogue: Catalogue, query: str, expected: str) -> None:
    import bm25s

    texts = [f"{item.title} {item.description}" for item in catalogue.items]
    index = bm25s.BM25()
    index.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)
    asked = bm25s.tokenize(query, stopwords="en", show_progress=False)
    found, _ = index.retrieve(asked, k=1, show_progress=False)
    assert expected in catalogue.items[found[0][0]].title
