"""Workers that are processes of this machine: each ends by itself as soon as the process that started it has gone."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from convsim._text import described
from convsim.simulation.holding import Broken, Holder, LostError

Question = tuple[int, str, Any]
Said = TypeVar("Said")
ALIVE = 0
"""The number of what a worker says of its own accord: that it runs."""
ALIVE_EVERY_S = 5.0
LOOK_EVERY_S = 1.0
"""How often it is looked whether a worker has ended: whoever it has forked keeps its pipe open, and is no worker."""
SILENT_FOR_S = 120.0
"""How long a worker may say nothing, not even that it runs, before it is ended: it hangs, or was stopped."""


TOGETHER_BYTES = 1 << 20
"""Answers that are larger together are sent at once."""


class _Round(Generic[Said]):
    """Gathers what is said in one round of a loop, and sends it together: each sending costs either side far more."""

    def __init__(self, send: Callable[[list[Said]], None]):
        self._send = send
        self._said: list[Said] = []
        self._bytes = 0

    def add(self, said: Said, *, n_bytes: int = 0) -> None:
        """Send something soon; called in the loop."""
        if not self._said:
            asyncio.get_running_loop().call_soon(self.end)
        self._said.append(said)
        self._bytes += n_bytes
        if self._bytes > TOGETHER_BYTES:
            self.end()

    def end(self) -> None:
        """Send what has been said."""
        said, self._said, self._bytes = self._said, [], 0
        if said:
            self._send(said)


class ProcessWorker:
    """One process, a pipe to it, and a thread that listens there."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._opened: asyncio.Future[Connection] = self._loop.create_future()
        self._asking = _Round(self._ask)
        self._process: BaseProcess | None = None
        self._n, self._is_unwanted = 0, False
        self._began = False  # before it says anything it may import whatever the script that started it does
        self._thread = threading.Thread(target=self._listen, name="convsim-worker", daemon=True)
        self._thread.start()

    async def ask(self, what: str, argument: object) -> Any:
        """Let the worker do something; raises LostError where it ends before it answers."""
        pipe = await asyncio.shield(self._opened)
        self._n += 1
        number, answer = self._n, self._loop.create_future()
        self._waiting[number] = answer
        try:
            if what == "begin":  # which may be large, and the process is not there yet to read it
                await asyncio.to_thread(pipe.send, [(number, what, argument)])
            else:
                self._asking.add((number, what, argument))
            return await answer
        except (OSError, ValueError) as error:
            raise LostError(described(error)) from error
        finally:
            self._waiting.pop(number, None)

    def _ask(self, questions: list[Question]) -> None:
        try:
            self._opened.result().send(questions)
        except (OSError, ValueError) as error:
            for number, _, _ in questions:
                if number in self._waiting:
                    _fail(self._waiting[number], LostError(described(error)))

    def kill(self) -> None:
        """End it at once."""
        self._is_unwanted = True
        if self._process is not None:
            with contextlib.suppress(ValueError, OSError, AttributeError):  # not started yet, or ended
                self._process.kill()

    async def gone(self, within_s: float) -> bool:
        """Wait until it has ended; say whether it has."""
        await asyncio.to_thread(self._thread.join, within_s)
        return not self._thread.is_alive()

    def _listen(self) -> None:
        why = "it ended"
        try:
            with _no_interrupts(), self._started() as pipe:
                self._tell(self._open, pipe)
                while True:
                    self._tell(self._deliver, self._heard(pipe))
        except TimeoutError:
            self.kill()
            why = f"it has said nothing for {SILENT_FOR_S:.0f} s, and was ended"
        except (EOFError, OSError):
            if self._process is not None:
                self._process.join()
                why = _ended_with(self._process.exitcode)
        except Exception as error:  # the process could not be started, or said what nobody can read
            why = described(error)
            self.kill()
        self._tell(self._lose, LostError(why))

    def _heard(self, pipe: Connection) -> list[tuple[int, Any]]:
        """Wait for what the worker says next; raises EOFError where it has ended, TimeoutError where it hangs.

        Silence is counted in looks and not in seconds: where all processes were stopped together, none hangs.
        """
        silent = 0.0
        while not pipe.poll(LOOK_EVERY_S):
            if self._process is None or not self._process.is_alive():
                if pipe.poll():  # said just before
                    break
                raise EOFError
            silent += LOOK_EVERY_S
            if self._began and silent >= SILENT_FOR_S:
                raise TimeoutError
        self._began = True
        return [pickle.loads(said) for said in pipe.recv()]  # noqa: S301  (from a process of ours)

    @contextlib.contextmanager
    def _started(self) -> Iterator[Connection]:
        made = multiprocessing.get_context("spawn")
        _start_tracker()
        ours, theirs = made.Pipe()
        with ours:
            with theirs:
                self._process = made.Process(target=serve, args=(theirs, os.getpid()), name="convsim-worker")
                self._process.start()
            if self._is_unwanted:
                self.kill()
            yield ours

    def _tell(self, callback: Any, *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _open(self, pipe: Connection) -> None:
        if not self._opened.done():
            self._opened.set_result(pipe)

    def _deliver(self, answers: list[tuple[int, Any]]) -> None:
        for number, answer in answers:
            waiting = self._waiting.get(number)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    def _lose(self, error: LostError) -> None:
        for waiting in [self._opened, *self._waiting.values()]:
            _fail(waiting, error)


def _fail(waiting: asyncio.Future[Any], error: LostError) -> None:
    if not waiting.done():
        waiting.set_exception(error)
        waiting.exception()  # it may be that nobody waits


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Keep Ctrl-C of the terminal, which reaches all processes, from those that are started in this thread."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    yield


def _start_tracker() -> None:
    """Start the process in which Python counts semaphores; it does not print which of them a killed worker has left."""
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = "ignore::UserWarning:multiprocessing.resource_tracker"
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


def _ended_with(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}"


def serve(pipe: Connection, started_by: int) -> None:
    """Do what is asked through the pipe, until nobody is there who asks: the process ``started_by``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(pipe, started_by))


async def _serve(pipe: Connection, started_by: int) -> None:
    questions: asyncio.Queue[Question] = asyncio.Queue()
    loop, holder, speaking = asyncio.get_running_loop(), Holder(), threading.Lock()

    def send(answers: list[bytes]) -> None:
        with contextlib.suppress(OSError), speaking:
            pipe.send(answers)

    answering = _Round(send)

    def say(number: int, said: object) -> None:
        answer = pickle.dumps((number, said))
        answering.add(answer, n_bytes=len(answer))

    def live() -> None:
        while os.getppid() == started_by:
            send([pickle.dumps((ALIVE, None))])
            time.sleep(ALIVE_EVERY_S)
        os._exit(1)  # as below, where a process that it has forked keeps its end of the pipe open

    def listen() -> None:
        while True:
            try:
                asked: list[Question] = pipe.recv()
            except BaseException:  # too large for this process, too
                os._exit(1)  # who asked has gone: no more money is spent
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(take, asked)

    def take(asked: list[Question]) -> None:
        for question in asked:
            questions.put_nowait(question)

    async def answer(number: int, what: str, argument: Any) -> None:
        try:
            said = await getattr(holder, what)(argument)
        except Exception as error:
            said = Broken(described(error))
        try:
            say(number, said)
        except Exception as error:  # what somebody's part has returned cannot be sent
            say(number, Broken(f"its answer cannot be sent: {described(error)}"))

    for thread in (listen, live):
        threading.Thread(target=thread, name=f"convsim-{thread.__name__}", daemon=True).start()
    tasks: set[asyncio.Task[None]] = set()
    while True:
        number, what, argument = await questions.get()
        task = loop.create_task(answer(number, what, argument))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if what == "end":
            await task
            answering.end()
            return
