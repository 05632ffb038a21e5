"""Parts what a model thought from what it said, in whatever dress the thought stands in the text of an answer."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from pydantic import BaseModel

from convsim._inputs import read_toml


class Parted(NamedTuple):
    """What an answer says, and what of it was thought; the marks of the thought are in neither."""

    said: str
    thought: str


class _Pair(BaseModel):
    opening: str
    closing: str


class _Harmony(BaseModel):
    said: str
    channel: str
    message: str
    ends: tuple[str, ...]
    bare: str
    bare_thoughts: tuple[str, ...]


class _Marks(BaseModel):
    tags: tuple[str, ...]
    pair: tuple[_Pair, ...]
    harmony: _Harmony


def split_reasoning(text: str, *, is_open: bool = False) -> Parted:
    """Part the thought from what was said; ``is_open`` says that the prompt before the text has opened a thought.

    What was said follows the last closing mark: a chat template may have opened the thought already, so that a closing
    mark counts without an opening one. Where nothing follows it, what stands before the thought was said. From an
    opening mark that is never closed on, all is thought. Of harmony's channels the last ``final`` was said.
    """
    harmony = _harmony(text)
    return _tagged(text, is_open) if harmony is None else harmony


def opens_thought(prompt: str) -> bool:
    """Tell whether a prompt, or its end, leaves a thought open, as chat templates of models that think do."""
    last = None
    for last in _mark().finditer(prompt):  # noqa: B007, the last one counts
        pass
    return last is not None and last["opening"] is not None and not prompt[last.end() :].strip()


@cache
def _marks() -> _Marks:
    return _Marks.model_validate(read_toml(files("convsim.text").joinpath("reasoning.toml")))


@cache
def _mark() -> re.Pattern[str]:
    """Return the pattern of any mark; its group ``opening`` is empty for one that closes."""
    marks = _marks()
    tags = "|".join(map(re.escape, marks.tags))
    opening = "|".join(re.escape(pair.opening) for pair in marks.pair)
    closing = "|".join(re.escape(pair.closing) for pair in marks.pair)
    return re.compile(
        rf"(?P<closing></\s?(?:{tags})\s?>|{closing})|(?P<opening><(?:{tags})(?:\s[^<>]{{0,80}})?>|{opening})",
        re.IGNORECASE,
    )


def _tagged(text: str, is_open: bool) -> Parted:
    outside: list[str] = []
    thought: list[str] = []
    place, after_last = 0, 0
    for found in _mark().finditer(text):
        part, place = text[place : found.start()], found.end()
        if found["opening"]:
            (thought if is_open else outside).append(part)
            is_open = True
            continue
        # A closing mark without an opening one: all before it was thought.
        thought += [*([] if is_open else outside), part]
        if not is_open:
            outside.clear()
        is_open, after_last = False, len(outside)
    (thought if is_open else outside).append(text[place:])
    last = "".join(outside[after_last:])
    if last.strip() or after_last == 0:
        return Parted(last, "".join([*outside[:after_last], *thought]))
    return Parted("".join(outside), "".join(thought))


def _harmony(text: str) -> Parted | None:
    """Part harmony's channels; None for a text that has none."""
    marks = _marks().harmony
    if marks.channel in text:
        return _channels(text, marks)
    thoughts, bare, said = text.rpartition(marks.bare)
    if bare:
        return Parted(said, thoughts)
    lead = text.lstrip()
    for channel in marks.bare_thoughts:
        # `analysisThe user …`: a name that runs into the next word, as no person writes.
        if lead.startswith(channel) and lead[len(channel) : len(channel) + 1].isupper():
            return Parted("", text)
    return None


def _channels(text: str, marks: _Harmony) -> Parted:
    before, *channels = text.split(marks.channel)
    said = ""
    for channel in channels:
        name, mark, content = channel.partition(marks.message)
        if not mark and channel.startswith(marks.said):
            name, content = marks.said, channel.removeprefix(marks.said)
        if name.split() and name.split()[0] == marks.said:
            said = _until(content, marks.ends)
    if not said.strip():
        said = _until(before, marks.ends)
    thought = text.replace(said, "", 1) if said else text
    return Parted(said, thought)


def _until(text: str, ends: tuple[str, ...]) -> str:
    places = [place for end in ends if (place := text.find(end)) >= 0]
    return text[: min(places)] if places else text
