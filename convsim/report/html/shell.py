"""What every page is made with: its templates, its style and script, and what it may load (nothing)."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from convsim.report.html.text import name

if TYPE_CHECKING:
    from jinja2 import Environment


def own_file(file: str) -> str:
    """Return a file of ours, such as the style sheet, for a page to hold as it is."""
    from markupsafe import Markup

    return Markup(files("convsim.report.html").joinpath(file).read_text(encoding="utf-8"))


def content_policy(script: str) -> str:
    """Allow this script, by its hash, and styles: no request, no other script, no frame, no form."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = {"default": "'none'", "script": f"'sha256-{digest}'", "style": "'unsafe-inline'"}
    listed = [f"{what}-src {source}" for what, source in allowed.items()]
    return "; ".join([*listed, "base-uri 'none'", "form-action 'none'"])


def environment() -> Environment:
    """Return what fills in our pages' templates; all that is put in is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("convsim.report.html"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["name"] = name
    return made
