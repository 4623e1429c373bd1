"""Semantic Scholar's graph service: one paper, lists, searches, recommendations, citations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kgbuild.records import Paper
from kgbuild.sources.fields import marked_up, names_of, text_of
from kgbuild.sources.jsontext import records
from kgbuild.sources.stream import Input


def read(source: Input) -> Iterator[Paper]:
    """One paper per record; the papers that it cites or that cite it are none."""
    for position, record in records(source):
        inner = record.get("citingPaper") or record.get("citedPaper")
        work: dict[str, Any] = inner if isinstance(inner, dict) else record
        external = work.get("externalIds")
        ids: dict[str, Any] = external if isinstance(external, dict) else {}
        number = text_of(work.get("paperId"))
        paper = marked_up(
            source,
            position,
            title=work.get("title"),
            abstract=work.get("abstract"),
            id=f"acl:{ids['ACL']}" if isinstance(ids.get("ACL"), str) else f"s2:{number}" if number else None,
            year=work.get("year") or work.get("publicationDate"),
            authors=names_of(work.get("authors")),
            venue=work.get("venue") or _journal(work.get("journal")),
            doi=ids.get("DOI"),
            arxiv=ids.get("ArXiv"),
            url=work.get("url"),
        )
        if paper:
            yield paper


def _journal(value: object) -> object:
    return value.get("name") if isinstance(value, dict) else None
