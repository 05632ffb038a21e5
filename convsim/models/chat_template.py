"""The chat template of a model folder, filled in by a process of its own: a stranger wrote it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from convsim._text import one_line
from convsim.errors import ModelError

PROGRAM = Path(__file__).with_name("template_process.py")
MAX_BYTES = 512 << 20
MAX_SECONDS = 5.0
"""Of processor time, for one chat; no template of a real model takes a hundredth of it."""
MAX_WAIT_S = 60.0
"""For one chat, on a machine without such a limit, or too busy to give it that time."""
MAX_CHARACTERS = 16 << 20
NEEDED = ("SYSTEMROOT", "LD_LIBRARY_PATH")
"""Variables without which Python may not start; the template's process sees no other."""


class RefusedChatError(ModelError):
    """The template itself refuses a chat, as one does that knows no system's message."""


class ChatTemplate:
    """One template; its process is started when it is first asked for, and ends with this object.

    What has run out of a bound once is not tried again.
    """

    def __init__(
        self,
        template: str,
        *,
        named: str = "the model's chat template",
        is_prompt: bool = False,
        trims: bool = True,
    ):
        """Take the template, and what errors call it; the variables of a prompt must all be there."""
        self._template, self._named, self._is_prompt, self._trims = template, named, is_prompt, trims
        self._asking = threading.Lock()
        self._broken = ""

    def render(self, variables: Mapping[str, Any]) -> str:
        """Fill in the template.

        Raises:
            RefusedChatError: It refuses this chat.
            ModelError: It fails, or takes more memory or time, or writes more, than it may.
        """
        answer = self._asked(variables)
        if "text" in answer:
            return answer["text"]
        if "refused" in answer:
            raise RefusedChatError(answer["refused"])
        raise ModelError(f"{self._named} {one_line(answer['failed'])}")

    @cached_property
    def literal_text(self) -> str:
        """All texts that stand in the template. Raises as ``render`` does."""
        return self._first_answer["text"]

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names that the template asks for. Raises as ``render`` does."""
        return frozenset(self._first_answer["variables"].split())

    @cached_property
    def _first_answer(self) -> Mapping[str, str]:
        with self._asking:
            _, answer = self._started
        if "text" not in answer:
            raise ModelError(f"{self._named} {one_line(answer['failed'])}")
        return answer

    def _asked(self, variables: Mapping[str, Any]) -> Mapping[str, str]:
        _ = self.literal_text
        with self._asking:
            return self._exchange(self._started[0], json.dumps(variables, default=str))

    @cached_property
    def _started(self) -> tuple[subprocess.Popen[str], Mapping[str, str]]:
        import jinja2
        import markupsafe

        process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={name: os.environ[name] for name in NEEDED if name in os.environ},
            # Who signals our process group, as Ctrl-C and a notebook's kernel at its end do, does not mean this one.
            start_new_session=True,
        )
        weakref.finalize(self, _end, process)
        first = {
            "path": sorted({str(Path(str(package.__file__)).parents[1]) for package in (jinja2, markupsafe)}),
            "template": self._template,
            "is_prompt": self._is_prompt,
            "trims": self._trims,
            "bytes": MAX_BYTES,
            "seconds": MAX_SECONDS,
            "characters": MAX_CHARACTERS,
        }
        return process, self._exchange(process, json.dumps(first))

    def _exchange(self, process: subprocess.Popen[str], line: str) -> Mapping[str, str]:
        """Send a line and return what comes back; of a process that ends, that it ran out of a bound."""
        if self._broken:
            return {"failed": self._broken}
        assert process.stdin is not None
        assert process.stdout is not None
        clock = threading.Timer(MAX_WAIT_S, process.kill)
        clock.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            clock.cancel()
        if answer:
            known: dict[str, str] = json.loads(answer)
            return known
        process.kill()
        status = process.wait()
        self._broken = f"takes more than {MAX_SECONDS:g} s, or breaks the process that fills it in ({status})"
        return {"failed": self._broken}


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def chat_template(tokenizer: Any) -> ChatTemplate:
    """Return the template of a tokenizer, one process for each in this process.

    Raises:
        ValueError: The tokenizer has several, and none of them is the default.
    """
    return _of(tokenizer.get_chat_template(), os.getpid())


@lru_cache(maxsize=8)
def _of(template: str, _: int) -> ChatTemplate:
    # A forked process must not share the pipes of its parent.
    return ChatTemplate(template)


def encode_chat(tokenizer: Any, messages: Sequence[Mapping[str, str]], *, is_open: bool) -> list[int]:
    """Return a chat's tokens as the template writes it; control tokens within a message are read as plain text.

    It is what ``tokenizer.apply_chat_template(…, sanitize_control_tokens=True)`` returns, which fills in the template
    in this process, without bounds.

    Args:
        tokenizer: The tokenizer, with its template.
        messages: The chat.
        is_open: End where the model's answer begins.

    Raises:
        RefusedChatError: The template refuses this chat.
        ModelError: It fails, or runs out of a bound.
    """
    from transformers.utils import chat_template_utils

    lib: Any = chat_template_utils
    template = chat_template(tokenizer)
    patterns, _ = lib._get_control_token_patterns(_control_tokens(tokenizer, template.literal_text))
    text = template.render(
        {
            **tokenizer.special_tokens_map,
            "messages": lib.mark_control_tokens([dict(message) for message in messages], patterns),
            "tools": None,
            "documents": None,
            "add_generation_prompt": is_open,
        }
    )
    return list(tokenizer(text, add_special_tokens=False, sanitize_control_tokens=True)["input_ids"])


def check_template(tokenizer: Any) -> None:
    """Check that a chat can be written by the template, where there is one; which chats it refuses is not looked at.

    Raises:
        ModelError: It fails, or runs out of a bound.
    """
    if tokenizer.chat_template is not None:
        with suppress(RefusedChatError):
            encode_chat(tokenizer, [{"role": "user", "content": "-"}], is_open=True)


def _control_tokens(tokenizer: Any, literal_text: str) -> tuple[str, ...]:
    """Return the tokens that a message cannot write: special ones, and those that the template writes."""
    stated = tokenizer.chat_control_tokens

    def is_control(token: str) -> bool:
        return token in stated if stated is not None else token in literal_text and not token.isspace()

    added = tokenizer.added_tokens_decoder.values()
    return tuple(token.content for token in added if token.special or is_control(token.content))
