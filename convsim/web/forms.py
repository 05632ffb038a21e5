"""A form that a page has sent: bounded, and read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from starlette.requests import Request

MAX_BODY_BYTES = 32_768
MAX_FIELDS = 210

Form = Mapping[str, Sequence[str]]


class FormError(Exception):
    """A form that this page did not make, with the status to answer it; its message is one line for people."""

    def __init__(self, status: int, reason: str):
        self.status = status
        super().__init__(reason)


async def read_form(request: Request) -> Form:
    """Read a form's fields.

    Raises:
        FormError: It is too large, or no form.
    """
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise FormError(415, "This page did not send that form.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise FormError(413, "That form is too large.")
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise FormError(400, "That form cannot be read.") from error


def one(form: Form, name: str) -> str:
    """Return a field's only value; empty where it is missing or stands there twice."""
    values = form.get(name, ())
    return values[0] if len(values) == 1 else ""
