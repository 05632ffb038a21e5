"""Words of scripts written without spaces: Chinese, Japanese and Thai, by a segmenter where one is installed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

Model = Literal["zh-hans", "ja_word", "th"]
Segmenter = Callable[[str], list[str]]

MAX_REMEMBERED = 65_536
"""Parts whose words are kept."""
HAN = "々〆〇㐀-䶿一-鿿豈-﫿𠀀-𲎯"
KANA = "ぁ-ゟァ-ヺー-ヿㇰ-ㇿｦ-ﾟ"
THAI = "\u0e01-\u0e3a\u0e40-\u0e4e"
WITHOUT_SEGMENTER = "\u0e81-\u0ece\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
"""Letters of Lao, Burmese and Khmer."""
UNSPACED = re.compile(f"[{HAN}{KANA}{THAI}{WITHOUT_SEGMENTER}]")
SEGMENTED = frozenset({"ja", "th", "zh"})
"""Languages with a segmenter; Chinese is segmented alike in simplified and traditional characters."""
PARTS = re.compile(
    f"[{THAI}]+|[{HAN}{KANA}]+|[{WITHOUT_SEGMENTER}]+|[^{HAN}{KANA}{THAI}{WITHOUT_SEGMENTER}]+"
)
"""The parts of a run of letters and digits, each of one way of writing."""
_ANY_KANA = re.compile(f"[{KANA}]")
_ANY_HAN = re.compile(f"[{HAN}]")
_ANY_THAI = re.compile(f"[{THAI}]")


def has_kana(text: str) -> bool:
    """Tell whether a text holds letters that Japanese alone has."""
    return _ANY_KANA.search(text) is not None


def segmented(part: str, *, japanese: bool) -> list[str] | None:
    """Return the words of one part; None where no segmenter for it is installed or known.

    Args:
        part: Letters of one script without spaces.
        japanese: Whether it stands in a text with kana: Chinese characters are then read as Japanese.
    """
    if _ANY_THAI.match(part):
        parse = _segmenter("th")
    elif _ANY_HAN.match(part) or _ANY_KANA.match(part):
        parse = _segmenter("ja_word" if japanese else "zh-hans")
    else:
        return None
    return parse(part) if parse else None


def segmenter_is_installed() -> bool:
    """Tell whether the extra ``cjk`` is installed."""
    return _segmenter("zh-hans") is not None


@cache
def _segmenter(model: Model) -> Segmenter | None:
    try:
        import budoux
    except ImportError:
        return None
    # By file, because the model of single Japanese words has no function of its own: that one cuts phrases.
    file = Path(budoux.__file__).parent / "models" / f"{model}.json"
    # Agents more than people say the same again: a fifth of the time is saved.
    parse: Segmenter = lru_cache(maxsize=MAX_REMEMBERED)(
        budoux.Parser(json.loads(file.read_text(encoding="utf-8"))).parse
    )
    return parse
