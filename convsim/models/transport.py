"""Posts JSON to an OpenAI-compatible server: bounded, tried again where that may help, failures in one line."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from convsim._async import clocks_stopped
from convsim._loggers import logger_of
from convsim._progress import innermost, kind_of
from convsim._secrets import check_variable, read_key, secret_in_address, without_keys
from convsim._text import one_line, shown
from convsim._tracing import handed_on
from convsim.errors import TIMED_OUT, ConvsimError, InputError, ModelError
from convsim.models.answers import ReportedError
from convsim.models.failures import BUSY, UNREACHABLE, Asked, PassingError, failure
from convsim.models.gates import Gate, gate_of, is_adapting
from convsim.models.metering import Call
from convsim.seeds import child_seed

if TYPE_CHECKING:
    from convsim.models.connections import Connections

LOG = logger_of(__name__)
FIRST_WAIT_S = 0.5
LONGEST_BACK_OFF_S = 8.0
MAX_WAIT_S = 120.0
"""The longest wait that a server may ask for, where nothing else is said."""
PATIENCE = 20
"""How often, for each retry, a request may come too early to an endpoint that answers others."""
EACH_ANSWER = 32
"""Tokens that the beginning of any answer is worth, in time."""
MAX_CONNECTIONS = 64
"""Of a model, where a number of conversations is stated and none of connections."""

Result = TypeVar("Result")


async def with_retries(
    call: Callable[[], Awaitable[Result]],
    *,
    gate: Gate,
    waits: Callable[[], None] = lambda: None,
    max_retries: int,
    seed: int,
    max_wait_s: float = MAX_WAIT_S,
) -> Result:
    """Await ``call`` up to ``max_retries`` + 1 times; the jitter of the waits is drawn from ``seed``.

    Each try waits for its turn at ``gate``. One that is pushed back while the endpoint answers others does not count as
    one of them: it only came too early. Where the endpoint has never answered anybody, what it pushes back of others
    counts, too: they wait for each other, and each would find out by itself. ``waits`` is told of each try that begins
    to wait.

    Raises:
        ModelError: The last failure, with the number of tries; or the server asks for too long a wait.
    """
    tries = counted = 0
    answered, failed = gate.answered, None
    enough = max(max_retries, gate.barren)

    def is_dead() -> bool:
        return not gate.answered and gate.barren > enough

    while True:
        waits()
        place = await gate.enter(is_dead)
        if place is None:
            raise _given_up(failed, gate, tries) from failed
        tries += 1
        try:
            result = await call()
        except PassingError as error:
            failed = error
        except BaseException as error:
            if isinstance(error, ConvsimError) and error.kind == TIMED_OUT:
                place.pushed_back(TIMED_OUT, asked_s=None, least_s=0.0)
            else:
                place.failed()
            raise
        else:
            place.answered(_units_of(result))
            return result
        is_busy = failed.kind in BUSY
        is_too_long = failed.wait_s is not None and failed.wait_s > max_wait_s
        if is_busy:
            asked_s = None if is_too_long else failed.wait_s or None
            place.pushed_back(failed.kind, asked_s=asked_s, least_s=FIRST_WAIT_S)
        elif failed.kind == TIMED_OUT:
            place.pushed_back(TIMED_OUT, asked_s=None, least_s=0.0)
        else:
            place.failed()
        is_only_early = is_busy and gate.answered > answered and tries - counted <= PATIENCE * max_retries
        answered = gate.answered
        counted += not is_only_early
        if counted > max_retries or (is_busy and is_dead()):
            raise _given_up(failed, gate, tries) from failed
        if is_too_long:
            raise ModelError(
                f"{failed}; it asks to wait {failed.wait_s:.0f} s, longer than max_wait_s = {max_wait_s:g} "
                "(--max-wait)"
            ) from failed
        # "At once" is what a server that has too much to do cannot mean.
        wait_s = failed.wait_s or back_off(tries, seed=seed)
        _tell_of_retry(failed, wait_s, counted, max_retries)
        with clocks_stopped() if is_busy else nullcontext():
            await asyncio.sleep(wait_s)


def _given_up(failed: PassingError | None, gate: Gate, tries: int) -> ModelError:
    if failed is None:
        return ModelError(
            f"{without_keys(gate.address)} has answered nobody, and pushed back {gate.pace.pushed_back} requests, the "
            f"last with {gate.why_pushed_back}"
        )
    return ModelError(f"{failed} (tried {_times(tries)})")


def _units_of(result: object) -> float:
    """Return how much was answered, in tokens or what may be as many, and what any answer takes."""
    tokens = getattr(result, "output_tokens", None)
    said = getattr(result, "text", None) or getattr(result, "body", None) or ""
    return EACH_ANSWER + (tokens if isinstance(tokens, int) else len(said) / 4)


def _tell_of_retry(error: PassingError, wait_s: float, counted: int, max_retries: int) -> None:
    said = f"{error}; trying again in {wait_s:.1f} s (try {counted + 1} of {max_retries + 1})"
    if (at := innermost()) is not None:
        at.retry(said, LOG, kind=kind_of(str(error)), tries=counted, wait_s=round(wait_s, 3))
    else:
        LOG.info("%s", said, extra={"fields": {"tries": counted, "wait_s": round(wait_s, 3)}})


def back_off(tries: int, *, seed: int) -> float:
    """Return the seconds to wait after ``tries`` failures: doubling, with jitter down to one half."""
    longest = min(FIRST_WAIT_S * 2.0 ** min(tries - 1, 30), LONGEST_BACK_OFF_S)
    jitter = child_seed(seed, "back-off", tries) / 2**63
    return longest * (0.5 + jitter / 2)


def _times(tries: int) -> str:
    return "once" if tries == 1 else f"{tries} times"


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
                async with opened.places if is_bound else nullcontext():
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
            raise PassingError(f"{who} cannot be reached: {_root(error)}", kind=UNREACHABLE) from None
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
