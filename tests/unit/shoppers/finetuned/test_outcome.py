"""What a training came to, as its manifest holds it."""

import json
from pathlib import Path

import pytest

from convsim.errors import InputError
from convsim.shoppers.finetuned import Outcome
from convsim.shoppers.finetuned.export import read_outcome
from convsim.shoppers.finetuned.sampling import Decoding, Tried

TRIED = Tried(temperature=0.7, top_p=1.0, length_distance=0.2, variety_distance=0.1, generated=12)
OUTCOME = Outcome(
    learned_conversations=20, held_out_conversations=4, excluded_conversations=1, excluded_users_conversations=2,
    sequences=21, learned_tokens=400, cut_conversations=1, dropped_messages=0, empty_turns=3,
    perplexity_before=9.5, perplexity_after=4.25, steps=60, best_step=50, resumed_from=10, seconds=12.5,
    tokens_per_second=1000.0, peak_memory_bytes=1 << 30,
    decoding=Decoding(temperature=0.7, places=12, generated=12, tried=(TRIED,)),
)  # fmt: skip


def test_an_outcome_is_read_as_it_was_written_and_holds_nothing_empty(tmp_path: Path) -> None:
    plain = OUTCOME.to_plain()
    assert "metadata" not in json.dumps(plain)
    (tmp_path / "manifest.json").write_text(json.dumps({"plan": {}, "outcome": plain}))
    assert read_outcome(tmp_path) == OUTCOME


@pytest.mark.parametrize("said", ["{}", "[", '{"outcome": null}', '{"outcome": {"steps": 1}}', "[1]"])
def test_a_manifest_without_one_is_named(tmp_path: Path, said: str) -> None:
    (tmp_path / "manifest.json").write_text(said)
    with pytest.raises(InputError, match=r"manifest\.json: is not the outcome of a training"):
        read_outcome(tmp_path)
