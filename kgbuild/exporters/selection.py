"""Parts of a graph: by type, relation, belief, paper, neighbourhood and degree."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.errors import KgbuildError
from kgbuild.exporters.flat import label
from kgbuild.graph import Graph, node_key

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
ALIAS = "skos:altLabel"


@dataclass(frozen=True, slots=True)
class _Ends:
    """The graph as numbers: nodes counted through all types from 0, and for each relation the numbers of its ends."""

    first: dict[str, int]
    nodes: int
    sources: dict[str, Numbers]
    targets: dict[str, Numbers]

    @classmethod
    def of(cls, graph: Graph) -> _Ends:
        first, total = {}, 0
        for type_, table in graph.nodes.items():
            first[type_], total = total, total + table.num_rows
        sources, targets = (
            {name: _numbers(graph, first, table[f"{end}_type"], table[end]) for name, table in graph.edges.items()}
            for end in ("source", "target")
        )
        return cls(first, total, sources, targets)


def _numbers(graph: Graph, first: dict[str, int], types: pa.ChunkedArray, ids: pa.ChunkedArray) -> Numbers:
    numbers = np.full(len(ids), -1, dtype=np.int64)
    for type_ in pc.unique(types).to_pylist():
        here = pc.equal(types, type_).to_numpy()
        known = graph.nodes[type_]["id"].combine_chunks()
        numbers[here] = pc.index_in(ids, known).to_numpy()[here] + first[type_]
    return numbers


def select(
    graph: Graph,
    *,
    types: Sequence[str] = (),
    relations: Sequence[str] = (),
    min_belief: float = 0.0,
    papers: Sequence[str] = (),
    around: Sequence[str] = (),
    hops: int = 1,
    top: int | None = None,
) -> Graph:
    """The part of the graph that passes every filter given; rows are kept whole, their counts speak of the whole graph.

    types, relations: names of the ontology to keep. min_belief: least belief of an edge, in [0, 1]. papers: ids of papers;
    keeps them and the statements that have evidence in one of them. around: names, aliases or ids of nodes; keeps what
    lies within `hops` edges of one of them, walking in either direction through what the other filters leave (the named
    nodes stay whatever their type). top: keeps the nodes with the most edges among the rest, ties by type and id.
    A node that loses its last edge to a filter on edges goes with it. Raises KgbuildError for unknown names.
    """
    _check(graph, types, relations, hops, top)
    ends = _Ends.of(graph)
    chosen, centres = _find_papers(graph, ends, papers), _find(graph, ends, around)
    edges = {name: np.ones(table.num_rows, dtype=np.bool_) for name, table in graph.edges.items()}
    before = _degrees(ends, edges)
    _filter_edges(graph, edges, relations, min_belief, papers)
    after = _degrees(ends, edges)
    nodes = (after > 0) | ((before == 0) & (not papers))
    nodes[chosen] = True
    if types:
        nodes &= _of_types(graph, ends, types)
    nodes[centres] = True
    _close(ends, nodes, edges)
    if around:
        nodes &= _reach(ends, centres, edges, hops)
        _close(ends, nodes, edges)
    if top is not None:
        nodes = _largest(_degrees(ends, edges), nodes, centres, top)
        _close(ends, nodes, edges)
    return _cut(graph, ends, nodes, edges)


def _check(graph: Graph, types: Iterable[str], relations: Iterable[str], hops: int, top: int | None) -> None:
    for what, names, known in (("type", types, graph.schema.nodes), ("relation", relations, graph.schema.relations)):
        for name in names:
            if name not in known:
                raise KgbuildError(f"unknown {what} {name!r}", f"known: {', '.join(known)}")
    if hops < 0 or (top is not None and top < 1):
        raise KgbuildError("hops must be 0 or more and top 1 or more")


def _filter_edges(graph: Graph, edges: dict[str, Mask], relations: Sequence[str], min_belief: float, papers: Sequence[str]) -> None:
    wanted = pa.array(sorted(papers), pa.string())
    for name, table in graph.edges.items():
        if relations and name not in relations:
            edges[name][:] = False
        if min_belief > 0:
            edges[name] &= pc.greater_equal(table["belief"], min_belief).to_numpy()
        if papers:
            evidence = table["evidence_paper"].combine_chunks()
            rows = pc.list_parent_indices(evidence).to_numpy()[pc.is_in(evidence.flatten(), wanted).to_numpy(zero_copy_only=False)]
            stated = np.zeros(table.num_rows, dtype=np.bool_)
            stated[rows] = True
            edges[name] &= stated


def _of_types(graph: Graph, ends: _Ends, types: Sequence[str]) -> Mask:
    mask = np.zeros(ends.nodes, dtype=np.bool_)
    for type_ in types:
        mask[ends.first[type_] : ends.first[type_] + graph.nodes[type_].num_rows] = True
    return mask


def _close(ends: _Ends, nodes: Mask, edges: dict[str, Mask]) -> None:
    """Drop the edges that have lost an end."""
    for name, mask in edges.items():
        mask &= nodes[ends.sources[name]] & nodes[ends.targets[name]]


def _degrees(ends: _Ends, edges: dict[str, Mask]) -> Numbers:
    count = np.zeros(ends.nodes, dtype=np.int64)
    for name, mask in edges.items():
        for numbers in (ends.sources[name], ends.targets[name]):
            count += np.bincount(numbers[mask], minlength=ends.nodes)
    return count


def _reach(ends: _Ends, centres: Numbers, edges: dict[str, Mask], hops: int) -> Mask:
    reached = np.zeros(ends.nodes, dtype=np.bool_)
    reached[centres] = True
    for _ in range(hops):
        step = reached.copy()
        for name, mask in edges.items():
            sources, targets = ends.sources[name][mask], ends.targets[name][mask]
            step[targets[reached[sources]]] = True
            step[sources[reached[targets]]] = True
        if np.array_equal(step, reached):
            break
        reached = step
    return reached


def _largest(degrees: Numbers, nodes: Mask, centres: Numbers, top: int) -> Mask:
    ranked = np.argsort(-degrees, kind="stable")
    keep = np.zeros(len(nodes), dtype=np.bool_)
    keep[ranked[nodes[ranked]][:top]] = True
    keep[centres] = True
    return keep


def _cut(graph: Graph, ends: _Ends, nodes: Mask, edges: dict[str, Mask]) -> Graph:
    node_tables = {}
    for type_, table in graph.nodes.items():
        mask = nodes[ends.first[type_] : ends.first[type_] + table.num_rows]
        node_tables[type_] = table.filter(pa.array(mask))
    edge_tables = {name: table.filter(pa.array(edges[name])) for name, table in graph.edges.items()}
    return Graph(node_tables, edge_tables, graph.schema, graph.manifest).canonical()


def _find_papers(graph: Graph, ends: _Ends, papers: Sequence[str]) -> Numbers:
    found: list[int] = []
    for type_, kind in graph.schema.nodes.items():
        if kind.kind == "source":
            numbers = {id_: ends.first[type_] + row for row, id_ in enumerate(graph.nodes[type_]["id"].to_pylist())}
            for paper in papers:
                if paper not in numbers:
                    raise _unknown("paper", paper, numbers)
                found.append(numbers[paper])
    return np.array(found, dtype=np.int64)


def _find(graph: Graph, ends: _Ends, around: Sequence[str]) -> Numbers:
    rows = {type_: table["id"].to_pylist() for type_, table in graph.nodes.items()} if around else {}
    return np.array(sorted(ends.first[type_] + rows[type_].index(id_) for type_, id_ in find(graph, *around)), dtype=np.int64)


def find(graph: Graph, *names: str) -> list[tuple[str, str]]:
    """(type, id) of the nodes with these ids, or else with these names or aliases, whatever their case.

    Raises KgbuildError for a name that no node has, with the nearest that some node has.
    """
    ids: dict[str, list[tuple[str, str]]] = {}
    called: dict[str, list[tuple[str, str]]] = {}
    for type_, row in graph.node_rows() if names else ():
        kind = graph.schema.nodes[type_]
        for key in {row["id"], node_key(type_, row["id"])}:
            ids.setdefault(key, []).append((type_, row["id"]))
        aliases = [alias for prop in kind.properties if prop.iri == ALIAS for alias in row[prop.name]]
        for name in {text.casefold() for text in (label(kind, row), *aliases)}:
            called.setdefault(name, []).append((type_, row["id"]))
    found: dict[tuple[str, str], None] = {}
    for name in names:
        nodes = ids.get(name) or called.get(name.casefold())
        if not nodes:
            raise _unknown("node", name, called)
        found.update(dict.fromkeys(nodes))
    return list(found)


def _unknown(what: str, name: str, known: Iterable[str]) -> KgbuildError:
    near = difflib.get_close_matches(name.casefold(), known, n=3)
    return KgbuildError(f"no {what} {name!r} in the graph", f"did you mean {', '.join(map(repr, near))}?" if near else "")
