"""People of several times: what changed, when, and what cannot be told."""

import json

import numpy as np
import pytest

import convsim
from convsim.errors import InputError
from convsim.evaluation.drifting.periods import read_date
from convsim.report.drift import drift_to_markdown
from convsim.schema.conversation import Conversation, Message

WORDS = ("a", "warm", "coat", "boots", "red", "blue", "want", "some", "cheap", "for", "winter", "shoes")


def people(
    n: int = 90, *, months: int = 3, changed: bool = False, dated: bool = True, seed: int = 2
) -> list[Conversation]:
    """Users of several months, who in the last of them say please and thank you, if so."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        month = 1 + i * months // n
        polite = " please thank you" if changed and month == months else ""
        said = [" ".join(rng.choice(WORDS, rng.integers(3, 8))) + polite for _ in range(rng.integers(2, 5))]
        messages = tuple(
            Message(role=role, content=content)
            for text in said
            for role, content in (("user", text), ("assistant", "Ok."))
        )
        when = {"date": f"2026-{month:02d}-{1 + i % 28:02d}T09:00:00"} if dated else {}
        made.append(Conversation(id=f"c{i}", user=f"u{i}", messages=messages, metadata=when))
    return made


def judged(*files, **settings):
    return convsim.drift(files, seed=1, validators="marginals", **settings)


def test_a_month_that_differs_is_named_with_the_day_of_the_change():
    found = judged(people(changed=True))
    assert found.verdict == "different"
    assert [(period.name, period.verdict) for period in found.periods][1] == ("2026-03", "different")
    assert found.periods[0].verdict != "different"
    first = found.changes[0]
    assert first.metric in ("user_please", "user_thanks")
    assert first.at.startswith("2026-03")
    assert first.before == 0 < first.after
    assert "2026-03" in found.reason


def test_months_that_do_not_differ_seldom_show_a_drift():
    found = [judged(people(240, seed=seed)) for seed in range(10, 20)]
    assert {each.n_families for each in found} == {3}
    assert sum(each.verdict == "different" for each in found) <= 2


def test_files_are_periods_in_their_order_and_without_dates_nothing_is_summed_up():
    old, new = people(60, dated=False), people(60, changed=True, months=1, dated=False)
    found = judged(old, new)
    assert (found.by, found.reference, [p.name for p in found.periods]) == ("file", "file 1", ["file 2"])
    assert found.verdict == "different"
    assert not found.changes
    assert any("no conversation states when" in warning for warning in found.warnings)


def test_a_field_of_the_logs_may_tell_periods():
    old = [
        c.model_copy(update={"metadata": {**c.metadata, "release": 1 + (n >= 45)}})
        for n, c in enumerate(people())
    ]
    assert [period.name for period in judged(old, by="release").periods] == ["2"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"by": "year"}, "two or more periods"),
        ({"by": "nothing"}, "found none"),
        ({"date": "when"}, "no conversation states a date there"),
        ({"by": "file"}, "two or more periods"),
    ],
)
def test_what_cannot_be_told_is_one_line(asked, says):
    with pytest.raises(InputError, match=says) as error:
        judged(people(), **asked)
    assert "\n" not in str(error.value)


def test_periods_of_few_users_are_left_out_and_said():
    few = [c for n, c in enumerate(people(120, months=4)) if n < 95]
    found = judged(few)
    assert found.left_out == {"2026-04": 5}
    assert any("2026-04 has 5" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2026-03-04", "2026-03-04"), ("2026-03-04T23:00:00-05:00", "2026-03-05"),
        ("2026-03-04T10:00:00Z", "2026-03-04"), (1772582400, "2026-03-04"), (1772582400000, "2026-03-04"),
        ("yesterday", None), (True, None), (None, None), (1e300, None), (float("nan"), None), ("", None), ([], None),
    ],
)  # fmt: skip
def test_dates_are_read_as_they_are_usually_written(said, day):
    found = read_date(said)
    assert (found.date().isoformat() if found else None) == day


def test_the_document_is_json_and_the_page_escapes_names():
    hostile = [
        c.model_copy(update={"metadata": {**c.metadata, "release": "<b>|x" if n < 45 else "a\x1b[31m"}})
        for n, c in enumerate(people())
    ]
    found = judged(hostile, by="release")
    assert json.loads(found.to_json())["schema"] == "convsim.drift/1"
    page = drift_to_markdown(found)
    assert "<b>" not in page
    assert "\x1b" not in page + str(found)


def test_another_mix_of_tasks_is_said_in_words_of_people():
    tasks = [
        c.model_copy(update={"task": "gift" if n < 45 or n % 3 else "trip"}) for n, c in enumerate(people())
    ]
    found = judged(tasks)
    said = [warning for period in found.periods for warning in period.warnings]
    assert said == [
        "the mix of tasks is another one, which counts as a difference; --task compares one of them"
    ]
    assert "simulated" not in str(found).split("Periods")[0]


def breaks(real, simulated):
    raise RuntimeError("out of order")


def test_a_validator_that_fails_is_told_and_nothing_is_alike():
    found = convsim.drift([people()], seed=1, validators=["marginals", breaks])
    assert {period.verdict for period in found.periods} <= {"undecided", "different"}
    assert len(found.failed) == 2
    assert "out of order" in found.failed[0]
    assert "out of order" in str(found)
