"""Reads and writes files of conversations and run folders, describes them and splits them."""

from convsim.io.demo import DemoSide, demo_data
from convsim.io.description import Description, describe
from convsim.io.download import Card, card, cards, fetch
from convsim.io.growth import Growth, current_n, growth_of
from convsim.io.jsonl import readable, readable_line
from convsim.io.manifest import MANIFEST, Manifest, amend
from convsim.io.problems import MalformedError
from convsim.io.reading import (
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
from convsim.io.registry import ForeignReader, Reader, ReaderLike, find_foreign
from convsim.io.run_folder import CONVERSATIONS, PROMPTS, Run, claim, open_run
from convsim.io.source import Source, read_source
from convsim.io.splitting import split
from convsim.io.survey import LeftQuestion, MappedQuestion, SurveyReport
from convsim.io.table.reading import MappingLike, TableTranscripts, read_table
from convsim.io.transcripts import Transcripts
from convsim.io.writing import check_target, write, write_together

__all__ = [
    "CONVAPPAREL",
    "CONVERSATIONS",
    "CONVSIM",
    "DIALOGUEKIT",
    "MANIFEST",
    "MIRRORBENCH",
    "MIRRORBENCH_PEOPLE",
    "OPENAI",
    "PROMPTS",
    "READERS",
    "TAU2",
    "Card",
    "DemoSide",
    "Description",
    "ForeignReader",
    "Growth",
    "LeftQuestion",
    "MalformedError",
    "Manifest",
    "MappedQuestion",
    "MappingLike",
    "Reader",
    "ReaderLike",
    "Run",
    "Source",
    "SurveyReport",
    "TableTranscripts",
    "Transcripts",
    "amend",
    "card",
    "cards",
    "check_target",
    "claim",
    "current_n",
    "demo_data",
    "describe",
    "fetch",
    "find_foreign",
    "growth_of",
    "open_run",
    "read",
    "read_source",
    "read_table",
    "readable",
    "readable_line",
    "split",
    "stem_of",
    "write",
    "write_together",
]
