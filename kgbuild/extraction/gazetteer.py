"""Which strings of a text are probably names, by a lexicon of known terms, head words and word shapes.

The lexicon (`lexicon.tsv`, made by `scripts/make_lexicon.py`) has one measured confidence per row:

stop    a word that names are not made of; names lie in the runs between such words
term    a known name with its type and how often the string is a mention of that type
head    the last word of a name with the type it tells (`segmentation` a task)
shape   the look of the last word (`acronym`, `mixed`, ...), for what is otherwise unknown
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from kgbuild.extraction.words import Word, name_key, runs

LEXICON = Path(__file__).with_name("lexicon.tsv")
LONGEST = 8  # words of the longest name looked up
_LONGEST_RUN = 6  # words; longer runs are lists or sentences without stop words


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible mention: half-open character offsets, type, probability in [0, 1], and the kind of row that says so."""

    start: int
    end: int
    type: str
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Term:
    """A known name; `cased` says that only this capitalisation counts."""

    name: str
    type: str
    confidence: float

    @property
    def cased(self) -> bool:
        """Single words with capitals (`MAP`, `Adam`) are other things in small letters."""
        return " " not in self.name and self.name != self.name.lower()

    def fits(self, surface: str) -> bool:
        """Whether the surface is this name, a plural s aside."""
        return not self.cased or surface == self.name or surface == f"{self.name}s"


@dataclass(slots=True)
class Lexicon:
    """The rows of the lexicon by kind; keys as `kgbuild.extraction.words` makes them."""

    stops: set[str] = field(default_factory=set)
    terms: dict[str, list[Term]] = field(default_factory=dict)
    heads: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    shapes: dict[str, list[tuple[str, float]]] = field(default_factory=dict)

    def add(self, kind: str, text: str, type_: str, confidence: float) -> None:
        """Take in one row."""
        if kind == "stop":
            self.stops.add(text)
        elif kind == "term":
            self.terms.setdefault(name_key(text), []).append(Term(text, type_, confidence))
        else:
            table = self.heads if kind == "head" else self.shapes
            table.setdefault(text, []).append((type_, confidence))

    def candidates(self, text: str, found: Sequence[Word]) -> list[Candidate]:
        """Known terms, and runs of words that look like names, each with its most probable types; may overlap."""
        return [*self._terms(text, found), *self._runs(text, found)]

    def _terms(self, text: str, found: Sequence[Word]) -> Iterator[Candidate]:
        for first in range(len(found)):
            key = ""
            for last in range(first, min(first + LONGEST, len(found))):
                if last > first and not found[last].joined:
                    break
                key += found[last].key
                start, end = found[first].start, found[last].end
                for term in self.terms.get(key, ()):
                    if term.fits(text[start:end]):
                        yield Candidate(start, end, term.type, term.confidence, "term")

    def _runs(self, text: str, found: Sequence[Word]) -> Iterator[Candidate]:
        for first, stop in runs(found, self.stops):
            start, end = found[first].start, found[stop - 1].end
            if stop - first > _LONGEST_RUN or "".join(word.key for word in found[first:stop]) in self.terms:
                continue
            rows = self.heads.get(head_key(found[first:stop])) or self.shapes.get(shape(text[start:end]), [])
            for type_, confidence in rows:
                yield Candidate(start, end, type_, confidence, "run")


def head_key(run: Sequence[Word]) -> str:
    """The key of a head row: the last word, marked where it stands alone."""
    return run[-1].key if len(run) > 1 else f"{run[-1].key}$"


def shape(surface: str) -> str:
    """The look of a surface by its last word: acronym, mixed, digits, capital or lower, and whether it is one word."""
    last = re.split(r"[\s\-–/]", surface)[-1]
    if last.isdigit():
        look = "digits"
    elif re.search(r"[A-Z].*[A-Z]", last):
        look = "mixed" if re.search(r"[a-z]{2}", last) else "acronym"
    else:
        look = "capital" if last[:1].isupper() else "lower"
    return f"{look}{'' if last == surface else '+'}"


@cache
def load_lexicon() -> Lexicon:
    """The shipped lexicon, read once."""
    lexicon = Lexicon()
    with LEXICON.open(encoding="utf-8", newline="") as stream:
        for kind, text, type_, confidence in csv.reader(
            (line for line in stream if line[0] != "#"), delimiter="\t", quoting=csv.QUOTE_NONE
        ):
            lexicon.add(kind, text, type_, float(confidence or 1))
    return lexicon
