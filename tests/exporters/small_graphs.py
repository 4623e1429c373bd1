"""Rows for small graphs, and the texts that break file formats."""

from __future__ import annotations

from typing import Any

# Everything that breaks one format or another: markup, quotes, ends of quoting, line ends, controls, formulas, other scripts.
NASTY = [
    "<script>alert('x')</script> & </title>",
    "quotes \" ' ` and \\ at the end \\",
    "line\nend\r\nand\ttab",
    "controls \x00\x01\x0b\x1b\x7f\x85\u2028\ufffe\uffff",
    "]]> --> */ // ; DROP DATABASE neo4j;",
    "literal \\u0027 and \\u000a and \\n",
    "LaTeX $\\alpha_1$ {unbalanced 50% & #1 ~ ^",
    '=HYPERLINK("x"), @cell, +1, -1',
    "名前 – Ünïcode – 𝒜 – 👩‍👩‍👧 – \u202eright to left",
    " spaces around ",
    "null",
    "NaN",
    "é" * 10_000,
]


def edge(source: tuple[str, str], target: tuple[str, str], paper: str, text: str, **own: Any) -> dict[str, Any]:
    """An edge row with one piece of evidence."""
    row: dict[str, Any] = {"source_type": source[0], "source": source[1], "target_type": target[0], "target": target[1]}
    row |= {"belief": 0.9, "support": 1, "background": False, "evidence_paper": [paper], "evidence_text": [text]}
    row |= {"evidence_start": [0], "evidence_end": [len(text)], "evidence_head_start": [-1], "evidence_head_end": [-1]}
    row |= {"evidence_tail_start": [0], "evidence_tail_end": [1], "evidence_confidence": [0.9], "evidence_extractor": ["rules 1"]}
    return row | own


def concept(id_: str, name: str, *aliases: str, **own: Any) -> dict[str, Any]:
    """A concept row that one paper mentions once."""
    return {"id": id_, "name": name, "aliases": list(aliases), "same_as": [], "papers": 1, "mentions": 1, **own}


def paper(id_: str, title: str, **own: Any) -> dict[str, Any]:
    """A paper row."""
    return {"id": id_, "title": title, "abstract": "", "authors": [], **own}


def result(id_: str, value: str, number: float | None, **own: Any) -> dict[str, Any]:
    """A row of an absolute result."""
    return {"id": id_, "value": value, "number": number, "kind": "absolute", "quote": f"reaches {value}", "confidence": 0.8, **own}
