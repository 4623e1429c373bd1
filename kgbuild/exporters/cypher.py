"""A Cypher script for Neo4j: constraints, then batches of MERGE, so that running it twice changes nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any, TextIO

from kgbuild.exporters.files import manifest_text
from kgbuild.graph import Graph

# Rows to a statement: one transaction each, small enough for the parser and large enough to be quick.
BATCH = 200
MANIFEST = "KgbuildManifest"
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def write(graph: Graph, path: Path) -> None:
    """Write the script for `cypher-shell -f`; the manifest becomes a node of its own, as in a store that kgbuild loads."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("// A graph of kgbuild. Load it with: cypher-shell -f FILE\n")
        for type_ in graph.nodes:
            constraint = name(f"kgbuild_{type_}_id")
            stream.write(f"CREATE CONSTRAINT {constraint} IF NOT EXISTS FOR (n:{name(type_)}) REQUIRE n.id IS UNIQUE;\n")
        for type_ in graph.nodes:
            rows = (literal({"id": row.pop("id"), "own": row}) for _, row in graph.node_rows(type_))
            _write_batches(stream, rows, f"MERGE (n:{name(type_)} {{id: row.id}}) SET n += row.own")
        for relation in graph.edges:
            _write_edges(stream, graph, relation)
        stream.write(f"MERGE (m:{MANIFEST} {{id: 'manifest'}}) SET m.json = {literal(manifest_text(graph))};\n")


def _write_edges(stream: TextIO, graph: Graph, relation: str) -> None:
    pairs = groupby((row for _, row in graph.edge_rows(relation)), key=lambda row: (row["source_type"], row["target_type"]))
    properties = [prop.name for prop in graph.schema.relations[relation].properties]
    for (source, target), rows in pairs:
        ends = f"MATCH (a:{name(source)} {{id: row.source}}) MATCH (b:{name(target)} {{id: row.target}})"
        literals = (
            literal({"source": row["source"], "target": row["target"], "own": {name: row[name] for name in properties}}) for row in rows
        )
        _write_batches(stream, literals, f"{ends} MERGE (a)-[r:{name(relation)}]->(b) SET r += row.own")


def _write_batches(stream: TextIO, rows: Iterator[str], statement: str) -> None:
    while batch := list(islice(rows, BATCH)):
        stream.write("UNWIND [\n" + ",\n".join(batch) + f"\n] AS row {statement};\n")


def literal(value: Any) -> str:
    """The value as a Cypher literal."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    if isinstance(value, float) and not math.isfinite(value):
        return "(0.0/0.0)" if math.isnan(value) else "(1.0/0.0)" if value > 0 else "(-1.0/0.0)"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Iterable):
        return "[" + ", ".join(map(literal, value)) + "]"
    return repr(value)


def name(text: str) -> str:
    """The text as a Cypher name, quoted where it has to be."""
    return text if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) else "`" + text.replace("`", "``") + "`"
