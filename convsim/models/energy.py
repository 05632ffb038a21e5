"""What this machine used while models ran in it, where it tells: processors and memory by RAPL, GPUs by nvidia-smi."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from convsim._text import one_line
from convsim.schema.record import Record, Spending, Text

POWERCAP, NVIDIA_SMI = Path("/sys/class/powercap"), "nvidia-smi"
JOULES_PER_WH = 3600.0
RAPL_PERIOD_S = 20.0
"""How often counters are read: they begin anew after some minutes at full load."""
GPU_PERIOD_S = 1.0
PACKAGE = re.compile(r"intel-rapl:\d+")
"""Folders of processors; those of what is within them have a second number."""
WITHIN = re.compile(r"intel-rapl:\d+:\d+")
MEMORY, WHOLE_PLATFORM = "dram", "psys"
"""Memory is not part of its processor's number; a platform's contains what is counted already."""
PATIENCE_S = 1.0
"""How long a run waits for either source, when it begins and when it ends; what is late is not known."""
MOST_MICROJOULES = 2**64
"""A counter's number is below this."""
MAX_LINE = 4_096
"""Characters of a line of nvidia-smi that are read."""
MOST_WRONG = 16
"""Lines of nvidia-smi without a power, after which it is not read any more."""
MOST_LINES_S = 1_000.0
"""Lines a second of nvidia-smi, and as many at once, beyond which it is not read any more."""
ELSEWHERE = "no model ran in this machine"


class EnergySource(Record):
    """Watt-hours of the whole machine, whoever used them, over so many seconds; null with the reason, never 0."""

    wh: Spending | None = None
    seconds: Spending = 0.0
    """That ``wh`` covers; fewer than the run had where a call of it was not measured."""
    reason: Text = ""

    def merge(self, other: EnergySource) -> EnergySource:
        """Return both together: what is known, added up."""
        known = [each for each in (self, other) if each.wh is not None]
        reason = next((each.reason for each in (other, self) if each.reason), "")
        if not known:
            return EnergySource(reason=reason)
        return EnergySource(
            wh=sum(each.wh or 0.0 for each in known),
            seconds=sum(each.seconds for each in known),
            reason=reason,
        )


class Energy(Record):
    """What the machine used while a run lasted: all of it, not the models' part, and nothing of servers elsewhere."""

    processors: EnergySource
    """And memory, by RAPL."""
    gpus: EnergySource
    """By nvidia-smi: the power that it says each second, integrated."""

    def merge(self, other: Energy) -> Energy:
        """Return that of both calls of a run."""
        return Energy(processors=self.processors.merge(other.processors), gpus=self.gpus.merge(other.gpus))

    @classmethod
    def unknown(cls, reason: str) -> Energy:
        """Return that nothing is known, and why."""
        return cls(processors=EnergySource(reason=reason), gpus=EnergySource(reason=reason))


@contextmanager
def machine_energy(
    *, powercap: Path = POWERCAP, nvidia_smi: str | Path = NVIDIA_SMI, period_s: float | None = None
) -> Iterator[EnergyWatch]:
    """Watch what the machine uses within it.

    Args:
        powercap: The folder in which Linux has RAPL's counters.
        nvidia_smi: The program that tells the GPUs' power.
        period_s: How often both are read; by default every 20 seconds and every second.

    Source:
        Linux, Documentation/power/powercap/powercap.rst (``energy_uj``, ``max_energy_range_uj``); NVIDIA, nvidia-smi,
        ``--query-gpu=power.draw``.
    """
    watch = EnergyWatch(
        _Rapl(_counters(powercap), powercap, period_s or RAPL_PERIOD_S),
        _Gpus(str(nvidia_smi), period_s or GPU_PERIOD_S),
    )
    watch.begin()
    try:
        yield watch
    finally:
        watch.end()


@dataclass
class _Counter:
    """One counter of RAPL, in microjoules, which begins anew at its range."""

    folder: Path
    last: int = 0
    total: int = 0

    def read(self, file: str = "energy_uj") -> int:
        found = int((self.folder / file).read_text())
        if not 0 <= found < MOST_MICROJOULES:
            raise ValueError(f"{file} is {str(found)[:40]}")
        return found

    def advance(self) -> None:
        now = self.read()
        whole = self.read("max_energy_range_uj") if now < self.last else 0
        if now + whole < self.last:
            raise ValueError(f"energy_uj went back from {self.last} to {now}, and its range is {whole}")
        self.total += now + whole - self.last
        self.last = now


def _counters(powercap: Path) -> list[_Counter]:
    found = []
    for folder in sorted(powercap.glob("intel-rapl:*")):
        name = ""
        with suppress(OSError):
            name = (folder / "name").read_text().strip()
        is_package = PACKAGE.fullmatch(folder.name) and name != WHOLE_PLATFORM
        if is_package or (WITHIN.fullmatch(folder.name) and name == MEMORY):
            found.append(_Counter(folder))
    return found


@dataclass
class _Rapl:
    counters: Sequence[_Counter]
    powercap: Path
    period_s: float
    reason: str = ""
    begun: float = 0.0
    ended: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _read: threading.Event = field(default_factory=threading.Event)
    """Set once the counters have been read, or cannot be."""
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        if not self.counters:
            self.reason = f"{self.powercap} has no intel-rapl: this machine's processors tell no energy"
            return
        self._thread = threading.Thread(target=self._follow, name="convsim-rapl", daemon=True)
        self._thread.start()
        if not self._read.wait(PATIENCE_S):
            self.reason = f"RAPL was not read within {PATIENCE_S:g} s"

    def _follow(self) -> None:
        try:
            for counter in self.counters:
                counter.last = counter.read()
        except (OSError, ValueError) as error:
            self.reason = f"RAPL cannot be read ({one_line(error)}): most systems let root alone read it"
            return
        finally:
            self._read.set()
        self.begun = self.ended = time.monotonic()
        while not self.reason:
            is_last = self._stop.wait(self.period_s)
            self._advance()
            if is_last:
                return

    def _advance(self) -> None:
        try:
            for counter in self.counters:
                counter.advance()
        except (OSError, ValueError) as error:
            self.reason = f"RAPL could not be read any more: {one_line(error)}"
        else:
            self.ended = time.monotonic()

    def end(self) -> None:
        self._stop.set()
        if self._thread is not None and not self.reason:
            self._thread.join(PATIENCE_S)
            if self._thread.is_alive():
                self.reason = f"RAPL was not read any more within {PATIENCE_S:g} s"

    @property
    def said(self) -> EnergySource:
        if not self.begun or self.ended == self.begun:
            return EnergySource(reason=self.reason or "the run was over before RAPL was read twice")
        joules = sum(counter.total for counter in self.counters) / 1e6
        return EnergySource(wh=joules / JOULES_PER_WH, seconds=self.ended - self.begun, reason=self.reason)


@dataclass
class _Gpus:
    program: str
    period_s: float
    reason: str = ""
    joules: float = 0.0
    seconds: float = 0.0
    _process: subprocess.Popen[str] | None = None
    _thread: threading.Thread | None = None
    _last: dict[str, tuple[float, float]] = field(default_factory=dict)
    """When each GPU last told its power, and that."""
    _first_at: float | None = None

    def begin(self) -> None:
        found = shutil.which(self.program)
        if found is None:
            self.reason = (
                f"there is no {Path(self.program).name} that can be run: no NVIDIA GPU tells its power"
            )
            return
        asked = ["--query-gpu=index,power.draw", "--format=csv,noheader,nounits"]
        loop = f"--loop-ms={max(1, round(1000 * self.period_s))}"
        try:
            self._process = subprocess.Popen(
                [found, *asked, loop], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self.reason = f"{Path(self.program).name} cannot be run: {one_line(error)}"
            return
        self._thread = threading.Thread(target=self._follow, name="convsim-nvidia-smi", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        wrong, lines, begun = 0, 0, time.monotonic()
        while line := self._process.stdout.readline(MAX_LINE):
            index, _, power = line.partition(",")
            lines += 1
            try:
                self._take(index.strip(), float(power), time.monotonic())
            except ValueError:
                wrong += 1
                self.reason = f"{Path(self.program).name} tells no power: {one_line(line)[:80]!r}"
            is_flood = lines > MOST_LINES_S * (1 + time.monotonic() - begun)
            if is_flood:
                self.reason = f"{Path(self.program).name} tells more than {MOST_LINES_S:g} lines a second"
            if is_flood or wrong >= MOST_WRONG:
                self._kill()
                return

    def _take(self, gpu: str, watts: float, at: float) -> None:
        if not 0 <= watts < 1e5:
            raise ValueError
        if gpu in self._last:
            before, had = self._last[gpu]
            self.joules += (at - before) * (watts + had) / 2
        self._last[gpu] = (at, watts)
        self._first_at = at if self._first_at is None else self._first_at
        self.seconds = at - self._first_at

    def end(self) -> None:
        if self._process is None or self._thread is None:
            return
        self._kill()
        # A program that waits for a driver that hangs cannot be ended; nobody waits for it.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=PATIENCE_S)
        self._thread.join(timeout=PATIENCE_S)
        if self._process.stdout is not None and not self._thread.is_alive():
            self._process.stdout.close()

    def _kill(self) -> None:
        """End the program and what it has started, which may hold its pipe."""
        assert self._process is not None
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def said(self) -> EnergySource:
        if not self.seconds:
            return EnergySource(
                reason=self.reason or f"{Path(self.program).name} did not tell the power twice in the run"
            )
        return EnergySource(wh=self.joules / JOULES_PER_WH, seconds=self.seconds, reason=self.reason)


@dataclass
class EnergyWatch:
    """Both sources, while a run lasts."""

    _rapl: _Rapl
    _gpus: _Gpus

    def begin(self) -> None:
        """Begin to watch."""
        self._rapl.begin()
        self._gpus.begin()

    def end(self) -> None:
        """Stop watching; what was used is known from then on."""
        self._gpus.end()
        self._rapl.end()

    @property
    def energy(self) -> Energy:
        """What was used until the end."""
        return Energy(processors=self._rapl.said, gpus=self._gpus.said)
