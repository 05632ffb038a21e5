"""Posts JSON to an OpenAI-compatible server: bounded, tried again where that may help, failures in one line."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import JsonValue
from pydantic_core import to_json

from convsim._secrets import check_variable, read_key, without_keys
from convsim._text import one_line, shown
from convsim.errors import InputError, ModelError
from convsim.seeds import child_seed

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI

FIRST_WAIT_S = 0.5
LONGEST_BACK_OFF_S = 8.0
LONGEST_ASKED_WAIT_S = 120.0

Result = TypeVar("Result")


class PassingError(ModelError):
    """A failure that may pass, and how many seconds the server asks to wait, if it does."""

    def __init__(self, reason: str, *, wait_s: float | None = None):
        super().__init__(reason)
        self.wait_s = wait_s


async def with_retries(call: Callable[[], Awaitable[Result]], *, max_retries: int, seed: int) -> Result:
    """Await ``call`` up to ``max_retries`` + 1 times; the jitter of the waits is drawn from ``seed``.

    Raises:
        ModelError: The last failure, with the number of tries; or the server asks for too long a wait.
    """
    for tries in range(1, max_retries + 2):
        try:
            return await call()
        except PassingError as error:
            if tries > max_retries:
                raise ModelError(f"{error} (tried {_times(tries)})") from error
            if error.wait_s is not None and error.wait_s > LONGEST_ASKED_WAIT_S:
                raise ModelError(
                    f"{error}; it asks to wait {error.wait_s:.0f} s, longer than {LONGEST_ASKED_WAIT_S:.0f} s"
                ) from error
            wait_s = back_off(tries, seed=seed) if error.wait_s is None else error.wait_s
        await asyncio.sleep(wait_s)
    raise AssertionError("the loop returns or raises")


def back_off(tries: int, *, seed: int) -> float:
    """Return the seconds to wait after ``tries`` failures: doubling, with jitter down to one half."""
    longest = min(FIRST_WAIT_S * 2.0 ** min(tries - 1, 30), LONGEST_BACK_OFF_S)
    jitter = child_seed(seed, "back-off", tries) / 2**63
    return longest * (0.5 + jitter / 2)


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait from ``retry-after-ms`` or ``retry-after``, a number or a date; None without.

    Source: RFC 9110, section 10.2.3; the milliseconds are OpenAI's own.
    """
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "nan")) / divisor
        except ValueError:
            date = parsedate_tz(headers[name])
            try:
                seconds = mktime_tz(date) - time.time() if date else math.nan
            except (ValueError, OverflowError):
                seconds = math.nan
        if not math.isnan(seconds):
            return max(0.0, seconds)
    return None


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"


OPENAI_HOST, OPENAI_KEY_ENV = "api.openai.com", "OPENAI_API_KEY"
MAY_PASS = frozenset({408, 409, 425, 429})
"""Client errors that are tried again, as is every server error."""


class BadRequestError(ModelError):
    """The server cannot use the request as it stands."""


@dataclass(frozen=True)
class _Open:
    """The client that serves one event loop, and the generator that closes it."""

    client: AsyncOpenAI
    places: asyncio.Semaphore
    closing: AsyncGenerator[None]


@dataclass(kw_only=True)
class Endpoint:
    """One server; its key is read from the environment for each call, and kept nowhere."""

    base_url: str
    api_key_env: str
    timeout_s: float
    max_retries: int
    max_connections: int
    _open: dict[asyncio.AbstractEventLoop, _Open] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.host = _host(self.base_url)
        self.is_loopback = _is_loopback(self.host)
        check_variable(self.api_key_env, self.host)
        if not self.api_key_env and self.host == OPENAI_HOST:
            self.api_key_env = OPENAI_KEY_ENV

    async def post(self, path: str, body: Mapping[str, JsonValue], *, who: str, seed: int) -> bytes:
        """Post ``body`` and return the answer's body, trying again after failures that may pass.

        Raises:
            InputError: There is no key in the environment.
            ModelError: ``who`` did not answer; one line with the reason.
        """

        # pydantic writes JSON four times as fast as the client does, and one text serves every try.
        content = to_json(body)

        async def once() -> bytes:
            opened = await self._opened()
            async with opened.places:
                return await self._post_once(opened.client, path, content, who=who)

        return await with_retries(once, max_retries=self.max_retries, seed=seed)

    async def aclose(self) -> None:
        """Close the connections of the running loop; a loop that ends closes its own."""
        if opened := self._open.get(asyncio.get_running_loop()):
            await opened.closing.aclose()

    async def key(self) -> str:
        """Read the key from the environment; a server on this machine that names none gets a dummy.

        Raises:
            InputError: The variable is absent, or none is named for a server elsewhere.
        """
        found = read_key(self.api_key_env, self.base_url) if self.api_key_env else ""
        if found or self.is_loopback:
            return found or "none"
        if not self.api_key_env:
            raise InputError(
                f"{self.base_url} needs a key: set api_key_env to the name of the variable with the key"
            )
        raise InputError(f"{self.base_url} needs a key: the variable {self.api_key_env} is not set")

    async def _opened(self) -> _Open:
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            import openai

            from convsim.models.bounded_body import bound_body

            http = openai.DefaultAioHttpClient(
                event_hooks={"response": [bound_body]},
                headers={"Accept-Encoding": "identity"},
                trust_env=not self.is_loopback,
                # Prompts, people's messages among them, go to the named server and to no other.
                follow_redirects=False,
            )
            client = openai.AsyncOpenAI(
                api_key=self.key, base_url=self.base_url, http_client=http, max_retries=0, timeout=None
            )
            # The client takes these from the environment, for whomever it asks.
            client.admin_api_key = None
            if self.host != OPENAI_HOST:
                client.organization = client.project = None
            closing = self._closing(loop, client)
            self._open[loop] = _Open(client, asyncio.Semaphore(self.max_connections), closing)
            await anext(closing)
        return self._open[loop]

    async def _closing(self, loop: asyncio.AbstractEventLoop, client: AsyncOpenAI) -> AsyncGenerator[None]:
        """Close the client when closed: a loop that ends closes its asynchronous generators."""
        try:
            yield
        finally:
            self._open.pop(loop, None)
            await client.close()

    async def _post_once(self, client: AsyncOpenAI, path: str, content: bytes, *, who: str) -> bytes:
        import aiohttp
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self.timeout_s):
                response = await client.post(path, cast_to=httpx2.Response, content=content)
        except TimeoutError:
            raise PassingError(f"{who} gave no complete answer within {self.timeout_s:g} s") from None
        except openai.APIStatusError as error:
            raise self._refusal(error, path, who) from None
        except openai.APIConnectionError as error:
            raise PassingError(f"{who} cannot be reached: {_root(error)}") from None
        except aiohttp.ClientError as error:
            # A reply that is no HTTP reaches us unwrapped: openai's map of aiohttp's errors leaves it out.
            raise PassingError(f"{who} does not speak HTTP: {one_line(error)}") from None
        except ModelError as error:
            raise ModelError(f"{who} answered, but {error}") from None
        return response.content

    def _refusal(self, error: APIStatusError, path: str, who: str) -> ModelError:
        status = error.status_code
        if status in (401, 403):
            advice = (
                f"check {self.api_key_env}"
                if self.api_key_env
                else "name the variable with the key in api_key_env"
            )
            return ModelError(f"{who} refuses the key (HTTP {status}): {advice}")
        if 300 <= status < 400:
            place = shown(without_keys(error.response.headers.get("location", "nowhere")))
            return ModelError(
                f"{who} redirects to {place} (HTTP {status}), which is not followed; where that is right, give it as "
                "base_url"
            )
        said = one_line(_said(error.body))
        if status == 404:
            return ModelError(
                f"{who} was not found (HTTP 404 at {path}); check the model's name and the address: {said}"
            )
        reason = f"{who} failed with HTTP {status}: {said}"
        if (status in MAY_PASS or status >= 500) and error.code != "insufficient_quota":
            return PassingError(reason, wait_s=asked_wait(error.response.headers))
        return BadRequestError(reason) if status in (400, 422) else ModelError(reason)


def _said(body: object) -> object:
    return (body.get("message") or body) if isinstance(body, dict) else body


def _root(error: APIConnectionError) -> str:
    """Return the innermost cause: openai calls every lost connection a time-out."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return one_line(cause) or type(cause).__name__


def _host(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise InputError(f"base_url = {base_url!r} is not an address: give one like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise InputError(
            f"the base_url of {host} contains credentials or a query: leave them out, and set api_key_env to "
            "the name of the variable with the key"
        )
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
