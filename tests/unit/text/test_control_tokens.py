"""Tokens that steer a simulator are cut; what people type is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from convsim.errors import InputError
from convsim.text.control_tokens import shipped, with_own

CUT: list[tuple[str, str, tuple[str, ...], str | None]] = [
    ("###STOP###", "", ("###STOP###",), None),
    ("thanks, bye ###STOP###", "thanks, bye", ("###STOP###",), None),
    ("thanks.###TRANSFER###", "thanks.", ("###TRANSFER###",), None),
    ("### OUT-OF-SCOPE ###", "", ("### OUT-OF-SCOPE ###",), None),
    ("I take it. ###ACCEPTED###", "I take it.", ("###ACCEPTED###",), "accepted"),
    ("no ###REJECTED###", "no", ("###REJECTED###",), "left"),
    ("\\end", "", ("\\end",), None),
    ("bye then\n\\end", "bye then", ("\\end",), None),
    ("that will do. \\end.", "that will do. .", ("\\end",), None),
    ("\\giveup", "", ("\\giveup",), "left"),
    ("great! [ACCEPT]", "great!", ("[ACCEPT]",), "accepted"),
    ("great! [ACCEPT] thank you", "great! thank you", ("[ACCEPT]",), "accepted"),
    ("[DONE]", "", ("[DONE]",), None),
    ("[done]", "", ("[done]",), None),
    ("ok thanks [End of conversation].", "ok thanks .", ("[End of conversation]",), None),
    ("bye TERMINATE", "bye", ("TERMINATE",), None),
    ("see you<|endoftext|>", "see you", ("<|endoftext|>",), None),
    ("<|im_start|>user hi<|im_end|>", "user hi", ("<|im_start|>", "<|im_end|>"), None),
    ("hi</s>", "hi", ("</s>",), None),
    ("[ACCEPT] no, \\giveup", "no,", ("[ACCEPT]", "\\giveup"), "left"),
    ("###ST###STOP###OP###", "", ("###STOP###",), None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rest", "tokens", "ending"), CUT[:-1])
def test_a_token_is_cut_and_says_how_it_ended(
    text: str, rest: str, tokens: tuple[str, ...], ending: str | None
) -> None:
    cut = shipped().cut(text)
    assert (cut.text, cut.tokens) == (rest, tokens)
    assert shipped().ending(cut.tokens) == ending


ORDINARY = r"""
I'm done
i am done.
stop
STOP
please stop
the end
END
exit
[done] is what it says on the label
it says [accept] or [leave], which one?
size [M]
[NAME] said so
a < b and c > d
<3
i <3 it
#1 choice
### what
## red ## boots
C:\endless
\endgroup
the path is a\end
\end{table}
terminate my contract
do not TERMINATE it yet please
[System] of a down
<b>bold</b>
is it ###?
TASK
50% off [END OF SEASON]
WEEKEND
i said <stop it>
| a | b |
\o/
¯\_(ツ)_/¯
""".splitlines()


@pytest.mark.parametrize("text", ORDINARY)
def test_what_people_type_stays_as_it_is(text: str) -> None:
    assert shipped().cut(text) == (text, ())


@pytest.mark.parametrize("text", [text for text, *_ in CUT])
def test_nothing_is_left_to_cut(text: str) -> None:
    assert shipped().cut(shipped().cut(text).text).tokens == ()


def test_tokens_of_ones_own_are_cut_beside_the_shipped_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'tokens = ["@@BYE@@"]\n[[token]]\ntext = "over and out"\nwhere = "last"\nending = "left"\n'
    )
    for own in (path, str(path)):
        tokens = with_own(own)
        assert tokens.cut("ok @@BYE@@").tokens == ("@@BYE@@",)
        assert tokens.cut("ok ###STOP###").tokens == ("###STOP###",)
        assert tokens.ending(tokens.cut("fine, over and out").tokens) == "left"
        assert tokens.cut("over and out is what I say often").tokens == ()
    (tmp_path / "mine.txt").write_text("@@BYE@@\n\n%%, or not\n")
    assert with_own(str(tmp_path / "mine.txt")).cut("a %%, or not b @@BYE@@").text == "a b"
    with pytest.raises(InputError, match="the file of control tokens cannot be read"):
        with_own(tmp_path / "nowhere.txt")
    assert with_own("@@BYE@@, %%").cut("a %% b @@BYE@@") == ("a b", ("%%", "@@BYE@@"))
    assert with_own(["a,b"]).cut("x a,b") == ("x", ("a,b",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tokens = []", "no control token is given"),
        ("tokens = 3", "tokens: "),
        ('[[token]]\ntext = "a"\npattern = "b"', "a token has a text or a pattern"),
        ('[[token]]\npattern = "("', "is no regular expression"),
        ('[[token]]\ntext = "a"\nending = "won"', "token.0.ending"),
        ("x", "is not TOML"),
    ],
)
def test_a_file_of_tokens_that_says_something_else_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        with_own(tmp_path / "mine.toml")
    assert "\n" not in str(caught.value)


def test_a_message_of_many_tokens_takes_time_in_proportion() -> None:
    cut = shipped().cut("###STOP### \\end [" * 6_000)
    assert len(cut.tokens) == 12_000
    assert shipped().cut("[" * 100_000).tokens == ()
