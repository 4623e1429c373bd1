"""Search and likeness: the right thing first, the same answer every time, and no text that breaks it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.errors import QueryError
from kgbuild.graph import Graph
from kgbuild.queries import Questions, convert
from kgbuild.queries.index import SearchIndex
from kgbuild.queries.vectors import meaning_vectors
from kgbuild.schema import load_schema


def test_search_finds_names_aliases_and_titles(gold_graph: Graph) -> None:
    """The name of each of the most mentioned things finds it among the first three, and a paper's title finds that paper first."""
    questions = Questions(gold_graph)
    rows = sorted(gold_graph.nodes["Method"].to_pylist(), key=lambda row: (-row["papers"], row["id"]))[:10]
    for row in rows:
        assert row["id"] in questions.search(row["name"], types=["Method"], limit=3)["id"].to_pylist(), row["name"]
    for paper in gold_graph.nodes["Paper"].slice(0, 10).to_pylist():
        assert questions.search(paper["title"], types=["Paper"], limit=1)["id"].to_pylist() == [paper["id"]]


def test_search_sees_passages(gold_graph: Graph) -> None:
    """Words that stand only in a passage of a concept, not in its name, find the concept."""
    edge = next(row for _, row in gold_graph.edge_rows("USED_FOR") if len(row["evidence_text"][0].split()) > 8)
    found = Questions(gold_graph).search(edge["evidence_text"][0], limit=50)["id"].to_pylist()
    assert {edge["source"], edge["target"]} & set(found)


def test_similar_things_are_alike(gold_graph: Graph) -> None:
    """Similar things have the type of the thing asked about, never are it, and come best first with scores in [0, 1]."""
    rows = Questions(gold_graph).similar("BERT", limit=20).to_pylist()
    assert len(rows) == 20
    assert {row["type"] for row in rows} == {"Method"}
    assert "method:bert" not in {row["id"] for row in rows}
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_another_encoder_takes_its_place(awkward_graph: Graph) -> None:
    """Any function from texts to vectors of length 1 is used for likeness."""
    asked: list[str] = []

    def embed(texts: object) -> np.ndarray:
        asked.extend(texts)  # type: ignore[arg-type]
        return np.ones((len(list(texts)), 1), dtype=np.float32)  # type: ignore[call-overload]

    rows = SearchIndex(awkward_graph, embed).search("nothing that stands there", limit=3).to_pylist()
    assert "nothing that stands there" in asked
    assert [row["score"] for row in rows] == [0.5, 0.5, 0.5]


@given(st.text(max_size=40))
def test_no_text_breaks_the_search(text: str) -> None:
    """Operators of the full-text language, quotes and odd letters are words to look for; scores stay in [0, 1]."""
    rows = INDEX.search(text).to_pylist()
    assert all(0 <= row["score"] <= 1 for row in rows)


INDEX = SearchIndex(
    Graph.from_rows({"Task": [{"id": "task:a", "name": "AND NEAR(x) OR *", "aliases": [], "same_as": [], "papers": 1, "mentions": 1}]}, {})
)


def test_unknown_types_are_refused(awkward_graph: Graph) -> None:
    """Searching for a type that is not there names those that are."""
    with pytest.raises(QueryError, match="known: Paper"):
        Questions(awkward_graph).search("x", types=["Idea"])


def test_meaning_vectors_bring_like_things_together() -> None:
    """What means the like is nearer than the rest without a word in common; vectors have length 1, those of unknown signs are zero."""
    pairs = [("car detection", "recognizing vehicles"), ("summarization of documents", "abstractive summary"), ("speech", "spoken audio")]
    vectors = meaning_vectors([text for pair in pairs for text in pair])
    likeness = vectors[::2] @ vectors[1::2].T
    assert (likeness.argmax(axis=1) == range(len(pairs))).all()
    assert (likeness.argmax(axis=0) == range(len(pairs))).all()
    assert np.allclose(np.linalg.norm(meaning_vectors(["RoBERTa", "", " ", "\U0001f701", "\ua66e"]), axis=1), [1, 0, 0, 0, 0])


def test_search_finds_what_means_the_like() -> None:
    """A question in words of one's own finds the thing that has none of them in its name."""
    names = ["machine translation", "image segmentation", "speech recognition", "protein folding", "recommender system"]
    rows = [{"id": f"task:{name}", "name": name, "aliases": [], "same_as": [], "papers": 1, "mentions": 1} for name in names]
    questions = Questions(Graph.from_rows({"Task": rows}, {}))
    asked = {"translating sentences to other languages": 0, "transcribing spoken audio": 2, "suggesting movies to users": 4}
    for text, wanted in asked.items():
        assert questions.search(text, limit=1)["name"].to_pylist() == [names[wanted]], text


def test_passages_of_a_common_thing_do_not_hide_what_is_meant() -> None:
    """A thing in whose passages all words of a question stand comes after one whose name means them."""
    names = ["text-to-video generation", "classification"]
    tasks = [{"id": f"task:{n}", "name": name, "aliases": [], "same_as": [], "papers": 1, "mentions": 1} for n, name in enumerate(names)]
    method = {"id": "method:x", "name": "X", "aliases": [], "same_as": [], "papers": 1, "mentions": 1}
    passage = "We are making a classification of videos from the words of their titles."
    ends = {"source_type": "Method", "source": "method:x", "target_type": "Task", "target": "task:1"}
    lists = {prop.name: [-1] for prop in load_schema().relation("USED_FOR").properties if prop.many}
    said = {"evidence_paper": ["p"], "evidence_text": [passage], "evidence_extractor": ["hand 1"], "evidence_confidence": [0.9]}
    used = {**ends, **lists, **said, "belief": 0.9, "support": 1, "background": False}
    questions = Questions(Graph.from_rows({"Task": tasks, "Method": [method]}, {"USED_FOR": [used]}))
    assert questions.search("making videos from words", types=["Task"])["name"].to_pylist() == names


def test_answers_convert(awkward_graph: Graph) -> None:
    """An answer becomes a data frame with the same columns and rows, or a graph around what was asked."""
    table = Questions(awkward_graph).ask("methods_for", task="testing task")
    frame, polars_frame, network = (convert(table, to) for to in ("pandas", "polars", "networkx"))
    assert frame["id"].tolist() == polars_frame["id"].to_list() == table["id"].to_pylist()
    assert set(network.predecessors("task:t")) == set(table["id"].to_pylist())
    assert convert(table, "arrow") is table
    with pytest.raises(QueryError, match="known: arrow"):
        convert(table, "excel")
