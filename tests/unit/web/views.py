"""Runs and files to look at, and an index over them."""

import json
from pathlib import Path

from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Persona
from convsim.web.view import Index, Sources
from convsim.web.view.filters import Filters, Found, Row


def conversation(number: int, *, said: str = "need boots", **more: object) -> Conversation:
    given: dict[str, object] = {
        "arm": "good" if number % 2 else "bad",
        "task": "shoes",
        "ending": "accepted" if number % 3 else "left",
        "simulator": "bot",
        "persona": Persona(id=f"p{number}", need="boots"),
        **more,
    }
    return Conversation(
        id=f"c{number}",
        messages=(
            Message(role="user", content=f"{said} {number}"),
            Message(
                role="assistant", content="Here you are.", items=(Item(id="b", title="Boots", price=9.5),)
            ),
        ),
        **given,
    )


def run(folder: Path, conversations: list[Conversation], *, planned: int = 10) -> Path:
    folder.mkdir(parents=True)
    manifest = {"schema": "convsim.run/1", "plan": {"n": planned, "arms": ["good"]}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    append(folder, conversations)
    return folder


def append(folder: Path, conversations: list[Conversation]) -> None:
    with (folder / "conversations.jsonl").open("a") as file:
        file.writelines(f"{each.to_json()}\n" for each in conversations)


class Looked:
    """An index that is brought up to date when it is asked to."""

    def __init__(self, folder: Path, *named: Path):
        own = folder / "own"
        own.mkdir()
        self.sources = Sources(named, own)
        self.index = Index(own)
        self.found = Found(self.index)
        self.look()

    def look(self) -> "Looked":
        self.index.catch_up(self.sources)
        return self

    def rows(self, **asked: str) -> list[Row]:
        return self.found.page(Filters.of(asked), {}, 1)

    def ids(self, **asked: str) -> list[str]:
        filters = Filters.of(asked)
        ids = [row.id for row in self.rows(**asked)]
        assert self.found.count(filters, {}) == len(ids)
        return ids

    def key(self, id: str) -> str:
        return next(row.key for row in self.rows() if row.id == id)
