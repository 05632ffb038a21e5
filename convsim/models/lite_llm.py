"""A model of any provider that LiteLLM knows: Anthropic, Gemini, Bedrock, Vertex and a hundred others."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import JsonValue

from convsim._secrets import check_variable, know_environment, read_key, secret_in_address
from convsim._settings import check_settings
from convsim._text import one_line
from convsim.errors import TIMED_OUT, InputError, MissingExtraError, ModelError
from convsim.models.answers import ReportedError
from convsim.models.failures import Asked, PassingError, failure
from convsim.models.gates import gate_of
from convsim.models.metering import Call
from convsim.models.prices import Price, price_of
from convsim.models.retries import with_retries
from convsim.models.served import Served

QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_MODE": "PRODUCTION",
}
"""What keeps LiteLLM from fetching lists of its own, and from reading a file of secrets in the working folder."""

USED = ("acompletion", "atext_completion", "stream_chunk_builder", "get_llm_provider", "validate_environment")
Result = TypeVar("Result")


@dataclass(kw_only=True)
class LiteLLM(Served):
    """Asks ``model``, written as LiteLLM writes it: ``anthropic/claude-sonnet-4-6``, ``gemini/gemini-2.5-flash``.

    It needs the extra ``litellm``. ``api_key_env`` names the environment variable that holds the key; where it is left
    out, the key is in the variable that LiteLLM knows for the provider, such as ``ANTHROPIC_API_KEY``. ``base_url``
    replaces the provider's address. All other settings, and what is learned of a provider's refusals, are as with
    ``openai_compatible``; ``extra_body`` are further arguments of ``litellm.acompletion``. LiteLLM tries nothing again,
    drops no parameters by itself, and calls nobody but the provider. What it knows of prices counts where ``prices``
    says nothing.

    Raises:
        MissingExtraError: LiteLLM is not installed.
        InputError: A setting cannot be used.
    """

    base_url: str = ""
    api_key_env: str = ""

    def __post_init__(self) -> None:
        check_settings(self)
        if importlib.util.find_spec("litellm") is None:
            raise MissingExtraError("a model through LiteLLM", "litellm")
        who = f"the model {self.model!r} through LiteLLM"
        check_variable(self.api_key_env, who)
        _check_address(self.base_url, who)
        table = Path(self.prices) if self.prices else None
        through = _Through(
            self.model, base_url=self.base_url, api_key_env=self.api_key_env, timeout_s=self.timeout_s,
            max_retries=self.max_retries, max_wait_s=self.max_wait_s,
        )  # fmt: skip
        self.provider = self.model.partition("/")[0]
        price = price_of(self.model, "litellm", table=table)
        self._start(through, who=who, api="chat", price=price, renamed={})

    async def check_ready(self) -> None:
        """Look for the provider, its key and its price; raises InputError where there is no provider or no key."""
        await self._endpoint.key()
        self._price = self._price or await asyncio.to_thread(_known_price, self.model)


def _check_address(address: str, who: str) -> None:
    try:
        secret = secret_in_address(address)
    except ValueError:
        secret = "no address"
    if address and not address.startswith(("http://", "https://")):
        secret = "no address"
    if secret:
        raise InputError(f"{who}: base_url contains {secret}: give one like http://127.0.0.1:8000/v1")


@dataclass
class _Through:
    """Hands requests to LiteLLM, and makes of its answers and errors what servers send."""

    model: str
    base_url: str
    api_key_env: str
    timeout_s: float
    max_retries: int
    max_wait_s: float

    @property
    def address(self) -> str:
        """Where requests go, as meters call it."""
        return self.base_url or "LiteLLM"

    async def key(self) -> str:
        """Find the provider and the key; "" where LiteLLM finds the key by itself.

        Raises:
            InputError: There is no such provider, or no key.
        """
        return await asyncio.to_thread(self._key)

    def _key(self) -> str:
        litellm, who = _library(), f"the model {self.model!r}"
        try:
            litellm.get_llm_provider(self.model)
        except Exception:  # the library's error of many lines
            raise InputError(
                f"{who} has no provider that LiteLLM knows: write it as provider/model, such as "
                "anthropic/claude-sonnet-4-6"
            ) from None
        if self.api_key_env:
            if key := read_key(self.api_key_env, who):
                return key
            raise InputError(f"{who} needs a key: the variable {self.api_key_env} is not set")
        know_environment()
        found = litellm.validate_environment(self.model)
        if found["keys_in_environment"] or not found["missing_keys"]:
            return ""
        if self.base_url:  # a server of one's own
            return "none"
        raise InputError(
            f"{who} needs a key: set {' and '.join(found['missing_keys'])}, or name the variable with the key in "
            "api_key_env"
        )

    async def post(
        self,
        path: str,
        body: Mapping[str, JsonValue],
        *,
        who: str,
        seed: int,
        read: Callable[[bytes], Result],
    ) -> Result:
        """Ask LiteLLM for what the server at ``path`` would be asked; raises as ``Endpoint.post`` does."""
        asked = Asked(who=who, path=path, key_env=self.api_key_env)
        key = await self.key()
        call = Call(self.model, self.address)

        async def once() -> Result:
            try:
                async with asyncio.timeout(self.timeout_s):
                    answer = await self._answer(path, body, key)
            except TimeoutError:
                said = f"{who} gave no complete answer within {self.timeout_s:g} s"
                raise PassingError(said, kind=TIMED_OUT) from None
            except Exception as error:  # LiteLLM's own and those of a hundred clients
                raise _failure(error, asked) from None
            try:
                return read(answer.encode())
            except ReportedError as error:
                raise failure(200, error.said, headers={}, asked=asked) from None

        async def measured() -> Result:
            with call.attempt():
                call.sent()
                return await once()

        gate = gate_of(self.base_url or f"litellm:{self.model.partition('/')[0]}")

        return await with_retries(
            measured,
            gate=gate,
            waits=call.waits,
            max_retries=self.max_retries,
            seed=seed,
            max_wait_s=self.max_wait_s,
        )

    async def _answer(self, path: str, body: Mapping[str, JsonValue], key: str) -> str:
        litellm = _library()
        settings: dict[str, object] = {
            **body, "timeout": self.timeout_s, "num_retries": 0, "max_retries": 0, "drop_params": False,
        }  # fmt: skip
        if key:
            settings["api_key"] = key
        if self.base_url:
            settings["api_base"] = self.base_url
        ask = litellm.atext_completion if path == "/completions" else litellm.acompletion
        answer = await ask(**settings)
        if body.get("stream"):
            answer = litellm.stream_chunk_builder([chunk async for chunk in answer])
        text: str = answer.model_dump_json()
        return text

    async def aclose(self) -> None:
        """Close what LiteLLM keeps open for all models of this loop."""
        from litellm.llms.custom_httpx.async_client_cleanup import close_litellm_async_clients

        await close_litellm_async_clients()


@cache
def _library() -> Any:
    """Import LiteLLM, with its telemetry and its downloads turned off, and without warnings of its own insides."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm

        lib: Any = litellm
        for part in USED:  # each is imported when it is first looked at
            getattr(lib, part)
    # Modules that it imports only while it is asked say this of themselves.
    warnings.filterwarnings("ignore", message=".*Pydantic will not protect items", category=UserWarning)
    lib.telemetry = False
    lib.suppress_debug_info = True
    return lib


def _failure(error: Exception, asked: Asked) -> ModelError:
    """Read an exception as the answer that it was made of."""
    status = getattr(error, "status_code", None)
    said = getattr(error, "body", None) or getattr(error, "message", None) or str(error)
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    if isinstance(status, int) and status != 200:
        return failure(status, said, headers=headers, asked=asked)
    return ModelError(f"{asked.who} failed: {type(error).__name__}: {one_line(said)}")


def _known_price(model: str) -> Price | None:
    """Return the price that LiteLLM's own list has; None where it has none, or none worth the name."""
    found: dict[str, Any] = {}
    with suppress(Exception):  # not in its list, for which it has errors of several kinds
        found = dict(_library().get_model_info(model))
    read, written = found.get("input_cost_per_token"), found.get("output_cost_per_token")
    if not read or not written:
        return None
    try:
        return Price(model=model, input=read * 1e6, output=written * 1e6)
    except (TypeError, ValueError):
        return None
