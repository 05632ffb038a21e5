"""Which options have an environment variable: only those that carry data.

A variable is set once and forgotten. So none opens a gate, and none changes what a command is: flags have none, and on
a command that judges neither has what says whom, what or how strictly it judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from convsim.cli.talk import VARIABLES

PREFIX = "CONVSIM_"
ELSEWHERE = frozenset(
    {"CONVSIM_ARENA_TOKEN", "CONVSIM_CACHE", "CONVSIM_NO_CACHE", "CONVSIM_VIEW_TOKEN", *VARIABLES}
)
"""Variables that belong to no option, or to one of all commands."""
CARRIES_NO_DATA = frozenset({"--fail-on", "--gate", "--budget-usd", "--compress"})
"""What stops a gate or a bill, or makes another thing of the command, wherever it stands."""
DATA_OF_JUDGES = frozenset(
    {
        "--catalogue", "--format", "--learned", "--model", "--name", "--out", "--reader", "--real", "--seed", "--sim",
        "--summary", "--survey-map",
    }
)  # fmt: skip
"""What a command that judges may be told by a variable: where data lie and go, and how they are read."""
JUDGES = frozenset({("compare",), ("plan",), ("tune",)})
"""Commands that judge and have no ``--fail-on``, which all the others are told by."""
NEAR = 0.88
"""How alike a variable's name and a known one are when it is taken for a slip: one letter in ten."""
MAX_WARNINGS = 5


class Parameter(Protocol):
    """What is used of an option or argument of typer's."""

    name: str | None
    opts: list[str]
    param_type_name: str
    envvar: str | list[str] | None


@dataclass(frozen=True)
class Variables:
    """The environment variables of a command line."""

    known: frozenset[str]
    refused: Mapping[str, str]
    """Names that an option would have if it carried data, and that option."""
    former: frozenset[str]
    """Names after a parameter and not after its option: they count where today's is not there."""

    def warnings(self, environment: Mapping[str, str]) -> Iterator[str]:
        """Yield a sentence for each variable that somebody may have thought to have an effect."""
        names = sorted(name for name in environment if name.startswith(PREFIX) and environment[name])
        for name in names:
            if name in self.known or name in self.former:
                continue
            if name in self.refused:
                yield f"{name} has no effect: {self.refused[name]} can only be given on the command line"
            elif near := get_close_matches(name[:120], [*self.known, *self.refused], n=1, cutoff=NEAR):
                yield f"{name} has no effect: there is no such variable; did you mean {near[0]}?"


def give_variables(command: object, environment: Mapping[str, str]) -> Variables:
    """Give the options of a command and of all below it the variables that they may have, and return these."""
    known: set[str] = set(ELSEWHERE)
    refused: dict[str, str] = {}
    former: set[str] = set()
    for path, options in _commands(command):
        judges = path in JUDGES or any("--fail-on" in option.opts for option in options)
        refused[_variable(path, "--help")] = "--help"
        for option in options:
            name, other = (_variable(path, word) for word in (option.opts[0], option.name or ""))
            if _carries_data(option, judges=judges):
                option.envvar = other if environment.get(other) and not environment.get(name) else name
                known.add(name)
                former.add(other)
            else:
                option.envvar = None
                refused |= {other: option.opts[0], name: option.opts[0]}
    return Variables(frozenset(known), refused, frozenset(former - known))


def _commands(
    command: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], list[Parameter]]]:
    yield (
        path,
        [
            each
            for each in getattr(command, "params", ())
            # What no command is given stands behind every name, and has a variable for all of them or none.
            if each.param_type_name == "option" and (each.expose_value or not path)
        ],
    )
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(below, (*path, name))


def _variable(path: tuple[str, ...], word: str) -> str:
    return PREFIX + "_".join([*path, word.lstrip("-")]).upper().replace("-", "_")


def _carries_data(option: Parameter, *, judges: bool) -> bool:
    if getattr(option, "is_flag", False) or getattr(option, "count", False):
        return False
    name = option.opts[0]
    return name not in CARRIES_NO_DATA and (not judges or name in DATA_OF_JUDGES)
