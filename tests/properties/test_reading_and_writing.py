"""Whatever a conversation holds, writing and reading it back changes nothing; and no bytes crash a reader."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convsim.errors import TranscriptError
from convsim.io import read, write
from convsim.schema.conversation import Conversation

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**80), 2**80)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
metadata = st.dictionaries(names, values, max_size=2)
labels = st.dictionaries(
    names,
    st.lists(
        st.fixed_dictionaries({"value": values, "source": names}),
        min_size=1,
        max_size=2,
        unique_by=lambda x: x["source"],
    ),
    max_size=2,
)
items = st.fixed_dictionaries(
    {"id": names},
    optional={
        "title": texts,
        "price": st.floats(0, 1e6) | st.none(),
        "attributes": st.dictionaries(texts, values, max_size=2),
        "metadata": metadata,
    },
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "developer", "tool"]), "content": texts},
    optional={
        "labels": labels,
        "items": st.lists(items, max_size=2),
        "accepted": st.lists(texts, max_size=2),
        "metadata": metadata,
    },
)
usage = st.fixed_dictionaries(
    {"input_tokens": st.integers(0, 10**12), "cost_usd": st.floats(0, 1e6) | st.none()}
)
talks = st.fixed_dictionaries(
    {"id": names, "messages": st.lists(messages, max_size=4)},
    optional={
        "task": texts,
        "arm": texts,
        "user": texts,
        "severity": st.floats(0, 1),
        "labels": labels,
        "metadata": metadata,
        "ending": st.sampled_from(["accepted", "left", "unknown"]),
        "usage": usage,
        "failure": st.fixed_dictionaries({"reason": names, "turn": st.integers(0, 99)}),
        "persona": st.fixed_dictionaries(
            {"id": names, "need": texts, "patience": st.integers(0, 9), "style": texts}
        ),
        "learned_from": st.fixed_dictionaries({"file": texts, "conversations": st.lists(texts, max_size=2)}),
    },
)
SPOKEN = {"id": "the one that speaks", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"])
@settings(max_examples=40, deadline=None)
@given(said=st.lists(talks, max_size=3, unique_by=lambda talk: talk["id"]))
def test_writing_and_reading_is_the_identity(ending: str, said: list[dict[str, Any]]) -> None:
    conversations = tuple(Conversation.model_validate(talk) for talk in [*said, SPOKEN])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{ending}"
        write(path, conversations)
        assert read(path).conversations == conversations


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.json", "a.zip", "a.parquet"])
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200) | st.builds(lambda value: repr(value).encode(), values))
def test_no_bytes_raise_anything_but_a_transcript_error_of_one_line(name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        with pytest.raises(TranscriptError) as caught:
            read(path, skip_bad_lines=True)
    assert "\n" not in str(caught.value)
