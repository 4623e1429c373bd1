"""GraphML: typed attributes, lists as JSON text, empty values left out, the manifest as an attribute of the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from kgbuild.exporters import flat
from kgbuild.exporters.files import manifest_text
from kgbuild.graph import Graph

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
TYPES = {"string": "string", "integer": "long", "float": "double", "boolean": "boolean"}
# igraph keeps the key of the node in an attribute `id`; the others are ours.
OWN_NODE = [flat.Attribute(name, name, "string") for name in ("type", "label", "node_id")]
OWN_EDGE = [flat.Attribute("rel_type", "rel_type", "string")]


def write(graph: Graph, path: Path) -> None:
    """Write the graph as GraphML 1.0; the id of a node is its key, the id of an edge its place in the file."""
    node_columns = OWN_NODE + flat.attributes(graph.schema.nodes.values(), reserved=("id", *(own.name for own in OWN_NODE)))
    edge_columns = OWN_EDGE + flat.attributes(graph.schema.relations.values(), reserved=("id", "source", "target", "rel_type"))
    with etree.xmlfile(str(path), encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("graphml", nsmap={None: NAMESPACE}):
            _write_keys(xml, node_columns, edge_columns)
            xml.write("\n")
            with xml.element("graph", id="kgbuild", edgedefault="directed"):
                _write_item(xml, etree.Element("data", key="manifest"), flat.visible(manifest_text(graph)))
                keys = flat.keys(graph, flat.visible)
                _write_nodes(xml, graph, node_columns, keys)
                _write_edges(xml, graph, edge_columns, keys)


def _write_keys(xml: Any, node_columns: list[flat.Attribute], edge_columns: list[flat.Attribute]) -> None:
    manifest = flat.Attribute("manifest", "manifest", "string")
    for letter, place, columns in (("", "graph", [manifest]), ("n_", "node", node_columns), ("e_", "edge", edge_columns)):
        for column in columns:
            names = {"id": letter + column.property, "for": place, "attr.name": column.name, "attr.type": TYPES[column.type]}
            _write_item(xml, etree.Element("key", names))


def _write_nodes(xml: Any, graph: Graph, columns: list[flat.Attribute], keys: flat.Keys) -> None:
    for type_, row in graph.node_rows():
        values = {**row, "type": type_, "label": flat.label(graph.schema.nodes[type_], row), "node_id": row["id"]}
        _write_item(xml, _with_data(etree.Element("node", id=keys[type_, row["id"]]), "n_", columns, values))


def _write_edges(xml: Any, graph: Graph, columns: list[flat.Attribute], keys: flat.Keys) -> None:
    for number, (relation, row) in enumerate(graph.edge_rows()):
        source, target = keys[row["source_type"], row["source"]], keys[row["target_type"], row["target"]]
        element = etree.Element("edge", id=f"e{number}", source=source, target=target)
        _write_item(xml, _with_data(element, "e_", columns, {**row, "rel_type": relation}))


def _with_data(element: Any, letter: str, columns: list[flat.Attribute], values: dict[str, Any]) -> Any:
    for column in columns:
        text = flat.flat_value(values.get(column.property), column.type)
        if text is not None:
            etree.SubElement(element, "data", key=letter + column.property).text = text
    return element


def _write_item(xml: Any, element: Any, text: str | None = None) -> None:
    if text is not None:
        element.text = text
    xml.write("\n", element)
