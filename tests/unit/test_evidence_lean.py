"""What evidence says of shoppers that were made smaller."""

from __future__ import annotations

from typing import Any

from tests.evidence.lean import FULL, WAYS, section


def rows(name: str, further: tuple[float, float] | None, **energy: Any) -> list[dict[str, Any]]:
    alone = {"parameters": 108_000_000, "widths": None, "mb": 216.0, "perplexity": 12.3, "message_cpu_s": 1.5}
    talking = {"n": 40, "failed": 0, "messages": 4.2, "words": 8.0, "cpu_s": 7.5, "message_p50_s": 20.0}
    judged = {
        "distance": 0.2,
        "distance_interval": [0.1, 0.3],
        "floor": 0.087,
        "hls": None,
        "hls_interval": None,
    }
    judged |= {"further": further and sum(further) / 2, "further_interval": further}
    told = {"energy_wh": None, "energy_reason": "there are no counters here", **energy}
    found = {"alone": alone, "talking": talking | told, "judged": judged}
    return [
        {"asked": {"shopper": name, "seed": 1, "what": what}, "found": row, "cpu_s": 60}
        for what, row in found.items()
    ]


def test_the_section_tells_who_is_shown_to_be_further_from_people_and_why_energy_is_not_known() -> None:
    written = section(
        [*rows(FULL, None), *rows("int8", (-0.02, 0.03)), *rows("prune=0.25", (0.01, 0.05))][:-1]
        + rows("distill=23", (0.1, 0.2))
    )
    line = next(line for line in written.splitlines() if line.startswith("| int8"))
    assert line == (
        "| int8 | 108.0 M | 216 | 12.30 | 1.50 | 7.5 | 20.0 | 4.2 | 8.0 | 0.200 [0.100, 0.300] | "
        "0.005 [-0.020, 0.030] | - |"
    )
    pruned = next(line for line in written.splitlines() if line.startswith("| prune=0.25"))
    assert pruned.endswith("| 4.2 | 8.0 | - | - | - |")
    assert "further from people than the full-size shopper: `distill=23`; not shown: `int8`." in written
    assert "Energy is not told on this machine: there are no counters here." in written
    assert "differ by less than 0.087" in written
    assert "Not trained yet: `trained on`, `Mamba, from nothing`" in written
    assert "Did not talk yet" not in written
    assert "Did not talk yet: `int8`." in section([*rows(FULL, None), rows("int8", None)[0]])


def test_a_machine_that_tells_energy_is_not_said_to_be_silent() -> None:
    assert "Energy is not told" not in section(rows(FULL, None, energy_wh=1.0, energy_reason=""))


def test_every_way_starts_from_what_the_first_one_makes_or_from_nothing() -> None:
    assert next(iter(WAYS)) == FULL
    assert all(way.settings for name, way in WAYS.items() if name not in (FULL, "trained on"))


def test_small_models_are_told_with_intervals_over_seeds_and_held_against_what_was_trained_as_long() -> None:
    def found(of: float) -> dict[str, Any]:
        alone = {"parameters": ["M", 0.3], "on disk": ["MB", 0.6], "processor a message": ["s", 0.1]}
        cases = {"trained": 8.0, "trained on": of, "prune=0.5": 2 * of, "int8": 16.0}
        made = {case: {"perplexity": ["", value], **alone} for case, value in cases.items()}
        made["prune=0.5"]["neurons"] = ["", 96.0]
        return made

    small = [
        {"asked": {"shopper": "small", "seed": seed, "what": "small"}, "found": found(of), "cpu_s": 1}
        for seed, of in enumerate((4.0, 6.0), 1)
    ]
    mamba = {"shopper": "small Mamba", "seed": 1, "what": "small"}
    states = {
        f"Mamba, {way}": {"perplexity": ["", 4.0]} | found(1.0)["int8"] for way in ("trained on", "ssm=0.3")
    }
    small.append({"asked": mamba, "found": states, "cpu_s": 1})
    lines = section([*rows(FULL, None), *small]).splitlines()
    assert "| `Mamba, ssm=0.3` | 1 | 16.0  | 1.000  of `Mamba, trained on` | 300,000 | 600 | - |" in lines
    # Student's t with one degree of freedom: 12.706 standard errors of 1.
    mean, low, high = 10.0, 10 - 12.706 * 2, 10 + 12.706 * 2
    within = f"{mean} [{low:.4g}, {high:.4g}]"
    assert (
        f"| `prune=0.5` | 2 | {within} | 2.000 [2, 2] of `trained on` | 300,000 | 600 | neurons 96 |" in lines
    )
    assert "| `int8` | 2 | 16.0 [16, 16] | 2.000 [2, 2] of `trained` | 300,000 | 600 | - |" in lines
