"""Whether an agent, a shopper or an annotator keeps its contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from convsim._async import run_to_its_end
from convsim._text import one_line
from convsim.annotation.labels import check_annotation
from convsim.errors import ConvsimError, ModelError
from convsim.lifting import lift_agent, lift_annotator, lift_shopper
from convsim.plugins import make
from convsim.schema import AgentReply, Annotation, Annotator, UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.testing.asking import check_answers
from convsim.testing.samples import (
    PERSONA,
    SEED,
    make_or_refuse,
    name_of,
    require,
    require_text,
    sample_conversations,
)


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
    found = make_or_refuse(
        lambda: make("agents", agent) if isinstance(agent, str) else lift_agent(agent), agent
    )

    async def ask(conversation: Conversation) -> AgentReply:
        return await found.reply(conversation, seed=SEED)

    def check(place: str, conversation: Conversation, reply: object) -> None:
        require(
            isinstance(reply, AgentReply), f"{place}: answered {name_of(reply)}, which is not an AgentReply"
        )
        assert isinstance(reply, AgentReply)
        require(
            bool(reply.content.strip() or reply.items), f"{place}: answered nothing, neither text nor items"
        )

    check_answers(found.name, ask, check, sample_conversations(conversations), deterministic=deterministic)


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
    found = make_or_refuse(
        lambda: make("shoppers", shopper) if isinstance(shopper, str) else lift_shopper(shopper), shopper
    )
    learned = found.learned_from
    require(
        learned is None or isinstance(learned, LearnedFrom),
        f"{found.name}: learned_from must be None or a LearnedFrom, but is {name_of(learned)}",
    )
    before = persona.model_dump_json()

    async def ask(conversation: Conversation) -> UserMove:
        return await found.speak(conversation, persona, seed=SEED)

    def check(place: str, conversation: Conversation, move: object) -> None:
        require(isinstance(move, UserMove), f"{place}: answered {name_of(move)}, which is not a UserMove")
        assert isinstance(move, UserMove)
        there = {item.id for message in conversation.messages for item in message.items}
        strange = sorted({*move.accepted} - there)
        require(not strange, f"{place}: accepted {name_of(strange)}, which the agent has not shown")
        if not conversation.messages:
            require(
                move.action == "say" and bool(move.text.strip()),
                f"{place}: the first move must say something, but it is {move.action!r} with {name_of(move.text)}",
            )
        require(persona.model_dump_json() == before, f"{place}: it changed the persona that it was given")

    check_answers(found.name, ask, check, sample_conversations(conversations), deterministic=deterministic)


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
    found = make_or_refuse(
        lambda: make("annotators", annotator) if isinstance(annotator, str) else lift_annotator(annotator),
        annotator,
    )
    require_text(found.name, "source", found.source)

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
        require(
            isinstance(annotation, Annotation),
            f"{place}: answered {name_of(annotation)}, which is not an Annotation",
        )
        assert isinstance(annotation, Annotation)
        try:
            check_annotation(conversation, annotation, source=found.source)
        except ModelError as error:
            raise AssertionError(f"{place}: {one_line(error)}") from None

    tried = sample_conversations(conversations)
    answers = check_answers(found.name, ask, check, tried, deterministic=deterministic)
    require(
        any(annotation is not None for annotation in answers.values()),
        f"{found.name}: it could label none of the conversations",
    )
    if deterministic:
        _check_no_look_ahead(found, ask, tried, answers)


def _check_no_look_ahead(
    found: Annotator,
    ask: Callable[[Conversation], Awaitable[Annotation | None]],
    conversations: Mapping[str, Conversation],
    answers: Mapping[str, Annotation | None],
) -> None:
    """Check that what a message is labelled does not depend on what comes after it."""
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
        require(
            alone is None or alone.messages.get(first) == whole.messages.get(first),
            f"{found.name}: {place}: the labels of message {first} depend on what comes after it",
        )
