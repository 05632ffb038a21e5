"""Templates that refuse what is missing and escape what they are told to, and prompts that are named by hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(package: str, *, escape: bool, lstrip: bool = True) -> Environment:
    """Return what fills in the templates of ``package``, which lie in its folder ``templates``.

    Args:
        package: The package, by its full name.
        escape: Whether what is filled in is HTML, where every value is escaped.
        lstrip: Whether the spaces before a block are dropped; the line break after one always is.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=lstrip,
    )


@dataclass(frozen=True)
class Prompts:
    """The prompts of ``package``, the files ``prompts/<name>.txt.j2``; values are filled in as they are.

    ``trim`` drops the line break after a block and the spaces before one.
    """

    package: str
    trim: bool = True

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import PackageLoader, StrictUndefined
        from jinja2.sandbox import SandboxedEnvironment

        return SandboxedEnvironment(
            loader=PackageLoader(self.package, "prompts"),
            autoescape=False,
            undefined=StrictUndefined,
            trim_blocks=self.trim,
            lstrip_blocks=self.trim,
        )

    def render(self, name: str, **values: object) -> str:
        """Fill in a prompt; white space around it is dropped."""
        return self._environment.get_template(f"{name}.txt.j2").render(values).strip()

    def hashes(self, *names: str) -> dict[str, str]:
        """Return the SHA-256 of each prompt's file: what a run's manifest records."""
        folder = files(self.package).joinpath("prompts")
        contents = {name: folder.joinpath(f"{name}.txt.j2").read_bytes() for name in names}
        return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
