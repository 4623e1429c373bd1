"""The Python form of the catalogue: each question over a networkx MultiDiGraph as `kgbuild.stores.networkx.to_networkx` makes it.

Concepts are nodes named by their id and papers `paper:ID`; a function takes the graph and the parameters of its question
and returns rows in the order of the catalogue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

    Net = nx.MultiDiGraph[str]

Row = dict[str, Any]
Edge = tuple[str, Row]


def edges_into(graph: Net, node: str, relation: str, min_belief: float = 0.0) -> Iterator[Edge]:
    """(source, properties) of the edges of a relation that end at the node, those of at least that belief."""
    for source, _, key, edge in graph.in_edges(node, keys=True, data=True) if node in graph else ():
        if key == relation and edge["belief"] >= min_belief:
            yield source, edge


def edges_out_of(graph: Net, node: str, relation: str, min_belief: float = 0.0) -> Iterator[Edge]:
    """(target, properties) of the edges of a relation that start at the node, those of at least that belief."""
    for _, target, key, edge in graph.out_edges(node, keys=True, data=True) if node in graph else ():
        if key == relation and edge["belief"] >= min_belief:
            yield target, edge


def _strongest_first(row: Row) -> tuple[Any, ...]:
    return -row["support"], -row["belief"], row["id"]


def _related(graph: Net, type_: str, edges: Iterator[Edge]) -> list[Row]:
    """One row for each edge whose other end is of the type."""
    rows = []
    for other, edge in edges:
        node = graph.nodes[other]
        if node["type"] == type_:
            taken = {name: edge[name] for name in ("belief", "support", "background")}
            row = {"id": node["id"], "name": node["name"], **taken, "papers": edge["evidence_paper"], "passages": edge["evidence_text"]}
            rows.append(row)
    return sorted(rows, key=_strongest_first)


def methods_for(graph: Net, *, task: str, min_belief: float) -> list[Row]:
    """Methods that are used for a task."""
    return _related(graph, "Method", edges_into(graph, task, "USED_FOR", min_belief))


def datasets_for(graph: Net, *, task: str, min_belief: float) -> list[Row]:
    """Datasets that serve to train or test a task."""
    return _related(graph, "Dataset", edges_into(graph, task, "BENCHMARK_FOR", min_belief))


def metrics_for(graph: Net, *, thing: str, min_belief: float) -> list[Row]:
    """Metrics by which a task, dataset or method is measured."""
    return _related(graph, "Metric", edges_out_of(graph, thing, "MEASURED_BY", min_belief))


def evaluated_on(graph: Net, *, dataset: str, min_belief: float) -> list[Row]:
    """Methods that were tested on a dataset."""
    return _related(graph, "Method", edges_into(graph, dataset, "EVALUATED_ON", min_belief))


def variants_of(graph: Net, *, method: str, min_belief: float) -> list[Row]:
    """Kinds, instances and variants of a method."""
    return _related(graph, "Method", edges_into(graph, method, "SUBCLASS_OF", min_belief))


def components_of(graph: Net, *, method: str, min_belief: float) -> list[Row]:
    """Components, modules, steps and ingredients of a method."""
    return _related(graph, "Method", edges_into(graph, method, "PART_OF", min_belief))


_NO_EDGE: Row = {"belief": 0.0, "support": 0, "evidence_paper": [], "evidence_text": []}


def compared_with(graph: Net, *, method: str, min_belief: float) -> list[Row]:
    """Methods that a method is compared with, in either direction; `ahead` counts the papers that favour the method asked about."""
    there = dict(edges_out_of(graph, method, "COMPARED_WITH", min_belief))
    back = dict(edges_into(graph, method, "COMPARED_WITH", min_belief))
    rows = []
    for other in {**there, **back}:
        first, second = there.get(other, _NO_EDGE), back.get(other, _NO_EDGE)
        row = {
            "id": graph.nodes[other]["id"],
            "name": graph.nodes[other]["name"],
            "belief": max(first["belief"], second["belief"]),
            "support": first["support"] + second["support"],
            "ahead": first["support"],
            "papers": first["evidence_paper"] + second["evidence_paper"],
            "passages": first["evidence_text"] + second["evidence_text"],
        }
        rows.append(row)
    return sorted(rows, key=_strongest_first)


def _papers(graph: Net, thing: str, min_belief: float) -> Iterator[tuple[Row, Row | None, Row | None, Row]]:
    """Each paper that mentions the thing, with its PROPOSES, ADDRESSES and MENTIONS edges."""
    proposes = dict(edges_into(graph, thing, "PROPOSES", min_belief))
    addresses = dict(edges_into(graph, thing, "ADDRESSES", min_belief))
    for paper, mentions in edges_into(graph, thing, "MENTIONS", min_belief):
        yield graph.nodes[paper], proposes.get(paper), addresses.get(paper), mentions


def papers_about(graph: Net, *, thing: str, min_belief: float) -> list[Row]:
    """Papers that mention a thing: those that propose it first, then those that address it, then those that name it most often."""
    rows = []
    for paper, proposes, addresses, mentions in _papers(graph, thing, min_belief):
        row = {
            **{name: paper[name] for name in ("id", "title", "year")},
            "proposes": (proposes or _NO_EDGE)["belief"],
            "addresses": (addresses or _NO_EDGE)["belief"],
            "belief": mentions["belief"],
            "mentions": len(mentions["evidence_text"]),
            "passages": (proposes or addresses or mentions)["evidence_text"],
        }
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["proposes"], -row["addresses"], -row["mentions"], row["id"]))


def timeline(graph: Net, *, thing: str, min_belief: float) -> list[Row]:
    """Papers that mention a thing, oldest first, papers without a year last."""
    rows = []
    for paper, proposes, addresses, mentions in _papers(graph, thing, min_belief):
        strongest = proposes or addresses or mentions
        event = "proposes" if proposes else "addresses" if addresses else "mentions"
        row = {**{name: paper[name] for name in ("year", "id", "title")}, "event": event}
        rows.append(row | {"belief": strongest["belief"], "passages": strongest["evidence_text"]})
    return sorted(rows, key=lambda row: (row["year"] is None, row["year"] or 0, row["id"]))


def co_occurring(graph: Net, *, thing: str, min_belief: float) -> list[Row]:
    """Things that stand in the same papers as a thing."""
    papers: dict[str, list[str]] = defaultdict(list)
    for paper, _ in edges_into(graph, thing, "MENTIONS", min_belief):
        for other, _ in edges_out_of(graph, paper, "MENTIONS", min_belief):
            if other != thing:
                papers[other].append(graph.nodes[paper]["id"])
    rows = [
        {"id": graph.nodes[other]["id"], "name": graph.nodes[other]["name"], "together": len(shared), "papers": shared}
        for other, shared in papers.items()
    ]
    return sorted(rows, key=lambda row: (-row["together"], row["id"]))


def _end(graph: Net, result: str, relation: str) -> Row:
    """The node at the end of a result's relation; a dict without id where there is none."""
    return next((graph.nodes[target] for target, _ in edges_out_of(graph, result, relation)), {})


def _board_place(row: Row) -> tuple[Any, ...]:
    sign = 1.0 if row["better"] == "lower" else -1.0
    unranked = row["number"] is None
    board = row["dataset"] is None, row["dataset"] or "", row["metric"], row["unit"] or ""
    return *board, unranked, 0.0 if unranked else sign * row["number"], row["id"]


def leaderboard(graph: Net, *, wanted_dataset: str, wanted_task: str, wanted_metric: str, kind: str, min_belief: float) -> list[Row]:
    """Results on a dataset or for a task, one board after the other (dataset, metric, unit), the best figure of a board first.

    A parameter that is an empty string does not restrict. A board whose metric has no known direction is listed from the largest.
    """
    rows = []
    for key, result in graph.nodes(data=True):
        if result["type"] != "Result" or result["kind"] != kind:
            continue
        ends = {role: _end(graph, key, f"RESULT_{role.upper()}") for role in ("method", "metric", "dataset", "task")}
        wanted = (("dataset", wanted_dataset), ("task", wanted_task), ("metric", wanted_metric))
        if not ends["metric"] or any(id_ and ends[role].get("id") != id_ for role, id_ in wanted):
            continue
        for source, edge in edges_into(graph, key, "REPORTS", min_belief):
            paper = graph.nodes[source]
            row = {name: result[name] for name in ("id", "value", "number", "unit", "quote")} | {"belief": edge["belief"]}
            row |= {role: end.get("id") for role, end in ends.items()} | {f"{role}_name": end.get("name") for role, end in ends.items()}
            rows.append(row | {"better": ends["metric"]["better"], "paper": paper["id"], "title": paper["title"], "year": paper["year"]})
    return sorted(rows, key=_board_place)


FORMS: dict[str, Callable[..., list[Row]]] = {
    form.__name__: form
    for form in (
        leaderboard, methods_for, datasets_for, metrics_for, evaluated_on, compared_with,
        variants_of, components_of, papers_about, timeline, co_occurring,
    )
}  # fmt: skip
