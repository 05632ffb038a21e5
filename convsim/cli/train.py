"""``convsim train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._text import plain
from convsim.cli import options
from convsim.cli.console import err, parse_settings, result
from convsim.cli.train_policy import OUT, check_options, train_policy
from convsim.errors import InputError, TrainingError

if TYPE_CHECKING:
    from convsim.io import Transcripts
    from convsim.shoppers.finetuned import Outcome

MAX_DIGITS = 6
"""Of a number of layers."""
WAYS = "layers=N, distill=N, prune=SHARE, ssm=TAU or int8"
PROPORTIONS = {"prune": "prune_share", "ssm": "ssm_tau"}
"""Ways to compress that take a proportion, and the setting that it is."""
OWN_OPTIONS = {
    "--base": "base", "--max-steps": "max_steps", "--epochs": "epochs", "--lora": "lora", "--calibrate": "calibrate",
    "--compress": "compress", "--set": "settings", "--kind": "kind", "--infer-endings": "infer_endings",
    "--acts-label": "acts_label",
}  # fmt: skip
"""Those of fine-tuning alone and of a policy alone, and the parameter that each is."""


def train(
    context: typer.Context,
    transcripts: Annotated[
        Path, typer.Argument(metavar="TRANSCRIPTS", help="Real conversations: a file or a run folder.")
    ],
    base: Annotated[
        str,
        typer.Option(
            help="Model to train: embedded, a transformers folder, a GGUF file, or a trained shopper."
        ),
    ] = "embedded",
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the shopper (for a policy runs/policy); the same command again continues in it."
        ),
    ] = Path("runs/shopper"),
    learn_arm: Annotated[str | None, typer.Option(help="Learn only from this arm.")] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(help="Conversations to leave out of training, with all others by the same users."),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(help="Maximum number of optimizer steps.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Maximum number of passes over the conversations (default 6).")
    ] = None,
    lora: Annotated[
        bool, typer.Option("--lora", help="Train low-rank adapters (LoRA) instead of all weights.")
    ] = False,
    calibrate: Annotated[
        int | None,
        typer.Option(
            help="Held-out turns generated per sampling setting during calibration (max and default 40; 0 skips it)."
        ),
    ] = None,
    compress: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="layers=N keeps N layers; distill=N distils --base, a trained shopper, into N layers; prune=SHARE "
            "cuts heads and neurons out; ssm=TAU cuts states of a state-space model that hold TAU of their energy, "
            "as it does with --policy --kind ssm (there 0: none); int8 quantises.",
        ),
    ] = None,
    policy: Annotated[
        bool,
        typer.Option(
            "--policy", help="Learn when users go on, accept or leave, without a model, and no words."
        ),
    ] = False,
    kind: Annotated[
        str,
        typer.Option(
            help="With --policy: hazard (logistic regressions), trees (boosted trees) or ssm (a recurrence beside "
            "regressions; needs the extra train)."
        ),
    ] = "hazard",
    infer_endings: Annotated[
        bool,
        typer.Option(
            "--infer-endings",
            help="With --policy: where the logs do not say how a conversation ended, read it from its last words.",
        ),
    ] = False,
    acts_label: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --policy: the label that names the acts of users' messages (default: acts).",
        ),
    ] = None,
    seed: options.Seed = 0,
    settings: Annotated[
        list[str] | None,
        options.settings("train.learning_rate=1e-4, train.batch=16 or train.max_tokens=600"),
    ] = None,
    reader: options.Reader = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
) -> None:
    """Fine-tune a model to talk as users in real logs do.

    With --policy: learn from the logs when users go on, accept or leave, which needs no model.
    """
    from convsim.io import read

    given_options = {name: _is_given(context, parameter) for name, parameter in OWN_OPTIONS.items()}
    if policy and kind == "ssm":
        given_options["--compress"] = False  # belongs to both
    check_options(given_options, policy=policy)

    def loaded(path: Path) -> Transcripts:
        return read(path, reader=reader, skip_bad_lines=skip_bad_lines, survey_map=survey_map)

    if policy:
        train_policy(
            loaded(transcripts),
            out if _is_given(context, "out") else OUT,
            kind=kind,
            learn_arm=learn_arm,
            exclude=loaded(exclude).conversations if exclude else (),
            infer_endings=infer_endings,
            acts_label=acts_label,
            compress=compress,
            seed=seed,
        )
        return
    from convsim.shoppers.finetuned import Training, checked_settings

    given = parse_settings(settings or [], ("train",))["train"]
    if "seed" in given:
        raise InputError(f"--set 'train.seed={given['seed']}': give the seed with --seed")
    flags = {
        "seed": seed, "max_steps": max_steps, "epochs": epochs, "calibrate": calibrate, "lora": lora or None,
        **_compression(compress),
    }  # fmt: skip
    given |= {name: value for name, value in flags.items() if value is not None}
    checked = checked_settings(given)
    real = loaded(transcripts)
    talk = err()
    talk.print(f"seed {checked.seed}")
    for warning in real.warnings:
        talk.print(plain(warning))
    training = Training(
        real.conversations,
        base,
        sha256=real.sha256,
        settings=checked,
        learn_arm=learn_arm,
        exclude=loaded(exclude).conversations if exclude else (),
        on_note=lambda note: talk.print(plain(note)),
    )
    try:
        outcome = training.run(out)
    except KeyboardInterrupt:
        raise TrainingError(
            f"interrupted; run the same command to continue from the last checkpoint in {out}"
        ) from None
    _report(outcome, out)


def _is_given(context: typer.Context, parameter: str) -> bool:
    source = context.get_parameter_source(parameter)
    return source is not None and source.name != "DEFAULT"


def _compression(said: str | None) -> dict[str, object]:
    if said is None:
        return {}
    how, equals, number = said.partition("=")
    if equals and how in PROPORTIONS:
        return {"compress": how, PROPORTIONS[how]: _proportion(said, number)}
    if equals and not (number.isdecimal() and len(number) <= MAX_DIGITS):
        raise InputError(f"--compress {said!r}: expected {WAYS}, with a whole number N")
    return {"compress": how, "keep_layers": int(number) if equals else None}


def _proportion(said: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise InputError(
            f"--compress {said!r}: expected {WAYS}, with a number between 0 and 1 after prune or ssm"
        )
    return value


def _report(outcome: Outcome, out: Path) -> None:
    talk = result()
    if outcome.excluded_conversations or outcome.excluded_users_conversations:
        talk.print(
            f"--exclude: {outcome.excluded_conversations} conversations were left out, and "
            f"{outcome.excluded_users_conversations} more by the same users"
        )
    if outcome.perplexity_after is not None:
        talk.print(
            f"{out}: {outcome.steps} steps, the best after {outcome.best_step}; perplexity of the held-out users' "
            f"words {outcome.perplexity_before:.2f} -> {outcome.perplexity_after:.2f}"
        )
        if outcome.perplexity_after >= outcome.perplexity_before:
            talk.print("training did not improve it on users that it had not seen")
    if outcome.cuts:
        last = outcome.cuts[-1]
        left = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in last.widths.items())
        talk.print(
            f"{len(outcome.cuts)} cuts until step {last.step}: {outcome.parameters_before:,} -> "
            f"{outcome.parameters_after:,} parameters; of each layer {left} are left"
        )
    decoding = outcome.decoding
    if decoding is None and not outcome.steps:
        talk.print("nothing was trained; sampling is the base model's")
    elif decoding is None:
        talk.print("sampling was not calibrated: temperature 1, no nucleus")
    else:
        why = f" ({decoding.reason})" if decoding.reason else f", chosen on {decoding.places} held-out turns"
        talk.print(f"sampling: temperature {decoding.temperature:g}, top-p {decoding.top_p:g}{why}")
    if outcome.tokens_per_second:
        gib = outcome.peak_memory_bytes / 2**30
        talk.print(f"{outcome.tokens_per_second:.0f} tokens a second, {gib:.1f} GiB at most")
    talk.print(f"convsim simulate --shopper sft --model {out}")
