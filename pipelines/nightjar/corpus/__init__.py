"""Corpus files: one YAML a corpus, strict, with a remedy for every mistake."""

from nightjar.corpus.load import Corpora, find_corpus, load_corpora, load_corpus
from nightjar.corpus.model import Corpus
from nightjar.corpus.places import Place, folder_uri, place_of
from nightjar.corpus.policy import Quality
from nightjar.corpus.schedule import Assets
from nightjar.corpus.schema import commented_file, json_schema

__all__ = [
    "Assets",
    "Corpora",
    "Corpus",
    "Place",
    "Quality",
    "commented_file",
    "find_corpus",
    "folder_uri",
    "json_schema",
    "load_corpora",
    "load_corpus",
    "place_of",
]
