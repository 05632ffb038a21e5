"""Posts JSON to an OpenAI-compatible server: bounded, tried again where that may help, failures in one line."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from convsim._async import clocks_stopped
from convsim._loggers import logger_of
from convsim._secrets import check_variable, read_key, secret_in_address, without_keys
from convsim._text import one_line, shown
from convsim._tracing import handed_on
from convsim.errors import TIMED_OUT, InputError, ModelError
from convsim.models.answers import ReportedError
from convsim.models.failures import UNREACHABLE, Asked, PassingError, failure
from convsim.models.gates import gate_of, is_adapting
from convsim.models.metering import Call
from convsim.models.retries import MAX_WAIT_S, with_retries

if TYPE_CHECKING:
    from convsim.models.connections import Connections

LOG = logger_of(__name__)
MAX_CONNECTIONS = 64
"""Of a model, where a number of conversations is stated and none of connections."""

Result = TypeVar("Result")


OPENAI_HOST, OPENAI_KEY_ENV = "api.openai.com", "OPENAI_API_KEY"
OWNERS = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
"""Headers that OpenAI's own server is sent, and the variables that they come from."""
AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
AZURE_KEY_ENV = "AZURE_OPENAI_API_KEY"
AZURE_VERSION = "2024-10-21"
"""The api-version that is asked for where none is given: the latest dated one that is no preview."""
AZURE_PATH = "/openai"
"""Of Azure's addresses; one that has it is taken as it is."""


@dataclass(frozen=True)
class _Open:
    """The connections of one event loop, and the generator that closes them."""

    connections: Connections
    places: asyncio.Semaphore
    closing: AsyncGenerator[None]


@dataclass(kw_only=True)
class Endpoint:
    """One server; its key is read from the environment for each call, and kept nowhere.

    With ``azure`` the model is a deployment in the path, the key a header of its own, and ``api_version`` a parameter.
    """

    base_url: str
    api_key_env: str
    timeout_s: float
    max_retries: int
    max_connections: int | None = None
    """Of this model, if fewer than its endpoint takes; None: ``MAX_CONNECTIONS`` where nothing adapts."""
    max_wait_s: float = MAX_WAIT_S
    azure: bool = False
    api_version: str = ""
    _open: dict[asyncio.AbstractEventLoop, _Open] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.host = _host(self.base_url)
        self.is_loopback = is_loopback(self.host)
        self.azure = self.azure or self.host.endswith(AZURE_HOSTS)
        check_variable(self.api_key_env, self.host)
        if not self.api_key_env and (self.azure or self.host == OPENAI_HOST) and not self.is_loopback:
            self.api_key_env = AZURE_KEY_ENV if self.azure else OPENAI_KEY_ENV

    async def post(
        self,
        path: str,
        body: Mapping[str, JsonValue],
        *,
        who: str,
        seed: int,
        read: Callable[[bytes], Result],
    ) -> Result:
        """Post ``body`` and return what ``read`` makes of the answer's body, trying again what may pass.

        Raises:
            InputError: There is no key in the environment.
            RefusedRequestError: The server cannot use the request as it stands.
            ModelError: ``who`` did not answer; one line with the reason.
        """
        # One text serves every try.
        content, place = to_json(body), self._place(path, str(body.get("model")))
        asked = Asked(who=who, path=place, key_env=self.api_key_env)
        call = Call(str(body.get("model")), self.address)

        async def once() -> Result:
            with call.attempt():
                opened = await self._opened()
                is_bound = self.max_connections is not None or not is_adapting()
                async with _turn_at(opened.places) if is_bound else nullcontext():
                    call.sent()
                    return await self._post_once(opened.connections, content, read, asked)

        return await with_retries(
            once,
            # Not kept: a process that was forked, or shares endpoints with others, has gates of its own.
            gate=gate_of(self.base_url),
            waits=call.waits,
            max_retries=self.max_retries,
            seed=seed,
            max_wait_s=self.max_wait_s,
        )

    @property
    def address(self) -> str:
        """Where requests go, as meters call it."""
        return self.base_url

    def _place(self, path: str, model: str) -> str:
        if not self.azure or AZURE_PATH in urlsplit(self.base_url).path:
            return path
        below = f"/deployments/{quote(model, safe='')}" if path != "/responses" else "/v1"
        return f"{AZURE_PATH}{below}{path}"

    def _version(self, place: str) -> str:
        """Return the version of Azure's API that is asked for; empty where there is none."""
        if not self.azure:
            return ""
        return self.api_version or ("" if "/v1" in f"{self.base_url}{place}" else AZURE_VERSION)

    async def _headers(self) -> dict[str, str]:
        """Return the headers of a trace, and that of the key; a token of Entra, a JWT, goes where OpenAI's key does."""
        key = await self.key()
        if self.azure and not (key.startswith("eyJ") and key.count(".") == 2):
            return {**handed_on(), "api-key": key}
        return {**handed_on(), "Authorization": f"Bearer {key}"}

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
            from convsim.models.connections import Connections

            whose = OWNERS if self.host == OPENAI_HOST else {}
            connections = Connections(
                self.base_url,
                by_environment=not self.is_loopback,
                headers={
                    name: value
                    for name, variable in whose.items()
                    if (value := read_key(variable, self.host))
                },
            )
            closing = _closed_with(loop, connections, weakref.ref(self))
            self._open[loop] = _Open(
                connections, asyncio.Semaphore(self.max_connections or MAX_CONNECTIONS), closing
            )
            await anext(closing)
            # The finalizer keeps them until they are closed: else those that nobody has any more are collected open.
            weakref.finalize(self, _close_soon, loop, closing).atexit = False
        return self._open[loop]

    async def _post_once(
        self, connections: Connections, content: bytes, read: Callable[[bytes], Result], asked: Asked
    ) -> Result:
        import aiohttp

        who, begun = asked.who, time.monotonic()
        headers = await self._headers()
        try:
            async with asyncio.timeout(self.timeout_s):
                response = await connections.post(
                    asked.path, content, headers=headers, version=self._version(asked.path)
                )
        except TimeoutError:
            raise PassingError(
                f"{who} gave no complete answer within {self.timeout_s:g} s", kind=TIMED_OUT
            ) from None
        except (
            aiohttp.ClientConnectionError,
            aiohttp.ClientPayloadError,
            aiohttp.ClientHttpProxyError,
        ) as error:
            is_refused = isinstance(error, aiohttp.ClientConnectorError)
            reason = f"{who} cannot be reached: {_root(error)}"
            raise PassingError(reason, kind=UNREACHABLE, is_refused=is_refused) from None
        except aiohttp.ClientError as error:
            raise PassingError(f"{who} does not speak HTTP: {one_line(error)}", kind=UNREACHABLE) from None
        except ModelError as error:
            raise ModelError(f"{who} answered, but {error}") from None
        if LOG.isEnabledFor(logging.DEBUG):
            taken = time.monotonic() - begun
            LOG.debug(
                "%s answered %s with HTTP %d and %d bytes after %.2f s", who, asked.path, response.status,
                len(response.body), taken, extra={"fields": {"seconds": round(taken, 3)}},
            )  # fmt: skip
        if not 200 <= response.status < 300:
            raise failure(response.status, _error_of(response.body), headers=response.headers, asked=asked)
        try:
            return read(response.body)
        except ReportedError as error:
            raise failure(response.status, error.said, headers=response.headers, asked=asked) from None


@asynccontextmanager
async def _turn_at(places: asyncio.Semaphore) -> AsyncGenerator[None]:
    """Take a place; waiting for it is no time that whoever answers takes."""
    with clocks_stopped():
        await places.acquire()
    try:
        yield
    finally:
        places.release()


CLOSING: set[asyncio.Task[None]] = set()
"""On their way; a loop alone does not keep its tasks."""


async def _closed_with(
    loop: asyncio.AbstractEventLoop, connections: Connections, endpoint: weakref.ref[Endpoint]
) -> AsyncGenerator[None]:
    """Close the connections when closed: a loop that ends closes its asynchronous generators."""
    try:
        yield
    finally:
        if (opened_by := endpoint()) is not None:
            opened_by._open.pop(loop, None)
        await connections.close()


def _close_soon(loop: asyncio.AbstractEventLoop, closing: AsyncGenerator[None]) -> None:
    """Close connections whose endpoint nobody has any more, unless their loop has ended and done so."""

    async def closed() -> None:
        await closing.aclose()

    def close() -> None:
        task = loop.create_task(closed())
        CLOSING.add(task)
        task.add_done_callback(CLOSING.discard)

    with suppress(RuntimeError):
        loop.call_soon_threadsafe(close)


def _error_of(body: bytes) -> object:
    """Return what a body with an error's status says: the error in its document, or its text."""
    text = body.decode("utf-8", "replace").strip()
    try:
        document = from_json(text)
    except ValueError:
        return text
    return document.get("error", document) if isinstance(document, dict) else document


def _root(error: BaseException) -> str:
    """Return the innermost cause, which says most."""
    while error.__cause__ is not None:
        error = error.__cause__
    return without_keys(one_line(error)) or type(error).__name__


def _host(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    is_written_well = base_url.isprintable() and not any(character.isspace() for character in base_url)
    if not host or parts.scheme not in ("http", "https") or not is_written_well:
        told = shown(without_keys(base_url.rpartition("@")[2]))
        raise InputError(f"base_url = {told} is not an address: give one like http://127.0.0.1:8000/v1")
    if parts.query.startswith("api-version=") and not parts.username:
        raise InputError(
            f"the base_url of {host} contains a query: leave it out, and give the version as api_version"
        )
    is_more = parts.username or parts.password or parts.query or parts.fragment
    if is_more or secret_in_address(base_url):
        raise InputError(
            f"the base_url of {host} contains {'credentials or a query' if is_more else 'a key'}: leave that out, and "
            "set api_key_env to the name of the variable with the key"
        )
    return host


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its own address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
