"""The graph in memory as a typed networkx MultiDiGraph, for algorithms; it has no query language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import networkx as nx

from kgbuild.errors import QueryError, SchemaError
from kgbuild.graph import Graph, node_key
from kgbuild.graphfile import GraphFile
from kgbuild.schema import Schema, load_schema
from kgbuild.stores.base import Closing

if TYPE_CHECKING:
    import pyarrow as pa

ENDS = ("source_type", "source", "target_type", "target")


def to_networkx(graph: Graph) -> nx.MultiDiGraph[str]:
    """The graph as a MultiDiGraph.

    Nodes are named by `kgbuild.graph.node_key` and carry `type`, `id` and their properties; the key of an edge is its
    relation, its attributes are the edge properties. `graph.graph["manifest"]` is the manifest.
    """
    result: nx.MultiDiGraph[str] = nx.MultiDiGraph(manifest=dict(graph.manifest))
    add_graph(result, graph)
    return result


def add_graph(result: nx.MultiDiGraph[str], graph: Graph) -> None:
    """Add nodes and edges of the graph; attributes of those already there are replaced."""
    result.add_nodes_from((node_key(type_, row["id"]), {"type": type_, **row}) for type_, row in graph.node_rows())
    for relation, row in graph.edge_rows():
        source_type, source, target_type, target = (row.pop(end) for end in ENDS)
        result.add_edge(node_key(source_type, source), node_key(target_type, target), key=relation, **row)


def from_networkx(networkx_graph: nx.MultiDiGraph[str], schema: Schema | None = None) -> Graph:
    """The graph that `to_networkx` gave, changes made to it since included.

    Raises SchemaError for a node without type or id, and for types, relations and values that the ontology does not have.
    """
    nodes: dict[str, list[dict[str, Any]]] = {}
    edges: dict[str, list[dict[str, Any]]] = {}
    ends: dict[str, tuple[str, str]] = {}
    for key, attributes in networkx_graph.nodes(data=True):
        if "type" not in attributes or "id" not in attributes:
            raise SchemaError(f"node {key!r} has no type or no id", "every node needs both attributes")
        ends[key] = attributes["type"], attributes["id"]
        nodes.setdefault(attributes["type"], []).append({name: value for name, value in attributes.items() if name != "type"})
    for source, target, relation, attributes in networkx_graph.edges(keys=True, data=True):
        row = dict(zip(ENDS, (*ends[source], *ends[target]), strict=True))
        edges.setdefault(relation, []).append({**row, **attributes})
    return Graph.from_rows(nodes, edges, networkx_graph.graph.get("manifest"), schema)


class NetworkxStore(Closing):
    """A MultiDiGraph in memory, at hand as `.graph`."""

    name: ClassVar[str] = "networkx"
    language: Literal["cypher", "sparql"] | None = None

    def __init__(self, schema: Schema | None = None) -> None:
        """An empty graph."""
        self.schema = schema or load_schema()
        self.graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()

    @classmethod
    def open(cls, url: str) -> NetworkxStore:
        """An empty store for `networkx:`, a loaded one for `networkx:GRAPH.kg`."""
        store = cls()
        if path := url.partition(":")[2]:
            store.write(GraphFile(path).graph())
        return store

    def write(self, graph: Graph) -> None:
        """Add nodes and edges; attributes of those already there are replaced."""
        add_graph(self.graph, graph)
        self.graph.graph["manifest"] = dict(graph.manifest)

    def read(self) -> Graph:
        """The nodes and edges as a canonical graph."""
        return from_networkx(self.graph, self.schema)

    def query(self, text: str, parameters: Mapping[str, Any] | None = None, *, write: bool = False) -> pa.Table:
        """Raises QueryError: there is no query language."""
        raise QueryError("networkx has no query language", "use its functions on `.graph`, or kgbuild ask")
