"""An adapter for an agent behind an HTTP endpoint that takes and returns JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim._async import in_time
from convsim._secrets import read_key, secret_in_address, without_keys
from convsim._settings import Seconds, check_settings
from convsim._text import MAX_READ, one_line, shown
from convsim.agents.answer import parse_answer
from convsim.agents.visibility import as_request
from convsim.errors import AgentError, InputError
from convsim.lifting import MAX_ANSWER_BYTES, seen_by_agent
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply

if TYPE_CHECKING:
    import aiohttp

BLOCK_BYTES = 65_536


@dataclass(kw_only=True)
class HTTP:
    """POSTs ``{"messages", "conversation_id", "seed"}`` to ``url`` and takes ``{"content", "items"}``.

    ``messages`` are OpenAI's, with ``items`` on those of the agent. ``api_key_env`` names an environment
    variable that is sent as a bearer token, without white space around it. A reply is one connection and is
    never tried again: an endpoint may count what it is asked, and a second answer is not the first.

    Raises:
        InputError: No http or https address, a secret in it, no such environment variable, or an unusable
            timeout.
    """

    url: str
    api_key_env: str = ""
    timeout_s: Seconds = 60.0
    name: str = "http"

    def __post_init__(self) -> None:
        check_settings(self, self.name)
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

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Ask the endpoint; raises AgentError when it is out of reach, late, or of no use."""
        import aiohttp

        request = as_request(seen_by_agent(conversation), seed=seed)
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if self.api_key_env:
            headers["Authorization"] = f"Bearer {read_key(self.api_key_env, self.name)}"
        async with in_time(self.name, self.timeout_s, AgentError):
            try:
                # A session for each reply: it belongs to one event loop, and nobody would close a longer one.
                async with (
                    aiohttp.ClientSession(
                        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None), auto_decompress=False
                    ) as session,
                    session.post(
                        self.url, data=json.dumps(request).encode(), headers=headers, allow_redirects=False
                    ) as response,
                ):
                    body = await _bounded_body(response)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                what = one_line(error) or type(error).__name__
                raise AgentError(f"{self.name}: {self.url} did not answer: {what}") from error
        if response.headers.get("Content-Encoding", "identity") != "identity":
            # A compressed body unfolds to any size.
            raise AgentError(f"{self.name}: {self.url} compressed its answer, though asked not to")
        if response.status != 200:
            said = one_line(body[:MAX_READ].decode("utf-8", "replace"))
            raise AgentError(f"{self.name}: {self.url} answered with status {response.status}: {said}")
        return parse_answer(body, self.name)


async def _bounded_body(response: aiohttp.ClientResponse) -> bytes:
    """Read a body up to one byte beyond what is taken, so that ``parse_answer`` can refuse a longer one."""
    body = bytearray()
    async for block in response.content.iter_chunked(BLOCK_BYTES):
        body += block
        if len(body) > MAX_ANSWER_BYTES:
            break
    return bytes(body[: MAX_ANSWER_BYTES + 1])
