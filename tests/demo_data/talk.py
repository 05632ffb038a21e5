"""One stand-in conversation: a shopper and a recommender take turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim.schema.conversation import Ending
from tests.demo_data.draws import Draws
from tests.demo_data.grammar import PhraseBook
from tests.demo_data.need import Need
from tests.demo_data.population import Population
from tests.demo_data.recommender import Arm, Recommender, Reply
from tests.demo_data.shopper import Move, StandInShopper
from tests.demo_data.stock import CATEGORIES, Stock
from tests.demo_data.typist import Keys, Typist

ONE_BAD_IN = 5


@dataclass(frozen=True)
class Exchange:
    """A move and its reply; ``annoyance`` is the shopper's mood after it, from 0 to 2."""

    move: Move
    reply: Reply
    annoyance: float


@dataclass(frozen=True)
class Talk:
    """A conversation before it takes the form of a file."""

    task: str
    arm: Arm
    exchanges: tuple[Exchange, ...]
    ending: Ending


def hold_talks(name: str, count: int, stock: Sequence[Stock], *, seed: int) -> list[Talk]:
    """Hold ``count`` conversations of the population ``name``: tasks in turn, one in five in the bad arm."""
    population = Population.read(name)
    book, agent_book, keys = PhraseBook.read(population.phrases), PhraseBook.read("agent"), Keys.read()
    talks = []
    for number in range(count):
        task = CATEGORIES[number % len(CATEGORIES)]
        arm: Arm = "bad" if number // len(CATEGORIES) % ONE_BAD_IN == ONE_BAD_IN - 1 else "good"
        draws = Draws(seed, name, number, "shopper")
        need = Need.draw([each for each in stock if each.garment.category == task], draws)
        typist = Typist(population.typing, keys, draws)
        shopper = StandInShopper(population, book, need, typist=typist, draws=draws)
        recommender = Recommender(stock, agent_book, arm, Draws(seed, name, number, "recommender"))
        exchanges, ending = _talk(shopper, recommender)
        talks.append(Talk(task, arm, exchanges, ending))
    return Draws(seed, name, "order").some(talks, count)


def _talk(shopper: StandInShopper, recommender: Recommender) -> tuple[tuple[Exchange, ...], Ending]:
    exchanges: list[Exchange] = []
    move: Move | None = shopper.open()
    while move is not None:
        if move.action == "say" or move.about is None:
            reply = recommender.reply(shopper.need, move.rule, move.about)
            following = shopper.respond(reply)
            exchanges.append(Exchange(move, reply, shopper.annoyance))
            move = following
        else:
            ending: Ending = "accepted" if move.action == "accept" else "left"
            reply = recommender.close(ending, move.about, shopper.need)
            exchanges.append(Exchange(move, reply, shopper.annoyance))
            return tuple(exchanges), ending
    stayed = shopper.turn >= shopper.population.max_turns
    return tuple(exchanges), "turn_limit" if stayed else "left"
