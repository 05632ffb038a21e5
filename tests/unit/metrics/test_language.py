"""What a language does to metrics: undefined with a reason, and never 0 on both sides and alike."""

import subprocess
import sys
from pathlib import Path

import pytest

import convsim
from convsim.errors import PluginError
from convsim.metrics import find_metrics, measure_both
from convsim.schema import Columns
from convsim.schema.conversation import Conversation, Message
from convsim.schema.corpus import refused_labels, undefined_metrics
from convsim.text import segment

ARABIC = ["أبحث عن حذاء شتوي دافئ للثلج", "غالي جدا، هل يوجد أرخص من هذا؟", "رائع، سآخذه إذن شكرا جزيلا لكم"]
ENGLISH = [
    "do you have warm winter boots?",
    "too expensive, is there anything cheaper?",
    "great, thanks a lot",
]
CHINESE = ["有没有保暖的冬靴", "太贵了，有便宜一点的吗？", "好的，就要这双，谢谢"]
KHMER = ["ខ្ញុំចង់បានស្បែកជើង", "ថ្លៃពេក", "អរគុណ"]
OF_LISTS = {
    "user_thanks", "user_please", "user_sorry", "user_first_person", "user_complaints", "user_restates", "item_uptake",
}  # fmt: skip
OF_WORDS = {
    "user_words_per_turn", "user_words_first_message", "conversation_words", "user_characters_per_word", "user_mattr",
    "agent_words_per_turn",
}  # fmt: skip


def side(texts: list[str], *, n: int = 20, name: str = "c") -> list[Conversation]:
    messages = [
        message
        for text in texts
        for message in (Message(role="user", content=text), Message(role="assistant", content="1?"))
    ]
    return [Conversation(id=f"{name}{i}", messages=tuple(messages)) for i in range(n)]


def test_metrics_of_words_are_undefined_in_a_language_without_the_list_and_say_why() -> None:
    corpus = convsim.measure(side(ARABIC))
    assert corpus.language is not None
    assert corpus.language.code == "ar"
    assert set(corpus.undefined) == {*OF_LISTS, "user_lowercase_start"}
    assert corpus.table[[*corpus.undefined]].isna().all(axis=None)
    assert "ar/thanks.txt for Arabic" in corpus.undefined["user_thanks"]
    assert "--lexicon" in corpus.undefined["user_thanks"]
    assert corpus.undefined["user_lowercase_start"] == "Arabic is written without capitals"
    assert corpus.table["user_words_per_turn"].notna().all()
    assert corpus.table["user_questions"].mean() == pytest.approx(1 / 3)


def test_in_english_nothing_is_undefined() -> None:
    assert convsim.measure(side(ENGLISH)).undefined == {}


@pytest.mark.parametrize("texts", [["😀"], ["42?"], [""]])
def test_a_side_without_letters_has_no_shares_of_words(texts: list[str]) -> None:
    assert set(convsim.measure(side(texts)).undefined) == OF_LISTS


def test_a_mixed_side_has_no_shares_of_words_and_says_in_which_languages_it_is() -> None:
    corpus = convsim.measure([*side(ARABIC), *side(ENGLISH, name="d")])
    assert set(corpus.undefined) >= OF_LISTS
    assert "Arabic" in corpus.undefined["user_thanks"]
    assert "English" in corpus.undefined["user_thanks"]


def test_no_conversation_leaves_nothing_undefined() -> None:
    assert convsim.measure([]).undefined == {}


def test_sides_of_two_languages_are_not_compared_by_their_words() -> None:
    real, simulated = measure_both(side(CHINESE), side(ENGLISH))
    reasons = undefined_metrics(real, simulated)
    assert set(reasons) >= OF_LISTS | OF_WORDS
    assert "the real side is Chinese, the simulated side English" in reasons["user_words_per_turn"]
    assert real.table["user_words_per_turn"].isna().all()
    assert not {"turns", "user_questions", "user_digits", "user_repeats"} & set(reasons)


def test_what_is_undefined_is_refused_in_a_comparison_and_never_called_alike() -> None:
    real, simulated = measure_both(side(ARABIC), side(ARABIC[:2], name="s"))
    assert refused_labels(real, simulated)["user_thanks"].startswith(
        "undefined on both sides: there is no list"
    )
    card = convsim.validate(side(ARABIC), side(ARABIC[:2], name="s"), seed=1, validators="marginals")
    verdicts = {finding.metric: finding for finding in card.findings}
    assert {verdicts[name].verdict for name in OF_LISTS} == {"undecided"}
    assert {verdicts[name].estimate for name in OF_LISTS} == {None}
    assert "Arabic" in verdicts["user_please"].reason
    assert any("without a value here (Arabic): user_thanks" in warning for warning in card.warnings)
    assert card.real is not None
    assert str(card.real.language) == "Arabic"


def test_a_validator_of_yours_cannot_call_it_alike_either() -> None:
    def all_alike(real: convsim.Corpus, simulated: convsim.Corpus) -> list[dict[str, object]]:
        return [{"metric": name, "verdict": "aligned", "reason": "equal"} for name in real.metrics]

    card = convsim.validate(
        side(ARABIC), side(ARABIC, name="s"), seed=1, validators=all_alike, allow_overlap=True
    )
    verdicts = {finding.metric: finding.verdict for finding in card.findings}
    assert verdicts["user_thanks"] == "undecided"
    assert verdicts["turns"] == "aligned"


def test_a_part_of_a_corpus_knows_what_is_undefined_in_it() -> None:
    corpus = convsim.measure(side(ARABIC))
    assert corpus.take([0, 1]).undefined == corpus.undefined
    assert corpus.take([0]).language == corpus.language


def test_words_of_a_script_without_spaces_are_counted_where_a_segmenter_parts_them() -> None:
    corpus = convsim.measure(side(CHINESE))
    assert not OF_WORDS & set(corpus.undefined)
    khmer = convsim.measure(side(KHMER))
    assert set(khmer.undefined) >= OF_WORDS
    assert "Khmer is written without spaces" in khmer.undefined["user_mattr"]


def test_without_the_segmenter_words_are_undefined_and_n_grams_are_of_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "budoux", None)
    segment._segmenter.cache_clear()
    try:
        corpus = convsim.measure(side(CHINESE))
        assert set(corpus.undefined) >= OF_WORDS
        assert "pip install 'convsim[cjk]'" in corpus.undefined["user_words_per_turn"]
        assert Columns.of(side(["便宜", "red 靴"], n=1)).user_words == [["便", "宜"], ["red", "靴"]]
    finally:
        segment._segmenter.cache_clear()


def test_a_folder_of_lists_defines_a_metric_in_a_language_of_yours(tmp_path: Path) -> None:
    (tmp_path / "ar").mkdir()
    (tmp_path / "ar" / "thanks.txt").write_text("شكرا\n", encoding="utf-8")
    corpus = convsim.measure(side(ARABIC), metrics=find_metrics(lexicon=tmp_path))
    assert "user_thanks" not in corpus.undefined
    assert corpus.table["user_thanks"].tolist() == [pytest.approx(1 / 3)] * 20
    assert "user_please" in corpus.undefined


def test_a_metric_of_yours_says_which_languages_it_reads() -> None:
    @convsim.metric(languages=("en",))
    def boots(conversation: Conversation) -> int:
        return sum("boots" in message.content for message in conversation.messages)

    english, arabic = (convsim.measure(side(texts), metrics=boots) for texts in (ENGLISH, ARABIC))
    assert english.table["boots"].tolist() == [1] * 20
    assert arabic.undefined["boots"] == "it reads English, and this is Arabic"
    with pytest.raises(
        PluginError, match=r"'english' is not an ISO 639 code that convsim knows; did you mean 'en'"
    ):
        convsim.metric(name="x", languages=("english",))(boots)
    with pytest.raises(PluginError, match="languages is empty"):
        convsim.metric(name="x", languages=())(boots)


def test_the_detector_is_loaded_where_a_language_is_told_and_not_before() -> None:
    code = "import sys, convsim.metrics; print({'py3langid', 'budoux'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
