"""GEXF 1.2 for Gephi: colours by type, sizes by degree, the relation as label and as attribute `rel_type`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from kgbuild.exporters import flat
from kgbuild.exporters.files import manifest_text
from kgbuild.graph import Graph

NAMESPACE = "http://www.gexf.net/1.2draft"
VIZ = "http://www.gexf.net/1.2draft/viz"
TYPES = {"string": "string", "integer": "long", "float": "double", "boolean": "boolean"}
OWN_NODE = [flat.Attribute(name, name, "string") for name in ("node_type", "node_id")]
OWN_EDGE = [flat.Attribute("rel_type", "rel_type", "string")]
# Readers take these for the parts of a node or edge, not for attributes of it.
RESERVED = ("id", "label", "type", "weight", "source", "target", "viz", "start", "end", "node_type", "node_id", "rel_type")


def write(graph: Graph, path: Path) -> None:
    """Write the graph as GEXF; the weight of an edge is its number of supporting papers, at least 1."""
    node_columns = OWN_NODE + flat.attributes(graph.schema.nodes.values(), RESERVED)
    edge_columns = OWN_EDGE + flat.attributes(graph.schema.relations.values(), RESERVED)
    with etree.xmlfile(str(path), encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("gexf", nsmap={None: NAMESPACE, "viz": VIZ}, version="1.2"):
            meta = etree.Element("meta")
            etree.SubElement(meta, "creator").text = "kgbuild"
            etree.SubElement(meta, "description").text = flat.visible(manifest_text(graph))
            xml.write("\n", meta, "\n")
            with xml.element("graph", defaultedgetype="directed", mode="static"):
                for place, columns in (("node", node_columns), ("edge", edge_columns)):
                    xml.write("\n", _declaration(place, columns))
                keys = flat.keys(graph, flat.visible)
                xml.write("\n")
                with xml.element("nodes"):
                    _write_nodes(xml, graph, node_columns, keys)
                xml.write("\n")
                with xml.element("edges"):
                    _write_edges(xml, graph, edge_columns, keys)


def _declaration(place: str, columns: list[flat.Attribute]) -> Any:
    element = etree.Element("attributes", {"class": place, "mode": "static"})
    for column in columns:
        etree.SubElement(element, "attribute", id=f"{place[0]}_{column.property}", title=column.name, type=TYPES[column.type])
    return element


def _write_nodes(xml: Any, graph: Graph, columns: list[flat.Attribute], keys: flat.Keys) -> None:
    colours, degrees = flat.colours(graph.schema), flat.degrees(graph)
    largest = max(degrees.values(), default=1)
    for type_, row in graph.node_rows():
        name = flat.visible(flat.label(graph.schema.nodes[type_], row))
        element = etree.Element("node", id=keys[type_, row["id"]], label=name)
        _add_values(element, "n", columns, {**row, "node_type": type_, "node_id": row["id"]})
        red, green, blue = bytes.fromhex(colours[type_][1:])
        etree.SubElement(element, f"{{{VIZ}}}color", r=str(red), g=str(green), b=str(blue), nsmap={"viz": VIZ})
        size = 4 + 46 * (degrees[type_, row["id"]] / largest) ** 0.5
        etree.SubElement(element, f"{{{VIZ}}}size", value=f"{size:.2f}", nsmap={"viz": VIZ})
        xml.write("\n", element)


def _write_edges(xml: Any, graph: Graph, columns: list[flat.Attribute], keys: flat.Keys) -> None:
    for number, (relation, row) in enumerate(graph.edge_rows()):
        source, target = keys[row["source_type"], row["source"]], keys[row["target_type"], row["target"]]
        weight = str(max(row["support"], 1))
        element = etree.Element("edge", id=f"e{number}", source=source, target=target, weight=weight, label=relation)
        _add_values(element, "e", columns, {**row, "rel_type": relation})
        xml.write("\n", element)


def _add_values(element: Any, letter: str, columns: list[flat.Attribute], values: dict[str, Any]) -> None:
    holder = etree.SubElement(element, "attvalues")
    for column in columns:
        text = flat.flat_value(values.get(column.property), column.type)
        if text is not None:
            etree.SubElement(holder, "attvalue", {"for": f"{letter}_{column.property}", "value": text})
