"""Makes language models of a few kilobytes, with random weights and a byte for a token."""

import json
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ raise_exception('no system role here') }}{% endif %}"
    "{{ '<|start|>' + message['role'] + '\n' + message['content'] + '<|end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
)


STATE_SPACE: dict[str, dict[str, Any]] = {
    "Mamba": {},
    "FalconMamba": {},
    "Mamba2": {"num_heads": 4, "head_dim": 16, "n_groups": 2, "chunk_size": 32},
}
"""Models with a state, and what their configurations need beside what all have."""


def make_tiny(
    folder: Path,
    *,
    template: str | None = TEMPLATE,
    kind: str = "LlamaForCausalLM",
    context: int = 256,
    **more: object,
) -> Path:
    """Save a model of class ``kind`` that reads ``context`` tokens, with its tokenizer; returns the folder.

    ``more`` are keys of its configuration.
    """
    import torch
    import transformers

    shape = {
        "vocab_size": 259,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": context,
        "bos_token_id": 256,
        "eos_token_id": 257,
        "pad_token_id": 258,
        # Large enough that the next token is far from certain and far from uniform.
        "initializer_range": 0.3,
    }
    torch.manual_seed(0)
    lib: Any = transformers
    configs = {
        "LlamaForCausalLM": "LlamaConfig",
        "BertForMaskedLM": "BertConfig",
        "T5ForConditionalGeneration": "T5Config",
        **{f"{name}ForCausalLM": f"{name}Config" for name in STATE_SPACE},
    }
    if kind.removesuffix("ForCausalLM") in STATE_SPACE:
        shape = {
            name: value for name, value in shape.items() if "attention" not in name and "init" not in name
        }
        shape |= {"state_size": 8, **STATE_SPACE[kind.removesuffix("ForCausalLM")]}
    if kind.startswith("T5"):
        shape = {"vocab_size": 259, "d_model": 32, "d_ff": 64, "num_layers": 1, "num_heads": 2, "d_kv": 16}
    getattr(lib, kind)(getattr(lib, configs[kind])(**{**shape, **more})).save_pretrained(folder)
    byte_tokenizer(template).save_pretrained(folder)
    return folder


def byte_tokenizer(template: str | None) -> Any:
    """Return a tokenizer with a token for each byte, and <|start|>, <|end|> and <|pad|>."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer: Any = PreTrainedTokenizerFast
    made = tokenizer(tokenizer_object=inner, bos_token="<|start|>", eos_token="<|end|>", pad_token="<|pad|>")
    made.chat_template = template
    return made


def edit_config(folder: Path, **changes: object) -> None:
    """Change keys of a saved model's config.json."""
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
