"""What the tests of builds share: a small extractor that is fast and exact, papers, and the bytes of a graph."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import kgbuild
from kgbuild.records import Entity, Extraction, Paper, Relation

WORD = re.compile(r"\b[A-Z][a-z]+Net\b")


class NetExtractor:
    """Takes every `...Net` of a text as a method and relates neighbours; counts the papers it was given."""

    name = "nets 1"

    def __init__(self) -> None:
        """`seen`: ids of the papers given so far."""
        self.seen: list[str] = []

    def extract(self, papers: Iterable[Paper]) -> Iterator[Extraction]:
        """One extraction per paper, in order."""
        for paper in papers:
            self.seen.append(paper.id)
            if "raise" in paper.title:
                raise ValueError("told to raise")
            if "die" in paper.title:
                os.kill(os.getpid(), signal.SIGKILL)
            yield self._one(paper)

    def _one(self, paper: Paper) -> Extraction:
        spans: dict[str, list[tuple[int, int]]] = {}
        for match in WORD.finditer(paper.text):
            spans.setdefault(match.group(), []).append(match.span())
        entities = tuple(Entity(f"e{i}", "Method", name, tuple(found), 0.9) for i, (name, found) in enumerate(spans.items()))
        pairs = pairwise(entities)
        relations = tuple(Relation(head.eid, "COMPARED_WITH", tail.eid, 0.8) for head, tail in pairs)
        return Extraction(paper.id, entities, relations, {e.eid: 0.7 for e in entities[:1]}, {}, (), self.name)


def load_nets() -> NetExtractor:
    """The extractor, for workers."""
    return NetExtractor()


def write_source(path: Path, papers: Mapping[str, str]) -> Path:
    """A JSONL source of id -> title; the abstract repeats the title's words."""
    rows = [{"id": id_, "title": title, "abstract": f"We study {title}."} for id_, title in papers.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def exported(graph: Path) -> dict[str, bytes]:
    """Name and bytes of everything that leaves a graph: its tables, its manifest and a GraphML export."""
    with kgbuild.open(graph) as opened:
        content = opened.graph()
    out = graph.with_name(f"{graph.name}.out")
    content.write(out)
    kgbuild.export(content, out / "graph.graphml")
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}


def read_jsonl(path: Path) -> list[dict[str, object]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
