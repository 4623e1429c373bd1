"""Graphs to ask: one of real papers from their gold records, and one made by hand that holds every awkward case."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kgbuild.graph import Graph
from kgbuild.stores import Store, open_store

STORES = ("ladybug", "neo4j", "rdf", "rdflib", "networkx")
HOSTILE = 'x\'}) DETACH DELETE n // " } ; DROP ALL ; INSERT DATA { <a:b> <a:c> "d" } #'


@pytest.fixture(scope="session")
def gold_graph(shared: Path) -> Graph:
    """The seed papers that have gold records, resolved and assembled."""
    from kgbuild.extraction.records import parse_record
    from kgbuild.records import Paper
    from kgbuild.resolution import assemble, resolve

    folder = shared / "annotation"
    texts = {row["id"]: row for row in map(json.loads, (folder / "papers.jsonl").read_text(encoding="utf-8").splitlines())}
    documents = []
    for name in ("train.jsonl", "dev.jsonl"):
        for row in map(json.loads, (folder / name).read_text(encoding="utf-8").splitlines()):
            paper = Paper(row["id"], texts[row["id"]]["title"], texts[row["id"]]["abstract"])
            documents.append((paper, parse_record(row, paper)))
    return assemble(documents, resolve(documents))


def _evidence(*pieces: tuple[str, str]) -> dict[str, Any]:
    """Evidence columns for pieces (paper, passage), offsets counting up."""
    count = range(len(pieces))
    offsets = {f"evidence_{name}": [-1 for _ in count] for name in ("head_start", "head_end")}
    offsets |= {f"evidence_{name}": list(count) for name in ("start", "tail_start")}
    offsets |= {f"evidence_{name}": [number + 3 for number in count] for name in ("end", "tail_end")}
    papers, texts = [paper for paper, _ in pieces], [text for _, text in pieces]
    named = {"evidence_confidence": [0.5 for _ in count], "evidence_extractor": ["hand 1" for _ in count]}
    return {"evidence_paper": papers, "evidence_text": texts, **offsets, **named}


def edge(source: str, target: str, belief: float, *pieces: tuple[str, str]) -> dict[str, Any]:
    """An edge between two nodes written `Type id`; without pieces it is background knowledge."""
    (source_type, source_id), (target_type, target_id) = source.split(" ", 1), target.split(" ", 1)
    ends = {"source_type": source_type, "source": source_id, "target_type": target_type, "target": target_id}
    values = {"belief": belief, "support": len({paper for paper, _ in pieces}), "background": not pieces}
    return {**ends, **values, **_evidence(*pieces)}


def concept(id_: str, name: str, *aliases: str, papers: int = 1, **more: Any) -> dict[str, Any]:
    """A concept node."""
    return {"id": id_, "name": name, "aliases": list(aliases), "same_as": [], "papers": papers, "mentions": papers, **more}


def _result(id_: str, value: str, number: float | None, unit: str | None, kind: str = "absolute") -> dict[str, Any]:
    return {"id": id_, "value": value, "number": number, "unit": unit, "kind": kind, "quote": f"reaches {value}", "confidence": 0.5}


@pytest.fixture(scope="session")
def awkward_graph() -> Graph:
    """Ties, both directions, background edges, hostile names, astral letters, boards of every sort."""
    papers = [
        {"id": id_, "title": f"Title {id_}", "abstract": "", "year": year, "authors": []}
        for id_, year in (("p1", 2019), ("p10", 2019), ("p2", 2015), ("p3", None), ("p'\"\\4", 2021))
    ]
    paper_ids = [str(paper["id"]) for paper in papers]
    methods = [
        concept("method:a", "Alpha net", "AN", "alpha nets", papers=5),
        concept("method:b", "beta-net"),
        concept("method:c", HOSTILE),
        concept("method:d", "\U0001d4d3 \ufb01lm \n newline"),
        concept("method:llm", "large language model", "LLM", "LLMs", papers=9),
        concept("method:mt", "machine translation", papers=1),
    ]
    tasks = [concept("task:t", "testing task"), concept("task:mt", "machine translation", "MT", papers=2), concept("task:zz", "Zzz")]
    metrics = [
        concept("metric:acc", "accuracy", better="higher"),
        concept("metric:err", "error rate", better="lower"),
        concept("metric:odd", "oddness", better=None),
    ]
    results = [
        _result("result:1", "90.5", 90.5, "%"), _result("result:2", "91.5", 91.5, "%"), _result("result:3", "0.9", 0.9, None),
        _result("result:4", "5", 5.0, "%"), _result("result:5", "4", 4.0, "%"), _result("result:6", "6-7", None, "%"),
        _result("result:7", "1", 1.0, None), _result("result:8", "3", 3.0, "points", "improvement"), _result("result:9", "90.5", 90.5, "%"),
    ]  # fmt: skip
    metric_of = dict(zip(range(1, 10), ["acc", "acc", "acc", "err", "err", "err", "odd", "acc", "acc"], strict=True))
    p1, p2 = ("p1", "one"), ("p2", "two")
    tie = [edge(f"Method method:{name}", "Task task:t", 0.5, p1) for name in "dcb"]
    return Graph.from_rows(
        {
            "Paper": papers,
            "Method": methods,
            "Task": tasks,
            "Dataset": [concept("dataset:d", "Data-1"), concept("dataset:e", "data 2")],
            "Metric": metrics,
            "Result": results,
        },
        {
            "USED_FOR": [*tie, edge("Method method:a", "Task task:t", 0.25, p1, ("p10", "ten"), p2, p2)],
            "BENCHMARK_FOR": [edge("Dataset dataset:d", "Task task:t", 1.0, p2)],
            "SUBCLASS_OF": [edge("Method method:b", "Method method:a", 1.0), edge("Method method:c", "Method method:a", 0.125, p1)],
            "PART_OF": [edge("Method method:d", "Method method:a", 0.5, p1), edge("Dataset dataset:e", "Dataset dataset:d", 0.5, p1)],
            "EVALUATED_ON": [edge("Method method:a", "Dataset dataset:d", 0.5, p1)],
            "COMPARED_WITH": [
                edge("Method method:a", "Method method:b", 0.75, p1),
                edge("Method method:b", "Method method:a", 0.5, p2, ("p3", "three")),
                edge("Method method:c", "Method method:a", 0.5, p2),
            ],
            "MEASURED_BY": [
                edge("Task task:t", "Metric metric:acc", 0.5, p1),
                edge("Dataset dataset:d", "Metric metric:err", 0.5, p1),
                edge("Method method:a", "Metric metric:odd", 0.5, p1),
            ],
            "PROPOSES": [edge("Paper p1", "Method method:a", 0.5, p1)],
            "ADDRESSES": [edge("Paper p2", "Task task:t", 0.5, p2)],
            "MENTIONS": [
                *(edge(f"Paper {id_}", "Method method:a", 0.5, *[(id_, "Alpha")] * (1 + n % 3)) for n, id_ in enumerate(paper_ids)),
                *(edge(f"Paper {id_}", "Task task:t", 0.75, (id_, "testing")) for id_ in ("p1", "p2", "p10")),
                edge("Paper p1", "Method method:b", 0.125, p1),
            ],
            "REPORTS": [edge("Paper p1", f"Result result:{n}", 0.5, p1) for n in range(1, 10)],
            "RESULT_METRIC": [edge(f"Result result:{n}", f"Metric metric:{name}", 0.5, p1) for n, name in metric_of.items()],
            "RESULT_DATASET": [edge(f"Result result:{n}", "Dataset dataset:d", 0.5, p1) for n in range(1, 9)],
            "RESULT_TASK": [edge(f"Result result:{n}", "Task task:t", 0.5, p1) for n in (1, 2, 9)],
            "RESULT_METHOD": [edge(f"Result result:{n}", "Method method:a", 0.5, p1) for n in (1, 4)],
        },
    )  # fmt: skip


@pytest.fixture(scope="module", params=STORES)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Graph], Store]]:
    """Loads a graph into an emptied store, each kind in its turn."""
    opened: list[Store] = []
    folder = tmp_path_factory.mktemp(request.param)
    addresses = {"ladybug": f"ladybug:{folder}/{{}}", "rdf": f"rdf:{folder}/{{}}"}
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "neo4j":
            for variable, value in request.getfixturevalue("neo4j_server").environment.items():
                patch.setenv(variable, value)

        def load(graph: Graph) -> Store:
            store = open_store(addresses.get(request.param, f"{request.param}:").format(len(opened)))
            opened.append(store)
            if request.param == "neo4j":
                store.query("MATCH (n) DETACH DELETE n", write=True)
            store.write(graph)
            return store

        yield load
    for store in opened:
        store.close()
