"""Paths are shortest and neighbourhoods whole, measured against networkx."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest

from kgbuild.errors import QueryError
from kgbuild.graph import Graph
from kgbuild.queries import Questions


def _concepts(graph: Graph) -> nx.Graph:
    """The relations between concepts, without direction."""
    plain: nx.Graph = nx.Graph()
    for relation in graph.schema.group("concept"):
        plain.add_edges_from((row["source"], row["target"]) for _, row in graph.edge_rows(relation.name))
    return plain


def test_paths_are_shortest(gold_graph: Graph) -> None:
    """A path joins its two ends edge by edge and has the length that networkx finds; none is found where networkx finds none."""
    questions, plain = Questions(gold_graph), _concepts(gold_graph)
    rows = sorted(gold_graph.nodes["Method"].to_pylist(), key=lambda row: (-row["papers"], row["id"]))
    ids = [row["id"] for row in rows[:6] if row["id"] in plain]
    for first, second in pairwise(ids):
        path = questions.path(first, second).to_pylist()
        here = first
        for row in path:
            assert here in (row["source"], row["target"])
            here = row["target"] if here == row["source"] else row["source"]
        connected = nx.has_path(plain, first, second) and nx.shortest_path_length(plain, first, second) <= 6
        assert len(path) == (nx.shortest_path_length(plain, first, second) if connected else 0)
        assert here == (second if connected else first)


def test_neighbourhoods_are_whole(gold_graph: Graph) -> None:
    """Two steps reach exactly the things at distance one and two, each edge at the step at which it is first met."""
    plain = _concepts(gold_graph)
    rows = Questions(gold_graph).neighbours("method:bert", hops=2).to_pylist()
    reached = {row[end] for row in rows for end in ("source", "target")}
    assert reached == set(nx.single_source_shortest_path_length(plain, "method:bert", cutoff=2))
    for row in rows:
        nearest = min(nx.shortest_path_length(plain, "method:bert", row[end]) for end in ("source", "target"))
        assert row["hop"] == nearest + 1


def test_a_thing_is_no_path_from_itself(awkward_graph: Graph) -> None:
    """The path from a thing to itself has no edges; relations that do not exist are refused."""
    questions = Questions(awkward_graph)
    assert questions.path("method:a", "Alpha net").num_rows == 0
    assert questions.path("method:a", "task:zz").num_rows == 0
    with pytest.raises(QueryError, match="known: "):
        questions.neighbours("method:a", relations=["LIKES"])
    assert questions.neighbours("method:a", min_belief=0.9)["target"].to_pylist() == ["method:a"]
