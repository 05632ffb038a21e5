"""A program as the agent: real processes, well and badly behaved."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from convsim.agents import Command
from convsim.agents.program import EndedError, MisbehavedError
from convsim.errors import AgentError, InputError
from convsim.schema import AgentReply
from tests.hanging import ended_if_it_hangs
from tests.unit.agents.shops import talk

ECHO = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    content = f"{asked['messages'][-1]['content']} {asked['seed']} {asked['conversation_id']} {os.getpid()}"
    print(json.dumps({"content": content, "items": [{"id": "b1"}]}), flush=True)
"""

WAIT = "import time; time.sleep(60)"
Make = Callable[..., Command]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Make]:
    """Return a function that makes an agent of a Python program's text."""
    made: list[Command] = []

    def make(text: str, *, processes: int = 1, timeout_s: float = 10.0) -> Command:
        path = tmp_path / f"agent{len(made)}.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        command = [sys.executable, "-S", "-E", str(path)]
        made.append(Command(command=command, processes=processes, timeout_s=timeout_s, name="prog"))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


def ask(agent: Command, *said: str, seed: int = 5) -> AgentReply:
    return asyncio.run(agent.reply(talk(*said), seed=seed))


def pid(reply: AgentReply) -> int:
    return int(reply.content.split()[-1])


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_line_goes_in_and_a_line_comes_back(program: Make) -> None:
    reply = ask(program(ECHO), "boots")
    assert reply.content.startswith("boots 5 talk ")
    assert [item.id for item in reply.items] == ["b1"]


def test_one_process_answers_reply_after_reply_in_loop_after_loop(program: Make) -> None:
    agent = program(ECHO)
    assert len({pid(ask(agent, f"boots {i}")) for i in range(3)}) == 1


def test_a_line_break_in_a_message_stays_in_its_line(program: Make) -> None:
    assert ask(program(ECHO), "two\nlines\u2028").content.startswith("two\nlines\u2028 5")


@pytest.mark.parametrize("processes", [1, 3])
def test_no_more_processes_run_than_allowed_and_every_conversation_gets_its_own_answer(
    program: Make, processes: int
) -> None:
    agent = program(ECHO, processes=processes)

    async def many() -> list[AgentReply]:
        return await asyncio.gather(*(agent.reply(talk(f"boots{i}"), seed=i) for i in range(24)))

    replies = asyncio.run(many())
    assert [reply.content.split()[:2] for reply in replies] == [[f"boots{i}", str(i)] for i in range(24)]
    assert len({pid(reply) for reply in replies}) == processes


def test_waiting_for_a_free_process_is_no_lateness(program: Make) -> None:
    agent = program(
        "import time\n" + ECHO.replace("    asked =", "    time.sleep(0.15); asked ="), timeout_s=1.0
    )

    async def many() -> None:
        await asyncio.gather(*(agent.reply(talk("hi"), seed=i) for i in range(10)))

    asyncio.run(many())


def test_a_program_that_answers_once_and_ends_is_started_for_every_reply(program: Make) -> None:
    agent = program(ECHO + "    break\n")
    assert len({pid(ask(agent, "boots")) for _ in range(4)}) == 4


def test_a_program_that_closes_its_output_before_it_ends_has_not_spoken_unasked(
    program: Make, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    agent = program(
        f"{ECHO}    import os, pathlib, time; os.close(1); pathlib.Path({str(closed)!r}).touch(); time.sleep(20)"
    )
    ask(agent, "boots")
    _wait_until(closed.exists)
    (answered,) = agent._programs
    with pytest.raises(EndedError):
        answered.ask(b"{}")


def test_a_program_that_never_had_an_output_is_no_speaker_either(program: Make) -> None:
    agent = program("import os, time; os.close(1); time.sleep(20)")
    with pytest.raises(AgentError, match="closed its standard output"):
        ask(agent, "boots")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import sys; sys.exit(3)", "prog: the program ended with status 3"),
        ("import sys; sys.stdin.readline(); raise ValueError('no\\nboots')", "ended with status 1: boots"),
        ("import os, sys; sys.stdin.readline(); os.close(1); sys.stdin.read()", "closed its standard output"),
        ("import os; os.kill(os.getpid(), 9)", "prog: the program ended with status -9"),
        ("import sys; sys.stderr.write('x' * 1_000_000); sys.exit(1)", "ended with status 1: xxx"),
        ("input(); print('hello')", "prog must answer with one JSON object, but sent: hello"),
        ("input(); print()", "prog must answer with one JSON object, but sent: nothing"),
        ("input(); print('null')", "prog must answer with one JSON object, but sent NoneType None"),
        ("input(); print('<html>')", "prog answered with a web page instead of JSON: <html>"),
        ("input(); print('{}')", "prog answered without 'content'"),
        ("""input(); print('{"content": "x", "items": [{}]}')""", "items.0.id: is missing"),
        ("input(); print('{\"content\": \"' + 'a' * 1_000_000 + '\"}')", "more than 262,144 bytes of text"),
        (
            "input(); print('a' * 3_000_000, end='', flush=True); input()",
            "answered with more than 1,048,576 bytes",
        ),
        (
            """input(); print('{"content": "x"}\\n{"content": "y"}')""",
            "prog: the program answered with more than one line",
        ),
    ],
)
def test_what_a_bad_program_does_is_a_reason(program: Make, text: str, says: str) -> None:
    with pytest.raises(AgentError) as caught:
        ask(program(text), "boots")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_line_that_nobody_asked_for_is_never_taken_for_an_answer(program: Make, tmp_path: Path) -> None:
    written = tmp_path / "written"
    late = 'import pathlib, time; time.sleep(0.5); print(\'{"content": "stale"}\', flush=True)'
    agent = program(f"{ECHO}    {late}; pathlib.Path({str(written)!r}).touch()\n")
    first = ask(agent, "boots")
    _wait_until(written.exists)
    second = ask(agent, "shoes")
    assert second.content.startswith("shoes")
    assert pid(second) != pid(first)
    assert not alive(pid(first))


def test_a_line_before_the_first_question_is_a_reason(program: Make) -> None:
    started = program(f"print('ready', flush=True); {WAIT}")._ready()
    _wait_until(lambda: started.wrote_unasked)
    with pytest.raises(MisbehavedError, match="wrote to its standard output before it was asked"):
        started.ask(b"{}")
    started.kill()


@pytest.mark.parametrize(("repeated", "is_taken"), [("asked['conversation_id']", True), ("'another'", False)])
def test_an_answer_to_another_conversation_is_refused_where_the_program_says_which(
    program: Make, repeated: str, is_taken: bool
) -> None:
    said = f'"conversation_id": {repeated}, "content"'
    agent = program(ECHO.replace('"content"', said))
    if is_taken:
        assert ask(agent, "boots").content.startswith("boots")
        return
    with pytest.raises(
        AgentError, match="prog answered about conversation 'another', but was asked about talk"
    ):
        ask(agent, "boots")


CHILD = """
import json, os, pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-E", "-c", {code!r}], start_new_session={alone})
pathlib.Path({where!r}).write_text(str(child.pid))
"""


def test_what_a_program_started_ends_with_it_also_where_it_has_ended_before(
    program: Make, tmp_path: Path
) -> None:
    where = tmp_path / "child"
    text = CHILD.format(code="import time; time.sleep(60)", alone=False, where=str(where))
    agent = program(text + ECHO + "    break\n")
    reply = ask(agent, "boots")
    _wait_until(lambda: not agent._idle[0].running)
    child = int(where.read_text())
    assert alive(child)
    agent._ready()
    _wait_until(lambda: not alive(child) or _is_zombie(child))
    assert not alive(pid(reply))


def test_a_grandchild_in_a_session_of_its_own_that_holds_the_pipes_holds_up_nobody(
    program: Make, tmp_path: Path
) -> None:
    where = tmp_path / "child"
    code = "import time; time.sleep(60)"
    agent = program(CHILD.format(code=code, alone=True, where=str(where)) + WAIT, timeout_s=0.5)
    with pytest.raises(AgentError, match="did not answer"):
        ask(agent, "boots")
    _wait_until(lambda: not _threads_at_pipes())
    child = int(where.read_text())
    assert alive(child)
    os.kill(child, signal.SIGKILL)


def _threads_at_pipes() -> set[str]:
    return {"convsim-stderr", "convsim-plugin"} & {thread.name for thread in threading.enumerate()}


def test_a_program_that_writes_much_to_standard_error_is_not_held_up(program: Make) -> None:
    agent = program("import sys; sys.stderr.write('noise ' * 200_000)\n" + ECHO)
    assert ask(agent, "boots").content.startswith("boots")


def test_a_program_that_does_not_read_a_long_line_is_given_up_in_time(program: Make) -> None:
    with pytest.raises(AgentError, match=r"prog did not answer within 0\.3 s"):
        ask(program("import time; time.sleep(60)", timeout_s=0.3), "boots " * 100_000)


def test_one_that_never_answers_is_killed_with_what_it_started_and_the_next_reply_has_another(
    program: Make, tmp_path: Path
) -> None:
    agent = program(
        f"""
        import os, subprocess, sys, pathlib, time
        if pathlib.Path({str(tmp_path / "seen")!r}).exists():
            input(); print('{{"content": "second"}}'); sys.exit()
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        pathlib.Path({str(tmp_path / "pids")!r}).write_text(f"{{os.getpid()}} {{child.pid}}")
        pathlib.Path({str(tmp_path / "seen")!r}).touch()
        time.sleep(60)
        """,
        timeout_s=1.0,
    )
    with ended_if_it_hangs(), pytest.raises(AgentError, match=r"^prog did not answer within 1 s$"):
        ask(agent, "boots")
    parent, child = map(int, (tmp_path / "pids").read_text().split())
    assert not alive(parent)
    _wait_until(lambda: not alive(child) or _is_zombie(child))
    assert ask(agent, "boots").content == "second"


def test_a_cancelled_reply_kills_its_program(program: Make, tmp_path: Path) -> None:
    where = tmp_path / "pid"
    agent = program(
        f"import os, pathlib, time; pathlib.Path({str(where)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )

    async def cancel() -> None:
        task = asyncio.create_task(agent.reply(talk("hi"), seed=1))
        while not where.exists() or not where.read_text():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert not alive(int(where.read_text()))


def test_the_programs_end_with_the_agent(program: Make) -> None:
    agent = Command(command=program(ECHO).command)
    process = pid(ask(agent, "boots"))
    assert alive(process)
    del agent
    gc.collect()
    assert not alive(process)


def test_a_text_is_split_as_a_shell_would_but_no_shell_runs_it(tmp_path: Path) -> None:
    script = tmp_path / "my agent.py"
    script.write_text("import sys, json; input(); print(json.dumps({'content': str(sys.argv[1:])}))")
    agent = Command(command=f"'{sys.executable}' '{script}' $HOME 'a b' ; ls")
    assert ask(agent, "hi").content == "['$HOME', 'a b', ';', 'ls']"
    agent.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"command": "no-such-program-here --x"},
            "command: no program 'no-such-program-here' was found that can be run",
        ),
        ({"command": ""}, "command must be a program and its arguments, but is ''"),
        ({"command": [sys.executable, 7]}, "command must be text or a list of text"),
        ({"command": "python '"}, "cannot be split: No closing quotation"),
        (
            {"command": sys.executable, "processes": 0},
            "command: processes must be a whole number from 1 to 64",
        ),
    ],
)
def test_an_unusable_setting_is_refused_at_once(settings: dict[str, object], says: str) -> None:
    with pytest.raises(InputError) as caught:
        Command(**settings)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_a_program_that_cannot_be_started_is_a_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(AgentError, match="cannot be started: "):
        ask(Command(command=[str(broken)]), "hi")


def _is_zombie(process: int) -> bool:
    """Tell whether a process has ended and only waits for its parent, which may be nobody in a container."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return False


def _wait_until(condition: Callable[[], bool]) -> None:
    with ended_if_it_hangs(30.0):  # what is to be killed would sleep for 60 s
        while not condition():
            time.sleep(0.01)
