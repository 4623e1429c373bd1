"""Resolved documents become a graph whose every edge can be checked against the text."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from resolution.conftest import Document

from kgbuild.errors import RecordError
from kgbuild.graph import Graph
from kgbuild.links import code_links, link_key
from kgbuild.records import Entity, Extraction, Paper, Relation, Result
from kgbuild.resolution import assemble, resolve
from kgbuild.schema import load_schema

ABSTRACT = (
    "We propose Widget Former for object detection. Widget Former beats FooNet on COCO with 41.2 mAP. "
    "FooNet is a convolutional neural network. Code: https://github.com/widget/former."
)


def example(id_: str = "p1", confidence: float = 0.8) -> Document:
    """A paper with one entity of each kind, a comparison, a result and a link."""
    paper = Paper(id_, "Widget Former", ABSTRACT, year=2020, authors=("A. Author",), code=("https://github.com/widget/former",))
    text = paper.text

    def entity(eid: str, type_: str, name: str) -> Entity:
        spans = tuple((i, i + len(name)) for i in range(len(text)) if text.startswith(name, i))
        return Entity(eid, type_, name, spans, confidence)

    entities = (
        entity("e1", "Method", "Widget Former"),
        entity("e2", "Task", "object detection"),
        entity("e3", "Method", "FooNet"),
        entity("e4", "Dataset", "COCO"),
        entity("e5", "Metric", "mAP"),
        entity("e6", "Method", "convolutional neural network"),
    )
    relations = (
        Relation("e1", "USED_FOR", "e2", confidence),
        Relation("e1", "COMPARED_WITH", "e3", confidence),
        Relation("e3", "SUBCLASS_OF", "e6", confidence),
        Relation("e1", "EVALUATED_ON", "e4", confidence),
    )
    start = text.index("41.2")
    result = Result("41.2", "e5", "absolute", "with 41.2 mAP", None, "e1", "e4", "e2", "e3", start, start + 4, confidence)
    return paper, Extraction(id_, entities, relations, {"e1": confidence}, {"e2": confidence}, (result,), "test 1")


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The graph of two papers that say the same."""
    documents = [example("p1"), example("p2", 0.6)]
    return assemble(documents, resolve(documents))


def rows(graph: Graph, relation: str) -> list[dict[str, object]]:
    """The edges of a relation."""
    return [row for _, row in graph.edge_rows(relation)]


def evidence(graph: Graph) -> Iterator[tuple[str, dict[str, object]]]:
    """(relation, one piece of evidence) of every edge."""
    for relation, row in graph.edge_rows():
        for i in range(len(row["evidence_paper"])):
            yield relation, {name.removeprefix("evidence_"): column[i] for name, column in row.items() if name.startswith("evidence_")}


def check_spans(graph: Graph, texts: dict[str, str]) -> int:
    """Assert that every passage is a slice of its paper and holds both mentions; returns the number of pieces of evidence."""
    count = 0
    for relation, piece in evidence(graph):
        start, end, text = piece["start"], piece["end"], texts[piece["paper"]]
        assert text[start:end] == piece["text"], relation
        assert start < end
        for side in ("head", "tail"):
            span = piece[f"{side}_start"], piece[f"{side}_end"]
            assert span == (-1, -1) or start <= span[0] < span[1] <= end, relation
        count += 1
    return count


def test_tables_on_disk_are_those_in_memory(graph: Graph, tmp_path: Path) -> None:
    """What is assembled into a folder has the same rows and bytes, in whatever order the documents came, and needs no second writing."""
    documents = [example("p2", 0.6), example("p1")]
    stored = assemble(documents, resolve(documents), into=tmp_path / "into")
    assert stored.equals(graph)
    assert stored.counts() == graph.counts()
    assert repr(stored) == repr(graph)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "into").rglob("*.parquet")}
    for folder, each in (("into", stored), ("memory", graph), ("copy", stored)):
        each.write(tmp_path / folder)
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "into").rglob("*.parquet")}
    assert len(before) == len(graph.counts())
    for file in before:
        for folder in ("memory", "copy"):
            assert (tmp_path / folder / file.relative_to(tmp_path / "into")).read_bytes() == file.read_bytes()


def test_example_has_every_kind_of_edge(graph: Graph) -> None:
    """Concept, paper and result relations are all there, with two papers behind each concept edge."""
    graph.validate()
    counts = graph.counts()
    assert [counts[name] for name in ("Paper", "Method", "Task", "Dataset", "Metric", "Result", "Repository")] == [2, 3, 1, 1, 1, 2, 1]
    for relation in ("USED_FOR", "COMPARED_WITH", "EVALUATED_ON", "SUBCLASS_OF"):
        assert [row["support"] for row in rows(graph, relation) if not row["background"]] == [2], relation
    for relation in ("PROPOSES", "ADDRESSES", "HAS_CODE", "REPORTS", *(r.name for r in load_schema().group("result"))):
        assert counts[relation] == 2, relation
    (former,) = [row for _, row in graph.node_rows("Method") if row["name"] == "Widget Former"]
    assert (former["papers"], former["mentions"]) == (2, 6)


def test_passages_are_the_closest_sentences(graph: Graph) -> None:
    """A relation is cited by the sentence in which its two things stand closest, and a proposal by the claim, not by the title."""
    (used,) = rows(graph, "USED_FOR")
    assert used["evidence_text"][0] == "We propose Widget Former for object detection."
    (compared,) = rows(graph, "COMPARED_WITH")
    assert compared["evidence_text"][0] == "Widget Former beats FooNet on COCO with 41.2 mAP."
    assert [row["evidence_text"] for row in rows(graph, "PROPOSES")] == [["We propose Widget Former for object detection."]] * 2
    text = example()[0].text
    spans = [(piece["tail_start"], piece["text"]) for relation, piece in evidence(graph) if relation == "MENTIONS"]
    assert all(text[start:].startswith(str(shown)) for start, shown in spans)


def test_symmetric_edges_are_one(graph: Graph) -> None:
    """A comparison written in either direction is one edge, and its evidence names each end's own mention."""
    paper, extraction = example("p3")
    turned = Extraction("p3", extraction.entities, (Relation("e3", "COMPARED_WITH", "e1", 0.7),), extractor="test 1")
    documents = [example("p1"), (paper, turned)]
    (edge,) = rows(assemble(documents, resolve(documents)), "COMPARED_WITH")
    assert edge["support"] == 2
    for start, end in zip(edge["evidence_head_start"], edge["evidence_head_end"], strict=True):
        assert paper.text[start:end] == "FooNet"


def test_every_span_of_gold_records(gold: list[Document]) -> None:
    """The graph of the gold records is valid, every span slices right, and any order of papers gives the same tables."""
    graph = assemble(gold, resolve(gold))
    graph.validate()
    assert check_spans(graph, {paper.id: paper.text for paper, _ in gold}) > 5_000
    part = gold[:60]
    mixed = random.Random(3).sample(part, len(part))
    assert assemble(part, resolve(part)).equals(assemble(mixed, resolve(mixed)))
    hierarchy = [row for name in ("SUBTASK_OF", "SUBCLASS_OF") for row in rows(graph, name) if row["background"]]
    assert hierarchy
    assert all(row["support"] == 0 and not row["evidence_paper"] for row in hierarchy)
    assert sum(len(extraction.results) for _, extraction in gold) >= graph.counts()["Result"] > 0


def test_belief_grows_with_papers_and_stays_a_probability(graph: Graph) -> None:
    """One paper keeps its confidence, more papers raise it, and nothing leaves [0, 1]."""
    alone = [example("p1")]
    (single,) = rows(assemble(alone, resolve(alone)), "USED_FOR")
    (double,) = rows(graph, "USED_FOR")
    assert single["belief"] == pytest.approx(0.8)
    assert double["belief"] == pytest.approx(1 - 0.2 * 0.4)
    assert all(0 <= row["belief"] <= 1 for _, row in graph.edge_rows())


def test_two_documents_of_one_id_are_refused() -> None:
    """The same paper twice would count its evidence twice."""
    documents = [example("p1"), example("p1")]
    with pytest.raises(RecordError, match="two documents"):
        assemble(documents, resolve(documents))


def test_no_papers_give_an_empty_graph() -> None:
    """Nothing in, every table of the schema empty out."""
    graph = assemble([], resolve([]))
    graph.validate()
    assert set(graph.counts().values()) == {0}
    assert isinstance(graph.edges["MENTIONS"], pa.Table)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("See github.com/a/b.", ["github.com/a/b"]),
        ("Code (https://www.GitHub.com/A/B/tree/main) is out", ["github.com/a/b"]),
        ("https://a.github.io/page/ and https://a.github.io/page", ["a.github.io/page"]),
        ("https://github.com/a/b.git", ["github.com/a/b"]),
        ("https://huggingface.co/datasets/a/b", ["huggingface.co/datasets/a/b"]),
        ("Nothing on github at all", []),
    ],
)
def test_code_links(text: str, keys: list[str]) -> None:
    """Addresses of repositories are found as people write them, each once, without the full stop of the sentence."""
    paper = Paper("p", "T", text)
    found = code_links(paper)
    assert [link_key(url) for url, _ in found] == keys
    assert all(span is None or not paper.text[span[0] : span[1]].endswith(".") for _, span in found)


def test_manifest_is_kept() -> None:
    """What the caller says about the making stands in the graph."""
    assert json.dumps(assemble([], resolve([]), manifest={"inputs": "abc"}).manifest) == '{"inputs": "abc"}'
