"""Whether somebody's plugin keeps to its contract: checks to run in a test of theirs, one a kind of plugin.

>>> from convsim.testing import check_agent, check_metric
>>> check_agent(my_agent)                        # doctest: +SKIP
>>> check_metric("my_package.metrics:emoji")     # doctest: +SKIP

Each raises AssertionError with one line that says what broke the contract, and where.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar, get_args

from convsim._async import run_to_its_end
from convsim._text import one_line
from convsim.agents import degrade
from convsim.agents.faults import FaultLike
from convsim.annotation.labels import check_annotation
from convsim.errors import ConvsimError, InputError, ModelError, PluginError
from convsim.evaluation import find_validators
from convsim.io import READERS, ForeignReader, find_foreign, read
from convsim.io.registry import HEAD_BYTES
from convsim.lifting import lift_agent, lift_annotator, lift_shopper
from convsim.metrics import find_metrics, measure, measure_both
from convsim.plugins import make
from convsim.schema import (
    FAILING,
    AgentReply,
    Annotation,
    Annotator,
    Corpus,
    Finding,
    Metric,
    UserMove,
    Validator,
    Verdict,
)
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Item, LearnedFrom, Message
from convsim.schema.persona import Persona
from convsim.seeds import child_seed

T = TypeVar("T")
SEED = 7
TOLERANCE = 1e-9
SEVERITIES = (0.0, 0.3, 0.6, 1.0)
FIT_TOLERANCE = 1e-4
"""Between estimates of models that are fitted step by step, which stop a little earlier or later."""
SPENT = {"usage"}
"""What may differ between two answers to the same question: time passes."""


def _said(*texts: str, first: str = "user", items: Sequence[Item] = ()) -> tuple[Message, ...]:
    """Take turns, and show ``items`` with each answer."""
    roles = ("user", "assistant") if first == "user" else ("assistant", "user")
    return tuple(
        Message.model_validate(
            {"role": roles[n % 2], "content": text, "items": items if roles[n % 2] == "assistant" else ()}
        )
        for n, text in enumerate(texts)
    )


ITEMS = tuple(
    Item(id=f"b{n}", title=f"Alder boots {n}", price=40.0 + n, attributes={"color": "red"}) for n in range(3)
)
HOSTILE = (
    "{{ 7 * 7 }} {title} {% raw %} \x1b[2J \x00 [1] \u202e <b>&amp;" + "(" * 500 + "a" * 3_000 + "$" * 3_000
)
PERSONA = Persona(id="somebody", task="footwear", need="red boots under $80 for the rain")


def _odd(**messages: tuple[Message, ...]) -> dict[str, Conversation]:
    return {
        name.replace("_", " "): Conversation(id=name, task="footwear", messages=said)
        for name, said in messages.items()
    }


ODD: Mapping[str, Conversation] = _odd(
    no_message=(),
    one_message=_said("red boots please"),
    an_empty_message=_said(""),
    white_space=_said(" \n\t "),
    items_shown=_said(
        "red boots", "How about these?", "thanks! are they waterproof?", "They are.", items=ITEMS
    ),
    several_user_messages_in_a_row=tuple(Message(role="user", content=text) for text in ("hi", "", "boots")),
    the_agent_speaks_first=_said("Hello!", "boots", first="assistant"),
    other_roles=(Message(role="system", content="x"), Message(role="tool", content="{}"), *_said("hi")),
    other_scripts=_said("赤いブーツ、お願いします", "これはいかがですか", "أحذية حمراء من فضلك 👢"),
    hostile_text=_said(HOSTILE, HOSTILE, HOSTILE),
    two_hundred_messages=_said(*(f"boots {n} under ${n}" for n in range(200))),
)
"""Conversations that every plugin must bear, by what is odd about them."""


def check_agent(
    agent: object, *, conversations: Iterable[Conversation] = (), deterministic: bool = True
) -> None:
    """Assert that an agent answers any conversation, from the conversation and the seed alone.

    Args:
        agent: A function, an object with ``reply``, a class of one, a plugin's name or ``module:thing``.
        conversations: Further conversations to try, such as some of your shop.
        deterministic: The same seed gives the same answer; False for a model behind a server that knows no seeds.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    found = _made(lambda: make("agents", agent) if isinstance(agent, str) else lift_agent(agent), agent)

    async def ask(conversation: Conversation) -> AgentReply:
        return await found.reply(conversation, seed=SEED)

    def check(place: str, conversation: Conversation, reply: object) -> None:
        _require(isinstance(reply, AgentReply), f"{place}: answered {_shown(reply)}, which is no AgentReply")
        assert isinstance(reply, AgentReply)
        _require(
            bool(reply.content.strip() or reply.items), f"{place}: answered nothing, neither words nor items"
        )

    _check_answers(found.name, ask, check, _tried(conversations), deterministic=deterministic)


def check_shopper(
    shopper: object,
    *,
    persona: Persona = PERSONA,
    conversations: Iterable[Conversation] = (),
    deterministic: bool = True,
) -> None:
    """Assert that a shopper makes a typed move anywhere, from the conversation, the persona and the seed alone.

    Args:
        shopper: A function, an object with ``speak``, a class of one, a plugin's name or ``module:thing``.
        persona: Whose move it makes.
        conversations: Further conversations to try.
        deterministic: The same seed gives the same move; False for a model behind a server that knows no seeds.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    found = _made(
        lambda: make("shoppers", shopper) if isinstance(shopper, str) else lift_shopper(shopper), shopper
    )
    learned = found.learned_from
    _require(
        learned is None or isinstance(learned, LearnedFrom),
        f"{found.name}: learned_from must be None or a LearnedFrom, but is {_shown(learned)}",
    )
    before = persona.model_dump_json()

    async def ask(conversation: Conversation) -> UserMove:
        return await found.speak(conversation, persona, seed=SEED)

    def check(place: str, conversation: Conversation, move: object) -> None:
        _require(isinstance(move, UserMove), f"{place}: answered {_shown(move)}, which is no UserMove")
        assert isinstance(move, UserMove)
        there = {item.id for message in conversation.messages for item in message.items}
        strange = sorted({*move.accepted} - there)
        _require(not strange, f"{place}: accepted {_shown(strange)}, which the agent has not shown")
        if not conversation.messages:
            _require(
                move.action == "say" and bool(move.text.strip()),
                f"{place}: the first move must say something, but it is {move.action!r} with {_shown(move.text)}",
            )
        _require(persona.model_dump_json() == before, f"{place}: it changed the persona that it was given")

    _check_answers(found.name, ask, check, _tried(conversations), deterministic=deterministic)


def check_annotator(
    annotator: object, *, conversations: Iterable[Conversation] = (), deterministic: bool = True
) -> None:
    """Assert that an annotator labels the user's messages under its own name, each from what came before it alone.

    Args:
        annotator: A function, an object with ``annotate``, a class of one, a plugin's name or ``module:thing``.
        conversations: Further conversations to try.
        deterministic: The same conversation gets the same labels.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    found = _made(
        lambda: make("annotators", annotator) if isinstance(annotator, str) else lift_annotator(annotator),
        annotator,
    )
    _require_text(found.name, "source", found.source)

    async def ask(conversation: Conversation) -> Annotation | None:
        try:
            return await found.annotate(conversation)
        except ModelError as error:
            if isinstance(error.__cause__, ConvsimError | None):  # it could not tell, and said so
                return None
            raise

    def check(place: str, conversation: Conversation, annotation: object) -> None:
        if annotation is None:
            return
        _require(
            isinstance(annotation, Annotation),
            f"{place}: answered {_shown(annotation)}, which is no Annotation",
        )
        assert isinstance(annotation, Annotation)
        try:
            check_annotation(conversation, annotation, source=found.source)
        except ModelError as error:
            raise AssertionError(f"{place}: {one_line(error)}") from None

    tried = _tried(conversations)
    answers = _check_answers(found.name, ask, check, tried, deterministic=deterministic)
    _require(
        any(annotation is not None for annotation in answers.values()),
        f"{found.name}: it could label none of the conversations",
    )
    if deterministic:
        _check_no_look_ahead(found, ask, tried, answers)


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
        raise AssertionError(f"{_shown(metric)} is no metric: {one_line(error)}") from None
    for field in ("name", "unit", "description", "source"):
        _require_text(found.name, field, getattr(found, field))
    tried = list(_tried(conversations).values())
    before = [conversation.to_json() for conversation in tried]
    values = _values(found, tried)
    _require(
        [conversation.to_json() for conversation in tried] == before,
        f"{found.name}: it changed a conversation that it was given",
    )
    _require_same(found, "measured twice", values, _values(found, tried))
    _require_same(found, "in another order", values, _values(found, tried[::-1])[::-1])
    _require_same(found, "each conversation twice", values * 2, _values(found, tried * 2))
    _require_same(found, "each conversation alone", values, [_values(found, [c])[0] for c in tried])
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
        raise AssertionError(f"{_shown(validator)} is no validator: {one_line(error)}") from None
    _require_text("the validator", "name", found.name)
    sides = (
        list(real) if real is not None else _shoppers("people", "boots"),
        list(simulated) if simulated is not None else _shoppers("bot", "shoes", simulator="bot"),
    )
    before = [[conversation.to_json() for conversation in side] for side in sides]
    corpora = measure_both(*sides)
    tables = [corpus.table.copy() for corpus in corpora]
    findings = _findings(found, corpora, "its sides")
    _require(
        [[c.to_json() for c in side] for side in sides] == before
        and all(corpus.table.equals(table) for corpus, table in zip(corpora, tables, strict=True)),
        f"{found.name}: it changed the corpora that it was given",
    )
    again = _findings(found, measure_both(*sides), "the same sides again")
    for one, other in _pairs(found, findings, again, "the same sides and seed"):
        _require(one == other, f"{found.name}: {one.metric} differs between two runs of one seed")
    turned = _findings(
        found, measure_both(*(side[::-1] for side in sides)), "the same sides in another order"
    )
    for one, other in _pairs(found, findings, turned, "conversations in another order"):
        _require(
            not any_order or _same(one.estimate, other.estimate, tolerance=FIT_TOLERANCE),
            f"{found.name}: the estimate of {one.metric} is {one.estimate}, and {other.estimate} with the "
            "conversations in another order",
        )
    for size in (0, 1, 2):
        for finding in _findings(
            found, measure_both(*(side[:size] for side in sides)), f"{size} conversations a side"
        ):
            _require(
                finding.verdict not in {"aligned", "reacts_as_people"} | FAILING,
                f"{found.name}: with {size} conversations a side {finding.metric} is {finding.verdict!r}; too little "
                "data decides nothing: undecided",
            )
    odd = [*_tried().values()]
    _findings(
        found,
        measure_both([*sides[0], *odd], [*sides[1], *(c.but(id=f"s {c.id}") for c in odd)]),
        "odd talks",
    )


def check_reader(reader: object, path: Path | str) -> None:
    """Assert that a reader reads a file of its format, complains of a damaged one, and claims no other.

    Args:
        reader: A function of a path, an object with ``read``, a class of one, a reader's name or ``module:thing``.
        path: A small file, or folder, of its format.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    path = Path(path)
    try:
        before = find_foreign(_echo).read(path, skip_bad=False).sha256
        first, again = (read(path, reader=reader) for _ in range(2))  # type: ignore[arg-type]
    except ConvsimError as error:
        raise AssertionError(f"{_shown(reader)}: {one_line(error)}") from None
    name = first.format
    _require(
        [c.to_json() for c in first.conversations] == [c.to_json() for c in again.conversations],
        f"{name}: it reads {path} otherwise when it reads it again",
    )
    _require(
        find_foreign(_echo).read(path, skip_bad=False).sha256 == before,
        f"{name}: it changed {path} while reading it",
    )
    with TemporaryDirectory() as folder:
        _check_damage(reader, name, path, Path(folder))
        if name not in READERS:
            _check_claims(find_foreign(reader), path, Path(folder))


def _echo(path: Path) -> list[Conversation]:
    return [ODD["one message"]]


def _check_damage(reader: object, name: str, path: Path, folder: Path) -> None:
    """Check that what cannot be read is an error of convsim's, never half of the conversations in silence."""
    __tracebackhide__ = True
    target = folder / path.name
    wrong = {"a missing file": None, "an empty file": b"", "noise": bytes(range(256)) * 8}
    for what, content in wrong.items():
        target.unlink(missing_ok=True)
        if content is not None:
            target.write_bytes(content)
        try:
            read(target, reader=reader)  # type: ignore[arg-type]
        except InputError:
            continue
        except Exception as error:  # whatever somebody else's reader raises
            raise AssertionError(f"{name}: {what}: raised {_reason(error)}, and no InputError") from None
        raise AssertionError(f"{name}: {what}: was read as if it were whole")
    target.unlink(missing_ok=True)


def _check_claims(found: ForeignReader, path: Path, folder: Path) -> None:
    """Check that it recognises its own file and none of ours, if it recognises any."""
    __tracebackhide__ = True
    if found.recognising is None:
        return
    ours = folder / "ours.jsonl"
    ours.write_text("".join(f"{c.to_json()}\n" for c in ODD.values()), encoding="utf-8")
    others = {
        "convsim's own JSONL": (ours, ours.read_bytes()[:HEAD_BYTES]),
        "an empty file": (folder / "empty", b""),
        "noise": (folder / "noise", bytes(range(256)) * 8),
    }
    head = path.read_bytes()[:HEAD_BYTES] if path.is_file() else b""
    try:
        _require(found.recognises(path, head), f"{found.name}: it does not recognise {path}")
        for what, (other, start) in others.items():
            _require(
                not found.recognises(other, start),
                f"{found.name}: it recognises {what}, which is not its own",
            )
    except PluginError as error:
        raise AssertionError(one_line(error)) from None


class _Shopkeeper:
    """An agent to degrade: it repeats what it heard, and shows items."""

    def __init__(self, items: tuple[Item, ...]):
        self.name, self.items = "shopkeeper", items

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        heard = " | ".join(message.content for message in conversation.user_messages)
        return AgentReply(content=f"I heard: {heard[:2_000]}. How about these boots?", items=self.items)


def check_fault(
    fault: FaultLike, *, conversations: Iterable[Conversation] = (), catalogue: Catalogue | None = None
) -> None:
    """Assert that a fault is recorded, leaves the agent alone at severity 0, and hits more the greater the severity.

    Args:
        fault: A function of a reply, what ``convsim.fault`` makes of one, a fault's name or ``module:thing``.
        conversations: Further conversations to try; it must have something to degrade in one.
        catalogue: What the agent sells, for a fault that needs to know.

    Raises:
        AssertionError: It broke the contract.
    """
    __tracebackhide__ = True
    agent = _Shopkeeper(tuple(item.to_shown() for item in catalogue.items[:3]) if catalogue else ITEMS)
    try:
        degraded = {severity: degrade(agent, fault, severity, catalogue=catalogue) for severity in SEVERITIES}
    except ConvsimError as error:
        raise AssertionError(f"{_shown(fault)} is no fault: {one_line(error)}") from None
    acted = False
    name = "".join(degraded[1.0].faults)

    def reply(place: str, conversation: Conversation, severity: float, seed: int = SEED) -> AgentReply:
        before = conversation.to_json()
        try:
            answered = run_to_its_end(lambda: degraded[severity].reply(conversation, seed=seed))
        except Exception as error:  # whatever somebody else's fault raises
            raise AssertionError(f"{name}: {place}: {_reason(error)}") from None
        _require(conversation.to_json() == before, f"{name}: {place}: it changed the conversation")
        return answered

    for place, conversation in _tried(conversations).items():
        bare = run_to_its_end(lambda talk=conversation: agent.reply(talk, seed=SEED))  # type: ignore[misc]
        alone, whole = reply(place, conversation, 0.0), reply(place, conversation, 1.0)
        _require(alone == bare, f"{name}: {place}: at severity 0 it is not the agent alone")
        _require(
            whole == reply(place, conversation, 1.0),
            f"{name}: {place}: another reply to the same conversation and seed",
        )
        _require(len(whole.faults) == 1, f"{name}: {place}: it is not recorded once on the reply")
        [record] = whole.faults
        _require(
            record.acted or whole.but(faults=()) == bare,
            f"{name}: {place}: it is recorded as not having acted, but the reply is another",
        )
        acted = acted or record.acted
        for seed in range(4) if record.acted else ():
            hit = [any(f.acted for f in reply(place, conversation, s, seed).faults) for s in SEVERITIES]
            _require(hit == sorted(hit), f"{name}: {place}: it acts at a severity and not at a greater one")
    _require(acted, f"{name}: it acted on none of the replies, not even at severity 1")


def _made(make: Callable[[], T], thing: object) -> T:
    """Make what is to be checked, as convsim makes it elsewhere."""
    try:
        return make()
    except Exception as error:  # somebody else's class
        raise AssertionError(f"{_shown(thing)} cannot be used: {_reason(error)}") from None


def _tried(further: Iterable[Conversation] = ()) -> dict[str, Conversation]:
    """Return copies of all, so that a plugin which changes what it is given spoils nobody else's check."""
    everything = {**ODD, **{f"conversation {conversation.id}": conversation for conversation in further}}
    return {place: conversation.model_copy(deep=True) for place, conversation in everything.items()}


def _check_answers(
    name: str,
    ask: Callable[[Conversation], Awaitable[T]],
    check: Callable[[str, Conversation, T], None],
    conversations: Mapping[str, Conversation],
    *,
    deterministic: bool,
) -> dict[str, T]:
    """Ask for each conversation: one after another, again in another order, and all at once."""
    __tracebackhide__ = True
    answers: dict[str, T] = {}

    def asked(place: str) -> T:
        conversation = conversations[place]
        before = conversation.to_json()

        async def answer() -> T:
            return await ask(conversation)

        try:
            answered = run_to_its_end(answer)
        except Exception as error:  # whatever somebody else's plugin raises
            raise AssertionError(f"{name}: {place}: raised {_reason(error)}") from None
        _require(
            conversation.to_json() == before,
            f"{name}: {place}: it changed the conversation that it was given",
        )
        return answered

    for place, conversation in conversations.items():
        answers[place] = asked(place)
        check(f"{name}: {place}", conversation, answers[place])
    if not deterministic:
        return answers
    for place in list(conversations)[::-1]:
        _require(
            _plain(asked(place)) == _plain(answers[place]),
            f"{name}: {place}: another answer to the same conversation and seed, after other conversations",
        )

    async def together() -> list[T]:
        return list(await asyncio.gather(*map(ask, conversations.values())))

    try:
        at_once = run_to_its_end(together)
    except Exception as error:
        raise AssertionError(
            f"{name}: asked about several conversations at once, it raised {_reason(error)}"
        ) from None
    for place, answer in zip(conversations, at_once, strict=True):
        _require(
            _plain(answer) == _plain(answers[place]),
            f"{name}: {place}: another answer when several conversations are asked about at once",
        )
    return answers


def _check_no_look_ahead(
    found: Annotator,
    ask: Callable[[Conversation], Awaitable[Annotation | None]],
    conversations: Mapping[str, Conversation],
    answers: Mapping[str, Annotation | None],
) -> None:
    """Check that what a message is labelled does not hang on what comes after it."""
    __tracebackhide__ = True
    for place, conversation in conversations.items():
        whole = answers[place]
        users = [n for n, message in enumerate(conversation.messages) if message.role == "user"]
        if whole is None or len(users) < 2:
            continue
        first = users[0]
        start = conversation.but(messages=conversation.messages[: first + 1])

        async def cut(start: Conversation = start) -> Annotation | None:
            return await ask(start)

        alone = run_to_its_end(cut)
        _require(
            alone is None or alone.messages.get(first) == whole.messages.get(first),
            f"{found.name}: {place}: the labels of message {first} hang on what comes after it",
        )


def _values(metric: Metric, conversations: Sequence[Conversation]) -> list[float]:
    __tracebackhide__ = True
    corpus = measure(conversations, metrics=metric)
    _require(metric.name in corpus.table, corpus.failed.get(metric.name, f"the metric {metric.name} failed"))
    return [float(value) for value in corpus.table[metric.name]]


def _require_same(metric: Metric, how: str, first: Sequence[float], second: Sequence[float]) -> None:
    __tracebackhide__ = True
    for one, other in zip(first, second, strict=True):
        _require(
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
        raise AssertionError(f"{validator.name}: {place}: raised {_reason(error)}") from None
    for finding in findings:
        where = f"{validator.name}: {place}"
        _require(isinstance(finding, Finding), f"{where}: returned {_shown(finding)}, which is no Finding")
        where = f"{where}: {finding.metric}"
        _require(
            finding.validator == validator.name,
            f"{where}: the finding is signed {finding.validator!r} by mistake",
        )
        _require(
            finding.seed == SEED, f"{where}: the finding's seed is {finding.seed}, but it was given {SEED}"
        )
        _require_text(where, "reason", finding.reason)
        _require(finding.verdict in get_args(Verdict), f"{where}: no verdict is called {finding.verdict!r}")
        for side, n, most in (
            ("real", finding.n_real, len(real)),
            ("simulated", finding.n_simulated, len(simulated)),
        ):
            _require(n <= most, f"{where}: n_{side} is {n}, but there are {most} conversations")
        _require(
            Finding.model_validate_json(finding.model_dump_json()) == finding,
            f"{where}: written as JSON and read back, it is another finding",
        )
    return findings


def _pairs(
    validator: Validator, first: Sequence[Finding], second: Sequence[Finding], how: str
) -> list[tuple[Finding, Finding]]:
    __tracebackhide__ = True
    metrics = [[finding.metric for finding in findings] for findings in (first, second)]
    _require(metrics[0] == metrics[1], f"{validator.name}: with {how} it finds something on other metrics")
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
                messages=_said(*said, items=ITEMS),
                ending="left" if number % 3 else "accepted",
            )
        )
    return made


def _plain(answer: object) -> object:
    dump = getattr(answer, "model_dump", None)
    return dump(mode="json", exclude=SPENT) if callable(dump) else answer


def _require(holds: bool, otherwise: str) -> None:
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(otherwise)


def _require_text(whose: str, field: str, value: object) -> None:
    __tracebackhide__ = True
    _require(
        isinstance(value, str) and bool(value.strip()),
        f"{whose}: {field} must be a text, but is {_shown(value)}",
    )


def _shown(value: object) -> str:
    return one_line(getattr(value, "__qualname__", None) or repr(value))


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error)}"
