"""Metrics of somebody's own: made of functions, found by name, and failing as records."""

import asyncio
import math
import sys
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import convsim
import convsim.plugins
from convsim.errors import InputError, PluginError
from convsim.metrics import METRICS, find_metrics
from convsim.schema import Metric
from convsim.schema.conversation import Conversation


def talk(name: str, *texts: str, **more) -> Conversation:
    messages = [{"role": "user", "content": text} for text in texts]
    return Conversation.model_validate({"id": name, "messages": messages, **more})


@convsim.metric(unit="marks")
def exclamations(conversation):
    """Exclamation marks of the user.

    This is not part of the description.
    """
    return sum(message.content.count("!") for message in conversation.user_messages)


def shouts(conversation):
    return any(message.content.isupper() for message in conversation.user_messages)


TALKS = [talk("a", "Hi!", "BOOTS!!"), talk("b", "shoes"), talk("c")]


def test_a_decorated_function_is_a_metric_with_what_its_own_words_say():
    assert isinstance(exclamations, Metric)
    assert (exclamations.name, exclamations.unit, exclamations.role) == ("exclamations", "marks", "metric")
    assert exclamations.description == "Exclamation marks of the user."
    assert exclamations.source.endswith(":exclamations")


def test_it_is_measured_over_each_conversation_and_can_still_be_called_with_one():
    assert convsim.measure(TALKS, metrics=exclamations).table["exclamations"].tolist() == [3.0, 0.0, 0.0]
    assert exclamations(TALKS[0]) == 3.0


def test_the_decorator_needs_no_parentheses():
    assert convsim.metric(shouts)(TALKS[0]) == 1.0
    assert convsim.metric(shouts).name == "shouts"


def test_a_plain_function_and_a_class_are_metrics_too():
    class Longest:
        unit = "characters"

        def __call__(self, conversation):
            return max((len(message.content) for message in conversation.user_messages), default=None)

    corpus = convsim.measure(TALKS, metrics=[shouts, Longest])
    assert corpus.table["shouts"].tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_equal(corpus.table["Longest"].to_numpy(), [7.0, 5.0, math.nan])
    assert corpus.metrics["Longest"].unit == "characters"


@pytest.mark.parametrize("undefined", [None, math.nan, np.float64("nan")])
def test_none_and_nan_are_undefined(undefined):
    mine = convsim.metric(name="mine")(lambda conversation: undefined)
    assert mine(TALKS[0]) is None
    assert convsim.measure(TALKS, metrics=mine).table["mine"].isna().all()


@pytest.mark.parametrize(("value", "number"), [(True, 1.0), (np.True_, 1.0), (np.int32(3), 3.0), (2, 2.0)])
def test_yes_and_no_and_numbers_of_numpy_are_numbers(value, number):
    assert convsim.metric(name="mine")(lambda conversation: value)(TALKS[0]) == number


@pytest.mark.parametrize(
    "value",
    ["3", math.inf, -math.inf, 10**400, 10**5000, [1], {}, 1j],
    ids=["text", "inf", "-inf", "long", "longer", "list", "dict", "complex"],
)
def test_what_is_no_finite_number_is_a_failure_that_names_metric_and_conversation(value):
    corpus = convsim.measure(TALKS, metrics=convsim.metric(name="mine")(lambda conversation: value))
    assert "mine" not in corpus.table
    assert "the metric mine failed: expected a finite number" in corpus.failed["mine"]
    assert "conversation a" in corpus.failed["mine"]


async def late(conversation):
    await asyncio.sleep(0)
    return len(conversation.messages)


def test_an_async_function_is_awaited():
    corpus = convsim.measure(TALKS, metrics=late)
    assert list(corpus.table["late"]) == [len(talk.messages) for talk in TALKS]


async def test_an_async_function_is_awaited_where_a_loop_runs_already():
    assert list(convsim.measure(TALKS, metrics=late).table["late"]) == [len(talk.messages) for talk in TALKS]


def test_a_metric_of_columns_that_answers_with_another_shape_or_infinity_has_failed():
    said: dict[str, Any] = {"unit": "u", "level": "conversation", "description": "d", "source": "s"}
    short = Metric(name="short", measure=lambda columns: np.zeros(1), **said)
    endless = Metric(name="endless", measure=lambda columns: np.full(columns.n, np.inf), **said)
    corpus = convsim.measure(TALKS, metrics=[short, endless, "turns"])
    assert list(corpus.table) == ["turns"]
    assert "shape (3,)" in corpus.failed["short"]
    assert "infinity" in corpus.failed["endless"]


def broken(conversation):
    return 1 / len(conversation.messages)


def test_a_metric_that_tries_to_end_the_program_failed_and_the_others_stand():
    def ending(conversation):
        sys.exit(0)

    corpus = convsim.measure(TALKS, metrics=[ending, "turns"])
    assert list(corpus.table) == ["turns"]
    assert "it raised SystemExit: 0" in corpus.failed["ending"]


def test_a_metric_that_raises_is_a_failed_finding_and_loses_no_others_work():
    sides = [[talk(f"{s}{i}", "boots") for i in range(12)] for s in "rs"]
    sides[1].append(talk("empty\x1b[2J"))
    card = convsim.validate(*sides, seed=1, validators=["marginals"], metrics=["turns", broken])
    [failed] = [finding for finding in card.findings if finding.validator == "metrics"]
    assert failed.metric == "broken"
    assert "ZeroDivisionError" in failed.reason
    assert "at conversation empty" in failed.reason
    assert "\x1b" not in failed.reason
    assert failed.estimate is None
    assert [f.metric for f in card.findings if f.validator == "marginals"] == ["turns"]
    assert any("the metric broken failed" in warning for warning in card.warnings)


def test_a_list_is_exact_and_keeps_the_catalogues_order():
    assert list(convsim.measure(TALKS, metrics=["left", exclamations, "turns"]).table) == [
        "turns", "left", "exclamations",
    ]  # fmt: skip


@pytest.mark.parametrize("wanted", [["default", exclamations], [exclamations, "default"]])
def test_default_stands_for_the_catalogue_and_every_label(wanted):
    labelled = talk("l", "hi", labels={"satisfaction": {"value": 4, "source": "self"}})
    assert list(convsim.measure([labelled], metrics=wanted).table) == [
        *METRICS,
        "exclamations",
        "satisfaction",
    ]


def test_a_plus_puts_a_metric_beside_the_default():
    assert list(convsim.measure(TALKS, metrics="+accepts_dealbreaker").table) == [
        *METRICS,
        "accepts_dealbreaker",
    ]


def test_a_label_can_be_named():
    labelled = talk("l", "hi", labels={"satisfaction": {"value": 4, "source": "self"}})
    assert list(convsim.measure([labelled], metrics=["satisfaction"]).table) == ["satisfaction"]
    with pytest.raises(PluginError, match="'satisfaction'"):
        convsim.measure(TALKS, metrics=["satisfaction"])


@pytest.mark.parametrize("verb", ["validate", "counterfactual", "dose_response", "compare"])
def test_every_verb_takes_metrics(verb):
    def held(prefix, arm, **more):
        return [talk(f"{prefix}{arm}{i}", "boots!" * (i % 3), arm=arm, **more) for i in range(12)]

    people = [*held("r", "good"), *held("r", "bad")]
    simulated = [*held("s", "good"), *held("s", "bad", fault="rude_text", severity=1.0)]
    calls = {
        "validate": lambda m: convsim.validate(people, simulated, seed=1, validators=["marginals"], metrics=m),
        "counterfactual": lambda m: convsim.counterfactual(
            people, simulated, control="good", treatment="bad", seed=1, metrics=m
        ),
        "dose_response": lambda m: convsim.dose_response(simulated, "rude_text", seed=1, metrics=m),
        "compare": lambda m: convsim.compare(
            people, {"s": simulated}, seed=1, validators=["marginals"], metrics=m
        ).simulators[0].validation,
    }  # fmt: skip
    findings = calls[verb]([exclamations]).findings
    assert "exclamations" in {finding.metric for finding in findings}
    assert "turns" not in {finding.metric for finding in findings}


def test_a_name_that_is_none_is_refused_with_the_nearest_one():
    with pytest.raises(PluginError, match=r"'user_word_per_turn'.*did you mean user_words_per_turn"):
        convsim.measure(TALKS, metrics="user_word_per_turn")


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ([], "no metric was named"),
        ("", "no metric or label ''"),
        ("+", "no metric or label ''"),
        ([3], "3 is not a metric"),
        (["tests:nothing"], "tests has no 'nothing'"),
        ([lambda conversation: 1], "cannot be called '<lambda>'"),
        ([convsim.metric(name="turns")(shouts)], "has the name of a built-in one"),
        ([convsim.metric(name="x")(shouts), convsim.metric(name="x")(broken)], "two metrics are called x"),
        (["turns "], None),
        (["turns", "turns"], None),
    ],
)
def test_what_is_no_metric_is_refused(wanted, why):
    if why is None:
        assert list(convsim.measure(TALKS, metrics=wanted).table) == ["turns"]
    else:
        with pytest.raises(InputError, match=why):
            convsim.measure(TALKS, metrics=wanted)


@pytest.mark.parametrize(
    "settings",
    [{"unit": ""}, {"unit": 3}, {"name": ""}, {"name": "a b"}, {"name": "default"}, {"level": "day"}],
)
def test_what_is_said_of_a_metric_is_checked_where_it_is_made(settings):
    make: Any = convsim.metric
    with pytest.raises(PluginError):
        make(**settings)(shouts)
    made: Any = convsim.metric(name="x")
    with pytest.raises(PluginError, match="a function of one conversation"):
        made(3)


def test_a_label_and_a_metric_of_one_name_are_refused():
    labelled = talk("l", "hi", labels={"shouts": {"value": 4, "source": "self"}})
    with pytest.raises(InputError, match="has the name of a label"):
        convsim.measure([labelled], metrics=["default", shouts])


@pytest.fixture
def installed(monkeypatch):
    """Pretend that a package is installed which registers metrics."""
    module: Any = ModuleType("somebodys_metrics")
    module.shouts, module.turns = shouts, METRICS["left"]
    monkeypatch.setitem(sys.modules, "somebodys_metrics", module)
    true = entry_points

    def register(**entries):
        def found(*, group, name=None):
            own = [*true(group=group)]
            if group == "convsim.metrics":
                own += [EntryPoint(key, value, group) for key, value in entries.items()]
            return [entry for entry in own if name in (None, entry.name)]

        monkeypatch.setattr("convsim.plugins.entry_points", found)

    return register


def test_an_installed_metric_is_listed_and_measured_only_where_it_is_named(installed):
    installed(capitals="somebodys_metrics:shouts")
    assert "capitals" in convsim.plugins.installed("metrics")
    assert "capitals" not in convsim.measure(TALKS).table
    assert convsim.measure(TALKS, metrics="capitals").table["capitals"].tolist() == [1.0, 0.0, 0.0]


def test_a_package_that_takes_a_built_in_name_is_refused_where_the_name_is_used_and_changes_nothing_else(
    installed,
):
    installed(turns="somebodys_metrics:turns")
    assert convsim.measure(TALKS).table["turns"].tolist() == [1.0, 1.0, 0.0]
    with pytest.raises(
        PluginError, match=r"'turns' of convsim.metrics is registered twice: .*somebodys_metrics"
    ):
        find_metrics(["turns"])


def test_every_built_in_metric_is_an_entry_point_of_its_own_name():
    listed = convsim.plugins.installed("metrics")
    assert {*METRICS, "accepts_dealbreaker"} <= set(listed)
    for name in METRICS:
        assert convsim.plugins.load("metrics", name) is METRICS[name]
