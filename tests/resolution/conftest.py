"""Documents made of names: one paper for each group of entities."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from kgbuild.extraction.records import match_surfaces, parse_record
from kgbuild.records import Entity, Extraction, Paper

Document = tuple[Paper, Extraction]


def document(id_: str, *entities: tuple[str, list[str]], text: str = "") -> Document:
    """A paper whose abstract names the entities, (type, surfaces) each, one sentence for each surface."""
    abstract = text or " ".join(f"Here stands {surface} ." for _, surfaces in entities for surface in surfaces)
    paper = Paper(id_, f"Paper {id_}", abstract)
    mentions = match_surfaces({f"e{i}": surfaces for i, (_, surfaces) in enumerate(entities)}, paper.text)
    found = tuple(Entity(f"e{i}", type_, surfaces[0], mentions[f"e{i}"], 0.9) for i, (type_, surfaces) in enumerate(entities))
    return paper, Extraction(id_, found, extractor="test 1")


def read(path: Path, papers: dict[str, Paper]) -> Iterable[Document]:
    """Documents of a file of gold records."""
    for row in map(json.loads, path.open(encoding="utf-8")):
        for entity in row["entities"]:
            entity.setdefault("name", entity["surfaces"][0])
        yield papers[row["id"]], parse_record({"results": [], "relations": [], **row}, papers[row["id"]])


@pytest.fixture(scope="session")
def papers(shared: Path) -> dict[str, Paper]:
    """The papers of the gold records by id."""
    rows = map(json.loads, (shared / "annotation" / "papers.jsonl").open(encoding="utf-8"))
    return {row["id"]: Paper(row["id"], row["title"], row["abstract"]) for row in rows}


@pytest.fixture(scope="session")
def gold(shared: Path, papers: dict[str, Paper]) -> list[Document]:
    """The gold records of the seed papers for training, whole."""
    return list(read(shared / "annotation" / "train.jsonl", papers))


@pytest.fixture(scope="session")
def unresolved(shared: Path, papers: dict[str, Paper]) -> list[Document]:
    """The entities of `resolution.dev.jsonl`."""
    return list(read(shared / "annotation" / "resolution.dev.jsonl", papers))
