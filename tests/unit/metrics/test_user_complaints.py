"""Complaints: what ordinary shoppers say is none, and what annoyed ones say is one, of the fault that they name."""

import pytest

from convsim.metrics.complaints import FAULTS_COMPLAINED_OF
from convsim.text.lexicons import Lexicon
from convsim.text.words import words
from tests.unit.metrics.conversations import value_of_texts

ORDINARY = [
    "hi, i'm looking for a winter coat under 100",
    "do you have this in blue?",
    "something a bit cheaper please",
    "these are too expensive for me",
    "i like the second one",
    "show me more like that",
    "not my style, anything else?",
    "no thanks",
    "what sizes does it come in",
    "is it down or synthetic?",
    "are the sleeves too long?",
    "i don't care about the brand",
    "my old coat is useless in the rain",
    "i've had enough coats in black, something bright",
    "finding jeans is so frustrating, i'm between sizes",
    "don't forget it needs pockets",
    "price is irrelevant",
    "can i see those again?",
    "can you show me the same one in green",
    "give me the same in a size 10",
    "that's exactly what i asked for, thanks!",
    "yes, that is what i asked for",
    "that's not a problem",
    "not a big deal",
    "it's not a gift, it's for me",
    "these aren't bad",
    "a belt would be nice",
    "does it come with a hood?",
    "the zip on my old one broke",
    "that doesn't work for me, do you have a darker one",
    "i'm going to a wedding in a month",
    "how many times can i wash it",
    "i'll think about it and come back later",
    "i'll get back to you",
    "must be under my budget of 50",
    "i don't want to go over my budget",
    "i never wear wool",
    "could it be a bit shorter?",
    "that's a lot of money",
    "what is this made of?",
    "what are these made of",
    "where are they made?",
    "random question, do you ship to france?",
    "size medium please",
    "9",
    "ok",
    "the first one is perfect",
    "is the blue one still there",
    "do you still have the red dress",
    "excuse me, do you sell hats",
    "nothing too fancy",
    "i have nothing like that in my wardrobe",
    "i'm confused between the red and the black",
    "something else",
    "anything in leather?",
    "i want to keep it short, above the knee",
    "no-nonsense boots for hiking",
    "my friend said yours are good",
    "the wedding isn't far off",
    "i need them for work, nothing else",
    "would it go with my skin tone?",
    "do they run true to size?",
    "can i fix it with a pin?",
    "i bought the wrong size last time",
    "not wool, i am allergic",
    "are you open on sundays?",
    "i'm not sure yet",
    "these are great but i need a medium",
    "i love it but i want long sleeves",
    "i'll take it",
    "i'll take the jacket you just showed me",
    "thats perfect ty",
    "is there a way to contact the store",
    "i've seen these in a shop window",
    "my budget is 60 dollars",
    "what is this jacket made of",
    "nothing",
    "excuse me, what sizes do you have",
    "where are they made",
    "long sleeves please",
    "random idea, what about green",
    "and in blue?",
    "i don't see anything i like, bye",
    "i'll look elsewhere, thanks",
    "please forget what i said about red, blue is fine",
    "once again thank you",
    "too long sleeves",
    "hello!",
    "what colors?",
    "again in black please",
]
GENERAL = [
    "this is useless",
    "ur not listening",
    "that's not helpful at all",
    "are you even listening to me??",
    "omg you don't understand",
    "this is not what i asked for",
    "wrong again...",
    "i give up",
    "let me talk to a human",
    "what a waste of time",
    "thats wrong",
    "are you kidding me",
]
OF_FAULT = {
    "partial_query": [
        "i also said waterproof",
        "you only read half of my message",
        "you forgot the waterproof part",
        "i said red AND waterproof",
        "did you read everything i wrote?",
        "you missed the part about the hood",
    ],
    "wrong_category": [
        "i asked for a jacket, these are shoes",
        "that's not a dress",
        "those arent boots",
        "wrong category",
        "why are you showing me hats",
        "these are not jeans",
    ],
    "ignored_constraint": [
        "i said under 50",
        "these are all over my budget",
        "i told u my size is M",
        "thats the wrong color",
        "you're ignoring my budget",
        "none of these match what i asked",
        "this is above my budget",
    ],
    "repeated_items": [
        "you already showed me these",
        "the same ones again?",
        "stop showing me that jacket",
        "i've already seen those",
        "u keep showing the same stuff",
        "not that one again",
    ],
    "stale_context": [
        "i already told u my size",
        "you just asked me that",
        "like i said, black",
        "how many times do i have to say it",
        "did you forget what i said",
        "don't you remember? size 8",
    ],
    "irrelevant_items": [
        "none of these are relevant",
        "what does a lamp have to do with it, this is completely irrelevant",
        "not even close",
        "these have nothing to do with what i want",
        "that's so random, why would i want that",
        "what are you recommending lol",
    ],
    "empty_carousel": [
        "i dont see any items",
        "there's nothing there",
        "where are the results?",
        "you didn't show me anything",
        "the list is empty",
        "nothing came up",
    ],
    "off_topic_text": [
        "what does that have to do with shoes?",
        "i didn't ask about the weather",
        "can we get back to the coat",
        "who cares, just show me coats",
        "why are you telling me this",
        "thats off-topic",
    ],
    "confusing_text": [
        "what do you mean?",
        "i dont understand",
        "that makes no sense",
        "what are you talking about",
        "im so confused rn",
        "huh? what does that mean",
    ],
    "rude_text": [
        "that was rude",
        "no need to be rude",
        "wow ur rude",
        "don't talk to me like that",
        "how dare you",
        "watch your tone",
    ],
    "overlong_text": [
        "too long to read",
        "get to the point",
        "tldr",
        "shorter answers please",
        "i'm not reading all that",
        "can you be brief",
    ],
    "contradiction": [
        "but you said it was in stock",
        "you just said it was cotton",
        "make up your mind",
        "which is it, 40 or 60?",
        "you're contradicting yourself",
        "first you said yes now no",
    ],
    "unavailable": [
        "is this thing working?",
        "same error again",
        "hello? are you there",
        "it's not working",
        "try again",
        "so the site is down?",
    ],
}


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_shopping_talk_is_no_complaint(text: str) -> None:
    assert value_of_texts("user_complaints", text) == 0


@pytest.mark.parametrize("text", GENERAL)
def test_a_complaint_need_not_say_what_is_wrong(text: str) -> None:
    assert value_of_texts("user_complaints", text) == 1


@pytest.mark.parametrize(
    ("fault", "text"), [(fault, text) for fault, texts in OF_FAULT.items() for text in texts]
)
def test_a_complaint_that_says_what_is_wrong_mentions_that_fault(fault: str, text: str) -> None:
    assert value_of_texts("user_complaints", text) == 1
    assert Lexicon().complaints("en")[fault](text, words(text))


def test_the_lists_above_are_long_enough_to_mean_something() -> None:
    assert len(set(ORDINARY)) >= 40
    assert len({*GENERAL, *(text for texts in OF_FAULT.values() for text in texts)}) >= 60
    assert OF_FAULT.keys() == set(FAULTS_COMPLAINED_OF)


def test_complaints_are_a_share_of_the_messages_that_say_something() -> None:
    assert value_of_texts("user_complaints", "a red coat", "", "i said red", "not listening?", "ok") == 2 / 4
