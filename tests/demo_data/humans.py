"""Stand-in human transcripts in the shape of a ConvApparel archive."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from tests.demo_data.grammar import PHRASES
from tests.demo_data.ratings import Levels, Rated, rate
from tests.demo_data.stock import CATEGORIES, Stock
from tests.demo_data.talk import Talk, hold_talks

HUMANS = 320


class Survey(BaseModel):
    """The stand-in survey: its questions by name, its answers, its instructions by task, and its levels."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: str
    note: str
    yes: str
    no: str
    session: dict[str, str]
    turn: dict[str, str]
    instructions: dict[str, str]
    levels: Levels

    @classmethod
    def read(cls) -> Survey:
        """Read the project's survey."""
        return cls.model_validate(tomllib.loads((PHRASES / "survey.toml").read_text(encoding="utf-8")))

    def answers(self, questions: Mapping[str, str], said: Mapping[str, bool]) -> dict[str, JsonValue]:
        """Map each question's text to its answer."""
        return {questions[name]: self.yes if yes else self.no for name, yes in said.items()}


def humans_archive(stock: Sequence[Stock], *, seed: int) -> str:
    """Return the archive's JSON, one conversation a line."""
    survey = Survey.read()
    talks = hold_talks("people", HUMANS, stock, seed=seed)
    rated = rate(talks, survey.levels, seed=seed)
    lines = [_dump(_conversation(*pair, survey)) for pair in zip(talks, rated, strict=True)]
    return f'{{"metadata": {_dump(_metadata(survey))},\n"conversations": [\n' + ",\n".join(lines) + "\n]}\n"


def _metadata(survey: Survey) -> JsonValue:
    tasks = [f"{category}_{arm}" for category in CATEGORIES for arm in ("good", "bad")]
    return {
        "note": survey.note,
        "questions": {
            survey.version: {"session": [*survey.session.values()], "turn": [*survey.turn.values()]}
        },
        "instructions": {task: survey.instructions[task.split("_")[0]] for task in tasks},
        "tasks": [*tasks],
    }


def _conversation(talk: Talk, rated: Rated, survey: Survey) -> JsonValue:
    turns: list[JsonValue] = [
        {
            "user_utterance": exchange.move.text,
            "assistant_utterance": exchange.reply.text,
            "ratings": survey.answers(survey.turn, said),
            "recommendations": [_recommendation(stock) for stock in exchange.reply.items],
        }
        for exchange, said in zip(talk.exchanges, rated.turns, strict=True)
    ]
    return {
        "task_id": f"{talk.task}_{talk.arm}",
        "version": survey.version,
        "ratings": survey.answers(survey.session, rated.session),
        "turns": turns,
    }


def _recommendation(stock: Stock) -> JsonValue:
    item = stock.item
    return {
        "item_id": item.id,
        "title": item.title,
        "description": item.description,
        "features": [
            f"Price: ${stock.price:.2f}",
            f"Material: {item.text_of('material')}",
            f"Colors: {', '.join(item.list_of('colors'))}",
        ],
        "image_url": "",
    }


def _dump(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
