"""An OpenAI-compatible server whose every completion takes the same time, to run in a process of its own.

``python tests/benchmarks/latency_server.py --latency-ms 50`` prints its base_url on the first line of stdout and
serves until it is stopped. It answers ``/chat/completions`` and ``/completions`` without reading the prompt, so that
what is measured is the client; a request that asks for a choice gets the first option.
"""

import argparse
import asyncio
import json
import sys

ANSWER = "I would like something like the second one, but under 80 dollars."
USAGE = {"prompt_tokens": 100, "completion_tokens": 15, "total_tokens": 115}


def response(body: dict[str, object]) -> bytes:
    """Return a whole HTTP response with ``body`` as JSON."""
    said = json.dumps(body).encode()
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said) + said
    )


def chat_completion(content: str) -> bytes:
    """Return a chat completion that says ``content``."""
    message = {"role": "assistant", "content": content}
    return response(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "fixed",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": USAGE,
        }
    )


CHAT = chat_completion(ANSWER)
TEXT = response(
    {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1,
        "model": "fixed",
        "choices": [{"index": 0, "text": f" {ANSWER}", "finish_reason": "stop", "logprobs": None}],
        "usage": USAGE,
    }
)


class Completions(asyncio.Protocol):
    """Answers the requests of one connection, one after the other, each ``latency_s`` after it was whole."""

    def __init__(self, latency_s: float):
        self.latency_s, self.received = latency_s, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.received[:end]).lower()
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            if len(self.received) < end + 4 + length:
                return
            answer = self.answer(head, bytes(self.received[end + 4 : end + 4 + length]))
            del self.received[: end + 4 + length]
            asyncio.get_running_loop().call_later(self.latency_s, self.send, answer)

    def answer(self, head: bytes, body: bytes) -> bytes:
        """Choose the answer by the path, and by the schema where there is one."""
        if b"/chat/completions" not in head.split(b"\r\n", 1)[0]:
            return TEXT
        if b'"response_format"' not in body:
            return CHAT
        schema = json.loads(body)["response_format"]["json_schema"]["schema"]
        return chat_completion(json.dumps({"choice": schema["properties"]["choice"]["enum"][0]}))

    def send(self, answer: bytes) -> None:
        """Send an answer, unless the client has gone."""
        if not self.transport.is_closing():
            self.transport.write(answer)


async def serve(port: int, latency_s: float) -> None:
    """Serve on loopback until cancelled; port 0 takes any that is free."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Completions(latency_s), "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    stated = parser.parse_args()
    try:
        asyncio.run(serve(stated.port, stated.latency_ms / 1000))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
