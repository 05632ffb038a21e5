"""Our prompts as files, from Python: what is there is not written over."""

import pytest

import convsim
from convsim.models import Scripted
from convsim.models.own_prompts import our_files
from convsim.shoppers import Prompted


def test_prompts_are_written_once_and_a_change_of_them_is_used(tmp_path):
    folder = convsim.export_prompts(tmp_path / "prompts")
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == our_files()
    (folder / "opening.txt.j2").write_text("say hi about {{ persona.need }}")
    (folder / "chat.txt.j2").unlink()
    convsim.export_prompts(folder)
    assert (folder / "opening.txt.j2").read_text() == "say hi about {{ persona.need }}"
    assert (folder / "chat.txt.j2").read_bytes() == our_files()["chat.txt.j2"]
    shoppers = [
        convsim.make_shopper("prompted", model=Scripted(answers=["boots"]), prompts=each)
        for each in (None, folder)
    ]
    ours, own = (each.prompt_hashes for each in shoppers if isinstance(each, Prompted))
    assert [name for name in ours if ours[name] != own[name]] == ["opening"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(convsim.InputError, match="taken: prompts cannot be written there"):
        convsim.export_prompts(tmp_path / "taken")
