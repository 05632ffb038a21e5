"""In a pull request, what a transcript says links nowhere and tells nobody, and reads as it was written."""

import re

import pytest

from convsim.report.markdown import JOINER, table_cell

# GitHub Flavored Markdown, 6.9 (extended autolinks), and GitHub's mentions and references.
LINKS = re.compile(
    r"(https?|ftp)://\w|www\.\w|[\w.+-]+@[\w-]+\.\w|(mailto|xmpp):\w|(^|\W)@\w|(^|\W)#\d|\bGH-\d|\w+/\w+#\d",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "text",
    [
        "see http://evil.example/?q=1 now", "HTTPS://evil.example", "ftp://evil.example", "www.evil.example",
        "WWW.evil.example", "mail joe@evil.example", "mailto:joe@evil.example", "xmpp:joe@evil.example/x",
        "@maintainer look", "cc @org/team", "(@maintainer)", "fixes #12", "GH-12", "org/repo#12", "<http://evil.example>",
        "http://evil.example/@maintainer#12",
    ],
)  # fmt: skip
def test_addresses_mentions_and_references_of_a_transcript_are_plain_text(text):
    assert LINKS.search(text)
    cell = table_cell(text)
    assert not LINKS.search(cell), cell
    unescaped = cell.replace("\\", "").replace("&lt;", "<").replace("&gt;", ">")
    assert unescaped.replace(JOINER, "") == text


@pytest.mark.parametrize(
    "text", ["size 12: red", "a / b // c", "# title", "5 @ 20", "C#", "www", "turns (words)"]
)
def test_other_texts_stay_as_they_are(text):
    assert table_cell(text) == text
