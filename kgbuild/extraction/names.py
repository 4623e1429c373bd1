"""New names, known by how a text introduces them, and what the words beside a name say about it.

Types and confidences are rows of the lexicon: `@title`, `@introduced`, `@data title`, `@data introduced` and `@data` of kind shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kgbuild.extraction.gazetteer import Candidate

Rows = Mapping[str, Sequence[tuple[str, float]]]

_LOOKS_NEW = r"(?:[A-Z][\w\-+^/]*[A-Z0-9][\w\-+^/]*|[a-z]+[A-Z][\w\-+]*|[A-Z][a-z]+[\w\-+]*(?=\s?[:,(.]))"
_INTRODUCED = re.compile(
    r"\b(?:called|named|dubbed|termed|coined|[Pp]ropos\w*|[Ii]ntroduc\w*|[Pp]resents?|presented|[Dd]evelop\w*|[Rr]elease\w*|namely|"
    rf"abbreviated as|denoted as|referred to as)\s+(?:(?:the|a|an|as|our)\s+)?[\"'“`*]*({_LOOKS_NEW})(?!\w)"
)
_TITLE = re.compile(r"([^\s:,?]+(?:[ \-][^\s:,?]+){0,2})\s?:\s")
_DATA = re.compile(r"\b(?:data ?sets?|benchmarks?|corpus|corpora)\b", re.IGNORECASE)
_DATA_NEXT = re.compile(r"[\s-](?:\w+\s)?(?:data ?sets?|benchmarks?|corpus|corpora|test sets?|test suite|leaderboard)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[^.;:]{0,60}")


def introduced(text: str, rows: Rows) -> Iterator[Candidate]:
    """Names after `we propose`, `called` and the like, and the name before the colon of a title."""
    title = text.partition("\n")[0]
    match = _TITLE.match(title)
    if match and re.search(r"\w[A-Z0-9]", match[1]):
        yield from _candidates(match.span(1), "title", bool(_DATA.search(title, match.end())), rows)
    for match in _INTRODUCED.finditer(text):
        clause = _CLAUSE.match(text, match.end(1))
        yield from _candidates(match.span(1), "introduced", bool(clause and _DATA.search(clause[0])), rows)


def _candidates(span: tuple[int, int], cue: str, data: bool, rows: Rows) -> Iterator[Candidate]:
    for type_, confidence in rows.get(f"@data {cue}" if data else f"@{cue}", ()):
        yield Candidate(*span, type_, confidence, "cue")


def in_context(candidates: Iterable[Candidate], text: str, rows: Rows) -> Iterator[Candidate]:
    """The candidates, with those before `dataset` and the like also as what such names are."""
    for candidate in candidates:
        yield candidate
        surface = text[candidate.start : candidate.end]
        if candidate.source == "run" and re.search(r"[A-Z0-9]", surface) and _DATA_NEXT.match(text, candidate.end):
            for type_, confidence in rows.get("@data", ()):
                yield replace(candidate, type=type_, confidence=max(confidence, candidate.confidence), source="data")
