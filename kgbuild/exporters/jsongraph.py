"""The two JSON forms of a graph: node-link (NetworkX, D3) and Cytoscape; lists and nulls stay what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from kgbuild.exporters import flat
from kgbuild.exporters.files import manifest_text
from kgbuild.graph import Graph

NODE_LINK_RESERVED = ("id", "type", "label", "node_id", "source", "target", "key", "rel_type")
# Cytoscape and its readers take these for the parts of an element, `value` and `name` included.
CYTOSCAPE_RESERVED = (*NODE_LINK_RESERVED, "value", "parent", "interaction", "shared_name")


def write_node_link(graph: Graph, path: Path) -> None:
    """Write node-link JSON as `networkx.node_link_graph` reads it, one node or edge a line."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write('{"directed":true,"multigraph":true,"graph":{"manifest":' + flat.json_text(dict(graph.manifest)) + '},\n"nodes":[')
        _write_lines(stream, _nodes(graph, NODE_LINK_RESERVED))
        stream.write('],\n"edges":[')
        _write_lines(stream, ({**edge, "key": edge["rel_type"]} for edge in _edges(graph, NODE_LINK_RESERVED)))
        stream.write("]}\n")


def write_cytoscape(graph: Graph, path: Path) -> None:
    """Write Cytoscape JSON (elements style), one element a line; the manifest is a text in the network's data."""
    data = flat.json_text({"name": "kgbuild", "manifest": manifest_text(graph)})
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write('{"directed":true,"multigraph":true,"data":' + data + ',\n"elements":{"nodes":[')
        _write_lines(stream, ({"data": {**node, "value": node["id"]}} for node in _nodes(graph, CYTOSCAPE_RESERVED)))
        stream.write('],\n"edges":[')
        edges = enumerate(_edges(graph, CYTOSCAPE_RESERVED))
        own = ({"id": f"e{number}", "interaction": edge["rel_type"], "key": edge["rel_type"], **edge} for number, edge in edges)
        _write_lines(stream, ({"data": edge} for edge in own))
        stream.write("]}}\n")


def _nodes(graph: Graph, reserved: Iterable[str]) -> Iterator[dict[str, Any]]:
    keys = flat.keys(graph)
    names = {column.property: column.name for column in flat.attributes(graph.schema.nodes.values(), reserved)}
    for type_, row in graph.node_rows():
        kind = graph.schema.nodes[type_]
        own = {"id": keys[type_, row["id"]], "type": type_, "label": flat.label(kind, row), "node_id": row["id"]}
        yield {**own, **{names[prop.name]: row[prop.name] for prop in kind.properties}}


def _edges(graph: Graph, reserved: Iterable[str]) -> Iterator[dict[str, Any]]:
    keys = flat.keys(graph)
    names = {column.property: column.name for column in flat.attributes(graph.schema.relations.values(), reserved)}
    for relation, row in graph.edge_rows():
        source, target = keys[row["source_type"], row["source"]], keys[row["target_type"], row["target"]]
        values = {name: row[prop] for prop, name in names.items()}
        yield {"source": source, "target": target, "rel_type": relation, **values}


def _write_lines(stream: TextIO, rows: Iterator[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        stream.write(",\n" if number else "\n")
        stream.write(flat.json_text(row))
