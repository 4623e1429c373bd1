"""arXiv's metadata snapshot: one JSON record a line."""

from __future__ import annotations

from collections.abc import Iterator

from kgbuild.records import Paper
from kgbuild.sources.cleaning import clean
from kgbuild.sources.fields import arxiv_of, arxiv_year, code_of, marked_up, names_of, text_of
from kgbuild.sources.jsontext import records
from kgbuild.sources.stream import Input


def read(source: Input) -> Iterator[Paper]:
    """One paper per record."""
    for position, record in records(source):
        arxiv = arxiv_of(record.get("id"))
        parsed = record.get("authors_parsed")
        paper = marked_up(
            source,
            position,
            title=record.get("title"),
            abstract=record.get("abstract"),
            year=arxiv_year(arxiv) or text_of(record.get("update_date")),
            authors=_parsed(parsed) if isinstance(parsed, list) else names_of(record.get("authors")),
            venue=record.get("journal-ref"),
            doi=record.get("doi"),
            arxiv=arxiv,
            url=f"https://arxiv.org/abs/{arxiv}" if arxiv else None,
            code=code_of(record.get("comments")),
        )
        if paper:
            yield paper


def _parsed(authors: list[object]) -> tuple[str, ...]:
    """Names from [last, first, suffix] lists."""
    parts = ([text_of(part) for part in author[:3]] for author in authors if isinstance(author, list))
    names = (clean(" ".join([*part[1:2], *part[:1], *part[2:3]])) for part in parts)
    return tuple(filter(None, names))
