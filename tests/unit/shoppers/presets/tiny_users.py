"""Makes user models of a few kilobytes: the architecture, control tokens and chat template of a published one.

Their weights are written by hand: every layer passes its input on, so that the next token is drawn by the last one
alone. They say words of the letters a to e, and end a conversation as often as they are made to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.unit.models.tiny import byte_tokenizer

END = "<|endconversation|>"
USERLM = (
    "{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>' }}\n"
    "{{ message['content'] }}<|eot_id|>{% endfor %}{{ '<|start_header_id|>user<|end_header_id|>' }}"
)
"""What microsoft/UserLM-8b has as its chat_template.jinja."""
LLAMA3 = (
    "{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + "
    "message['content'] + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""What Qwen3 writes of a chat without tools and thoughts."""
WIDTH = 288
"""One for each token, and some."""
NEVER = -40.0
LETTERS = "abcde"


def make_userlm(
    folder: Path, *, ends: float = 0.25, template: str = USERLM, end: str | None = END, special: bool = False
) -> Path:
    """Save a Llama in UserLM-8b's form; ``ends`` is how likely each turn is nothing but the end token."""
    tokenizer = byte_tokenizer(template)
    tokenizer.add_special_tokens({"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"})
    tokenizer.add_tokens(["<|start_header_id|>", "<|end_header_id|>"], special_tokens=True)
    if end is not None:
        tokenizer.add_tokens([end], special_tokens=special)
    after = {"<|end_header_id|>": {"\n": 1.0}, **_words("<|eot_id|>", end, ends)}
    return _save(folder, tokenizer, "Llama", after, eos="<|eot_id|>")


def make_qwen(folder: Path) -> Path:
    """Save a Qwen3 in OSim-8B's form."""
    tokenizer = byte_tokenizer(CHATML)
    tokenizer.add_special_tokens({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"})
    return _save(folder, tokenizer, "Qwen3", _words("<|im_end|>", None, 0.0), eos="<|im_end|>")


def _words(stop: str, end: str | None, ends: float) -> dict[str, dict[str, float]]:
    """Say how likely each token is after a line break, a letter, a space and the end token."""
    said = ends if end is not None else 0.0
    first = {letter: (1 - said) / len(LETTERS) for letter in LETTERS}
    letter = {each: 0.4 / len(LETTERS) for each in LETTERS} | {" ": 0.4, stop: 0.2}
    after = {"\n": first, " ": {each: 1 / len(LETTERS) for each in LETTERS}}
    after |= dict.fromkeys(LETTERS, letter)
    if end is not None:
        after["\n"] = first | {end: said}
        after[end] = {stop: 1.0}
    return after


def _save(
    folder: Path, tokenizer: Any, family: str, after: Mapping[str, Mapping[str, float]], *, eos: str
) -> Path:
    import torch
    import transformers

    lib: Any = transformers
    ids = {token: tokenizer(token, add_special_tokens=False)["input_ids"][0] for token in _tokens(after)}
    own = {"max_window_layers": 1} if family == "Qwen3" else {}
    config = getattr(lib, f"{family}Config")(
        vocab_size=WIDTH, hidden_size=WIDTH, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, max_position_embeddings=8_192, tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=ids[eos], pad_token_id=tokenizer.pad_token_id,
        **own,
    )  # fmt: skip
    torch.manual_seed(0)
    model = getattr(lib, f"{family}ForCausalLM")(config)
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.eye(WIDTH))
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        # The last norm makes a vector of one 1 as long as the root of its width.
        logits = torch.full((WIDTH, WIDTH), NEVER)
        logits[ids[eos], :] = 0.0
        for last, likely in after.items():
            logits[:, ids[last]] = NEVER
            for token, probability in likely.items():
                logits[ids[token], ids[last]] = math.log(probability) if probability else NEVER
        model.lm_head.weight.copy_(logits / math.sqrt(WIDTH))
    # As the published one: a server that is told no temperature draws, and one that is, does so by it.
    model.generation_config.update(do_sample=True, temperature=0.6, top_p=0.9)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokens(after: Mapping[str, Mapping[str, float]]) -> set[str]:
    return {*after, *(token for likely in after.values() for token in likely)}
