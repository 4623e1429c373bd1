"""Daily arXiv lists as JSON lines: `summary` instead of `abstract`, links to the pages."""

from __future__ import annotations

from collections.abc import Iterator

from kgbuild.records import Paper
from kgbuild.sources.fields import code_of, marked_up, names_of
from kgbuild.sources.jsontext import records
from kgbuild.sources.stream import Input


def read(source: Input) -> Iterator[Paper]:
    """One paper per record."""
    for position, record in records(source):
        paper = marked_up(
            source,
            position,
            title=record.get("title"),
            abstract=record.get("summary"),
            authors=names_of(record.get("authors")),
            arxiv=record.get("id"),
            url=record.get("abs"),
            code=code_of(record.get("comment"), record.get("code_url")),
        )
        if paper:
            yield paper
