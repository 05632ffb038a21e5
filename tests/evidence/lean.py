"""What a fine-tuned shopper loses and saves when it is made smaller: realism against cost, on people of SIMMC 2.

The embedded model is trained on half of the people; the other half judge. Each way to make it smaller starts from that
shopper, which it is held against, and is given half as many steps again, but int8, which needs none; so is ``trained
on``, which stays as large. No state-space model of such a size was found in a package, so that one is made of random
weights: a Mamba, and a Llama of the same width beside it, with the embedded model's tokens.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import convsim
from convsim.evaluation.closeness import APART
from convsim.evaluation.spending import run_use
from convsim.models.embedded import embedded_folder
from convsim.schema.conversation import Conversation
from convsim.shoppers.finetuned.export import read_outcome
from convsim.text.words import words
from tests.benchmarks.compressed_shoppers import (
    BASE,
    LONGER,
    STATE_SPACE,
    VOCABULARY,
    fit,
    measured,
    perplexity,
    seconds,
    summed_up,
)
from tests.benchmarks.rows import Row
from tests.benchmarks.shoppers_of_logs import Trial, simmc2
from tests.evidence.kept import Kept
from tests.evidence.tables import as_table, by

FULL, AS_LONG = "full size", "trained on"
STEPS, AGAIN = 24, 12
"""Of training, at first and for each that starts from there."""
GIVEN: dict[str, Any] = {
    "max_steps": AGAIN, "epochs": 1000, "batch": 4, "max_tokens": 256, "learning_rate": 1e-4, "calibrate": 0,
    "held_out": 0.02, "patience": 1000,
}  # fmt: skip
NOTHING: dict[str, Any] = {"max_steps": 150, "batch": 8, "learning_rate": 2e-3}
SHAPE = {"hidden_size": 128, "num_hidden_layers": 4}
UNSEEN, TOKENS, MESSAGES = 40, 24, 8
"""People whose words' perplexity is asked, and tokens and number of the messages that are timed."""
SMALL = Namespace(
    base="tiny", only=None, conversations=150, messages=3, steps=25, batch=4, tokens=24, repeats=3
)  # fmt: skip
WIDTHS = ("neurons", "attention_heads", "states")
SEEDS = 5
"""Of small models that are made from nothing, each compressed in every way."""
VALIDATORS = ("marginals", "joint", "endings", "humanlikeness")


@dataclass(frozen=True)
class Way:
    """One way to a shopper: settings of its training, and what it starts from; some only say how well they forecast."""

    settings: dict[str, Any] = field(default_factory=dict)
    base: str | None = None
    """A class of transformers, of random weights; None for the full-size shopper."""
    talks: bool = True


WAYS: dict[str, Way] = {
    FULL: Way(),
    "int8": Way({"compress": "int8", "max_steps": 0}),
    "prune=0.25": Way({"compress": "prune", "prune_share": 0.25}),
    "distill=23": Way({"compress": "distill", "keep_layers": 23}),
    AS_LONG: Way(),
    "Mamba, from nothing": Way(NOTHING, base="Mamba"),
    "Llama, from nothing": Way(NOTHING, base="Llama"),
    "prune=0.1": Way({"compress": "prune", "prune_share": 0.1}, talks=False),
    "layers=23": Way({"compress": "layers", "keep_layers": 23}, talks=False),
    "prune=0.5": Way({"compress": "prune", "prune_share": 0.5}, talks=False),
}


@dataclass(frozen=True)
class Lean:
    """One dealing of the people to those who teach and those who judge."""

    trial: Trial
    learned: Sequence[Conversation]
    judges: Sequence[Conversation]

    @classmethod
    def of(cls, data: Path, folder: Path, seed: int) -> Lean:
        """Deal the people, and name the folder of the shoppers and their runs."""
        folder.mkdir(parents=True, exist_ok=True)
        trial = Trial(simmc2(data), folder, seed)
        return cls(trial, *trial.halves())

    def shopper(self, name: str) -> Path:
        """Say where a shopper lies."""
        return self.trial.folder / ("trained" if name == FULL else name.replace(", ", "-").replace(" ", "-"))

    def learn(self, name: str) -> dict[str, Any]:
        """Train a shopper, and measure it alone."""
        folder, way = self.shopper(name), WAYS[name]
        self.trial.trained(self.learned, "embedded", STEPS)
        base = self.shopper(FULL)
        if way.base is not None:
            base = self.trial.folder / f"{way.base}-random"
            if not (base / "config.json").is_file():
                make_random(base, way.base)
        if name != FULL:
            fit(self.learned, str(base), folder, {"seed": self.trial.seed, **GIVEN, **way.settings})
        outcome = read_outcome(folder)
        return {
            "parameters": outcome.parameters_after,
            "widths": outcome.cuts[-1].widths if outcome.cuts else None,
            "mb": sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6,
            "perplexity": perplexity(folder, self.judges[:UNSEEN], n_items=4),
            "message_cpu_s": seconds(folder, TOKENS, MESSAGES),
        }

    def talk(self, name: str) -> dict[str, Any]:
        """Let a shopper talk to what stands in for the log's agent; a run that was stopped goes on."""
        model = str(self.shopper(name))
        held = self.trial.held(
            f"sft, {name}", lambda: convsim.make_shopper("sft", model=convsim.make_model(model)), self.learned
        )
        use, every = run_use(held.folder), convsim.read(held.folder)
        said = [c for c in every if c.failure is None]
        messages = [m for c in said for m in c.user_messages]
        return {
            "n": len(said),
            "failed": len(every) - len(said),
            "messages": len(messages) / len(said),
            "words": mean(len(words(m.content)) for m in messages),
            "cpu_s": held.cpu_s,
            "message_p50_s": use.message_p50_s if use else None,
            "energy_wh": use.energy_wh if use else None,
            "energy_reason": use.energy_reason if use else "",
        }

    def judge(self, name: str) -> dict[str, Any]:
        """Hold a shopper against people, beside the one of full size."""
        found = convsim.compare(
            self.judges, {each: self.trial.run_folder(f"sft, {each}") for each in dict.fromkeys([name, FULL])},
            seed=self.trial.seed, validators=list(VALIDATORS), learned=[self.learned], before=False,
            allow_failures=True, cache=False,
        )  # fmt: skip
        report = next(each for each in found.simulators if each.name == name)
        apart = found.score_pairs(APART).get((name, FULL))
        floor = report.mean_distance_floor
        return {
            "distance": report.mean_distance.estimate,
            "distance_interval": report.mean_distance.interval,
            "floor": floor.q95 if floor else None,
            "hls": report.hls.estimate,
            "hls_interval": report.hls.interval,
            "further": apart.estimate if apart else None,
            "further_interval": apart.interval if apart else None,
        }


def make_random(folder: Path, kind: str) -> None:
    """Save a model of random weights that reads and writes the embedded model's tokens."""
    import torch
    import transformers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(embedded_folder())
    shape = {**SHAPE, "vocab_size": len(tokenizer), "tie_word_embeddings": True}
    shape |= {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    if kind == "Llama":
        shape |= {"intermediate_size": 512, "num_attention_heads": 4, "max_position_embeddings": 2048}
    torch.manual_seed(0)
    lib: Any = transformers
    model = getattr(lib, f"{kind}ForCausalLM")(getattr(lib, f"{kind}Config")(**shape))
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)  # its config.json, by which a folder is whole, comes last


def run(data: Path, out: Path, runs: int) -> None:
    """Train, let talk and judge every shopper, with as many seeds as ``runs``."""
    kept = Kept(out / "lean.jsonl")
    for seed in range(1, runs + 1):
        lean = Lean.of(data, out / "lean" / str(seed), seed)
        for name, way in WAYS.items():
            asked = {"shopper": name, "seed": seed}
            kept.row({**asked, "what": "alone"}, partial(lean.learn, name))
            if way.talks:
                kept.row({**asked, "what": "talking"}, partial(lean.talk, name))
                kept.row({**asked, "what": "judged"}, partial(lean.judge, name))
    for family in (BASE, STATE_SPACE):
        for seed in range(1, SEEDS + 1):
            asked = {"shopper": f"small{family and ' Mamba'}", "seed": seed, "what": "small"}
            folder = out / "lean" / "small" / str(seed)
            kept.row(asked, partial(measured, SMALL, seed, folder, [family]))


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    found = {
        what: {shopper: each[0] for (shopper,), each in by(_of(rows, what), "shopper").items()}
        for what in ("alone", "talking", "judged")
    }
    table = as_table(
        [
            "shopper", "parameters", "MB on disk", "perplexity", "processor s a message", "a conversation",
            "median s a message", "messages", "words a message", "distance from people", "further than full size",
            "human-likeness",
        ],
        [_line(name, *(found[what].get(name) for what in found)) for name in found["alone"]],
    )  # fmt: skip
    judged = {name: row for name, row in found["judged"].items() if row["further_interval"]}
    lost = [name for name, row in judged.items() if row["further_interval"][0] > 0]
    rest = [name for name in judged if name not in lost]
    floors = [row["floor"] for row in found["judged"].values() if row["floor"]]
    reasons = {row["energy_reason"] for row in found["talking"].values() if row["energy_wh"] is None}
    missing = [name for name in WAYS if name not in found["alone"]]
    silent = [name for name in found["alone"] if WAYS[name].talks and name not in found["talking"]]
    counts = sorted({row["n"] for row in found["talking"].values()})
    said = [
        f"Conversations a shopper: {' or '.join(map(str, counts))}, with what stands in for the log's agent." if counts
        else "",
        f"Two groups of people of these sizes differ by less than {max(floors):.3f} in 95 of 100 cases." if floors
        else "",
        f"Shown to be further from people than the full-size shopper: {_listed(lost)}; not shown: {_listed(rest)}."
        if judged else "",
        f"Not trained yet: {_listed(missing)}." if missing else "",
        f"Did not talk yet: {_listed(silent)}." if silent else "",
        f"Energy is not told on this machine: {'; '.join(sorted(reasons))}." if reasons else "",
    ]  # fmt: skip
    return f"""## Lean: what smaller shoppers lose and save

SIMMC 2, one seed: half of the people teach, {STEPS} steps for the full-size shopper (SmolLM2-135M) and {AGAIN} more
for each that starts from it, but int8; those from nothing have random weights and {NOTHING["max_steps"]} steps.
Perplexity is of {UNSEEN} people of the other half, a token. A message alone has {TOKENS} tokens; what a conversation
takes includes loading the model. The median message waits for those asked at once, and for
all else that the machine runs.
Distance is the mean over metrics (0 is best), human-likeness 0.5 at best; intervals are 95 %.

{table}

{" ".join(line for line in said if line)}
With so little training this is an order of costs, and of what is lost at equal training, not what each way can come to.

{_small([row["found"] for row in rows if row["asked"]["what"] == "small"])}

**State-space bases**: a search of lists of the package index found code for Mamba, RWKV, RetNet, xLSTM, RecurrentGemma
and linear attention, and no package with the weights of a language model of these kinds."""


def _small(runs: Sequence[dict[str, Any]]) -> str:
    """Write what became of small models of random weights."""
    if not runs:
        return "Small models of random weights, with several seeds, were not run."
    cases: dict[str, dict[str, Row]] = {}
    for row in summed_up(runs):
        cases.setdefault(row.case, {})[re.split(r" \[|, ratio", row.measure)[0]] = row
    lines = []
    for case, found in cases.items():
        row, n = found["perplexity"], sum(case in run for run in runs)
        mean_limits, *ratio_limits = re.findall(r"\[.*?\]", row.measure) or [""]
        ratio = "-" if row.ratio is None else f"{row.ratio:.3f} {' '.join(ratio_limits)} of `{row.beside}`"
        cut = {name: found[name].value for name in WIDTHS if name in found}
        lines.append(
            [
                f"`{case}`", str(n), f"{row.value:.1f} {mean_limits}", ratio, f"{found['parameters'].value * 1e6:,.0f}",
                f"{found['on disk'].value * 1e3:.0f}", ", ".join(f"{of} {n:.3g}" for of, n in cut.items()) or "-",
            ]
        )  # fmt: skip
    head = ["shopper", "seeds", "perplexity", "ratio", "parameters", "kB on disk", "widths, mean"]
    return f"""Every way, on small models of random weights, with several seeds (the unit of the intervals): a Llama of
four layers and a Mamba of one, {LONGER * SMALL.steps} steps of {SMALL.batch} on the first {SMALL.messages} messages of
demo conversations, and {SMALL.steps} more for each way but int8. Perplexity is of {SMALL.conversations // 5} people in
no training, a token of {VOCABULARY:,}. Models that have learned so little have little to lose: that little is lost here
does not say that little is lost of a real one. Where `trained on` is above `trained`, the further steps overfitted.

{as_table(head, lines)}"""


def _of(rows: Sequence[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["asked"]["what"] == what and row["asked"]["seed"] == 1]


def _line(
    name: str, alone: dict[str, Any] | None, talking: dict[str, Any] | None, judged: dict[str, Any] | None
) -> list[str]:
    alone, talking, judged = alone or {}, talking or {}, judged or {}
    return [
        name,
        f"{alone['parameters'] / 1e6:.1f} M",
        f"{alone['mb']:.0f}",
        f"{alone['perplexity']:.2f}",
        f"{alone['message_cpu_s']:.2f}",
        _number(talking.get("cpu_s"), "{:.1f}"),
        _number(talking.get("message_p50_s"), "{:.1f}"),
        _number(talking.get("messages"), "{:.1f}"),
        _number(talking.get("words"), "{:.1f}"),
        _within(judged, "distance"),
        _within(judged, "further"),
        _within(judged, "hls"),
    ]


def _number(value: float | None, shown: str) -> str:
    return "-" if value is None else shown.format(value)


def _within(judged: dict[str, Any], name: str) -> str:
    estimate, interval = judged.get(name), judged.get(f"{name}_interval")
    if estimate is None:
        return "-"
    return f"{estimate:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
