"""How surprising people's words are to a model: with the prompts of the shopper that it would be, by outcome."""

import pytest

from convsim.errors import InputError, ModelError
from convsim.evaluation.probing.places import find_places
from convsim.evaluation.probing.wording import Scoring, words_of
from convsim.models import Scripted
from convsim.schema import ChatMessage
from convsim.schema.conversation import LearnedFrom
from convsim.shoppers import SFT, Prompted
from tests.unit.shoppers.logs import logged
from tests.unit.shoppers.trained import Opening, trained_folder

LOGS = [
    logged(
        f"c{n}", f"rain boots please {n}", "cheaper ones", by=f"u{n}", ending="accepted" if n % 2 else "left"
    )
    for n in range(10)
]
PLACES = find_places(LOGS).places


class Scoring2Bits:
    """Finds every word two bits surprising, and notes what it was asked."""

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.asked = []

    async def surprise(self, asked, said, *, opening=""):
        self.asked.append((asked, said, opening))
        if "too long" in said:
            raise ModelError("the prompt is too long")
        return 2.0 * len(said.split()), len(said.split())


class Plain(Scoring2Bits, Scripted):
    """A model without a liking for transcripts."""


class Trained(Scoring2Bits, Opening):
    """A trained shopper's model."""


def words(model, places=PLACES, *, allow_overlap=False):
    scoring = Scoring.of(model, domain=None)
    given = {"sha256": None, "allow_overlap": allow_overlap, "concurrency": 4, "seed": 1}
    return scoring, *words_of(places, scoring, **given)


def test_words_are_scored_where_people_said_some_by_outcome():
    model = Plain(answers=[])
    scoring, found, reason = words(model)
    assert isinstance(scoring.shopper, Prompted)
    whole, accepted, left = found
    # Ten people said "cheaper ones" and then accepted or left without words.
    assert (whole.outcome, whole.n_messages, whole.n_characters, whole.n_tokens) == ("all", 10, 120, 20)
    assert whole.bits_per_character.estimate == pytest.approx(4 / 12)
    assert whole.bits_per_token.estimate == 2.0
    assert (accepted.n_messages, left.n_messages, reason) == (5, 5, "")
    for asked, said, opening in model.asked:
        assert (said, opening) == ("cheaper ones", "")
        assert isinstance(asked[0], ChatMessage)
        assert all("cheaper" not in message.content for message in asked)


def test_a_trained_shopper_is_asked_as_it_learned_and_not_about_what_it_learned_from(tmp_path):
    learned = LearnedFrom.of(LOGS[:4], sha256=None).model_dump(mode="json")
    model = Trained(path=trained_folder(tmp_path, learned_from=learned))
    scoring, found, reason = words(model)
    assert isinstance(scoring.shopper, SFT)
    assert found[0].n_messages == 6
    assert reason == "4 messages are left out, since the model learned from them"
    assert {opening for _, _, opening in model.asked} == {"say:"}
    assert words(model, allow_overlap=True)[1][0].n_messages == 10


def test_what_cannot_be_scored_is_counted_with_a_reason():
    strange = logged("x", "rain boots please", "much too long", by="x")
    _, found, reason = words(Plain(answers=[]), [*PLACES, *find_places([strange]).places])
    assert found[0].n_messages == 10
    assert reason == "1 messages could not be scored (the prompt is too long)"
    _, nothing, why = words(Plain(answers=[]), [place for place in PLACES if place.message is None])
    assert (nothing, why) == ((), "people said nothing at these places")


def test_a_model_that_cannot_score_is_refused():
    with pytest.raises(InputError, match="scripted: cannot say how likely a text is"):
        Scoring.of(Scripted(answers=[]), domain=None)
