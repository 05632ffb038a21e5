"""A model behind a server that speaks the OpenAI protocol: OpenAI, Azure, vLLM, Ollama, llama.cpp and others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from convsim._settings import Positive, check_settings
from convsim.models.prices import price_of
from convsim.models.requests import Api
from convsim.models.served import Served
from convsim.models.transport import OPENAI_HOST, Endpoint


@dataclass(kw_only=True)
class OpenAICompatible(Served):
    """Asks a server over ``/chat/completions`` and ``/completions``, or over OpenAI's Responses API.

    ``base_url`` ends before the path, as in ``http://127.0.0.1:8000/v1``. ``api_key_env`` names the
    environment variable that holds the key, read for each call; it may be left out for OpenAI's own server,
    which has ``OPENAI_API_KEY``, for Azure's, which has ``AZURE_OPENAI_API_KEY``, and for a server on this machine.
    ``api`` is "chat", "responses" or "azure"; Azure's hosts are known. There ``model`` is the deployment, ``base_url``
    may end after the host, and ``api_version`` is the date that Azure asks for.

    ``timeout_s`` bounds one try as a whole, ``max_wait_s`` a wait that the server asks for. ``temperature`` replaces
    what is asked for, for models that accept only one. ``stream`` asks for a stream of events. ``extra_body`` is sent
    along, such as ``{"reasoning_effort": "low"}``. ``prices`` is a table of the user's own, see ``prices.toml``.

    What the server refuses by name is left out from then on, or sent under its other name, and ``learned`` says so:
    ``omit = ["seed"]`` and ``rename = {max_tokens = "max_completion_tokens"}`` say it beforehand. So is a role of the
    system that it does not take, and roles that must alternate. ``thinking_tokens`` is room beyond each limit, for
    models that think before they answer; where it is not set, room is made once an answer shows that it is needed.

    ``max_connections`` bounds how many requests of this model are under way; where it is not set, and a number of
    conversations at a time is, that is 64.

    The seed is sent, but a server need not heed it. A completion's seconds include the tries before it.
    """

    base_url: str = f"https://{OPENAI_HOST}/v1"
    api_key_env: str = ""
    api: Api | None = None
    api_version: str = ""
    max_connections: Positive | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        endpoint = Endpoint(
            base_url=self.base_url,
            api_key_env=self.api_key_env,
            timeout_s=self.timeout_s,
            max_retries=self.max_retries,
            max_connections=self.max_connections,
            max_wait_s=self.max_wait_s,
            azure=self.api == "azure",
            api_version=self.api_version,
        )
        self.provider = "azure.ai.openai" if endpoint.azure else "openai"
        table = Path(self.prices) if self.prices else None
        # OpenAI's newer models refuse `max_tokens`, and many other servers know nothing else.
        renamed = {"max_tokens": "max_completion_tokens"} if endpoint.host == OPENAI_HOST else {}
        self._start(
            endpoint,
            who=f"the model {self.model!r} at {self.base_url}",
            api=self.api or "chat",
            price=price_of(self.model, endpoint.host, table=table),
            renamed=renamed,
        )
