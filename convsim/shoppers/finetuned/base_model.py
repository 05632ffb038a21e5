"""The model that training starts from: where it lies, what it is, and how it writes a chat."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

from convsim._inputs import open_input
from convsim.errors import InputError
from convsim.models.chat import answer_tokens
from convsim.models.checkpoint import Checkpoint, check_path, load_checkpoint, needs_torchao
from convsim.models.embedded import embedded_folder
from convsim.schema import ChatMessage
from convsim.shoppers.finetuned.script import SAY
from convsim.shoppers.finetuned.trained import SHOPPER_FILE, Trained, read_trained

EMBEDDED = "embedded"
PLAIN_CHAT = "plain_chat.jinja"
WEIGHTS = ("*.safetensors", "*.gguf", "config.json", "tokenizer.json")


def base_path(name: str) -> Path:
    """Return where the base called ``name`` lies: the embedded model, a folder or a GGUF file.

    Raises:
        InputError: There is no model.
    """
    path = embedded_folder() if name == EMBEDDED else Path(name)
    check_path(path)
    return path


def trained_base(path: Path) -> Trained | None:
    """Return what a base that is a trained shopper says of itself; None for any other model."""
    return read_trained(path) if (path / SHOPPER_FILE).is_file() else None


def model_hashes(path: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that make a model what it is, by name."""
    found = [path] if path.is_file() else sorted(file for pattern in WEIGHTS for file in path.glob(pattern))
    hashes: dict[str, str] = {}
    for file in found:
        with open_input(file) as content:
            hashes[file.name] = hashlib.file_digest(content, "sha256").hexdigest()
    return hashes


def load_base(path: Path) -> tuple[Checkpoint, bool]:
    """Load a base in float32, to be trained; return it, and whether it came without a chat template.

    Such a base is given a plain one, ``System: … User: … Assistant: …``, which is saved with what is trained.

    Raises:
        InputError: It cannot be loaded, is not a causal language model, has int8 weights, or no way to begin an answer.
        MissingExtraError: A package is missing.
    """
    checkpoint = load_checkpoint(path, dtype="float32")
    if path.is_dir() and needs_torchao(path):
        raise InputError(
            f"the base {path} has int8 weights, which cannot be trained: give the model that it was made from"
        )
    is_bare = checkpoint.tokenizer.chat_template is None
    if is_bare:
        plain = files("convsim.shoppers.finetuned").joinpath(PLAIN_CHAT).read_text(encoding="utf-8")
        checkpoint.tokenizer.chat_template = plain
    _check_openings(path, checkpoint)
    return checkpoint, is_bare


def _check_openings(path: Path, checkpoint: Checkpoint) -> None:
    """Check that an answer can be begun: some templates put tokens of their own between role and words."""
    asked = [ChatMessage(role="user", content="-")]
    opened = checkpoint.tokenizer.decode(answer_tokens(checkpoint, asked, SAY)[:-1]).strip()
    if opened != SAY:
        raise InputError(
            f"the base {path} cannot be trained as a shopper: its chat template turns the answer {SAY!r} into "
            f"{opened!r}"
        )
