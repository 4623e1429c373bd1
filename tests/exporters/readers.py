"""Readers that are not ours, one or more for each format: what they find in a file, as nodes and edges with all their values."""

from __future__ import annotations

import csv
import html
import json
import math
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import pyarrow.parquet as pq
import pygraphviz

from kgbuild.graph import Graph
from kgbuild.schema import Property, Schema

Attributes = dict[str, Any]


@dataclass
class Found:
    """What a reader found: attributes of each node by its key, and (source key, target key, attributes) of each edge."""

    nodes: dict[str, Attributes]
    edges: list[tuple[str, str, Attributes]]
    manifest: Any
    type_key: str = "type"

    def graph(self, schema: Schema) -> Graph:
        """The graph that the values describe."""
        nodes: dict[str, list[dict[str, Any]]] = {}
        for values in self.nodes.values():
            type_ = values[self.type_key]
            row = {prop.name: value(values, prop) for prop in schema.nodes[type_].properties}
            nodes.setdefault(type_, []).append(row | {"id": values["node_id"]})
        edges: dict[str, list[dict[str, Any]]] = {}
        for source, target, values in self.edges:
            row = {prop.name: value(values, prop) for prop in schema.relations[values["rel_type"]].properties}
            for end, key in (("source", source), ("target", target)):
                row |= {end: self.nodes[key]["node_id"], f"{end}_type": self.nodes[key][self.type_key]}
            edges.setdefault(values["rel_type"], []).append(row)
        return Graph.from_rows(nodes, edges, self.manifest, schema)


def value(values: Attributes, prop: Property) -> Any:
    """A property among attributes: the name may have got an underscore, a list may be JSON, a number may be text."""
    found = values.get(f"{prop.name}_", values.get(prop.name))
    if found is None:
        return [] if prop.many else None
    if prop.many:
        return json.loads(found) if isinstance(found, str) else found
    if prop.type == "boolean":
        return found in (True, "true")
    return {"string": str, "integer": int, "float": lambda item: float(str(item))}[prop.type](found)


def of_networkx(graph: nx.Graph, manifest: Any, type_key: str = "type") -> Found:
    """What NetworkX holds."""
    return Found(dict(graph.nodes(data=True)), [(a, b, values) for a, b, values in graph.edges(data=True)], manifest, type_key)


def graphml_networkx(path: Path) -> Found:
    """GraphML through NetworkX."""
    graph = nx.read_graphml(path, force_multigraph=True)
    return of_networkx(graph, json.loads(graph.graph["manifest"]))


def graphml_igraph(path: Path) -> Found:
    """GraphML through igraph, whose missing texts are empty and whose missing numbers are NaN."""
    graph = igraph.Graph.Read_GraphML(str(path))
    nodes = {vertex["id"]: _without_gaps(vertex.attributes()) for vertex in graph.vs}
    keys = graph.vs["id"]
    edges = [(keys[edge.source], keys[edge.target], _without_gaps(edge.attributes())) for edge in graph.es]
    return Found(nodes, edges, json.loads(graph["manifest"]))


def _without_gaps(attributes: Attributes) -> Attributes:
    return {
        name: int(item) if isinstance(item, float) and item.is_integer() and name not in ("number", "belief", "confidence") else item
        for name, item in attributes.items()
        if item != "" and not (isinstance(item, float) and math.isnan(item))
    } | {name: item for name, item in attributes.items() if item == "" and name in ("abstract", "name", "title")}


def gexf_networkx(path: Path) -> Found:
    """GEXF through NetworkX."""
    text = re.search(r"<description>(.*?)</description>", path.read_text(encoding="utf-8"), re.DOTALL)
    assert text
    graph = nx.read_gexf(path)
    return of_networkx(graph, json.loads(html.unescape(text[1])), "node_type")


def node_link(path: Path) -> Found:
    """Node-link JSON through NetworkX."""
    graph = nx.node_link_graph(json.loads(path.read_text(encoding="utf-8")))
    return of_networkx(graph, graph.graph["manifest"])


def cytoscape(path: Path) -> Found:
    """Cytoscape JSON through NetworkX."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return of_networkx(nx.cytoscape_graph(raw), json.loads(raw["data"]["manifest"]))


def graphviz(path: Path) -> Found:
    """DOT through Graphviz itself."""
    graph = pygraphviz.AGraph(str(path), encoding="utf-8")
    nodes = {_plain(node): _dot(node.attr) for node in graph.nodes()}
    edges = [(_plain(edge[0]), _plain(edge[1]), _dot(edge.attr)) for edge in graph.edges()]
    return Found(nodes, edges, json.loads(_plain(graph.graph_attr["comment"])))


def _dot(attributes: Any) -> Attributes:
    """Graphviz gives every node every attribute of any node; those it does not have are empty."""
    return {key: _plain(text) for key, text in attributes.to_dict().items() if text}


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text, flags=re.DOTALL)


def csv_folder(path: Path) -> Found:
    """CSV tables through Python's csv, which does not tell null from empty text."""
    tables = {file.relative_to(path).with_suffix("").as_posix(): file.read_bytes().decode() for file in sorted(path.rglob("*.csv"))}
    return _of_tables({name: _csv_rows(text) for name, text in tables.items()}, json.loads((path / "manifest.json").read_bytes()))


def csv_zip(path: Path) -> Found:
    """The same tables in a zip."""
    with zipfile.ZipFile(path) as archive:
        tables = {name.removesuffix(".csv"): archive.read(name).decode() for name in archive.namelist() if name.endswith(".csv")}
        manifest = json.loads(archive.read("manifest.json"))
    return _of_tables({name: _csv_rows(text) for name, text in tables.items()}, manifest)


def _csv_rows(text: str) -> list[Attributes]:
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(iter(text.splitlines(keepends=True)), strict=True))


def parquet_folder(path: Path) -> Found:
    """Parquet tables through pyarrow."""
    files = sorted(path.rglob("*.parquet"))
    tables = {file.relative_to(path).with_suffix("").as_posix(): pq.read_table(file).to_pylist() for file in files}
    return _of_tables(tables, json.loads((path / "manifest.json").read_bytes()))


def _of_tables(tables: dict[str, list[Attributes]], manifest: Any) -> Found:
    nodes: dict[str, Attributes] = {}
    edges: list[tuple[str, str, Attributes]] = []
    for name, rows in tables.items():
        part, _, kind = name.partition("/")
        for row in rows:
            own = {key: item for key, item in row.items() if item != "" or key in ("abstract", "title", "name")}
            if part == "nodes":
                nodes[f"{kind} {row['id']}"] = own | {"type": kind, "node_id": row["id"]}
            else:
                ends = f"{row['source_type']} {row['source']}", f"{row['target_type']} {row['target']}"
                edges.append((*ends, own | {"rel_type": kind}))
    return Found(nodes, edges, manifest)


# Format: (suffix to write, reader). A format without a row here has to be named in test_conformance's LEFT_OUT.
READERS: list[tuple[str, str, Callable[[Path], Found]]] = [
    ("graphml", ".graphml", graphml_networkx),
    ("graphml", ".graphml", graphml_igraph),
    ("gexf", ".gexf", gexf_networkx),
    ("node-link", ".json", node_link),
    ("cytoscape", ".cyjs", cytoscape),
    ("dot", ".dot", graphviz),
    ("csv", ".csv", csv_folder),
    ("csv", ".csv.zip", csv_zip),
    ("parquet", ".parquet", parquet_folder),
]


def rdf_store(path: Path) -> Any:
    """The triples (or quads) of an RDF file in an Oxigraph database."""
    import pyoxigraph

    store = pyoxigraph.Store()
    store.bulk_load(path=str(path))
    return store


def things(store: Any, iri: str) -> int:
    """How many things are of a class, in whichever graph."""
    return len(list(store.query(f"SELECT DISTINCT ?s {{ ?s a <{iri}> }}", use_default_graph_as_union=True)))
