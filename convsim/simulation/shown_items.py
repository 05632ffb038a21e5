"""The items that the agents of an archive have shown, as a catalogue."""

from __future__ import annotations

from convsim.errors import StudyError
from convsim.io import Transcripts
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.conversation import Item

TEXTS = ("description", "features")


def archived_catalogue(archive: Transcripts) -> Catalogue:
    """Gather every item that was shown, once each; what an archive says of it becomes its description.

    Raises:
        StudyError: No item was ever shown.
    """
    shown = {item.id: item for c in archive.conversations for m in c.messages for item in m.items}
    if not shown:
        raise StudyError(f"{archive.path}: shows no items to make a catalogue of")
    return Catalogue.of(_sold(item) for item in shown.values())


def _sold(item: Item) -> CatalogueItem:
    said = [item.attributes.get(name) for name in TEXTS]
    lines = [
        part
        for text in said
        for part in (text if isinstance(text, list) else [text])
        if isinstance(part, str)
    ]
    rest = {name: value for name, value in item.attributes.items() if name not in TEXTS}
    title = item.title or item.id
    return CatalogueItem(
        id=item.id, title=title, description=" ".join(lines), price=item.price, attributes=rest
    )
