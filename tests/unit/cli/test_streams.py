"""What is written to stderr in the midst of writing there."""

import io
import json
import threading

from convsim.cli.streams import Messages
from convsim.cli.talk import TALK


def test_a_finalizer_may_write_while_a_line_is_taken_apart(monkeypatch):
    written = io.StringIO()
    stream = Messages(written)

    class Text(str):
        """Joined to what waits, it lets the collector run, which may happen at every step of a program."""

        def __radd__(self, before: str) -> str:
            stream.write("said by a finalizer\n")
            return before + str(self)

    monkeypatch.setattr(TALK, "log_json", True)
    writing = threading.Thread(target=stream.write, args=[Text("hello\n")], daemon=True)
    writing.start()
    writing.join(10)
    said = [json.loads(line)["message"] for line in written.getvalue().splitlines()]
    assert said == ["said by a finalizer", "hello"]
