"""BibTeX: entry by entry, so that one broken entry costs itself alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pybtex.bibtex.utils import split_name_list
from pybtex.database import Person
from pybtex.database.input.bibtex import LowLevelParser, month_names
from pybtex.exceptions import PybtexError
from pybtex.scanner import PrematureEOF

from kgbuild.records import Paper
from kgbuild.sources.cleaning import clean
from kgbuild.sources.fields import code_of, link_of, marked_up
from kgbuild.sources.stream import MIB, Input

ENTRY_LIMIT = MIB  # characters
MACRO_LIMIT = 1000  # characters
JOINS_LIMIT = 1000  # `#` signs of one entry
AUTHORS_LIMIT = 100_000  # characters; the library's time grows with their square, and 3,000 authors have some 75,000
_START = re.compile(r"\s*@\s*[A-Za-z]+\s*[{(]")


class _Macros(dict[str, str]):
    """The file's `@string`s; one that nobody defined stands for its own name."""

    def __setitem__(self, key: str, value: str) -> None:
        # Strings made of strings double with every step: a bomb of a few lines without this bound.
        super().__setitem__(key, value[:MACRO_LIMIT])

    def __missing__(self, key: str) -> str:
        return dict(self).get(key.lower(), key)


def read(source: Input) -> Iterator[Paper]:
    """One paper per entry that has a title."""
    macros = _Macros(month_names)
    for number, entry in _entries(source):
        position = f"line {number}"
        if len(entry) > ENTRY_LIMIT:
            source.problem(f"entry longer than {ENTRY_LIMIT // MIB} MiB", position, "a brace may be missing")
            continue
        if entry.count("#") > JOINS_LIMIT:
            source.problem(f"more than {JOINS_LIMIT:,} joined strings in one entry", position)
            continue
        try:
            commands = _commands(source, position, entry, macros)
        except (PybtexError, RecursionError) as error:
            source.problem(f"broken BibTeX entry: {_reason(error)}", position)
            continue
        for kind, (key, content) in ((command[0], command[1]) for command in commands if len(command[1]) == 2):
            if kind.lower() != "string" and key is not None:
                paper = _paper(source, position, {name.lower(): "".join(parts) for name, parts in reversed(content)})
                if paper:
                    yield paper


def _commands(source: Input, position: str, entry: str, macros: dict[str, str]) -> list[Any]:
    """The parsed entry; one that breaks off after its title is closed where it ends."""
    parser = LowLevelParser(entry, macros=macros)
    try:
        return list(parser)
    except PrematureEOF:
        depth = entry.count("{") - entry.count("}")
        whole = {name.lower() for name, _ in parser.current_fields or ()}
        if "title" not in whole or not 0 < depth <= 4:
            raise
        closed = list(LowLevelParser(entry.rstrip() + "}" * depth, macros=macros))
        source.warn(f"entry breaks off in its {parser.current_field_name or 'fields'}; what is there is kept", position)
        return closed


def _entries(source: Input) -> Iterator[tuple[int, str]]:
    """(line number, text) of each entry: from a line that begins one to the next such line."""
    lines: list[str] = []
    start, size = 0, 0
    for number, line in source.lines():
        if _START.match(line):
            if lines:
                yield start, "\n".join(lines)
            lines, start, size = [line], number, len(line)
        elif lines and size <= ENTRY_LIMIT:
            lines.append(line)
            size += len(line) + 1
    if lines:
        yield start, "\n".join(lines)


def _paper(source: Input, position: str, fields: dict[str, str]) -> Paper | None:
    preprint = fields.get("eprint") if fields.get("archiveprefix", fields.get("eprinttype", "arxiv")).lower() == "arxiv" else None
    return marked_up(
        source,
        position,
        title=fields.get("title"),
        abstract=fields.get("abstract"),
        year=fields.get("year") or fields.get("date"),
        authors=_authors(fields.get("author", "")),
        venue=fields.get("booktitle") or fields.get("journal") or fields.get("journaltitle"),
        doi=fields.get("doi"),
        arxiv=preprint,
        url=link_of(clean(fields.get("url", ""))) or link_of(fields.get("howpublished")),
        code=code_of(*(fields.get(name) for name in ("code", "software", "github", "note", "annote"))),
    )


def _authors(value: str) -> tuple[str, ...]:
    if len(value) > AUTHORS_LIMIT:
        return ()
    try:
        people = [Person(name) for name in split_name_list(" ".join(value.split())) if name.lower() != "others"]
    except (PybtexError, RecursionError):
        return ()
    parts = ([*p.first_names, *p.middle_names, *p.prelast_names, *p.last_names, *p.lineage_names] for p in people)
    return tuple(filter(None, (clean(" ".join(part)) for part in parts)))


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).split("\n")[0].removeprefix("syntax error in line ")
