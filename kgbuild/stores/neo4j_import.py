"""Files for `neo4j-admin database import`: CSV with typed headers, checked ids, and the script that runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from kgbuild.errors import StoreError
from kgbuild.graph import Graph
from kgbuild.schema import Property
from kgbuild.stores.base import by_pattern
from kgbuild.stores.neo4j import definitions

TYPES = {"string": "string", "integer": "long", "float": "double", "boolean": "boolean"}
# Elements of a list are parted by a character that no text of the graph holds: the first of these that fits.
PARTINGS = "\x1f\x1e\x1d\x1c\x02\x03\x04\x05\x06\x0e\x0f"
LOAD_INSTEAD = "load it with kgbuild load --to neo4j://HOST"
SCRIPT = """\
#!/bin/sh
# Loads the files beside this script into an empty database of a stopped Neo4j server; then start it and run schema.cypher.
# NEO4J_ADMIN names another neo4j-admin, the first argument another database.
set -e
cd "$(dirname "$0")"
exec "${{NEO4J_ADMIN:-neo4j-admin}}" database import full "${{1:-neo4j}}" --overwrite-destination=true --multiline-fields=true \\
  --array-delimiter={parting} --input-encoding=UTF-8 \\
{files}
"""


def write_import(graph: Graph, folder: Path) -> None:
    """Write `nodes/TYPE.csv`, `edges/SOURCE.RELATION.TARGET.csv`, `import.sh` and `schema.cypher` into the folder.

    The graph is validated first, so that ids are unique and every edge has its ends. Empty lists become absent properties, which
    the Neo4j store reads as empty lists. Raises SchemaError for an invalid graph, StoreError for a list that CSV cannot hold.
    """
    graph.validate()
    _refuse_lists_of_nothing(graph)
    parting = _parting(graph)
    (folder / "nodes").mkdir(parents=True, exist_ok=True)
    (folder / "edges").mkdir(exist_ok=True)
    files = []
    for name, kind in graph.schema.nodes.items():
        header = [f"id:ID({name})", *map(_header, kind.properties)]
        _write(folder / "nodes" / f"{name}.csv", header, graph.nodes[name], parting)
        files.append(f"  --nodes={name}=nodes/{name}.csv")
    for name, relation in graph.schema.relations.items():
        for (source, target), rows in by_pattern(relation, graph.edges[name]):
            header = [f":START_ID({source})", f":END_ID({target})", *map(_header, relation.properties)]
            file = f"{source}.{name}.{target}.csv"
            _write(folder / "edges" / file, header, rows, parting)
            files.append(f"  --relationships={name}=edges/{file}")
    script = folder / "import.sh"
    script.write_text(SCRIPT.format(parting=f"U+{ord(parting):04X}", files=" \\\n".join(files)), encoding="utf-8")
    script.chmod(0o755)
    (folder / "schema.cypher").write_text(";\n".join(definitions(graph.schema)) + ";\n", encoding="utf-8")


def _header(prop: Property) -> str:
    return f"{prop.name}:{TYPES[prop.type]}{'[]' if prop.many else ''}"


def _parting(graph: Graph) -> str:
    used = {char for text in _list_texts(graph) for char in PARTINGS if char in text}
    free = [char for char in PARTINGS if char not in used]
    if not free:
        raise StoreError("the texts of the graph hold every control character", LOAD_INSTEAD)
    return free[0]


def _refuse_lists_of_nothing(graph: Graph) -> None:
    """The import tool reads a list of one empty text as an empty list, whatever the quoting."""
    for name, table in {**graph.nodes, **graph.edges}.items():
        for column, kind in zip(table.columns, table.schema, strict=True):
            if kind.type == pa.list_(pa.string()) and [""] in column.to_pylist():
                raise StoreError(f"{kind.name} of a {name} is a list of one empty text, which these files cannot hold", LOAD_INSTEAD)


def _list_texts(graph: Graph) -> Iterator[str]:
    for table in (*graph.nodes.values(), *graph.edges.values()):
        for column, kind in zip(table.columns, table.schema, strict=True):
            if kind.type == pa.list_(pa.string()):
                yield from column.combine_chunks().flatten().unique().to_pylist()


def _write(path: Path, header: list[str], table: pa.Table, parting: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(header) + "\n")
        for batch in table.to_batches(max_chunksize=10_000):
            columns = [[_cell(value, parting) for value in column.to_pylist()] for column in batch.columns]
            stream.writelines(",".join(cells) + "\n" for cells in zip(*columns, strict=True))


def _cell(value: Any, parting: str) -> str:
    """Text always in quotes: they keep an empty text apart from an absent one, which Python's csv writer cannot."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = parting.join(map(str, value)) if isinstance(value, list) else str(value)
    return '"' + text.replace('"', '""') + '"' if isinstance(value, str | list) else text
