"""Tables as text (CSV, TSV, semicolons): columns found by their names, text kept as it stands."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from kgbuild.records import Paper
from kgbuild.sources.fields import as_it_stands, code_of, names_of, openreview_of
from kgbuild.sources.stream import Input

# What people call the columns, the best name first.
COLUMNS: dict[str, tuple[str, ...]] = {
    "title": ("title", "paper_title", "article title", "document title", "name"),
    "abstract": ("abstract", "summary", "description", "abstract note"),
    "id": ("id", "paper_id", "paperid", "key"),
    "year": ("year", "publication_year", "publication year", "published", "created", "date", "publication date"),
    "authors": ("authors", "author", "author_text", "author_names", "author full names"),
    "venue": ("venue", "journal", "booktitle", "conference", "source title", "publication title"),
    "doi": ("doi",),
    "arxiv": ("arxiv", "arxiv_id", "arxivid", "eprint"),
    "url": ("url", "link", "site", "pdf"),
    "code": ("code", "code_url", "github", "repository", "repo"),
}
_DELIMITERS = "\t,;|"


def header(line: str) -> tuple[str, list[str]] | None:
    """(delimiter, column names) of a line that names a `title` column and another one; None for any other line."""
    for delimiter in sorted(_DELIMITERS, key=line.count, reverse=True):
        try:
            names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            continue
        if len(names) > 1 and any(name in COLUMNS["title"][:-1] for name in names):
            return delimiter, names
    return None


def read(source: Input) -> Iterator[Paper]:
    """One paper per row under the header line.

    Raises: InputError where the first line names no title.
    """
    lines = (f"{line}\n" for _, line in source.lines())
    found = header(next((line for line in lines if line.strip()), "").rstrip("\n"))
    if found is None:
        raise source.error("no header line with a column `title`", "line 1", "name the columns: id, title, abstract, ...")
    delimiter, names = found
    columns = {field: index for field, known in COLUMNS.items() if (index := _index(names, known)) is not None}
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        start = rows.line_num + 2
        try:
            row = next(rows, None)
        except csv.Error as error:
            source.problem(f"broken table row: {error}", f"line {start}", "a quotation mark may be missing")
            continue
        if row is None:
            return
        if any(cell.strip() for cell in row):
            paper = _paper(source, f"line {start}", row, columns, len(names))
            if paper:
                yield paper


def _index(names: list[str], known: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _paper(source: Input, position: str, row: list[str], columns: dict[str, int], width: int) -> Paper | None:
    if len(row) != width:
        source.problem(f"{len(row)} cells where the header has {width}", position)
        return None
    cell = {field: row[index].strip() for field, index in columns.items()}
    id, review = cell.get("id", ""), openreview_of(cell.get("url"))
    return as_it_stands(
        source,
        position,
        title=cell["title"],
        abstract=cell.get("abstract", ""),
        # A bare number counts rows and names no paper; an OpenReview id is better known by its scheme.
        id=None if review or id.isdigit() or not id else id,
        natural=f"openreview:{review}" if review else None,
        year=cell.get("year"),
        authors=names_of(cell.get("authors")),
        venue=cell.get("venue") or None,
        doi=cell.get("doi"),
        arxiv=cell.get("arxiv"),
        url=cell.get("url"),
        code=code_of(cell.get("code")),
    )
