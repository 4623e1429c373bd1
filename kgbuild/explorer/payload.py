"""What the page carries: the graph as columns of plain JSON, cut into parts that the page unpacks when it needs them.

`core` is unpacked at once: names, places, edges. `details-N` holds the other properties of a run of nodes (abstracts, quotes,
links), `evidence-N` the evidence of a run of edges as offsets into the papers' texts, so that no sentence is stored twice.
Nodes are numbered in the order of the schema and then of their tables, edges likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from kgbuild.explorer.communities import Floats, Ints, communities
from kgbuild.explorer.layout import layout
from kgbuild.explorer.overview import co_occurrence, community_names, matrix
from kgbuild.exporters.flat import json_value
from kgbuild.graph import Graph
from kgbuild.schema import Schema
from kgbuild.text import sentences

DETAILS_PER_PART = 256
EVIDENCE_PER_PART = 4096
CORE = ("id", "name", "aliases", "title", "year", "papers")  # columns that travel in the core part
SPANS = ("start", "end", "head_start", "head_end", "tail_start", "tail_end")
# How strongly an edge holds its ends together on the map: statements between concepts more than mere mentions.
PULL = {"concept": 1.0, "paper": 0.35, "result": 0.6}


@dataclass(frozen=True)
class Tables:
    """The graph in numbers: first node of each type, and for each edge its ends, relation, belief, support and evidence counts."""

    graph: Graph
    first: dict[str, int]
    count: int
    source: Ints
    target: Ints
    relation: Ints
    belief: Floats
    support: Ints

    def nodes(self, type_: str) -> range:
        """Numbers of the nodes of a type."""
        return range(self.first[type_], self.first[type_] + self.graph.nodes[type_].num_rows)

    @property
    def sources(self) -> range:
        """Numbers of the papers: nodes of the schema's source type, which comes first."""
        return self.nodes(source_type(self.graph.schema))


def source_type(schema: Schema) -> str:
    """The node type whose text everything else was read from."""
    return next(name for name, kind in schema.nodes.items() if kind.kind == "source")


def payload(graph: Graph, title: str) -> Iterator[tuple[str, Any]]:
    """(name, JSON value) of every part of the page; the same graph gives the same parts."""
    tables = number(graph)
    links = paper_links(tables)
    years = _years(tables, links)
    yield "core", _core(tables, title, years, links)
    contributed = _Contributed(len(tables.sources))
    yield from _evidence(tables, contributed)
    yield from _details(tables, contributed.edges)


def number(graph: Graph) -> Tables:
    """Give nodes and edges their numbers."""
    numbers: dict[str, dict[str, int]] = {}
    first, count = {}, 0
    for name, table in graph.nodes.items():
        first[name] = count
        numbers[name] = {id_: count + row for row, id_ in enumerate(table["id"].to_pylist())}
        count += table.num_rows
    columns: dict[str, list[Any]] = {key: [] for key in ("source", "target", "relation", "belief", "support")}
    for index, table in enumerate(graph.edges.values()):
        for end in ("source", "target"):
            ends = zip(table[f"{end}_type"].to_pylist(), table[end].to_pylist(), strict=True)
            columns[end].append(np.array([numbers[type_][id_] for type_, id_ in ends], dtype=np.int64))
        columns["relation"].append(np.full(table.num_rows, index, dtype=np.int64))
        columns["belief"].append(np.array(table["belief"].to_pylist(), dtype=np.float64))
        columns["support"].append(np.array(table["support"].to_pylist(), dtype=np.int64))
    joined = {key: np.concatenate(parts) for key, parts in columns.items()}
    return Tables(graph, first, count, **joined)


def paper_links(tables: Tables) -> tuple[Ints, Ints]:
    """Pairs (paper, other node) of all edges that start at a paper, sorted, each pair once."""
    papers = len(tables.sources)
    rows = tables.source < papers
    pairs = np.unique(np.stack([tables.source[rows], tables.target[rows]], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _years(tables: Tables, links: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """First and last year of each node: of the paper, or of the papers that name the thing; 0 where unknown."""
    table = tables.graph.nodes[source_type(tables.graph.schema)]
    known = np.array([year or 0 for year in table["year"].to_pylist()], dtype=np.int64)
    first, last = np.zeros(tables.count, dtype=np.int64), np.zeros(tables.count, dtype=np.int64)
    first[: len(known)] = last[: len(known)] = known
    paper, other = links
    dated = known[paper] > 0
    paper, other = paper[dated], other[dated]
    first[other] = 9_999
    np.minimum.at(first, other, known[paper])
    np.maximum.at(last, other, known[paper])
    return first, last


def _core(tables: Tables, title: str, years: tuple[Ints, Ints], links: tuple[Ints, Ints]) -> dict[str, Any]:
    schema = tables.graph.schema
    pull = np.array([PULL[relation.group] for relation in schema.relations.values()])
    weight = pull[tables.relation] * np.maximum(tables.belief, 0.05)
    community = communities(tables.count, tables.source, tables.target, weight)
    place = layout(tables.count, tables.source, tables.target, weight, community)
    names, aliases = _names(tables), _aliases(tables)
    papers = _papers(tables, links)
    kinds = np.concatenate([np.full(table.num_rows, kind.kind == "concept") for kind, table in _typed(tables)])
    return {
        "title": title,
        "version": 1,
        "papers": len(tables.sources),
        "sourceType": source_type(schema),
        "schema": _schema(schema),
        "counts": [table.num_rows for table in tables.graph.nodes.values()],
        "ids": [id_ for table in tables.graph.nodes.values() for id_ in table["id"].to_pylist()],
        "names": names,
        "aliases": aliases,
        "weight": papers.tolist(),
        "x": np.round(place[:, 0] * 10_000).astype(int).tolist(),
        "y": np.round(place[:, 1] * 10_000).astype(int).tolist(),
        "firstYear": years[0].tolist(),
        "lastYear": years[1].tolist(),
        "community": community.tolist(),
        "source": tables.source.tolist(),
        "target": tables.target.tolist(),
        "relation": np.bincount(tables.relation, minlength=len(schema.relations)).tolist(),
        "belief": np.round(tables.belief * 100).astype(int).tolist(),
        "support": tables.support.tolist(),
        "communities": community_names(community, papers, kinds, tables.source, tables.target, names),
        "together": co_occurrence(links, kinds),
        "matrix": matrix(tables.graph.schema, {name: tables.nodes(name) for name in schema.nodes}, links),
        "perPart": {"details": DETAILS_PER_PART, "evidence": EVIDENCE_PER_PART},
    }


def _typed(tables: Tables) -> list[tuple[Any, pa.Table]]:
    return [(tables.graph.schema.nodes[name], table) for name, table in tables.graph.nodes.items()]


def _schema(schema: Schema) -> dict[str, Any]:
    return {
        "types": [{"name": kind.name, "kind": kind.kind, "description": kind.description} for kind in schema.nodes.values()],
        "relations": [
            {"name": r.name, "group": r.group, "description": r.description, "symmetric": r.symmetric, "role": r.role}
            for r in schema.relations.values()
        ],
    }


def _names(tables: Tables) -> list[str]:
    """What a person calls each node: the name, the paper's title, or the digits of a result with its metric and method."""
    names: list[str] = []
    for kind, table in _typed(tables):
        column = next((name for name in ("name", "title", "value", "url") if name in table.column_names), "id")
        ids = table["id"].to_pylist()
        values = [value or id_ for value, id_ in zip(table[column].to_pylist(), ids, strict=True)]
        if "unit" in table.column_names:
            values = [_with_unit(value, unit) for value, unit in zip(values, table["unit"].to_pylist(), strict=True)]
        names += [value.split("://", 1)[-1] for value in values] if kind.kind == "link" else values
    plain = list(names)
    for role, mark in (("metric", " "), ("method", " · "), ("dataset", " · ")):
        for relation in (r for r in tables.graph.schema.relations.values() if r.role == role):
            at = tables.relation == list(tables.graph.schema.relations).index(relation.name)
            for source, target in zip(tables.source[at].tolist(), tables.target[at].tolist(), strict=True):
                names[source] += mark + plain[target]
    return names


def _with_unit(value: str, unit: str | None) -> str:
    return value + unit if unit in ("%", "x") else f"{value} {unit}" if unit else value


def _aliases(tables: Tables) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name, table in tables.graph.nodes.items():
        if "aliases" in table.column_names:
            found |= {tables.first[name] + row: names for row, names in enumerate(table["aliases"].to_pylist()) if names}
    return found


def _papers(tables: Tables, links: tuple[Ints, Ints]) -> Ints:
    """Number of papers of each node, 1 for papers themselves."""
    papers = np.bincount(links[1], minlength=tables.count)
    papers[: len(tables.sources)] = 1
    return papers


@dataclass
class _Contributed:
    """Edges that each paper is evidence for, filled while evidence is written."""

    papers: int

    def __post_init__(self) -> None:
        self.edges: list[list[int]] = [[] for _ in range(self.papers)]


def _evidence(tables: Tables, contributed: _Contributed) -> Iterator[tuple[str, Any]]:
    """Parts of evidence: `counts` per edge, then nine numbers for each piece (see `row`), and texts that no paper's text holds."""
    texts, spans = _texts(tables.graph)
    extractors: dict[str, int] = {}
    part: dict[str, Any] = {"counts": [], "rows": [], "texts": {}}
    parts = 0
    for edge, (_, row) in enumerate(tables.graph.edge_rows()):
        pieces = list(zip(*(row[f"evidence_{name}"] for name in ("paper", "text", "confidence", "extractor", *SPANS)), strict=True))
        part["counts"].append(len(pieces))
        for paper, text, confidence, extractor, start, end, *marks in pieces:
            number_, full = texts.get(paper, (-1, ""))
            if number_ >= 0 and start >= 0 and full[start:end] == text:
                start, end = _sentence(spans[number_], start, end)
            else:
                part["texts"][len(part["rows"]) // 9] = text
            part["rows"] += [number_, start, end, *marks, round(confidence * 100), extractors.setdefault(extractor, len(extractors))]
            if number_ >= 0 and (not contributed.edges[number_] or contributed.edges[number_][-1] != edge):
                contributed.edges[number_].append(edge)
        if (edge + 1) % EVIDENCE_PER_PART == 0:
            yield f"evidence-{parts}", part
            part, parts = {"counts": [], "rows": [], "texts": {}}, parts + 1
    if part["counts"]:
        yield f"evidence-{parts}", part
    yield "extractors", list(extractors)


def _texts(graph: Graph) -> tuple[dict[str, tuple[int, str]], list[list[tuple[int, int]]]]:
    table = graph.nodes[source_type(graph.schema)]
    rows = zip(table["id"].to_pylist(), table["title"].to_pylist(), table["abstract"].to_pylist(), strict=True)
    texts = {id_: (index, f"{title}\n{abstract}") for index, (id_, title, abstract) in enumerate(rows)}
    return texts, [sentences(text) for _, text in texts.values()]


def _sentence(spans: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    """The passage widened to whole sentences: a bare mention says nothing."""
    touched = [span for span in spans if span[0] < end and start < span[1]]
    return (min(start, touched[0][0]), max(end, touched[-1][1])) if touched else (start, end)


def _details(tables: Tables, contributed: list[list[int]]) -> Iterator[tuple[str, Any]]:
    """Parts of node properties: objects without empty values; papers also say which edges they are evidence for."""
    rows: list[dict[str, Any]] = []
    for _, row in tables.graph.node_rows():
        rows.append({key: json_value(value) for key, value in row.items() if key not in CORE and value not in (None, "", [])})
    for row, edges in zip(rows, contributed, strict=False):
        row["edges"] = [after - before for before, after in pairwise([0, *edges])]  # steps are small numbers and pack well
    for part, start in enumerate(range(0, len(rows), DETAILS_PER_PART)):
        yield f"details-{part}", rows[start : start + DETAILS_PER_PART]
