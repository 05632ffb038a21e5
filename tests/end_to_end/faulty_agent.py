"""An agent that goes wrong in a way of its own where ``mode-NAME`` is said: a function, and a program of JSON lines."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

NAMED = re.compile(r"mode-([a-z0-9-]+)")
FINE = "fine"


class NotAnException(BaseException):
    """As timeouts of some libraries are."""


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def raises(error: BaseException) -> Callable[[], object]:
    def call() -> object:
        raise error

    return call


def allocates() -> object:
    raise MemoryError


def recurses() -> object:
    return recurses()


def leaves_a_thread() -> object:
    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    return "these?"


def shows(**item: Any) -> dict[str, Any]:
    return {"content": "these?", "items": [item]}


def shows_without_end() -> object:
    return {"content": "these?", "items": ({"id": str(n)} for n in count())}


ANSWERS: dict[str, tuple[object, str]] = {
    "null": (None, "None|nothing|null"),
    "a-number": (7, "int|7"),
    "a-list": ([7], "list|int 7"),
    "an-empty-object": ({}, "content"),
    "content-of-another-kind": ({"content": 7}, "content"),
    "a-misspelt-key": ({"content": "x", "itemz": []}, FINE),
    "half-a-character": ("a\ud800", "half a character"),
    "control-characters": ({"content": "a\x1b[2J\u202eb\x00"}, FINE),
    "a-megabyte": ("x" * (1 << 20), "more than"),
    "items-of-another-kind": ({"content": "x", "items": 7}, "items"),
    "an-item-without-an-id": (shows(title="boots"), "id"),
    "an-item-in-depth": (shows(id="a", attributes={"a": nested(230)}), "recursion limit|nested"),
    "negative-usage": ({"content": "x", "usage": {"input_tokens": -1}}, "input_tokens"),
    "usage-that-overflows": ({"content": "x", "usage": {"seconds": 1e308}}, "seconds|usage"),
    "usage-of-thousands-of-digits": ({"content": "x", "usage": {"input_tokens": 10**4299}}, "input_tokens"),
}
"""What is answered, as a program's line or as a function's value, and what the reason fits."""
CALLS: dict[str, tuple[Callable[[], object], str]] = {
    "raises": (raises(RuntimeError("out\nof order")), "RuntimeError: out of order"),
    "raises-what-is-no-exception": (raises(NotAnException("late")), "NotAnException: late"),
    "exits": (raises(SystemExit(0)), "SystemExit"),
    "interrupts": (raises(KeyboardInterrupt()), "KeyboardInterrupt"),
    "out-of-memory": (allocates, "MemoryError"),
    "without-end": (recurses, "RecursionError"),
    "hangs": (lambda: time.sleep(3600), "did not answer within"),
    "shows-without-end": (shows_without_end, "more than 100,000 items"),
    "leaves-a-thread": (leaves_a_thread, FINE),
    "answers-a-function": (lambda: print, "str|function"),
}  # fmt: skip
"""What a function does."""


def ends(number: int) -> None:
    os.kill(os.getpid(), number)


def writes(*parts: bytes) -> None:
    for part in parts:
        os.write(1, part)


def good() -> bytes:
    return b'{"content": "these?"}\n'


def floods(number: int) -> None:
    while True:
        os.write(number, b"x" * 65_536)


def ignores_the_end() -> None:
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    time.sleep(3600)


def starts_others() -> None:
    for _ in range(3):
        subprocess.Popen(["sleep", "3600"])
    time.sleep(3600)


def half_a_line() -> None:
    writes(good()[:9])
    time.sleep(3600)


def closes_its_output() -> None:
    os.close(1)
    time.sleep(3600)


def closes_its_input() -> None:
    os.close(0)
    writes(good())


PROGRAM: dict[str, tuple[Callable[[], object], str]] = {
    "exits": (lambda: os._exit(3), "ended with status 3"),
    "exits-in-peace": (lambda: os._exit(0), "ended with status 0"),
    "killed": (lambda: ends(signal.SIGKILL), "ended with status -9"),
    "aborts": (lambda: ends(signal.SIGABRT), "ended with status -6"),
    "stops": (lambda: ends(signal.SIGSTOP), "did not answer within"),
    "hangs": (lambda: time.sleep(3600), "did not answer within"),
    "ignores-signals": (ignores_the_end, "did not answer within"),
    "starts-others": (starts_others, "did not answer within"),
    "half-a-line": (half_a_line, "did not answer within"),
    "two-lines": (lambda: writes(good() + good()), "more than one line"),
    "an-empty-line": (lambda: writes(b"\n"), "nothing"),
    "no-json": (lambda: writes(b"INFO: ready\n"), "one JSON object"),
    "bytes": (lambda: writes(b"\xff\x00\xfe\n"), "one JSON object"),
    "a-line-without-end": (lambda: floods(1), "more than 1,048,576 bytes"),
    "errors-without-end": (lambda: floods(2), "did not answer within"),
    "closes-its-output": (
        closes_its_output,
        "closed its standard output|did not answer within",
    ),
    "closes-its-input": (closes_its_input, FINE),
    "another-conversation": (lambda: writes(b'{"content": "x", "conversation_id": "another"}\n'), "another"),
    "windows-lines": (lambda: writes(good()[:-1] + b"\r\n"), FINE),
}
"""What a program does once it is asked."""


def asked(text: str) -> str | None:
    found = NAMED.search(text)
    return found[1] if found else None


def reply(conversation: Any) -> object:
    """Answer as a function does."""
    mode = asked(str([message.content for message in conversation.messages]))
    if mode in CALLS:
        return CALLS[mode][0]()
    return ANSWERS[mode][0] if mode in ANSWERS else "these?"


def main() -> None:
    """Answer line by line."""
    for line in iter(sys.stdin.readline, ""):
        mode = asked(line)
        if mode in PROGRAM:
            PROGRAM[mode][0]()
        elif mode in ANSWERS:
            answer = ANSWERS[mode][0]
            answer = {"content": answer} if isinstance(answer, str) else answer
            writes(json.dumps(answer).encode() + b"\n")
        else:
            writes(good())


if __name__ == "__main__":
    main()
