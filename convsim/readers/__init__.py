"""Reads and writes files of conversations, describes them and splits them."""

from convsim.readers.datasets import Card, card, cards
from convsim.readers.description import Description, describe
from convsim.readers.fetching import fetch
from convsim.readers.reading import READERS, read, stem_of
from convsim.readers.splitting import split
from convsim.readers.survey_report import LeftQuestion, MappedQuestion, SurveyReport
from convsim.readers.transcripts import Transcripts
from convsim.readers.writing import check_target, write

__all__ = [
    "READERS",
    "Card",
    "Description",
    "LeftQuestion",
    "MappedQuestion",
    "SurveyReport",
    "Transcripts",
    "card",
    "cards",
    "check_target",
    "describe",
    "fetch",
    "read",
    "split",
    "stem_of",
    "write",
]
