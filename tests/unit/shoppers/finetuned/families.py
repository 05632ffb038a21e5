"""Models of a few kilobytes, of several architectures, and what they say."""

from __future__ import annotations

import inspect
from typing import Any

from tests.needs import needed

torch = needed("torch")
transformers = needed("transformers")

SHAPE: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
SLIDING = {"head_dim": 8, "sliding_window": 4}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "LlamaForCausalLM": ("LlamaConfig", {}),
    "Qwen2ForCausalLM": ("Qwen2Config", {}),
    "Qwen3ForCausalLM": ("Qwen3Config", {"head_dim": 8}),
    "GPT2LMHeadModel": ("GPT2Config", {}),
    "GPTNeoXForCausalLM": ("GPTNeoXConfig", {}),
    # Sliding and full attention in turns.
    "Gemma2ForCausalLM": ("Gemma2Config", SLIDING),
    "Gemma3ForCausalLM": ("Gemma3TextConfig", SLIDING),
}
TOKENS = [[5, 9, 33, 7, 21, 60, 3, 11, 48, 17, 29, 8]]


def made(kind: str, **changes: Any) -> Any:
    """A model of this kind with random weights, a few kilobytes."""
    torch.manual_seed(0)
    config, more = FAMILIES.get(kind, (kind.replace("ForCausalLM", "Config"), {}))
    return getattr(transformers, kind)(getattr(transformers, config)(**{**SHAPE, **more, **changes})).eval()


def logits(model: Any) -> Any:
    """What it says of ``TOKENS``, all at once."""
    with torch.inference_mode():
        return model(torch.tensor(TOKENS), use_cache=False).logits


def cached_logits(model: Any) -> Any:
    """Read a token at a time, all that came before from the cache."""
    said, past = [], None
    # transformers 5.24 calls it so; what came before it had the longer name alone.
    cache = "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"
    with torch.inference_mode():
        for token in TOKENS[0]:
            read = model(torch.tensor([[token]]), use_cache=True, **{cache: past})
            past = read[cache]
            said.append(read.logits)
    return torch.cat(said, 1)
