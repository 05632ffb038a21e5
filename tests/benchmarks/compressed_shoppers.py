"""What smaller shoppers lose and save: perplexity of people held out, parameters, disk, and time a message.

    python -m tests.benchmarks.compressed_shoppers [--base embedded] [--only NAME …] [--folder DIR] [--quick]
        [--json FILE]

A base is trained on the demo people; each way to compress then starts from that shopper and is given as many steps
again, so that ``trained on`` is what they are held against. Besides, a Mamba of random weights and with a byte for a
token is trained from nothing, five times as long, and its states are reduced. Its perplexities are a byte's, and
comparable with one another alone. People of the table's perplexity are in no training. Conversations are cut to their
first messages. Time is of processors, over messages of ``--tokens`` tokens each. int8 needs the extra "lean", and is
left out without it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import convsim
from convsim.models import Local
from convsim.schema.conversation import Conversation
from convsim.shoppers.finetuned import Outcome, TrainingSettings
from convsim.shoppers.finetuned import Training as Train
from convsim.shoppers.finetuned.base_model import load_base
from convsim.shoppers.finetuned.encode import encode
from convsim.shoppers.finetuned.perplexity import user_perplexity
from tests.benchmarks.rows import Row, report, with_json
from tests.unit.models.tiny import make_tiny

DATA = Path(__file__).parents[2] / "data/demo/convapparel_standin.json"
WAYS: dict[str, dict[str, Any]] = {
    "prune=0.25": {"compress": "prune", "prune_share": 0.25},
    "layers": {"compress": "layers"},
    "prune=0.1": {"compress": "prune", "prune_share": 0.1},
    "distill": {"compress": "distill"},
    "trained on": {},
    "int8": {"compress": "int8", "max_steps": 0},
}
STATES: dict[str, dict[str, Any]] = {
    "ssm=0.05": {"compress": "ssm", "ssm_tau": 0.05},
    "ssm=0.3": {"compress": "ssm", "ssm_tau": 0.3},
    "trained on": {},
}
MAMBA: dict[str, Any] = {"hidden_size": 64, "num_hidden_layers": 4, "state_size": 16}
N_ITEMS = 2


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="embedded")
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
    report(measured(asked), asked.json)


def measured(asked: argparse.Namespace) -> Iterator[Row]:
    """Train and measure one shopper after the other."""
    people = [_short(c, asked.messages) for c in convsim.read(DATA).conversations[: asked.conversations]]
    learned, unseen = people[: -len(people) // 5], people[-len(people) // 5 :]
    with tempfile.TemporaryDirectory() as folder:
        where = asked.folder or Path(folder)
        base = where / "mamba"
        if not base.exists():
            make_tiny(base, kind="MambaForCausalLM", context=2048, **MAMBA)
        families = (("", asked.base, WAYS, 1), ("Mamba, ", str(base), STATES, 5))
        for family, start, ways, longer in families:
            if asked.only and not ways.keys() & set(asked.only):
                continue
            given = {"seed": 1, "calibrate": 0, "epochs": 1000, "batch": asked.batch, "patience": 1000}
            given |= {"max_steps": asked.steps, "n_items": N_ITEMS}
            if longer > 1:
                given["learning_rate"] = 2e-3
            at_first = {**given, "max_steps": longer * asked.steps}
            shopper = where / f"{family}shopper"
            yield from measure(
                f"{family}trained", shopper, fit(learned, start, shopper, at_first), unseen, asked
            )
            for name, how in ways.items():
                if asked.only and name not in asked.only:
                    continue
                if name == "int8" and find_spec("torchao") is None:
                    print("int8: left out, as torchao is not installed", flush=True)
                    continue
                if how.get("compress") in ("layers", "distill"):
                    layers = load_base(shopper)[0].model.config.num_hidden_layers
                    how = {**how, "keep_layers": layers - layers // 4}
                    name = f"{name}={how['keep_layers']}"
                out = where / f"{family}{name}"
                outcome = fit(learned, str(shopper), out, {**given, **how})
                yield from measure(f"{family}{name}", out, outcome, unseen, asked)


def fit(people: Sequence[Conversation], base: str, out: Path, given: dict[str, Any]) -> Outcome:
    """Train a shopper."""
    return Train(people, base, settings=TrainingSettings.model_validate(given)).run(out)


def measure(
    case: str, folder: Path, outcome: Outcome, unseen: Sequence[Conversation], asked: argparse.Namespace
) -> Iterator[Row]:
    """Measure a shopper as it lies on disk."""
    found = {
        "perplexity": ("", perplexity(folder, unseen)),
        "parameters": ("M", (outcome.parameters_after or 0) / 1e6),
        "on disk": ("MB", sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6),
        "processor a message": ("s", seconds(folder, asked.tokens, asked.repeats)),
    }
    for cut in outcome.cuts:
        print(f"{case}: {cut}", flush=True)
    for measure, (unit, value) in found.items():
        row = Row(case=case, measure=measure, unit=unit, value=value)
        print(row, flush=True)
        yield row


def perplexity(folder: Path, people: Sequence[Conversation]) -> float:
    """Return that of people's words who were in no training."""
    local = Local(path=folder).load()
    examples = encode(local, people, max_tokens=1024, n_items=N_ITEMS).examples
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
