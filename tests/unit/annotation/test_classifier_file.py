"""A classifier's file keeps what was learned, and no file, whoever made it, runs anything or is half written."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from convsim.annotation.classifier import Classifier, Trained, load, save, train
from convsim.errors import InputError
from tests.unit.annotation.labelled import of_both

CARD = "convsim.json"


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(of_both(30), source="third_party", seed=3, file=("logs.jsonl", "ab" * 32))


@pytest.fixture(scope="module")
def written(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("classifier") / "acts.skops"
    save(trained, path)
    return path


def _changed(written: Path, path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """Copy the file with its members changed."""
    with zipfile.ZipFile(written) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _with_card(**fields: object) -> Callable[[dict[str, bytes]], object]:
    def change(members: dict[str, bytes]) -> None:
        card = {**json.loads(members[CARD]), **fields}
        members[CARD] = json.dumps({key: value for key, value in card.items() if value is not None}).encode()

    return change


def _holding(written: Path, path: Path, content: object) -> Path:
    """Write a file whose card is right, and which holds something else."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(content))) as archive:
        foreign = {name: archive.read(name) for name in archive.namelist()}

    def change(members: dict[str, bytes]) -> None:
        card = members[CARD]
        members.clear()
        members.update({**foreign, CARD: card})

    return _changed(written, path, change)


def test_what_was_learned_and_how_well_comes_back(trained: Trained, written: Path):
    card, learned = load(written)
    assert card == trained.card
    assert learned.version == trained.learned.version == card.version
    assert (card.file, card.learned_from.sha256, len(card.learned_from.conversations)) == (
        "logs.jsonl",
        "ab" * 32,
        30,
    )
    assert [path.name for path in written.parent.iterdir()] == ["acts.skops"]


class _Touch:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_make_a_file_is_refused_and_makes_none(tmp_path: Path, protocol: int):
    made, path = tmp_path / "made", tmp_path / "model.skops"
    path.write_bytes(pickle.dumps(_Touch(made), protocol=protocol))
    with pytest.raises(InputError, match="is a pickle" if protocol > 1 else "is no classifier") as refused:
        Classifier(path)
    assert "train it again" in str(refused.value)
    assert not made.exists()
    pickle.loads(path.read_bytes())  # noqa: S301 -- it would have: the refusal is what kept it from running
    assert made.exists()


def test_a_pickled_array_inside_the_zip_is_not_unpickled(written: Path, tmp_path: Path):
    made = tmp_path / "made"

    def change(members: dict[str, bytes]) -> None:
        buffer = io.BytesIO()
        np.save(buffer, np.asarray([_Touch(made)], object), allow_pickle=True)
        members[next(name for name in members if name.endswith(".npy"))] = buffer.getvalue()

    _is_refused(_changed(written, tmp_path / "m.skops", change), "is no array that a classifier holds")
    assert not made.exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (Path.touch, "pathlib"),
        (LogisticRegression(), "sklearn.linear_model"),
        (TfidfVectorizer(input="filename"), "sklearn.feature_extraction.text.TfidfVectorizer"),
        (np.random.RandomState(0), "numpy.random"),
        ({"a": _Touch(Path("made"))}, "_Touch"),
        ({"a": np.asarray([{}], object)}, "is no array"),
        ({1: np.zeros(2)}, "builtins.int"),
        (np.float64(3), "numpy.float64"),
        ([np.zeros(2)], "is damaged, or no classifier"),
        ({"left": np.zeros(2)}, "message.words.terms is missing"),
    ],
)
def test_a_type_that_no_classifier_needs_is_refused_though_skops_may_trust_it(
    written: Path, tmp_path: Path, content: object, named: str
):
    _is_refused(_holding(written, tmp_path / "m.skops", content), named)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schema": None}, "its schema is None, but 'convsim.classifier/1' is read"),
        ({"schema": "convsim.classifier/2"}, "its schema is 'convsim.classifier/2'"),
        ({"scikit_learn": "0.24.2"}, "was trained with scikit-learn 0.24.2, but .* is installed"),
        ({"features_version": 99}, "has features of version 99"),
        ({"version": "0" * 12}, "but says that it is 000000000000: it was changed"),
        ({"targets": []}, "convsim.json: targets"),
        ({"targets": "all\x1b[31m"}, "convsim.json: targets"),
        ({"scores": []}, "2 targets have 0 scores"),
        ({"seed": None}, "convsim.json: seed"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    written: Path, tmp_path: Path, fields: dict[str, object], said: str
):
    _is_refused(_changed(written, tmp_path / "m.skops", _with_card(**fields)), said)


def test_acts_that_the_weights_were_not_learned_for_are_refused(written: Path, tmp_path: Path):
    with zipfile.ZipFile(written) as archive:
        targets = json.loads(archive.read(CARD))["targets"]
    targets[0]["acts"] = targets[0]["acts"][:-1]
    said = "message.weights is <f8 of shape .*, not <f8 of shape"
    _is_refused(_changed(written, tmp_path / "m.skops", _with_card(targets=targets)), said)
    for acts in (["ask_item", "praise", "thank"], ["ask_item", "other", "thank"]):
        targets[0]["acts"] = acts
        said = f"'{acts[1]}' is no act that can be told"
        _is_refused(_changed(written, tmp_path / "m.skops", _with_card(targets=targets)), said)
    targets[0]["acts"] = ["ask_item", "compare", "thank"]
    said = "but says that it is .*: it was changed"
    _is_refused(_changed(written, tmp_path / "n.skops", _with_card(targets=targets)), said)


def test_values_outside_their_scale_are_refused(written: Path, tmp_path: Path):
    with zipfile.ZipFile(written) as archive:
        targets = json.loads(archive.read(CARD))["targets"]
    targets[1]["values"] = [0, 7]
    said = r"the values \[0.0, 7.0\] lie outside the scale \[0.0, 1.0\]"
    _is_refused(_changed(written, tmp_path / "m.skops", _with_card(targets=targets)), said)


def test_an_array_whose_header_claims_more_than_there_is_is_refused(written: Path, tmp_path: Path):
    def change(members: dict[str, bytes]) -> None:
        name = next(name for name in members if name.endswith(".npy") and b"'<f8'" in members[name][:128])
        members[name] = (
            members[name].replace(b"'shape': (", b"'shape': (99999", 1).replace(b"      \n", b" \n", 1)
        )

    _is_refused(_changed(written, tmp_path / "m.skops", change), "has another size than it says")


def test_weights_that_are_no_numbers_are_refused(written: Path, tmp_path: Path):
    def change(members: dict[str, bytes]) -> None:
        for name, content in members.items():
            if name.endswith(".npy") and b"'<f8'" in content[:128] and len(content) > 128:
                members[name] = content[:-8] + np.asarray([np.nan]).tobytes()

    _is_refused(_changed(written, tmp_path / "m.skops", change), "no finite number")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no classifier"),
        (b"a transcript", "is no classifier"),
        (b"PK\x03\x04 and no zip", "is damaged, or no classifier"),
    ],
)
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes, said: str):
    path = tmp_path / "m.skops"
    path.write_bytes(content)
    _is_refused(path, said)


def test_a_zip_without_a_card_or_without_content_is_refused(written: Path, tmp_path: Path):
    _is_refused(
        _changed(written, tmp_path / "a.skops", lambda members: members.pop(CARD)), "holds no convsim.json"
    )
    without = _changed(written, tmp_path / "b.skops", lambda members: members.pop("schema.json"))
    _is_refused(without, "is damaged, or no classifier")


@pytest.mark.parametrize("tree", [b"[" * 100_000, b"{}", b"[]", b"null", b'{"__loader__": []}', b"\xff"])
def test_a_tree_that_is_none_is_refused(written: Path, tmp_path: Path, tree: bytes):
    _is_refused(
        _changed(written, tmp_path / "m.skops", lambda members: members.update({"schema.json": tree})),
        "is damaged",
    )


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("convsim.annotation.classifier.file.MAX_BYTES", 1 << 20)
    path = tmp_path / "m.skops"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(2 << 20))
    _is_refused(path, "unpacks to more than a classifier holds")


def test_a_file_larger_than_any_classifier_is_refused_before_it_is_read(
    written: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("convsim.annotation.classifier.file.MAX_FILE_BYTES", 1000)
    _is_refused(written, "is larger than")


def test_no_damage_of_single_bytes_gets_through_as_another_model(written: Path, tmp_path: Path):
    """Every damaged copy is refused in one line, or still is the same classifier (where only padding was hit)."""
    data = written.read_bytes()
    version = load(written)[0].version
    draws = np.random.default_rng(0)
    path = tmp_path / "m.skops"
    n_refused = 0
    for place in draws.integers(0, len(data), 150):
        damaged = bytearray(data)
        damaged[place] ^= int(draws.integers(1, 256))
        path.write_bytes(damaged)
        try:
            found = load(path)[0].version
        except InputError as refused:
            n_refused += 1
            found = version if str(refused).isprintable() else str(refused)
        assert found == version
    assert n_refused > 75
    for length in draws.integers(0, len(data), 20):
        path.write_bytes(data[:length])
        _is_refused(path, "train it again")


def test_places_that_hold_no_file_are_named(tmp_path: Path):
    _is_refused(tmp_path / "none.skops", "cannot be read: No such file")
    _is_refused(tmp_path, "is a folder or a device; a classifier is one file that ends in .skops")


def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left(trained: Trained, tmp_path: Path):
    with pytest.raises(InputError, match=r"is written to a file that ends in \.skops"):
        save(trained, tmp_path / "acts.pkl")
    with pytest.raises(InputError, match="there is no folder"):
        save(trained, tmp_path / "none" / "acts.skops")
    (tmp_path / "taken.skops").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        save(trained, tmp_path / "taken.skops")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.skops"]


def _is_refused(path: Path, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        Classifier(path)
    assert "\n" not in str(refused.value)
    assert str(refused.value).isprintable()
