"""Graphs for the exporters: the real one of the annotated seed papers, and a small one full of nasty texts."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from small_graphs import NASTY, concept, edge, paper, result

from kgbuild.extraction.records import parse_record
from kgbuild.graph import Graph
from kgbuild.records import Paper
from kgbuild.resolution import Node, Resolution, assemble
from kgbuild.schema import load_schema


@pytest.fixture(scope="session")
def nasty() -> Graph:
    """Texts that break formats, as ids, names, aliases, titles and evidence; nulls, empty lists and numbers that JSON lacks."""
    ids = [name[:200] for name in NASTY]
    methods = [concept(f"method:{id_}", name, name, "", "plain") for id_, name in zip(ids, NASTY, strict=True)]
    papers = [
        paper(id_, name, abstract=name, authors=[name, "A, B", "C and D"], venue=name, doi=name, url=name)
        for id_, name in zip(ids, NASTY, strict=True)
    ]
    results = [result("result:1", "1e400", float("inf")), result("result:2", "?", float("nan")), result("result:3", "1-2", None)]
    ends = [("Method", row["id"]) for row in methods]
    pairs = list(zip(pairwise(ends), NASTY, strict=False))
    return Graph.from_rows(
        {"Method": methods, "Paper": papers, "Result": results, "Metric": [concept("metric:m", "m")]},
        {
            "COMPARED_WITH": [edge(a, b, a[1], text) for (a, b), text in pairs],
            "USED_FOR": [edge(a, b, a[1], text, belief=0.1) for (a, b), text in pairs],
            "MENTIONS": [edge(("Paper", id_), ("Method", f"method:{id_}"), id_, text) for id_, text in zip(ids, NASTY, strict=True)],
            "REPORTS": [edge(("Paper", ids[0]), ("Result", f"result:{n}"), ids[0], "x") for n in (1, 2, 3)],
        },
        {"note": "\n".join(NASTY[:-1]), "counts": {"papers": len(NASTY)}},
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def gold(shared: Path) -> Graph:
    """A hundred and twenty annotated seed papers as a graph; entities of one type and name are one node."""
    papers, train, dev = (_rows(shared / "annotation" / f"{name}.jsonl") for name in ("papers", "train", "dev"))
    texts = {row["id"]: Paper(row["id"], row["title"], row["abstract"]) for row in papers}
    documents = [(texts[row["id"]], parse_record(row, texts[row["id"]])) for row in (*dev, *train[:60])]
    links: dict[str, dict[str, str]] = {}
    nodes: dict[str, Node] = {}
    for document, extraction in documents:
        for entity in extraction.entities:
            id_ = f"{entity.type.lower()}:" + re.sub(r"\W+", "-", entity.name.casefold()).strip("-")
            links.setdefault(document.id, {})[entity.eid] = id_
            own = {"better": "higher"} if "accuracy" in id_ and entity.type == "Metric" else {}
            nodes.setdefault(id_, Node(id_, entity.type, entity.name, properties=own))
    return assemble(documents, Resolution(links, nodes), manifest={"made by": "the tests", "papers": len(documents)})


@pytest.fixture(scope="session")
def board() -> Graph:
    """Real figures of two papers on two boards, one of them without a stated direction."""
    schema = load_schema()
    methods = [concept("method:transformer", "Transformer"), concept("method:convs2s", "ConvS2S"), concept("method:resnet", "ResNet")]
    datasets = [concept("dataset:wmt14-en-de", "WMT 2014 English-German"), concept("dataset:imagenet", "ImageNet", "ILSVRC")]
    metrics = [concept("metric:bleu", "BLEU", better="higher"), concept("metric:top-5-error", "top-5 error", better="lower")]
    papers = [
        paper("1706.03762", "Attention Is All You Need", year=2017, arxiv="1706.03762", authors=["Ashish Vaswani", "Noam Shazeer"]),
        paper(
            "1705.03122", "Convolutional Sequence to Sequence Learning", year=2017, authors=["Jonas Gehring"], doi="10.5555/3305381.3305510"
        ),
        paper("1512.03385", "Deep Residual Learning for Image Recognition", year=2015, venue="IEEE Conference on Computer Vision"),
    ]
    figures = [
        ("a", "28.4", "1706.03762", "method:transformer", "dataset:wmt14-en-de", "metric:bleu", "task:mt"),
        ("b", "25.16", "1705.03122", "method:convs2s", "dataset:wmt14-en-de", "metric:bleu", "task:mt"),
        ("c", "3.57", "1512.03385", "method:resnet", "dataset:imagenet", "metric:top-5-error", None),
    ]
    edges: dict[str, list[dict[str, Any]]] = {relation.name: [] for relation in schema.relations.values()}
    for letter, value, source, method, dataset, metric, task in figures:
        node = ("Result", f"result:{letter}")
        edges["REPORTS"].append(edge(("Paper", source), node, source, value))
        roles = {"METHOD": ("Method", method), "DATASET": ("Dataset", dataset), "METRIC": ("Metric", metric), "TASK": ("Task", task)}
        for role, (type_, id_) in roles.items():
            if id_:
                edges[f"RESULT_{role}"].append(edge(node, (type_, id_), source, value))
                edges["MENTIONS"].append(edge(("Paper", source), (type_, id_), source, value))
    url = "https://github.com/tensorflow/tensor2tensor"
    repository = "repository:github.com/tensorflow/tensor2tensor"
    edges["HAS_CODE"].append(edge(("Paper", "1706.03762"), ("Repository", repository), "1706.03762", url))
    nodes = {
        "Method": methods,
        "Dataset": datasets,
        "Metric": metrics,
        "Task": [concept("task:mt", "machine translation")],
        "Paper": papers,
        "Repository": [{"id": repository, "url": url}],
        "Result": [result(f"result:{letter}", value, float(value), unit="%" if letter == "c" else None) for letter, value, *_ in figures],
    }
    return Graph.from_rows(nodes, edges, {"made by": "the tests"})
