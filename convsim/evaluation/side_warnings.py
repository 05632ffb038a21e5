"""What a side is that it should not be: simulated people, exchanged sides, repeats, turns cut short, no endings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from convsim._text import listed, one_line
from convsim.annotation.labels import fallback_labels
from convsim.errors import InputError
from convsim.io.finishing import silent_agents
from convsim.io.repeats import repeated_conversations
from convsim.models.fallback import FALLBACK
from convsim.schema.conversation import Conversation

MAX_NAMED = 4
STAND_IN_SHARE = 0.01
"""Of a side's user messages, or of its labels of one annotator, that fallbacks gave, from which on it is said."""
CUT_SHARE = 0.4
"""Of a side's conversations that the turn limit ended, from which on it is said."""


def simulated_people(real: Sequence[Conversation], simulated: Sequence[Conversation]) -> str | None:
    """Say that conversations of the real side name a simulator, and whether the sides look exchanged."""
    by = Counter(c.simulator for c in real if c.simulator is not None)
    if not by:
        return None
    named = listed([name[:40] for name, _ in by.most_common()], MAX_NAMED)
    if by.total() == len(real) and all(c.simulator is None for c in simulated):
        return (
            f"the sides look exchanged: all {len(real)} real conversations name a simulator ({named}) and no "
            "simulated one does; people come first, simulated conversations second"
        )
    return (
        f"{by.total()} of {len(real)} real conversations name a simulator ({named}): what is said of people is said "
        "of it; give conversations of people first, or leave these out"
    )


def refuse_simulated_people(real: Sequence[Conversation], simulated: Sequence[Conversation]) -> None:
    """Refuse what no gate can pass judgement on; raises InputError where the real side names a simulator."""
    problem = simulated_people(real, simulated)
    if problem is not None:
        raise InputError(f"{problem} (without --fail-on this is a warning)")


def side_warnings(real: Sequence[Conversation], simulated: Sequence[Conversation]) -> list[str]:
    """Warn of what makes a comparison say something else than it seems to."""
    sides = (("real", real), ("simulated", simulated))
    warnings = [simulated_people(real, simulated)]
    warnings += [_repeats(name, side) for name, side in sides]
    warnings += [_cut_short(name, side) for name, side in sides]
    warnings.append(_stood_in(simulated))
    warnings += [said for name, side in sides for said in _labelled_by_others(name, side)]
    warnings.append(_no_endings(real, simulated))
    warnings.append(_no_agent(real, simulated))
    return [warning for warning in warnings if warning]


def _repeats(name: str, conversations: Sequence[Conversation]) -> str | None:
    said = repeated_conversations(conversations)
    return f"{name} side: {said}" if said else None


def _cut_short(name: str, conversations: Sequence[Conversation]) -> str | None:
    n = sum(c.ending == "turn_limit" for c in conversations)
    if not n or n < CUT_SHARE * len(conversations):
        return None
    return (
        f"{name} side: {n} of {len(conversations)} conversations ended at the turn limit, so that their length and "
        "ending are the limit's and not the users'; allow more turns"
    )


def _stood_in(simulated: Sequence[Conversation]) -> str | None:
    """Say how much of a side another model wrote than the simulator's own, as the messages note it."""
    messages = [message for c in simulated for message in c.user_messages]
    noted = [names for message in messages if isinstance(names := message.metadata.get(FALLBACK), list)]
    if not noted or len(noted) < STAND_IN_SHARE * len(messages):
        return None
    models = Counter(str(name)[:40] for names in noted for name in names)
    named = listed([one_line(name) for name, _ in models.most_common()], MAX_NAMED)
    return (
        f"simulated side: {len(noted)} of {len(messages)} user messages ({len(noted) / len(messages):.0%}) are not the "
        f"simulator's model's alone, as a fallback answered ({named}): what is found is that of a mixture of models; "
        "run it again when its model can be reached"
    )


def _labelled_by_others(name: str, conversations: Sequence[Conversation]) -> Iterator[str]:
    """Say of each annotator how many of its labels are another model's than its own, as the labels note it."""
    for source, given in fallback_labels(conversations).items():
        if given.n_noted < STAND_IN_SHARE * given.n:
            continue
        named = listed([one_line(model)[:40] for model, _ in given.models.most_common()], MAX_NAMED)
        yield (
            f"{name} side: {given.n_noted} of {given.n} labels ({given.n_noted / given.n:.0%}) of "
            f"{one_line(source)[:60]} are not its model's alone, as a fallback answered ({named}): the sides, or parts "
            "of one, may have been labelled by different models; label them again when its model can be reached"
        )


def _no_agent(real: Sequence[Conversation], simulated: Sequence[Conversation]) -> str | None:
    none = [silent_agents(side) for side in (real, simulated)]
    if all(none) or not any(none):
        return None
    return f"real side: {none[0]}" if none[0] else f"simulated side: {none[1]}"


def _no_endings(real: Sequence[Conversation], simulated: Sequence[Conversation]) -> str | None:
    none = [all(c.ending == "unknown" for c in side) for side in (real, simulated)]
    if none[0] == none[1]:
        return None
    name, other = ("real", "simulated") if none[0] else ("simulated", "real")
    return (
        f"no {name} conversation says how it ended, {other} ones do: how conversations end is not compared; state an "
        '"ending" in each line of that side, such as "accepted" or "left"'
    )
