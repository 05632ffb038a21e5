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


def test_words_of_a_script_without_spaces_are_marked_where_they_stand() -> None:
    segments = marked("好的，谢谢你的推荐", {"谢谢": "human", "的 推荐": "simulated"})
    assert [(segment.text, segment.side) for segment in segments] == [
        ("好的，", None), ("谢谢", "human"), ("你", None), ("的推荐", "simulated"),
    ]  # fmt: skip
