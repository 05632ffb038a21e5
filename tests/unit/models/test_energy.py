"""What the machine used, from a real tree of files and a real program that stand in for Linux's and NVIDIA's."""

import os
import time
from pathlib import Path

import pytest

from convsim.models.energy import Energy, EnergySource, machine_energy

RANGE = 262_143_328_850
NOBODY = "no-such-nvidia-smi"


@pytest.fixture
def powercap(tmp_path: Path) -> Path:
    """Two processors, their cores and memory, and a platform that contains them all; one is about to begin anew."""
    tree = tmp_path / "powercap"
    for folder, name, energy in (
        ("intel-rapl:0", "package-0", 1_000_000), ("intel-rapl:0:0", "core", 5), ("intel-rapl:0:1", "dram", 7),
        ("intel-rapl:1", "package-1", RANGE - 500_000), ("intel-rapl:2", "psys", 0), ("intel-rapl", "", 0),
    ):  # fmt: skip
        (tree / folder).mkdir(parents=True)
        for file, said in (("name", name), ("energy_uj", energy), ("max_energy_range_uj", RANGE)):
            (tree / folder / file).write_text(f"{said}\n")
    return tree


def tell(powercap: Path, **energy: int) -> None:
    for folder, microjoules in energy.items():
        # A counter is never seen half written.
        new = powercap / folder.replace("_", ":") / "new"
        new.write_text(f"{microjoules}\n")
        new.replace(new.with_name("energy_uj"))


def program(folder: Path, script: str) -> Path:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def until(holds) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def test_processors_and_memory_are_added_up_over_a_counter_that_begins_anew(powercap):
    with machine_energy(powercap=powercap, nvidia_smi=NOBODY) as watch:
        tell(powercap, **{"intel-rapl_0": 3_000_000, "intel-rapl_0_0": 999, "intel-rapl_0_1": 500_007})
        tell(powercap, **{"intel-rapl_1": 250_000, "intel-rapl_2": 10**9})
    used = watch.energy.processors
    assert used.wh == pytest.approx((2_000_000 + 500_000 + 750_000) / 1e6 / 3600)
    assert (used.seconds > 0, used.reason) == (True, "")


def test_a_counter_that_begins_anew_more_than_once_is_followed(powercap):
    counter = "intel-rapl_1"
    with machine_energy(powercap=powercap, nvidia_smi=NOBODY, period_s=0.01) as watch:
        rapl = watch._rapl.counters
        for round_ in (1, 2, 3):
            for microjoules in (RANGE // 2, 1_000):
                tell(powercap, **{counter: microjoules})
                until(lambda seen=microjoules: any(each.last == seen for each in rapl))
            assert round_
    assert watch.energy.processors.wh == pytest.approx((3 * RANGE + 500_000 + 1_000) / 1e6 / 3600)


def test_what_is_absent_is_null_with_its_reason(tmp_path):
    with machine_energy(powercap=tmp_path / "nothing", nvidia_smi=NOBODY) as watch:
        pass
    energy = watch.energy
    assert (energy.processors.wh, energy.gpus.wh) == (None, None)
    assert "no intel-rapl" in energy.processors.reason
    assert "no-such-nvidia-smi" in energy.gpus.reason


def test_a_counter_that_cannot_be_read_is_null_with_its_reason(powercap):
    (powercap / "intel-rapl:0" / "energy_uj").unlink()
    with machine_energy(powercap=powercap, nvidia_smi=NOBODY) as watch:
        pass
    assert watch.energy.processors.wh is None
    assert "root" in watch.energy.processors.reason


def test_the_power_of_all_gpus_is_integrated(tmp_path):
    # Two GPUs of 100 and 260 W: what they used is 360 W times the seconds between the first and the last line.
    script = 'while true; do echo "0, 100.0"; echo "1, 260.0"; sleep 0.05; done'
    with machine_energy(powercap=tmp_path, nvidia_smi=program(tmp_path, script), period_s=0.05) as watch:
        until(lambda: watch._gpus.seconds > 0.4)
    used = watch.energy.gpus
    assert used.wh == pytest.approx(360 * used.seconds / 3600, rel=0.1)
    assert watch._gpus._process.poll() is not None


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo '0, [N/A]'; echo '0, [N/A]'", "tells no power"),
        ("echo NVIDIA-SMI has failed; exit 9", "tells no power"),
        ("exit 0", "did not tell the power twice"),
        ("echo '0, 100'; exit 0", "did not tell the power twice"),
    ],
)
def test_a_program_that_tells_no_power_is_null_with_its_reason(tmp_path, script, said):
    with machine_energy(powercap=tmp_path, nvidia_smi=program(tmp_path, script)) as watch:
        watch._gpus._thread.join(timeout=20)
    assert watch.energy.gpus.wh is None
    assert said in watch.energy.gpus.reason


def test_a_counter_that_hangs_holds_up_nobody_and_is_null_with_its_reason(powercap):
    counter = powercap / "intel-rapl:0/energy_uj"
    counter.unlink()
    os.mkfifo(counter)  # whoever reads it waits for somebody who writes
    with machine_energy(powercap=powercap, nvidia_smi=NOBODY) as watch:
        pass
    assert watch.energy.processors == EnergySource(reason="RAPL was not read within 1 s")
    counter.write_text("1\n")  # lets the thread go


def test_what_was_read_before_a_counter_hangs_is_kept_and_the_end_waits_for_nothing(powercap):
    counter = powercap / "intel-rapl:0/energy_uj"
    with machine_energy(powercap=powercap, nvidia_smi=NOBODY, period_s=0.01) as watch:
        tell(powercap, **{"intel-rapl_0": 4_000_000})
        until(lambda: watch._rapl.counters[0].last == 4_000_000 and watch._rapl.ended > watch._rapl.begun)
        os.mkfifo(counter.with_name("new"))
        counter.with_name("new").replace(counter)
    used = watch.energy.processors
    assert used.wh == pytest.approx(3.0 / 3600)
    assert used.reason == "RAPL was not read any more within 1 s"
    counter.write_text("1\n")


@pytest.mark.parametrize(
    ("whole", "energy", "said"),
    [
        ("0", "500", "went back"), ("7", "500", "went back"), ("none", "500", "invalid literal"),
        (str(RANGE), "-3", "energy_uj is -3"), (str(RANGE), "9" * 400, "energy_uj is"), (str(RANGE), "", "literal"),
    ],
)  # fmt: skip
def test_a_counter_that_tells_nonsense_is_known_until_then_and_never_negative(powercap, whole, energy, said):
    (powercap / "intel-rapl:0/max_energy_range_uj").write_text(whole)
    with machine_energy(powercap=powercap, nvidia_smi=NOBODY, period_s=0.01) as watch:
        (powercap / "intel-rapl:0/new").write_text(energy)
        (powercap / "intel-rapl:0/new").replace(powercap / "intel-rapl:0/energy_uj")
        until(lambda: watch._rapl.reason)
    used = watch.energy.processors
    assert "could not be read any more" in used.reason
    assert said in used.reason
    assert used.wh is None or used.wh == 0


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells there which processes run")
def test_a_program_that_hangs_and_hears_no_signal_is_ended_with_what_it_started(tmp_path):
    script = f"trap '' TERM INT; sleep 600 & echo $! > {tmp_path}/child; echo '0, 100'; wait"
    with machine_energy(powercap=tmp_path, nvidia_smi=program(tmp_path, script)) as watch:
        until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip())
    assert "did not tell the power twice" in watch.energy.gpus.reason
    assert watch._gpus._process.poll() is not None
    assert not watch._gpus._thread.is_alive()
    until(lambda: is_gone(int((tmp_path / "child").read_text())))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("while true; do echo garbage; done", "tells no power: 'garbage'"),
        ("exec tr '\\0' x < /dev/zero", "tells no power: 'xxx"),
        ("while true; do echo '0, nan'; done", "tells no power"),
        ("exec yes '0, 100'", "more than 1000 lines a second"),
        ("exec cat /dev/urandom", "nvidia-smi"),
    ],
)
def test_a_program_that_floods_is_ended_while_the_run_goes_on(tmp_path, script, said):
    with machine_energy(powercap=tmp_path, nvidia_smi=program(tmp_path, script)) as watch:
        watch._gpus._thread.join(timeout=20)
        assert not watch._gpus._thread.is_alive()
        assert said in watch.energy.gpus.reason
        until(lambda: watch._gpus._process.poll() is not None)


@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_program_that_cannot_be_run_is_null_with_its_reason(tmp_path, mode):
    path = tmp_path / "nvidia-smi"
    path.write_bytes(b"\x7fELF no program")
    path.chmod(mode)
    with machine_energy(powercap=tmp_path, nvidia_smi=path) as watch:
        pass
    assert watch.energy.gpus.wh is None
    assert ("cannot be run" if mode == 0o755 else "no nvidia-smi that can be run") in watch.energy.gpus.reason


def test_that_of_two_calls_is_added_up_and_what_is_unknown_is_never_nothing():
    known, unknown = EnergySource(wh=2.0, seconds=60.0), EnergySource(reason="no counter")
    both = Energy(processors=known, gpus=unknown).merge(Energy(processors=known, gpus=known))
    assert both.processors == EnergySource(wh=4.0, seconds=120.0)
    assert both.gpus == EnergySource(wh=2.0, seconds=60.0, reason="no counter")
    assert unknown.merge(unknown) == unknown
