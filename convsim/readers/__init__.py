"""Reads and writes files of conversations, describes them and splits them."""

from convsim.readers.datasets import Card, card, cards
from convsim.readers.description import Description, describe
from convsim.readers.fetching import fetch
from convsim.readers.reading import (
    CONVAPPAREL,
    CONVSIM,
    DIALOGUEKIT,
    MIRRORBENCH,
    MIRRORBENCH_PEOPLE,
    OPENAI,
    READERS,
    TAU2,
    read,
    stem_of,
)
from convsim.readers.registry import ForeignReader, Reader, ReaderLike, find_foreign
from convsim.readers.source import Source, read_source
from convsim.readers.splitting import split
from convsim.readers.survey_report import LeftQuestion, MappedQuestion, SurveyReport
from convsim.readers.transcripts import Transcripts
from convsim.readers.writing import check_target, write

__all__ = [
    "CONVAPPAREL",
    "CONVSIM",
    "DIALOGUEKIT",
    "MIRRORBENCH",
    "MIRRORBENCH_PEOPLE",
    "OPENAI",
    "READERS",
    "TAU2",
    "Card",
    "Description",
    "ForeignReader",
    "LeftQuestion",
    "MappedQuestion",
    "Reader",
    "ReaderLike",
    "Source",
    "SurveyReport",
    "Transcripts",
    "card",
    "cards",
    "check_target",
    "describe",
    "fetch",
    "find_foreign",
    "read",
    "read_source",
    "split",
    "stem_of",
    "write",
]
