"""The verbs take one another's results, in every spelling, and refuse what is none with one line."""

from typing import Any

import pytest

import convsim
from convsim.errors import InputError, PluginError
from convsim.evaluation import find_validators
from convsim_validators import Marginals
from tests.end_to_end.validating import CLOSE, NAIVE

QUICK: dict[str, Any] = {
    "seed": 1,
    "validators": [Marginals(n_resamples=49)],
    "metrics": ["turns", "user_words_per_turn"],
}


class Needy:
    name = "needy"

    def __init__(self, what):
        self.what = what

    def validate(self, real, simulated, *, seed):
        return []


@pytest.fixture(scope="module")
def read():
    return convsim.read(NAIVE)


def test_what_read_returns_is_a_sequence_of_conversations(read):
    assert len(read) == 300 == len(list(read))
    assert read[0] is read.conversations[0]
    assert read[-2:] == read.conversations[-2:]
    assert read[7] in read
    assert next(reversed(read)) is read[-1]


@pytest.mark.parametrize("given", ["path", "text", "read", "list", "iterator", "folder"])
def test_measure_takes_whatever_holds_conversations(given, read, tmp_path):
    (tmp_path / "conversations.jsonl").write_bytes(NAIVE.read_bytes())
    sources = {
        "path": NAIVE, "text": str(NAIVE), "read": read, "list": list(read), "iterator": iter(read), "folder": tmp_path,
    }  # fmt: skip
    measured = convsim.measure(sources[given], metrics=["turns"])
    assert measured.table.equals(convsim.measure(read.conversations, metrics=["turns"]).table)


def test_validate_finds_the_same_in_every_spelling_of_its_sides(read):
    close = convsim.read(CLOSE)
    expected = convsim.validate(CLOSE, NAIVE, **QUICK).findings
    for real, simulated in ((close, read), (list(close), iter(read)), (str(CLOSE), read.conversations)):
        assert convsim.validate(real, simulated, **QUICK).findings == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "but got 3"),
        (None, "but got None"),
        ([1], "but item 0 is 1"),
        (["a.jsonl"], "but item 0 is 'a.jsonl'"),
        ({"a": 1}, "but item 0 is 'a'"),
    ],
)
def test_what_holds_no_conversations_is_refused_in_one_line(given, said):
    for verb in (convsim.measure, lambda source: convsim.validate(CLOSE, source, seed=1)):
        with pytest.raises(InputError) as raised:
            verb(given)
        assert str(raised.value).startswith("expected a path, what convsim.read returned, or conversations, ")
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_single_conversation_is_refused_and_told_to_go_into_a_list(read):
    with pytest.raises(InputError, match="a single conversation; put it in a list"):
        convsim.measure(read[0])


def names(wanted):
    return [validator.name for validator in find_validators(wanted)]


def test_validators_are_named_alone_with_commas_as_classes_and_as_instances():
    assert (
        names("marginals") == names(["marginals"]) == names(Marginals) == names([Marginals]) == ["marginals"]
    )
    assert (
        names("marginals, humanlikeness")
        == names(("marginals", "humanlikeness"))
        == ["marginals", "humanlikeness"]
    )
    assert names(Marginals(margin=0.2)) == ["marginals"]
    assert find_validators([Marginals])[0] == Marginals()
    assert "marginals" in names(None)


@pytest.mark.parametrize("nothing", [[], (), "", " , ", iter(())])
def test_naming_no_validator_is_an_error_and_no_empty_scorecard(nothing):
    with pytest.raises(InputError, match=r"no validator is named; installed: .*marginals"):
        convsim.validate(CLOSE, NAIVE, seed=1, validators=nothing)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("marginal", r"no convsim.validators plugin 'marginal'; installed: .*; did you mean 'marginals'\?"),
        (["marginals", "humanlikenes"], r"did you mean 'humanlikeness'\?"),
        (3, "3 is not a function and has no .validate."),
        ([int], "0 is not a function and has no .validate."),
        (Needy, "Needy cannot be created without arguments: TypeError"),
    ],
)
def test_what_is_no_validator_is_refused_with_the_nearest_that_is(wanted, said):
    with pytest.raises(PluginError, match=said):
        convsim.validate(CLOSE, NAIVE, seed=1, validators=wanted)


def test_a_reader_is_named_by_the_nearest_spelling():
    with pytest.raises(InputError, match=r"there is no reader 'opnai'; did you mean openai"):
        convsim.read(NAIVE, reader="opnai")
