"""BibTeX of the papers: LaTeX's signs escaped, capitals kept, keys unique."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgbuild.exporters.files import manifest_text
from kgbuild.graph import Graph

# BibTeX counts braces even behind a backslash, so those of a text are spelt out.
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
}  # fmt: skip
_SMALL = frozenset(["a", "an", "and", "are", "for", "from", "in", "is", "of", "on", "the", "to", "towards", "with"])


def write(graph: Graph, path: Path) -> None:
    """Write one entry per paper, in the order of their ids; the manifest is a comment at the top."""
    taken: set[str] = set()
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        # What stands outside an entry is a comment, and only @ could open one.
        stream.write(f"% {manifest_text(graph).replace('@', '(at)')}\n")
        for name, kind in graph.schema.nodes.items():
            if kind.kind == "source":
                for _, paper in graph.node_rows(name):
                    stream.write(f"\n@{_entry_type(paper)}{{{_key(paper, taken)},\n")
                    stream.writelines(f"  {field} = {{{text}}},\n" for field, text in _fields(paper))
                    stream.write("}\n")


def _entry_type(paper: dict[str, Any]) -> str:
    venue = (paper["venue"] or "").lower()
    if not venue or "arxiv" in venue or "rxiv" in venue:
        return "misc"
    return "inproceedings" if re.search(r"proceedings|conference|workshop|symposium|meeting", venue) else "article"


def _fields(paper: dict[str, Any]) -> Iterator[tuple[str, str]]:
    # Doubled braces keep the capitals of a title, and a name that holds "and" or a comma in one piece.
    yield "title", "{" + latex(paper["title"]) + "}"
    if paper["authors"]:
        yield "author", " and ".join(_author(name) for name in paper["authors"])
    if paper["venue"]:
        yield {"misc": "howpublished", "article": "journal", "inproceedings": "booktitle"}[_entry_type(paper)], latex(paper["venue"])
    if paper["year"] is not None:
        yield "year", str(paper["year"])
    if paper["doi"]:
        yield "doi", verbatim(paper["doi"])
    if paper["arxiv"]:
        yield "eprint", verbatim(paper["arxiv"])
        yield "archiveprefix", "arXiv"
    if paper["url"]:
        yield "url", verbatim(paper["url"])
    if paper["abstract"]:
        yield "abstract", latex(paper["abstract"])
    yield "note", latex(f"kgbuild id: {paper['id']}")


def _author(name: str) -> str:
    plain = " ".join(latex(name).split())
    return "{" + plain + "}" if re.search(r"\band\b", name) or name.count(",") > 1 else plain


def latex(text: str) -> str:
    """The text so that LaTeX prints it as it stands; control characters become spaces."""
    printable = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    # Two dashes or quotes in a row would become another sign.
    return re.sub(r"([-'`])(?=\1)", r"\1{}", "".join(_LATEX.get(char, char) for char in printable))


def verbatim(text: str) -> str:
    """An address or identifier, which LaTeX takes as it stands; signs that would end the field are percent-encoded."""
    return "".join(f"%{ord(char):02X}" if char in '{}\\"' or ord(char) <= 32 else char for char in text)


def _key(paper: dict[str, Any], taken: set[str]) -> str:
    """`vaswani2017attention` where the source has authors and year, else the words of the title; letters are added to repeated ones."""
    author = paper["authors"][0].split(",")[0].split() if paper["authors"] else []
    words = [word for word in _plain(paper["title"]) if word not in _SMALL] or _plain(paper["id"]) or ["paper"]
    base = "".join((*_plain(author[-1] if author else ""), str(paper["year"] or ""), *words[: 1 if author else 3]))
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    taken.add(key)
    return key


def _plain(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", folded)
