"""Our own JSON lines: `{"id", "title", "abstract", ...}`, kept letter for letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kgbuild.records import Paper
from kgbuild.sources.fields import as_it_stands, code_of, names_of, text_of
from kgbuild.sources.jsontext import records
from kgbuild.sources.stream import Input


def read(source: Input) -> Iterator[Paper]:
    """One paper per record."""
    for position, record in records(source):
        paper = own(source, position, record)
        if paper:
            yield paper


def own(source: Input, position: str, record: Mapping[str, Any]) -> Paper | None:
    """The paper of one of our own records; None, and a problem, where a field has the wrong type.

    A whole number as id is taken as its digits; a record without an id is named by its DOI, arXiv id or content.
    """
    id, title, abstract = record.get("id"), record.get("title"), record.get("abstract")
    id = str(id) if type(id) is int else id
    wrong = next(
        (name for name, value in (("id", id), ("title", title), ("abstract", abstract)) if not isinstance(value, str | None)), None
    )
    if wrong is None and id and (text_of(id) != id or "\0" in id):
        wrong = "id"
    if wrong:
        source.problem(f"the {wrong} is not a text", position, 'a record is {"id": "...", "title": "...", "abstract": "..."}')
        return None
    return as_it_stands(
        source,
        position,
        title=title or "",
        abstract=abstract or "",
        id=id or None,
        year=record.get("year"),
        authors=names_of(record.get("authors")),
        venue=text_of(record.get("venue")) or None,
        doi=record.get("doi"),
        arxiv=record.get("arxiv"),
        url=record.get("url"),
        code=code_of(record.get("code")),
    )
