"""A table read as conversations in one call: guessed, or told, and what is said where it cannot be."""

import pytest

import convsim
from convsim.io.table import TableMapping

ROWS = """Ticket;Who;Said;Line
1;client;warm boots please;footwear
1;bot;how about these?;footwear
2;client;a red dress for a wedding;dresses
2;bot;none here;dresses
"""


@pytest.fixture
def chats(tmp_path):
    path = tmp_path / "chats.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_a_table_is_conversations_as_the_command_makes_them(chats, tmp_path):
    table = convsim.read_table(chats)
    assert [each.user_messages[0].content for each in table] == [
        "warm boots please",
        "a red dress for a wedding",
    ]
    assert {each.column: each.meaning for each in table.columns}["Said"] == "text"
    assert table.account.used == 4
    again = convsim.read_table(
        chats, TableMapping.of({"guess": False, **table.mapping.model_dump(exclude={"guess"})})
    )
    assert again.conversations == table.conversations


def test_what_a_mapping_says_is_not_guessed(chats, tmp_path):
    told = {"columns": {"task": "Line"}}
    file = tmp_path / "map.toml"
    file.write_text('columns.task = "Line"\n')
    for mapping in (told, TableMapping.of(told), file, str(file)):
        assert [each.task for each in convsim.read_table(str(chats), mapping)] == ["footwear", "dresses"]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"columns": {"text": "Sayd"}}, "did you mean 'Said'"),
        ({"colums": {}}, "the mapping: colums"),
        ({"columns": {"text": 3}}, "the mapping: columns.text"),
        ("none.toml", "none.toml"),
    ],
)
def test_a_mapping_that_does_not_fit_is_one_line(chats, mapping, said):
    with pytest.raises(convsim.InputError, match=said) as refused:
        convsim.read_table(chats, mapping)
    assert "\n" not in str(refused.value)


def test_read_names_read_table_for_a_table(chats):
    with pytest.raises(convsim.InputError, match=r"in Python convsim\.read_table"):
        convsim.read(chats)
