"""What smaller shoppers lose and save: perplexity of people held out, parameters, disk, and time a message.

    python -m tests.benchmarks.compressed_shoppers [--base embedded] [--seeds N] [--only NAME …] [--folder DIR]
        [--quick] [--json FILE]

A base is trained on the demo people; each way to compress then starts from that shopper and is given as many steps
again, so that ``trained on`` is what they are held against; int8 needs no steps, and is held against ``trained``.
Besides, a Mamba of random weights, whose tokens are learned from the same people, is trained from nothing, four times
as long, and its states are reduced; ``--base tiny`` is a Llama made in the same way. So that they are fast, the items
that an agent shows are left out. Their perplexities are comparable with one another alone.

People of the table's perplexity are in no training, and the same for all seeds; seeds move the random weights, who is
held out to stop the training, and the order of the rest. Of several seeds, means are told with 95 % t intervals, of
ratios those of their logarithms, seed by seed. Conversations are cut to their first messages. Time is of processors,
over messages of ``--tokens`` tokens each. int8 needs the extra "lean", and is left out without it.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import mean
from typing import Any

import convsim
from convsim.models import Local
from convsim.schema.conversation import Conversation
from convsim.seeds import child_seed
from convsim.shoppers.finetuned import Outcome, TrainingSettings
from convsim.shoppers.finetuned import Training as Train
from convsim.shoppers.finetuned.base_model import load_base
from convsim.shoppers.finetuned.encode import encode
from convsim.shoppers.finetuned.perplexity import user_perplexity
from convsim.stats.means import mean_interval
from tests.benchmarks.rows import Row, report, with_json
from tests.unit.models.tiny import make_tiny

DATA = Path(__file__).parents[2] / "data/demo/convapparel_standin.json"
TRAINED, AS_LONG = "trained", "trained on"
WAYS: dict[str, dict[str, Any]] = {
    AS_LONG: {},
    "prune=0.1": {"compress": "prune", "prune_share": 0.1},
    "prune=0.25": {"compress": "prune", "prune_share": 0.25},
    "prune=0.5": {"compress": "prune", "prune_share": 0.5},
    "layers": {"compress": "layers"},
    "distill": {"compress": "distill"},
    "int8": {"compress": "int8", "max_steps": 0},
}
STATES: dict[str, dict[str, Any]] = {
    AS_LONG: {},
    "ssm=0.05": {"compress": "ssm", "ssm_tau": 0.05},
    "ssm=0.3": {"compress": "ssm", "ssm_tau": 0.3},
}
TINY: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 4}
MAMBA: dict[str, Any] = {
    "kind": "MambaForCausalLM", "hidden_size": 64, "num_hidden_layers": 1, "state_size": 16,
}  # fmt: skip
FROM_NOTHING: dict[str, Any] = {"learning_rate": 4e-3}
LONGER = 4
"""Times the steps that a model of random weights is given at first."""
VOCABULARY = 1024
N_ITEMS = 2

Found = dict[str, tuple[str, float]]
"""By measure, its unit and value."""


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="embedded", help='a model, or "tiny": one of random weights')
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="ways to compress; all by default")
    parser.add_argument("--folder", type=Path, help="keep the shoppers there, and go on with what is there")
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--messages", type=int, default=7, help="of each conversation that are kept")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=24, help="of a message that is timed")
    parser.add_argument("--repeats", type=int, default=10, help="messages that are timed")
    parser.add_argument("--quick", action="store_true", help="few conversations, steps and messages")
    with_json(parser)
    asked = parser.parse_args()
    if asked.quick:
        asked.conversations, asked.messages, asked.steps, asked.batch, asked.repeats = 30, 3, 6, 2, 3
    with tempfile.TemporaryDirectory() as made:
        runs = [
            measured(asked, seed, (asked.folder or Path(made)) / str(seed))
            for seed in range(1, asked.seeds + 1)
        ]
    report(summed_up(runs), asked.json)


BASE, STATE_SPACE = "", "Mamba, "
"""Families of shoppers, by what their names begin with."""


def measured(
    asked: argparse.Namespace, seed: int, where: Path, of: Sequence[str] = (BASE, STATE_SPACE)
) -> dict[str, Found]:
    """Train and measure one shopper after the other, and return what was found of each."""
    people = [_short(c, asked.messages) for c in convsim.read(DATA).conversations[: asked.conversations]]
    bare = [c.but(messages=[m.but(items=()) for m in c.messages]) for c in people]
    n_unseen = len(people) // 5
    is_tiny = asked.base == "tiny"
    base = str(made_of_nothing(where / "tiny", seed, bare[:-n_unseen], **TINY)) if is_tiny else asked.base
    mamba = str(made_of_nothing(where / "mamba", seed, bare[:-n_unseen], **MAMBA))
    families = ((BASE, base, WAYS, is_tiny), (STATE_SPACE, mamba, STATES, True))
    found: dict[str, Found] = {}
    for family, start, ways, is_new in families:
        chosen = {name: how for name, how in ways.items() if name in (asked.only or ways)}
        if not chosen or family not in of:
            continue
        given: dict[str, Any] = {
            "seed": seed, "calibrate": 0, "epochs": 1000, "batch": asked.batch, "patience": 1000,
            "max_steps": asked.steps, "n_items": N_ITEMS, **(FROM_NOTHING if is_new else {}),
        }  # fmt: skip
        every = bare if is_new else people
        learned, unseen = every[:-n_unseen], every[-n_unseen:]
        at_first = {**given, "max_steps": (LONGER if is_new else 1) * asked.steps}
        shopper = where / f"{family}shopper"
        outcome = fit(learned, start, shopper, at_first)
        found[f"{family}{TRAINED}"] = measure(shopper, outcome, unseen, asked)
        for name, how in chosen.items():
            if name == "int8" and find_spec("torchao") is None:
                print("int8: left out, as torchao is not installed", flush=True)
                continue
            if how.get("compress") in ("layers", "distill"):
                layers = load_base(shopper)[0].model.config.num_hidden_layers
                how = {**how, "keep_layers": layers - layers // 4}
                name = f"{name}={how['keep_layers']}"
            out = where / f"{family}{name}"
            outcome = fit(learned, str(shopper), out, {**given, **how})
            found[f"{family}{name}"] = measure(out, outcome, unseen, asked)
            print(seed, f"{family}{name}", found[f"{family}{name}"], *outcome.cuts[-1:], flush=True)
    return found


def made_of_nothing(folder: Path, seed: int, people: Sequence[Conversation], **shape: Any) -> Path:
    """Save a small model of weights drawn from a seed, once; its tokens are learned from what people and agents say."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    if not folder.exists():
        make_tiny(folder, context=1024, **shape)
        words = (message.content for conversation in people for message in conversation.messages)
        tokenizer = AutoTokenizer.from_pretrained(folder).train_new_from_iterator(words, VOCABULARY)
        tokenizer.save_pretrained(folder)
        config = AutoConfig.from_pretrained(folder)
        config.update(
            {
                "initializer_range": 0.02,
                "vocab_size": len(tokenizer),
                **{
                    f"{name}_token_id": getattr(tokenizer, f"{name}_token_id")
                    for name in ("bos", "eos", "pad")
                },
            }
        )
        torch.manual_seed(child_seed(seed, "weights"))
        models: Any = AutoModelForCausalLM
        models.from_config(config).save_pretrained(folder)
    return folder


def summed_up(every: Sequence[Mapping[str, Found]]) -> Iterator[Row]:
    """Give means over the seeds that a case has, each with its interval, and ratios to what a way is held against."""
    for case in dict.fromkeys(case for run in every for case in run):
        runs = [run for run in every if case in run]
        family, _, way = case.rpartition(", ")
        beside = f"{family}, " * bool(family) + (TRAINED if way in ("int8", TRAINED) else AS_LONG)
        for name, (unit, _) in runs[0][case].items():
            values = [run[case][name][1] for run in runs]
            told: dict[str, Any] = {"case": case, "unit": unit, "value": mean(values)}
            if case == beside or not all(name in run.get(beside, {}) for run in runs):
                yield Row(measure=f"{name}{_within(values)}", **told)
                continue
            logs = [math.log(value / run[beside][name][1]) for value, run in zip(values, runs, strict=True)]
            ratio = f", ratio{_within(logs, math.exp)}" if len(runs) > 1 else ""
            yield Row(
                measure=f"{name}{_within(values)}{ratio}", beside=beside, ratio=math.exp(mean(logs)), **told
            )


def _within(values: Sequence[float], of: Callable[[float], float] = float) -> str:
    limits = mean_interval(values, range(len(values)))
    return "" if limits is None else f" [{of(limits[0]):.4g}, {of(limits[1]):.4g}]"


def fit(people: Sequence[Conversation], base: str, out: Path, given: dict[str, Any]) -> Outcome:
    """Train a shopper."""
    return Train(people, base, settings=TrainingSettings.model_validate(given)).run(out)


def measure(
    folder: Path, outcome: Outcome, unseen: Sequence[Conversation], asked: argparse.Namespace
) -> Found:
    """Measure a shopper as it lies on disk."""
    found = {
        "perplexity": ("", perplexity(folder, unseen)),
        "parameters": ("M", (outcome.parameters_after or 0) / 1e6),
        "on disk": ("MB", sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6),
        "processor a message": ("s", seconds(folder, asked.tokens, asked.repeats)),
    }
    if outcome.cuts:
        found |= {name: ("", float(width)) for name, width in outcome.cuts[-1].widths.items()}
    return found


def perplexity(folder: Path, people: Sequence[Conversation], *, n_items: int = N_ITEMS) -> float:
    """Return that of people's words who were in no training; ``n_items`` of a carousel are shown."""
    local = Local(path=folder).load()
    examples = encode(local, people, max_tokens=1024, n_items=n_items).examples
    return user_perplexity(local.model, examples, batch=1) or float("nan")


def seconds(folder: Path, tokens: int, repeats: int) -> float:
    """Return seconds of processors a message of so many tokens, one at a time, after one that loads."""
    checkpoint = Local(path=folder).load()
    import torch

    asked = checkpoint.tokenizer.apply_chat_template(
        [{"role": "user", "content": "These three boots are waterproof and in your size. Which one is it?"}],
        add_generation_prompt=True, return_tensors="pt", return_dict=True,
    )["input_ids"]  # fmt: skip
    begun = 0.0
    with torch.inference_mode():
        for number in range(repeats + 1):
            if number == 1:
                begun = time.process_time()
            checkpoint.model.generate(
                asked, attention_mask=torch.ones_like(asked), min_new_tokens=tokens, max_new_tokens=tokens,
                do_sample=False,
            )  # fmt: skip
    return (time.process_time() - begun) / repeats


def _short(conversation: Conversation, messages: int) -> Conversation:
    return conversation.but(messages=conversation.messages[:messages])


if __name__ == "__main__":
    main()
