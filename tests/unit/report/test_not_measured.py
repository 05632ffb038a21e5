"""A metric without a value is said to be so: more data would not give it one."""

import convsim
from convsim.report.headline import headline
from convsim.report.markdown import to_markdown
from convsim.schema.conversation import Conversation, Message

ARABIC = ["أبحث عن حذاء شتوي دافئ للثلج", "غالي جدا، هل يوجد أرخص من هذا؟", "رائع، سآخذه إذن شكرا جزيلا لكم"]


def side(name: str, n: int = 20) -> list[Conversation]:
    return [
        Conversation(
            id=f"{name}{i}",
            messages=tuple(
                Message(role="user", content=f"{text} {name} {i}") for text in ARABIC[: 1 + i % 3]
            ),
        )
        for i in range(n)
    ]


def test_what_has_no_value_needs_no_more_data_and_is_counted_apart() -> None:
    card = convsim.validate(
        side("a"), side("b"), seed=1, validators="marginals", metrics=["turns", "user_thanks", "left"]
    )
    said = headline(card)
    assert "; 2 cannot be measured." in said
    [row] = [line for line in to_markdown(card).splitlines() if "thanks |" in line]
    assert "| cannot be measured |" in row
    assert "Arabic" in row
