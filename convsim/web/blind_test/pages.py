"""The pages, filled from templates; every text is escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("convsim.web.blind_test"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Fill a template and answer with it."""
    filled = _environment().get_template(f"{template}.html.j2").render(**values)
    return HTMLResponse(filled, status_code=status)


def notice(title: str, text: str, *, status: int) -> HTMLResponse:
    """Answer with one line under a title."""
    return page("notice", status=status, title=title, text=text, rater=None)
