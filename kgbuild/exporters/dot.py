"""DOT for Graphviz: everything quoted, lists as JSON text, colours by type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kgbuild.exporters import flat
from kgbuild.exporters.files import manifest_text
from kgbuild.graph import Graph

# Graphviz draws by these, and pydot fails on `name`, `src` and `dst`; ours of the same name get an underscore.
RESERVED = ("label", "fillcolor", "color", "style", "shape", "weight", "type", "node_id", "rel_type", "url", "name", "src", "dst")

PIECE = 2_000  # characters: 14,000 bytes if each of them has to be spelt out


def write(graph: Graph, path: Path) -> None:
    """Write a `digraph`; the manifest is its `comment`."""
    colours, keys = flat.colours(graph.schema), flat.keys(graph, flat.visible)
    node_columns = flat.attributes(graph.schema.nodes.values(), RESERVED)
    edge_columns = flat.attributes(graph.schema.relations.values(), RESERVED)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(f"digraph kgbuild {{\ngraph [comment={quoted(manifest_text(graph))}, rankdir=LR];\n")
        stream.write('node [shape=box, style="rounded,filled", fontname="Helvetica", fontcolor="black"];\n')
        for type_, row in graph.node_rows():
            name = flat.label(graph.schema.nodes[type_], row)
            own = {"label": name, "fillcolor": f"{colours[type_]}60", "type": type_, "node_id": row["id"]}
            stream.write(f"{quoted(keys[type_, row['id']])} [{_attributes(own, node_columns, row)}];\n")
        for relation, row in graph.edge_rows():
            source, target = keys[row["source_type"], row["source"]], keys[row["target_type"], row["target"]]
            own = {"label": relation, "rel_type": relation}
            stream.write(f"{quoted(source)} -> {quoted(target)} [{_attributes(own, edge_columns, row)}];\n")
        stream.write("}\n")


def quoted(text: str) -> str:
    r"""The text as a DOT string: `\`, `"` and line ends escaped as labels read them, unprintable characters made visible.

    Long texts become several strings joined by +, as Graphviz reads at most 16,384 bytes of one.
    """
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)] or [""]
    return " + ".join(f'"{_escaped(piece)}"' for piece in pieces)


def _escaped(text: str) -> str:
    escaped = flat.visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("\r", "\\r").replace("\n", "\\n")


def _attributes(own: dict[str, str], columns: list[flat.Attribute], row: dict[str, Any]) -> str:
    values = {column.name: flat.flat_value(row.get(column.property), column.type) for column in columns}
    return ", ".join(f"{name}={quoted(value)}" for name, value in (own | values).items() if value is not None)
