"""An adapter for an agent behind an HTTP endpoint that takes JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from pydantic import Field, JsonValue

from convsim._async import in_time
from convsim._loggers import logger_of
from convsim._secrets import read_key, secret_in_address, without_keys
from convsim._settings import Seconds, check_settings
from convsim._text import MAX_READ, one_line, shown
from convsim._tracing import trace_headers
from convsim.agents.answer import Answering, parse_answer
from convsim.agents.request import body_of, check_fields, check_headers, headers_with_keys
from convsim.errors import AgentError, InputError, ModelError
from convsim.lifting import MAX_ANSWER_BYTES
from convsim.models.failures import UNREACHABLE, PassingError
from convsim.models.gates import gate_of
from convsim.models.metering import Call, used_as_told
from convsim.models.retries import MAX_WAIT_S, with_retries
from convsim.models.waits import asked_wait
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply

if TYPE_CHECKING:
    import aiohttp

LOG = logger_of(__name__)
BLOCK_BYTES = 65_536
MAX_REDIRECTS = 3
RETRIED = frozenset({429, 502, 503})
"""Statuses by which a server says that it has not answered, and may do so later."""
PORTS = {"http": 80, "https": 443}


class Got(NamedTuple):
    """One response, its body unfolded."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class HTTP(Answering):
    """POSTs ``{"messages", "conversation_id", "seed"}`` to ``url`` and takes ``{"content", "items"}``.

    ``messages`` are OpenAI's, with ``items`` on those of the agent; with ``session`` only those since the agent's last
    answer, for a server that remembers each ``conversation_id``. ``extra`` are further fields of the body, in which
    ``{task}``, ``{arm}``, ``{persona}``, ``{conversation}``, ``{message}`` (the user's newest), ``{turn}`` and
    ``{seed}`` stand for what they name; ``omit`` names usual fields that are left out.

    ``api_key_env`` names an environment variable that is sent as a bearer token, without white space around it; a value
    of ``headers`` may be ``env:NAME`` or ``Bearer env:NAME``. An answer is JSON, a plain text or server-sent events, of
    any status from 200 to 299; redirects are followed to the same host, and nowhere else. 429, 502 and 503 are asked
    again up to ``max_retries`` times, after the wait that they name, ``max_wait_s`` at most, or a growing one; a
    session's 502 is not, since the server may have heard the message. So is one that has answered before and to which
    there is no connection now. ``timeout_s`` bounds one try.

    Raises:
        InputError: No http or https address, a secret in it, no such environment variable, or another setting that
            cannot be used.
    """

    url: str
    api_key_env: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    extra: Mapping[str, JsonValue] = field(default_factory=dict)
    omit: Sequence[str] = ()
    session: bool = False
    timeout_s: Seconds = 60.0
    max_retries: Annotated[int, Field(ge=0)] = 4
    max_wait_s: Seconds = MAX_WAIT_S
    name: str = "http"

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        self._form = self.form(self.name)
        if not isinstance(self.url, str) or not self.url.startswith(("http://", "https://")):
            found = shown(without_keys(str(self.url)))
            raise InputError(f"{self.name}: url must begin with http:// or https://, but is {found}")
        try:
            secret = secret_in_address(self.url)
        except ValueError:
            raise InputError(f"{self.name}: url = {shown(self.url)} is not an address") from None
        if secret:
            raise InputError(
                f"{self.name}: url contains {secret}: leave it out, and set api_key_env to the name of the variable "
                "with the key"
            )
        if self.api_key_env and not read_key(self.api_key_env, self.name):
            raise InputError(f"{self.name}: the environment variable {self.api_key_env} is not set")
        check_headers(self.headers, self.name)
        check_fields(self.extra, self.omit, self.name)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Ask the endpoint; raises AgentError when it is out of reach, late, or of no use."""
        request = body_of(conversation, seed=seed, newest_only=self.session, extra=self.extra, omit=self.omit)
        content = json.dumps(request).encode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream;q=0.5, text/plain;q=0.4",
            # A compressed body is read, but not asked for: it costs more than it saves.
            "Accept-Encoding": "identity",
            **trace_headers(),
            **headers_with_keys(self.headers, self.name),
        }
        if self.api_key_env:
            headers["Authorization"] = f"Bearer {read_key(self.api_key_env, self.name)}"

        call = Call(self.name, self.url)

        async def once() -> Got:
            with call.attempt():
                call.sent()
                async with in_time(self.name, self.timeout_s, AgentError):
                    return self._checked(await self._asked(content, headers))

        try:
            got = await with_retries(
                once,
                gate=gate_of(self.url),
                waits=call.waits,
                max_retries=self.max_retries,
                seed=seed,
                max_wait_s=self.max_wait_s,
            )
        except ModelError as error:
            raise AgentError(str(error)) from None
        kind = got.headers.get("Content-Type", "")
        reply = parse_answer(got.body, self.name, kind=kind, form=self._form)
        used_as_told(self.name, self.url, reply.usage)
        return reply

    def _checked(self, got: Got) -> Got:
        """Return a response that is an answer; raises PassingError for one that may be another later."""
        LOG.debug("%s: answered with status %d and %d bytes", self.name, got.status, len(got.body))
        if 200 <= got.status < 300:
            return got
        said = one_line(got.body[:MAX_READ].decode("utf-8", "replace"))
        reason = f"{self.name}: {self.url} answered with status {got.status}: {said}"
        if got.status in RETRIED and not (self.session and got.status == 502):
            raise PassingError(reason, wait_s=asked_wait(got.headers, said), kind=f"HTTP {got.status}")
        raise AgentError(reason, kind=f"HTTP {got.status}")

    async def _asked(self, content: bytes, headers: Mapping[str, str]) -> Got:
        """Send the request, to where it is redirected on the same host too."""
        import aiohttp

        url = self.url
        try:
            # A session for each reply: it belongs to one event loop, and nobody would close a longer one.
            async with aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None), auto_decompress=False
            ) as session:
                for _ in range(MAX_REDIRECTS + 1):
                    async with session.request(
                        self.method, url, data=content, headers=headers, allow_redirects=False
                    ) as response:
                        place = response.headers.get("Location") if 300 <= response.status < 400 else None
                        if place is None:
                            return Got(response.status, response.headers, await self._body(response))
                        url = self._redirected(url, place, response.status)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            what = one_line(error) or type(error).__name__
            reason = f"{self.name}: {self.url} did not answer: {what}"
            if isinstance(error, aiohttp.ClientConnectorError) and gate_of(self.url).answered:
                raise PassingError(reason, kind=UNREACHABLE, is_refused=True) from error
            raise AgentError(reason, kind=UNREACHABLE) from error
        raise AgentError(f"{self.name}: {self.url} redirects more than {MAX_REDIRECTS} times")

    def _redirected(self, url: str, place: str, status: int) -> str:
        """Return where a redirect leads, if it is the same host; raises AgentError for any other."""
        target = urljoin(url, place)
        before, after = urlsplit(url), urlsplit(target)
        is_same = before.hostname == after.hostname and (
            (before.scheme, _port(before)) == (after.scheme, _port(after))
            or (before.scheme, after.scheme, _port(before), _port(after)) == ("http", "https", 80, 443)
        )
        only_a_slash = before.path.rstrip("/") == after.path.rstrip("/") and before.query == after.query
        if is_same and not after.username and (status in (307, 308) or only_a_slash):
            return target
        why = (
            "which would change what is asked"
            if is_same
            else "another place, to which no conversation is sent"
        )
        raise AgentError(
            f"{self.name}: {self.url} answered with status {status} and redirects to {shown(without_keys(target))}, "
            f"{why}; where that is right, give it as agent.url"
        )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """Read a body up to one byte beyond what is taken, so that ``parse_answer`` can refuse a longer one."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        unfolds = encoding in ("gzip", "x-gzip", "deflate")
        if not unfolds and encoding not in ("", "identity"):
            raise AgentError(
                f"{self.name}: {self.url} compressed its answer ({one_line(encoding)[:20]}), which is not read; asked "
                "was for none"
            )
        body = bytearray()
        async for block in response.content.iter_chunked(BLOCK_BYTES):
            body += block
            if len(body) > MAX_ANSWER_BYTES:
                break
        if not unfolds:
            return bytes(body[: MAX_ANSWER_BYTES + 1])
        try:
            return _unfolded(bytes(body))
        except zlib.error as error:
            raise AgentError(
                f"{self.name}: {self.url} answered with what is no {encoding}: {one_line(error)}"
            ) from None


def _unfolded(body: bytes) -> bytes:
    """Unfold gzip or deflate, with zlib's head or without, up to one byte beyond what is taken; raises zlib.error."""
    if not body:
        return b""
    is_bare = body[0] & 0x0F != 8 and body[:2] != b"\x1f\x8b"
    opened = zlib.decompressobj(-zlib.MAX_WBITS if is_bare else zlib.MAX_WBITS | 32)
    text = opened.decompress(body, MAX_ANSWER_BYTES + 1)
    if len(text) <= MAX_ANSWER_BYTES and not opened.eof:
        raise zlib.error("it ends in the middle")
    return text


def _port(parts: SplitResult) -> int | None:
    return parts.port or PORTS.get(parts.scheme)
