from convsim.report.html.giveaways import marked

FEATURES = {"thank you": "simulated", "you": "human", "ok": "human"}


def pieces(text: str) -> list[tuple[str, str | None]]:
    return [(segment.text, segment.side) for segment in marked(text, FEATURES)]


def test_a_pair_of_words_goes_before_its_second_word():
    assert pieces("Thank  you!") == [("Thank  you", "simulated"), ("!", None)]


def test_words_are_found_whatever_their_case_and_whole_only():
    assert pieces("OK young you") == [("OK", "human"), (" young ", None), ("you", "human")]


def test_nothing_is_lost_between_the_marks():
    text = "so thank you, and you: İ ok? 😀"
    assert "".join(segment for segment, _ in pieces(text)) == text


def test_an_empty_text_has_no_piece():
    assert pieces("") == []
