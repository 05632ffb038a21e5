"""Whether a metric or a validator keeps its contract."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import get_args

from convsim._text import one_line
from convsim.errors import ConvsimError
from convsim.evaluation import find_validators
from convsim.metrics import find_metrics, measure, measure_both
from convsim.schema import FAILING, Columns, Corpus, Finding, Metric, Validator, Verdict
from convsim.schema.conversation import Conversation
from convsim.seeds import child_seed
from convsim.testing.samples import (
    ITEMS,
    SEED,
    in_turns,
    name_of,
    reason_of,
    require,
    require_text,
    sample_conversations,
)

TOLERANCE = 1e-9


FIT_TOLERANCE = 1e-4
"""Between estimates of models that are fitted step by step, which stop a little earlier or later."""


def check_metric(metric: object, *, conversations: Iterable[Conversation] = ()) -> None:
    """Assert that a metric is one number a conversation, whatever stands beside it and whoever said it.

    Args:
        metric: A function of one conversation, what ``convsim.metric`` makes of one, a metric's name or
            ``module:thing``.
        conversations: Further conversations to try.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    try:
        chosen = find_metrics(metric)  # type: ignore[arg-type]
        [found] = chosen.further.values()
    except (ConvsimError, ValueError) as error:
        raise AssertionError(f"{name_of(metric)} is not a metric: {one_line(error)}") from None
    for field in ("name", "unit", "description", "source"):
        require_text(found.name, field, getattr(found, field))
    tried = list(sample_conversations(conversations).values())
    before = [conversation.to_json() for conversation in tried]
    values = _values(found, tried)
    require(
        [conversation.to_json() for conversation in tried] == before,
        f"{found.name}: it changed a conversation that it was given",
    )
    _require_same(found, "measured twice", values, _values(found, tried))
    _require_same(found, "in another order", values, _values(found, tried[::-1])[::-1])
    _require_same(found, "each conversation twice", values * 2, _values(found, tried * 2))
    # What stands on the words of a language is defined for a side: one conversation may be in another language.
    alone = [n for n, c in enumerate(tried) if not found.why_undefined(Columns.of([c]))]
    _require_same(
        found,
        "each conversation alone",
        [values[n] for n in alone],
        [_values(found, [tried[n]])[0] for n in alone],
    )
    renamed = [
        c.but(id=f"x{n}", simulator="somebody", shopper="somebody", source="elsewhere")
        for n, c in enumerate(tried)
    ]
    _require_same(found, "by another simulator, from another file", values, _values(found, renamed))
    _values(found, [])


def check_validator(
    validator: object,
    *,
    real: Iterable[Conversation] | None = None,
    simulated: Iterable[Conversation] | None = None,
    any_order: bool = True,
) -> None:
    """Assert that a validator says the same of the same sides, in whole findings, and decides nothing on too little.

    Args:
        validator: A function, an object with ``validate``, a class of one, a plugin's name or ``module:thing``.
        real: People's conversations that it has something to say on; by default thirty of ours.
        simulated: Simulated ones.
        any_order: Estimates are the same in any order of the conversations; False for one that deals them into folds.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    try:
        [found] = find_validators([validator])
    except ConvsimError as error:
        raise AssertionError(f"{name_of(validator)} is not a validator: {one_line(error)}") from None
    require_text("the validator", "name", found.name)
    sides = (
        list(real) if real is not None else _shoppers("people", "boots"),
        list(simulated) if simulated is not None else _shoppers("bot", "shoes", simulator="bot"),
    )
    before = [[conversation.to_json() for conversation in side] for side in sides]
    corpora = measure_both(*sides)
    tables = [corpus.table.copy() for corpus in corpora]
    findings = _findings(found, corpora, "its sides")
    require(
        [[c.to_json() for c in side] for side in sides] == before
        and all(corpus.table.equals(table) for corpus, table in zip(corpora, tables, strict=True)),
        f"{found.name}: it changed the corpora that it was given",
    )
    again = _findings(found, measure_both(*sides), "the same sides again")
    for one, other in _pairs(found, findings, again, "the same sides and seed"):
        require(one == other, f"{found.name}: {one.metric} differs between two runs of one seed")
    turned = _findings(
        found, measure_both(*(side[::-1] for side in sides)), "the same sides in another order"
    )
    for one, other in _pairs(found, findings, turned, "conversations in another order"):
        require(
            not any_order or _same(one.estimate, other.estimate, tolerance=FIT_TOLERANCE),
            f"{found.name}: the estimate of {one.metric} is {one.estimate}, and {other.estimate} with the "
            "conversations in another order",
        )
    for size in (0, 1, 2):
        for finding in _findings(
            found, measure_both(*(side[:size] for side in sides)), f"{size} conversations a side"
        ):
            require(
                finding.verdict not in {"aligned", "reacts_as_people"} | FAILING,
                f"{found.name}: with {size} conversations a side {finding.metric} is {finding.verdict!r}; too little "
                "data decides nothing: undecided",
            )
    odd = [*sample_conversations().values()]
    _findings(
        found,
        measure_both([*sides[0], *odd], [*sides[1], *(c.but(id=f"s {c.id}") for c in odd)]),
        "odd talks",
    )


def _values(metric: Metric, conversations: Sequence[Conversation]) -> list[float]:
    __tracebackhide__ = True
    corpus = measure(conversations, metrics=metric)
    require(metric.name in corpus.table, corpus.failed.get(metric.name, f"the metric {metric.name} failed"))
    return [float(value) for value in corpus.table[metric.name]]


def _require_same(metric: Metric, how: str, first: Sequence[float], second: Sequence[float]) -> None:
    __tracebackhide__ = True
    for one, other in zip(first, second, strict=True):
        require(
            _same(one, other), f"{metric.name}: {how}, a conversation's value is {other:g} and not {one:g}"
        )


def _same(one: float | None, other: float | None, *, tolerance: float = TOLERANCE) -> bool:
    if one is None or other is None:
        return one is other
    return (math.isnan(one) and math.isnan(other)) or math.isclose(
        one, other, rel_tol=tolerance, abs_tol=tolerance
    )


def _findings(validator: Validator, corpora: tuple[Corpus, Corpus], place: str) -> list[Finding]:
    """Run a validator, and check each finding by itself."""
    __tracebackhide__ = True
    real, simulated = corpora
    try:
        findings = list(validator.validate(real, simulated, seed=SEED))
    except Exception as error:  # whatever somebody else's validator raises
        raise AssertionError(f"{validator.name}: {place}: raised {reason_of(error)}") from None
    for finding in findings:
        where = f"{validator.name}: {place}"
        require(isinstance(finding, Finding), f"{where}: returned {name_of(finding)}, which is not a Finding")
        where = f"{where}: {finding.metric}"
        require(
            finding.validator == validator.name,
            f"{where}: the finding is signed {finding.validator!r} by mistake",
        )
        require(
            finding.seed == SEED, f"{where}: the finding's seed is {finding.seed}, but it was given {SEED}"
        )
        require_text(where, "reason", finding.reason)
        require(finding.verdict in get_args(Verdict), f"{where}: no verdict is called {finding.verdict!r}")
        for side, n, most in (
            ("real", finding.n_real, len(real)),
            ("simulated", finding.n_simulated, len(simulated)),
        ):
            require(n <= most, f"{where}: n_{side} is {n}, but there are {most} conversations")
        require(
            Finding.model_validate_json(finding.model_dump_json()) == finding,
            f"{where}: written as JSON and read back, it is another finding",
        )
    return findings


def _pairs(
    validator: Validator, first: Sequence[Finding], second: Sequence[Finding], how: str
) -> list[tuple[Finding, Finding]]:
    __tracebackhide__ = True
    metrics = [[finding.metric for finding in findings] for findings in (first, second)]
    require(metrics[0] == metrics[1], f"{validator.name}: with {how} it finds something on other metrics")
    return list(zip(first, second, strict=True))


def _shoppers(prefix: str, thing: str, *, n: int = 30, simulator: str | None = None) -> list[Conversation]:
    """Make conversations of two arms whose length and words vary."""
    made = []
    for number in range(n):
        turns = 1 + child_seed(SEED, prefix, number) % 4
        said = [f"{thing} {number} number {turn}{'!' * (number % 3)}" for turn in range(2 * turns)]
        made.append(
            Conversation(
                id=f"{prefix}-{number}",
                user=f"{prefix}-{number}",
                task="footwear",
                arm="bad" if number % 2 else "good",
                simulator=simulator,
                messages=in_turns(*said, items=ITEMS),
                ending="left" if number % 3 else "accepted",
            )
        )
    return made
