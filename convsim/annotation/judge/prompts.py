"""The judge's prompts are files; this fills them in, shuffles what they list and names them by hash."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, TypeVar

from convsim.annotation.definitions import OTHER, Definitions, definitions
from convsim.seeds import child_seed

if TYPE_CHECKING:
    from jinja2 import Environment

Form = Literal["schema", "choices"]
PROMPTS: dict[Form, tuple[str, ...]] = {
    "schema": ("message", "conversation", "chat"),
    "choices": ("question", "act"),
}
"""The prompts of each form, by the names of their files."""
Named = TypeVar("Named")


@cache
def _environment() -> Environment:
    from jinja2 import PackageLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    loader = PackageLoader("convsim.annotation.judge", "prompts")
    return SandboxedEnvironment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )


def render(name: str, **values: object) -> str:
    """Fill in the prompt ``prompts/<name>.txt.j2``."""
    return _environment().get_template(f"{name}.txt.j2").render(values).strip()


def prompt_hashes(form: Form) -> dict[str, str]:
    """Return the SHA-256 of each prompt of a form, and of the definitions that they state."""
    folder = files("convsim.annotation.judge").joinpath("prompts")
    contents = {name: folder.joinpath(f"{name}.txt.j2").read_bytes() for name in PROMPTS[form]}
    contents["definitions"] = definitions().model_dump_json().encode()
    return {f"judge_{name}": hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def shuffled(stated: Definitions, seed: int) -> Definitions:
    """List the definitions in an order drawn by ``seed``; the act that holds where no other does stays last."""
    acts = _shuffled([act for act in stated.acts if act.name != OTHER], seed, "acts")
    last = [act for act in stated.acts if act.name == OTHER]
    return Definitions(
        acts=(*acts, *last), experience=tuple(_shuffled(stated.experience, seed, "experience"))
    )


def _shuffled(listed: list[Named] | tuple[Named, ...], seed: int, name: str) -> list[Named]:
    places = sorted(range(len(listed)), key=lambda place: child_seed(seed, name, place))
    return [listed[place] for place in places]
