"""Findings kept beside the file are those of the same question alone, and a card is the same with and without them."""

from __future__ import annotations

import importlib
import json
import tracemalloc
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import convsim
from convsim import _cache as of_cache
from convsim.evaluation import kept as of_findings
from convsim.evaluation.kept import Kept
from convsim.evaluation.scorecard import Scorecard
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.validation import find_validators, judge
from convsim.metrics import MetricLike, Metrics, find_metrics, measure_both
from convsim.metrics.kept_table import identity
from convsim.plugins import make
from convsim.schema import BaseValidator, Corpus, Finding
from convsim.schema.conversation import Conversation

METRICS = ("turns", "user_words_per_turn")


def write(path: Path, n: int = 40, *, word: str = "boots", more: str = "") -> Path:
    lines = []
    for number in range(n):
        said = [f"{word} {'please ' * (number % 7)}{number}", "the red ones"][: 1 + number % 2]
        messages = [
            message
            for text in said
            for message in ({"role": "user", "content": text}, {"role": "assistant", "content": "here"})
        ]
        lines.append({"id": f"{path.stem}{number}", "task": "ab"[number % 2], "messages": messages})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + more, encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("CONVSIM_CACHE", str(tmp_path / "user"))
    return write(tmp_path / "real.jsonl"), write(tmp_path / "sim.jsonl", word="shoes")


def validated(
    files: tuple[Path, Path],
    *,
    seed: int = 1,
    validators: object = ("marginals",),
    metrics: Sequence[MetricLike] = METRICS,
    tasks: Sequence[str] = (),
    lexicon: Path | None = None,
) -> tuple[Scorecard, list[str]]:
    """Judge two files with whatever is kept of them; return the card, and whose findings were kept ones."""
    real, simulated = (Side.of(file, "a", Selection(tasks=tasks)) for file in files)
    kept = Kept.of(real, simulated, at_least=1)
    assert kept is not None
    measured = find_metrics(list(metrics), lexicon=lexicon)
    card = judge(real, simulated, find_validators(validators), seed=seed, metrics=measured, kept=kept)
    return card, kept.used


def test_a_second_card_is_the_first_to_the_byte_and_computes_nothing(files: tuple[Path, Path]) -> None:
    asked = ("marginals", "endings")
    plain = convsim.validate(*files, seed=1, validators=asked, metrics=METRICS, cache=False)
    first, none = validated(files, validators=asked)
    second, used = validated(files, validators=asked)
    assert none == []
    assert used == list(asked)
    assert plain.to_json() == first.to_json() == second.to_json()


def rewritten(path: Path, was: str, becomes: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes), encoding="utf-8")


def reversed_lines(path: Path) -> None:
    path.write_text("".join(reversed(path.read_text(encoding="utf-8").splitlines(keepends=True))))


FILES_CHANGED: dict[str, Callable[[Path, Path], object]] = {
    "one more conversation": lambda real, sim: write(sim, 41, word="shoes"),
    "one other letter of the people's": lambda real, sim: rewritten(real, "boots 0", "boost 0"),
    "another order of lines": lambda real, sim: reversed_lines(sim),
}


@pytest.mark.parametrize("what", FILES_CHANGED)
def test_nothing_is_taken_from_the_cache_after(what: str, files: tuple[Path, Path]) -> None:
    validated(files)
    FILES_CHANGED[what](*files)
    card, used = validated(files)
    assert used == []
    assert card.findings


def test_nothing_is_taken_from_the_cache_of_another_question(files: tuple[Path, Path]) -> None:
    validated(files)
    assert validated(files, seed=2)[1] == []
    assert validated(files, tasks=["a"])[1] == []
    assert validated(files, metrics=["turns"])[1] == []
    assert validated(files, validators=[make("validators", "marginals", margin=0.3)])[1] == []
    assert validated(files)[1] == ["marginals"]


def test_nothing_is_taken_from_the_cache_of_other_code(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    validated(files)
    monkeypatch.setattr(of_findings, "code_digest", lambda package: "another version")
    assert validated(files)[1] == []


def test_nothing_is_taken_from_the_cache_of_other_libraries(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    validated(files)
    monkeypatch.setattr(of_findings, "counted_with", lambda: ["numpy 9"])
    assert validated(files)[1] == []


def test_nothing_is_taken_from_the_cache_with_other_word_lists(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    words = tmp_path / "lists/en/thanks.txt"
    words.parent.mkdir(parents=True)
    words.write_text("merci\n")
    validated(files)
    assert validated(files, lexicon=tmp_path / "lists")[1] == []
    assert validated(files, lexicon=tmp_path / "lists")[1] == ["marginals"]
    words.write_text("please\n")
    assert validated(files, lexicon=tmp_path / "lists")[1] == []


@pytest.mark.parametrize("poison", [b"", b"[]", b"x" * 200])
def test_a_poisoned_cache_changes_no_number(files: tuple[Path, Path], poison: bytes) -> None:
    first, _ = validated(files)
    for entry in (files[1].parent / ".convsim-cache").glob("*.entry"):
        entry.write_bytes(poison)
    second, used = validated(files)
    assert used == []
    assert second.to_json() == first.to_json()
    assert validated(files)[1] == ["marginals"]


class Counting(BaseValidator):
    """Is it asked?"""

    asked: ClassVar[list[int]] = []

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        self.asked.append(seed)
        return [self.finding("asked", verdict="aligned", reason="it was", estimate=float(len(real)))]


class Versioned(Counting):
    """Is it asked, once?"""

    version = "2"


class Failing(Versioned):
    """Does it fail?"""

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        self.asked.append(seed)
        raise RuntimeError("no")


@pytest.mark.parametrize(("kind", "n"), [(Counting, 2), (Versioned, 1), (Failing, 2)])
def test_somebody_else_s_validator_is_kept_where_it_states_a_version_and_did_not_fail(
    files: tuple[Path, Path], kind: type[Counting], n: int
) -> None:
    Counting.asked.clear()
    first, _ = validated(files, validators=[kind()])
    second, _ = validated(files, validators=[kind()])
    assert len(Counting.asked) == n
    assert [f.estimate for f in first.findings] == [f.estimate for f in second.findings]


MEASURED: list[str] = []


def length(conversation: Conversation) -> int:
    MEASURED.append(conversation.id)
    return len(conversation.messages)


def longer_than(limit: int) -> Callable[[Conversation], int]:
    def longer(conversation: Conversation) -> int:
        MEASURED.append(conversation.id)
        return len(conversation.messages) - limit

    return longer


def test_somebody_else_s_metric_is_kept_where_it_states_a_version(files: tuple[Path, Path]) -> None:
    bare, versioned = convsim.metric(length), convsim.metric(version="1")(length)
    in_german = convsim.metric(version="1", languages=["de"])(length)
    for made, n, used in ((bare, 160, []), (versioned, 80, ["marginals"]), (in_german, 0, [])):
        MEASURED.clear()
        first = validated(files, metrics=["turns", made])
        assert first[1] == []
        assert validated(files, metrics=["turns", made])[1] == (used or ["marginals"] * (made is in_german))
        assert len(MEASURED) == n


def test_functions_that_one_function_makes_are_never_taken_for_one_another(files: tuple[Path, Path]) -> None:
    for limit in (0, 1):
        made = convsim.metric(version="1", name="longer")(longer_than(limit))
        assert validated(files, metrics=["turns", made])[1] == []
        assert identity(made) is None


class Set(Versioned):
    """Is it asked, with settings?"""

    most = 1

    def __init__(self, words: object = "") -> None:
        self.words = words


def test_a_validator_whose_class_was_set_otherwise_is_asked_anew(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [validated(files, validators=[Set()])[1] for _ in range(2)] == [[], ["set"]]
    monkeypatch.setattr(Set, "most", 2)
    assert validated(files, validators=[Set()])[1] == []


def test_a_validator_with_a_file_among_its_settings_is_asked_each_time(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    words = tmp_path / "words.csv"
    words.write_text("a")
    for named in (words, str(words), [str(words)], {"of": (str(words),)}):
        assert [validated(files, validators=[Set(named)])[1] for _ in range(2)] == [[], []]


def test_word_lists_edited_in_between_are_never_taken_for_those_that_were_read(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    words = tmp_path / "lists/en/thanks.txt"
    words.parent.mkdir(parents=True)
    words.write_text("merci\n")
    real, simulated = (Side.of(file, "a", Selection()) for file in files)

    def judged(metrics: Metrics) -> tuple[list[float], list[str]]:
        kept = Kept.of(real, simulated, at_least=1)
        assert kept is not None
        card = judge(real, simulated, find_validators("marginals"), seed=1, metrics=metrics, kept=kept)
        return [finding.estimate or 0 for finding in card.findings], kept.used

    before = find_metrics(["turns", "user_thanks"], lexicon=tmp_path / "lists")
    first, _ = judged(before)
    words.write_text("boots\n")
    stale, used = judged(before)  # read before it was edited
    assert (stale, used) == (first, [])
    edited, used = judged(find_metrics(["turns", "user_thanks"], lexicon=tmp_path / "lists"))
    assert used == []
    assert edited != first


def test_nothing_is_kept_where_convsim_s_code_has_changed_since_the_process_began(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = [Side.of(file, "a", Selection()) for file in files]
    assert Kept.of(*sides, at_least=1) is not None
    of_cache.code_digest.cache_clear()
    monkeypatch.setattr(of_cache, "BEGUN", 0.0)
    assert Kept.of(*sides, at_least=1) is None


def test_a_table_that_unpacks_to_more_than_its_values_is_not_unpacked(files: tuple[Path, Path]) -> None:
    side = Side.of(files[0], "a", Selection())
    kept = Kept.of(side, side, at_least=1)
    assert kept is not None
    table, metrics = kept.tables[0], find_metrics(["turns"])
    chosen = metrics.of({})
    key = table.key(chosen, metrics.lexicon)
    assert key
    bomb = BytesIO()
    np.savez_compressed(bomb, values=np.zeros((1, table.n)), said=np.zeros(1 << 24, np.uint8))
    assert len(bomb.getvalue()) < 1 << 16
    table.cache.write(key, bomb.getvalue())
    tracemalloc.start()
    assert table.read(key, chosen) is None
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()


def test_findings_that_are_nested_without_end_are_none(files: tuple[Path, Path]) -> None:
    corpora = measure_both(*(Side.of(file, "a", Selection()).conversations for file in files))
    kept = Kept.of(*(Side.of(file, "a", Selection()) for file in files), at_least=1)
    validator = make("validators", "marginals")
    assert kept is not None
    assert kept.findings(validator, *corpora, seed=1) is None
    [key] = kept._keys.values()
    assert key
    kept.cache.write(key, b"[" * 200_000)
    assert kept.findings(validator, *corpora, seed=1) is None


def test_a_table_that_is_kept_has_the_very_numbers_that_were_measured(files: tuple[Path, Path]) -> None:
    sides = [Side.of(file, "a", Selection()) for file in files]
    kept = Kept.of(*sides, at_least=1)
    assert kept is not None
    plain = measure_both(sides[0].conversations, sides[1].conversations)
    measure_both(sides[0].conversations, sides[1].conversations, kept=kept.tables)
    again = measure_both(sides[0].conversations, sides[1].conversations, kept=kept.tables)
    for before, after in zip(plain, again, strict=True):
        assert after.flat is None  # no conversation was laid flat for it
        assert before.table.equals(after.table)
        assert (before.undefined, before.language) == (after.undefined, after.language)
        assert list(before.metrics) == list(after.metrics)
        assert before.columns.user_texts == after.columns.user_texts


def test_small_sides_conversations_from_nowhere_and_a_variable_keep_nothing(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = [Side.of(file, "a", Selection()) for file in files]
    assert Kept.of(*sides) is None
    held = [Side.of([*side.conversations], "a", Selection()) for side in sides]
    assert Kept.of(*held, at_least=1) is None
    monkeypatch.setenv("CONVSIM_NO_CACHE", "1")
    assert Kept.of(*sides, at_least=1) is None


def test_a_validator_whose_source_no_file_has_is_asked_each_time(files: tuple[Path, Path]) -> None:
    of_notebook = type("OfNotebook", (Versioned,), {"__module__": "no_file_has_it", "asked": []})()
    assert [validated(files, validators=[of_notebook])[1] for _ in range(2)] == [[], []]
    assert len(of_notebook.asked) == 2


def test_what_a_validator_found_is_not_kept_where_its_file_changes_while_it_runs(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "edited.py"
    source.write_text(
        "from pathlib import Path\n\n\nclass Edited:\n    name, version = 'edited', '1'\n\n"
        "    def validate(self, real, simulated, *, seed):\n"
        "        Path(__file__).write_text(Path(__file__).read_text() + '# edited\\n')\n        return []\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    validator = importlib.import_module("edited").Edited()
    assert [validated(files, validators=[validator])[1] for _ in range(2)] == [[], []]


def test_a_table_of_other_libraries_is_measured_anew(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    validated(files)
    before = {path.name for path in files[1].parent.rglob("*.entry")}
    monkeypatch.setattr("convsim.metrics.kept_table.counted_with", lambda: ["numpy 0"])
    validated(files)
    assert len({path.name for path in files[1].parent.rglob("*.entry")} - before) == 2
