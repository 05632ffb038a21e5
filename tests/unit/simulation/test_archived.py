from pathlib import Path

import pytest

import convsim
from convsim.errors import StudyError
from convsim.simulation import instructed_personas
from convsim.simulation.build import archived_catalogue

STAND_IN = Path(__file__).parents[3] / "data/demo/convapparel_standin.json"


def test_an_archives_items_make_a_catalogue_with_what_it_says_of_them():
    archive = convsim.read(STAND_IN)
    catalogue = archived_catalogue(archive)
    shown = {item.id for c in archive.conversations for m in c.messages for item in m.items}
    assert {item.id for item in catalogue.items} == shown
    assert all(item.description for item in catalogue.items)
    assert not any("description" in item.attributes for item in catalogue.items)


def test_an_archives_instructions_make_a_persona_a_task_that_both_arms_share():
    personas = instructed_personas(convsim.read(STAND_IN))
    assert {persona.task for persona in personas} == {"bottoms", "footwear", "outerwear", "tops"}
    assert len(personas) == 4
    assert all(persona.need.startswith("Pretend that you need") for persona in personas)


def test_conversations_without_items_or_instructions_are_refused(tmp_path):
    file = tmp_path / "plain.jsonl"
    file.write_text('{"id": "a", "messages": [{"role": "user", "content": "hi"}]}\n')
    with pytest.raises(StudyError, match="shows no items"):
        archived_catalogue(convsim.read(file))
    with pytest.raises(StudyError, match="contains no instructions"):
        instructed_personas(convsim.read(file))
