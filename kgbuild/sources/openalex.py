"""OpenAlex works: one work, a list, or an answer with `results`; abstracts come as an inverted index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kgbuild.records import Paper
from kgbuild.sources.fields import arxiv_of, marked_up, names_of, text_of
from kgbuild.sources.jsontext import records
from kgbuild.sources.stream import Input

POSITIONS = 100_000  # words of one abstract


def read(source: Input) -> Iterator[Paper]:
    """One paper per work; authors, institutions and other records are none."""
    for position, record in records(source):
        if not _is_work(record):
            continue
        place = _dict(record.get("primary_location"))
        number = text_of(record.get("id")).rpartition("/")[2]
        arxiv = arxiv_of(record.get("doi")) or _arxiv(place)
        paper = marked_up(
            source,
            position,
            title=record.get("title") or record.get("display_name"),
            abstract=_abstract(record.get("abstract_inverted_index")),
            id=f"openalex:{number}" if number else None,
            year=record.get("publication_year") or record.get("publication_date"),
            authors=names_of([_dict(_dict(item).get("author")).get("display_name") for item in _list(record.get("authorships"))]),
            venue=_dict(place.get("source")).get("display_name"),
            doi=record.get("doi"),
            arxiv=arxiv,
            url=record.get("doi") or place.get("landing_page_url") or record.get("id"),
        )
        if paper:
            yield paper


def _is_work(record: dict[str, Any]) -> bool:
    number = text_of(record.get("id")).rpartition("/")[2]
    return number.startswith("W") or not number or "authorships" in record or "abstract_inverted_index" in record


def _arxiv(place: dict[str, Any]) -> str | None:
    link = text_of(place.get("landing_page_url"))
    return arxiv_of(link) if "arxiv.org/" in link else None


def _abstract(index: object) -> str:
    """The words in the order of their positions; gaps are nothing, whatever their size."""
    places = (
        (place, word)
        for word, found in _dict(index).items()
        for place in _list(found)
        if isinstance(place, int) and not isinstance(place, bool)
    )
    return " ".join(word for _, word in sorted(places)[:POSITIONS])


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
