"""arXiv's Atom feed, as its query service answers."""

from __future__ import annotations

from collections.abc import Iterator

from kgbuild.records import Paper
from kgbuild.sources.cleaning import clean
from kgbuild.sources.fields import code_of, marked_up, year_of
from kgbuild.sources.stream import Input
from kgbuild.sources.xmltext import child_text, children, elements, position


def read(source: Input) -> Iterator[Paper]:
    """One paper per entry; the version number is no part of its id."""
    for entry in elements(source, ("entry",)):
        paper = marked_up(
            source,
            position(entry),
            title=child_text(entry, "title"),
            abstract=child_text(entry, "summary"),
            year=year_of(child_text(entry, "published"), child_text(entry, "updated")),
            authors=tuple(filter(None, (clean(child_text(author, "name")) for author in children(entry, "author")))),
            venue=child_text(entry, "journal_ref"),
            doi=child_text(entry, "doi"),
            arxiv=child_text(entry, "id"),
            url=child_text(entry, "id"),
            code=code_of(child_text(entry, "comment")),
        )
        if paper:
            yield paper
