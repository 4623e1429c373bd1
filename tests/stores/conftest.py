"""The stores under test, and a small graph of real facts to load into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kgbuild.graph import Graph
from kgbuild.stores import Store, open_store

# Store -> its query language; None where it has none, which the suite checks to be so.
STORES = {"ladybug": "cypher", "neo4j": "cypher", "rdf": "sparql", "rdflib": "sparql", "networkx": None}


def opener(name: str, request: pytest.FixtureRequest, folder: Path) -> Callable[[], Store]:
    """What opens an empty store of that kind, a new one for each call."""
    if name == "neo4j":
        server = request.getfixturevalue("neo4j_server")
        patch = request.getfixturevalue("monkeypatch")
        for variable, value in server.environment.items():
            patch.setenv(variable, value)

        def emptied() -> Store:
            store = open_store("neo4j:")
            store.query("MATCH (n) DETACH DELETE n", write=True)
            return store

        return emptied
    numbers = iter(range(1_000_000))
    paths = {"ladybug": "ladybug:{}", "rdf": "rdf:{}"}
    return lambda: open_store(paths.get(name, name + ":").format(folder / str(next(numbers))))


@pytest.fixture(params=list(STORES))
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens an empty store, each kind in its turn."""
    return opener(request.param, request, tmp_path)


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Iterator[Store]:
    """An empty store, each kind in its turn."""
    with new_store() as opened:
        yield opened


@pytest.fixture
def languages() -> dict[str, str | None]:
    """The query language of each kind of store."""
    return STORES


@pytest.fixture(params=[name for name, language in STORES.items() if language])
def speaker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store that answers queries, each kind in its turn."""
    with opener(request.param, request, tmp_path)() as opened:
        yield opened


@pytest.fixture(params=[name for name, language in STORES.items() if language == "cypher"])
def cypher_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store that speaks Cypher, each kind in its turn."""
    with opener(request.param, request, tmp_path)() as opened:
        yield opened


def evidence(*pieces: tuple[str, int, int, str]) -> dict[str, Any]:
    """Edge properties with a piece of evidence for each (paper, start, end, text)."""
    columns: dict[str, list[Any]] = {
        "evidence_paper": [paper for paper, *_ in pieces],
        "evidence_start": [start for _, start, *_ in pieces],
        "evidence_end": [end for _, _, end, _ in pieces],
        "evidence_text": [text for *_, text in pieces],
        "evidence_confidence": [0.9 for _ in pieces],
        "evidence_extractor": ["rules 1" for _ in pieces],
    }
    offsets = {f"evidence_{end}_{edge}": [-1 for _ in pieces] for end in ("head", "tail") for edge in ("start", "end")}
    return {"belief": 0.9, "support": len({paper for paper, *_ in pieces}), "background": not pieces, **columns, **offsets}


def concept(id_: str, name: str, *aliases: str) -> dict[str, Any]:
    """A concept node."""
    return {"id": id_, "name": name, "aliases": list(aliases), "same_as": [], "papers": 1, "mentions": 2}


@pytest.fixture(scope="session")
def graph() -> Graph:
    """Two papers on translation and reading, with methods, a dataset, a metric and a result."""
    attention = "Attention Is All You Need"
    passage = ("1706.03762", 0, len(attention), attention)
    bert = ("1810.04805", 0, 4, "BERT")

    def edge(source_type: str, source: str, target_type: str, target: str, *pieces: tuple[str, int, int, str]) -> dict[str, Any]:
        ends = {"source_type": source_type, "source": source, "target_type": target_type, "target": target}
        return {**ends, **evidence(*pieces)}

    nodes = {
        "Paper": [
            {
                "id": "1706.03762",
                "title": attention,
                "abstract": "We propose the Transformer.",
                "year": 2017,
                "authors": ["Vaswani", "Shazeer"],
            },
            {"id": "1810.04805", "title": "BERT", "abstract": "", "authors": []},
        ],
        "Method": [
            concept("method:transformer", "Transformer", "transformers"),
            concept("method:bert", "BERT"),
            concept("method:rnn", "RNN"),
        ],
        "Task": [concept("task:machine-translation", "machine translation", "MT")],
        "Dataset": [concept("dataset:wmt-2014", "WMT 2014"), concept("dataset:squad", "SQuAD")],
        "Metric": [{**concept("metric:bleu", "BLEU"), "better": "higher"}],
        "Result": [
            {"id": "result:1", "value": "28.4", "number": 28.4, "kind": "absolute", "quote": "28.4 BLEU", "confidence": 0.9},
            {"id": "result:2", "value": "2-3", "kind": "improvement", "quote": "by 2-3 points", "confidence": 0.5},
        ],
    }
    edges = {
        "PROPOSES": [edge("Paper", "1706.03762", "Method", "method:transformer", passage)],
        "USED_FOR": [edge("Method", "method:transformer", "Task", "task:machine-translation", passage, bert)],
        "SUBCLASS_OF": [edge("Method", "method:bert", "Method", "method:transformer")],
        "EVALUATED_ON": [
            edge("Method", "method:transformer", "Dataset", "dataset:wmt-2014", passage),
            edge("Method", "method:bert", "Dataset", "dataset:squad", bert),
        ],
        "MEASURED_BY": [edge("Task", "task:machine-translation", "Metric", "metric:bleu", passage)],
        "REPORTS": [edge("Paper", "1706.03762", "Result", "result:1", passage)],
        "RESULT_METRIC": [edge("Result", "result:1", "Metric", "metric:bleu", passage)],
    }
    made = Graph.from_rows(nodes, edges, {"kgbuild": "test", "inputs": {"a": 1}})
    made.validate()
    return made
