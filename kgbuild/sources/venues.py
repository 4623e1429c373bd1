"""Lists of the papers of a venue as JSON: title, abstract, `author` parted by semicolons, links."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kgbuild.records import Paper
from kgbuild.sources.fields import code_of, marked_up, names_of, openreview_of, text_of, year_of
from kgbuild.sources.jsontext import records
from kgbuild.sources.stream import Input

_FIELD = r"\b{}\s*=\s*[{{\"]([^{{}}\"]{{1,300}})[}}\"]"
_BOOK = re.compile(_FIELD.format("(?:booktitle|journal)"))
_BIB_YEAR = re.compile(_FIELD.format("year"))
_BIB_DOI = re.compile(_FIELD.format("doi"))


def read(source: Input) -> Iterator[Paper]:
    """One paper per record; venue, year and DOI come from its `bibtex` where it has one."""
    for position, record in records(source):
        entry = text_of(record.get("bibtex"))
        review = openreview_of(record.get("site")) or openreview_of(record.get("openreview"))
        paper = marked_up(
            source,
            position,
            title=record.get("title"),
            abstract=record.get("abstract"),
            id=f"openreview:{review}" if review else None,
            year=year_of(record.get("year"), _found(_BIB_YEAR, entry), text_of(record.get("site"))),
            authors=names_of(record.get("author") or record.get("authors")),
            venue=record.get("venue") or _found(_BOOK, entry),
            doi=record.get("doi") or _found(_BIB_DOI, entry),
            arxiv=_arxiv_link(record.get("arxiv")),
            url=record.get("site") or record.get("oa") or record.get("pdf"),
            code=code_of(record.get("github"), record.get("code"), record.get("project")),
        )
        if paper:
            yield paper


def _found(pattern: re.Pattern[str], entry: str) -> str | None:
    match = pattern.search(entry)
    return match.group(1) if match else None


def _arxiv_link(value: object) -> object:
    """Such lists name a preprint by its id or by its link."""
    return value if isinstance(value, str) else None
