"""Papers from files: any known format, any place, one stream.

`FORMATS` is the table of formats: to add one, write a module with `read(source)` and add its row. Detection asks the rows in order and
looks at content alone. See docs/formats.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from kgbuild.errors import InputError, KgbuildError
from kgbuild.records import Paper
from kgbuild.sources import detection
from kgbuild.sources.locations import belongs, files, source_name
from kgbuild.sources.stream import MIB, Input, Problem, open_input
from kgbuild.sources.union import unite

__all__ = ["FORMATS", "Format", "belongs", "detect", "read", "source_name", "unite"]


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table: the name that `format=` takes, the module that reads it, how it is recognised, what it is."""

    name: str
    module: str
    recognises: Callable[[detection.Head], bool]
    description: str


FORMATS = (
    Format("parquet", "parquet", detection.is_parquet, "our own records as Parquet"),
    Format("acl", "acl", detection.is_acl, "ACL Anthology XML"),
    Format("arxiv-atom", "atom", detection.is_atom, "arXiv Atom feed"),
    Format("arxiv-oai", "oai", detection.is_oai, "arXiv OAI-PMH, arXiv form or Dublin Core"),
    Format("openalex", "openalex", detection.is_openalex, "OpenAlex works as JSON"),
    Format("semantic-scholar", "semanticscholar", detection.is_semantic_scholar, "Semantic Scholar papers as JSON"),
    Format("arxiv-snapshot", "snapshot", detection.is_snapshot, "arXiv metadata snapshot, JSON lines"),
    Format("arxiv-daily", "daily", detection.is_daily, "daily arXiv lists, JSON lines"),
    Format("venue", "venues", detection.is_venue, "lists of a venue's papers as JSON"),
    Format("jsonl", "jsonl", detection.is_jsonl, "our own records as JSON lines"),
    Format("bibtex", "bibtex", detection.is_bibtex, "BibTeX"),
    Format("csv", "tables", detection.is_table, "tables with a header: CSV, TSV, semicolons"),
    Format("pages", "pages", detection.is_pages, "plain pages of titles and abstracts"),
)
_NAMES = ", ".join(sorted(row.name for row in FORMATS))


def read(
    locations: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], *, format: str | None = None, on_problem: Problem
) -> Iterator[tuple[str, Paper]]:
    """(source name, paper) of every record of every location: files, folders, patterns, `-` for standard input.

    Files may be packed with gzip, xz or zstd. on_problem: gets an InputError for what cannot be read, or an InputWarning for what is odd
    and loses nothing (a valid file without papers); reading goes on.
    Raises: KgbuildError where `format` is none of the table.
    """
    row = next((row for row in FORMATS if row.name == format), None)
    if format is not None and row is None:
        raise KgbuildError(f"unknown format {format!r}", f"known formats: {_NAMES}")
    places = [locations] if isinstance(locations, (str, os.PathLike)) else list(locations)
    return _read(places, row, on_problem)


def detect(source: Input) -> Format | None:
    """The format of an input by its content; None where it has no content at all.

    Raises: InputError where it is none of the table.
    """
    head = detection.Head(source)
    if not head.bytes.strip():
        if source.peek(MIB).strip():
            raise source.error("begins with more than 64 KiB of white space")
        return None
    row = next((row for row in FORMATS if row.recognises(head)), None)
    if row is None:
        raise detection.refusal(source, head, f"known formats: {_NAMES}; --format names one")
    return row


def _read(places: list[str | os.PathLike[str]], row: Format | None, on_problem: Problem) -> Iterator[tuple[str, Paper]]:
    for place in places:
        for name, path in files(place, on_problem):
            for paper in _read_file(name, path, row, on_problem):
                yield name, paper


def _read_file(name: str, path: Path | None, row: Format | None, on_problem: Problem) -> Iterator[Paper]:
    count = 0
    source = None
    try:
        source = open_input(name, path, on_problem)
        found = row or detect(source)
        reader = import_module(f"kgbuild.sources.{found.module}").read if found else _nothing
        for paper in reader(source):
            count += 1
            yield paper
    except InputError as error:
        on_problem(error)
        return
    finally:
        if source is not None:
            source.close()
    if not count and not source.problems and not source.warnings:
        source.warn("no papers in it")


def _nothing(source: Input) -> Iterator[Paper]:
    return iter(())
