"""BibTeX, read by pybtex."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from pybtex.database import parse_file
from pylatexenc.latex2text import LatexNodes2Text

from kgbuild.exporters import export
from kgbuild.graph import Graph


def plain(text: str) -> str:
    """Control characters as spaces, runs of spaces as one."""
    return " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in text).split())


def decoded(latex: str) -> str:
    """What LaTeX would print."""
    text = LatexNodes2Text(math_mode="verbatim", strict_latex_spaces=True).latex_to_text(latex)
    return plain(text.replace("{", "").replace("}", "").replace("ˆ", "^"))


def test_every_paper_of_the_seeds(gold: Graph, tmp_path: Path) -> None:
    """pybtex reads an entry for each paper, and its title is the paper's."""
    entries = parse_file(str(export(gold, tmp_path / "gold.bib"))).entries
    rows = {row["id"]: row for _, row in gold.node_rows("Paper")}
    assert len(entries) == len(rows)
    found = {entry.fields["note"].removeprefix("kgbuild id: "): entry for entry in entries.values()}
    for id_, row in rows.items():
        assert decoded(found[id_].fields["title"]) == plain(row["title"]).replace("{", "").replace("}", "")


def test_nasty_papers_parse(nasty: Graph, tmp_path: Path) -> None:
    """Unbalanced braces, percent signs, quotes and names that hold `and` do not break the file."""
    entries = parse_file(str(export(nasty, tmp_path / "nasty.bib"))).entries
    assert len(entries) == nasty.nodes["Paper"].num_rows
    assert all(len(entry.persons["author"]) == 3 for entry in entries.values())


def test_fields(board: Graph, tmp_path: Path) -> None:
    """Keys are author, year and first word; venue, DOI and arXiv identifier stand in their fields."""
    entries = parse_file(str(export(board, tmp_path / "board.bib"))).entries
    assert set(entries) == {"vaswani2017attention", "gehring2017convolutional", "2015deepresiduallearning"}
    attention = entries["vaswani2017attention"]
    assert (attention.type, attention.fields["eprint"], attention.fields["year"]) == ("misc", "1706.03762", "2017")
    assert [str(person) for person in attention.persons["author"]] == ["Vaswani, Ashish", "Shazeer, Noam"]
    assert entries["2015deepresiduallearning"].type == "inproceedings"
    assert entries["2015deepresiduallearning"].fields["booktitle"] == "IEEE Conference on Computer Vision"
    assert entries["gehring2017convolutional"].fields["doi"] == "10.5555/3305381.3305510"
