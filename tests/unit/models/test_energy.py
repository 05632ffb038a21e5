"""What the machine used, from a real tree of files and a real program that stand in for Linux's and NVIDIA's."""

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


def test_that_of_two_calls_is_added_up_and_what_is_unknown_is_never_nothing():
    known, unknown = EnergySource(wh=2.0, seconds=60.0), EnergySource(reason="no counter")
    both = Energy(processors=known, gpus=unknown).merge(Energy(processors=known, gpus=known))
    assert both.processors == EnergySource(wh=4.0, seconds=120.0)
    assert both.gpus == EnergySource(wh=2.0, seconds=60.0, reason="no counter")
    assert unknown.merge(unknown) == unknown
