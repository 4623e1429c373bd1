"""What differs between two graphs, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from kgbuild.graph import EDGE_KEY, Graph

Row = dict[str, Any]
CHANGES = pa.schema(
    [("change", pa.string()), ("type", pa.string()), ("id", pa.string()), ("target", pa.string()), ("columns", pa.string())]
)


def diff(left: Graph, right: Graph) -> pa.Table:
    """The rows that `right` has and `left` has not, and the other way round: nodes by id, edges by their ends.

    Columns: change (added, removed or changed), type (of the node, or the relation), id (of the node, or of the edge's source),
    target (of edges), columns (what differs in a changed row). Equal graphs give no rows.
    """
    changes: list[Row] = []
    for name, table in left.nodes.items():
        changes.extend(_changes(name, table, right.nodes[name], ("id",)))
    for name, table in left.edges.items():
        changes.extend(_changes(name, table, right.edges[name], EDGE_KEY))
    return pa.Table.from_pylist(changes, schema=CHANGES)


def _changes(name: str, left: pa.Table, right: pa.Table, keys: tuple[str, ...]) -> Iterator[Row]:
    if left.equals(right):
        return
    # Both are sorted by the key: walk them side by side and hold one row of each.
    old, new = _rows(left), _rows(right)
    a, b = next(old, None), next(new, None)
    while a or b:
        key_a, key_b = a and tuple(a[key] for key in keys), b and tuple(b[key] for key in keys)
        if b is None or (key_a and key_b and key_a < key_b):
            yield _change("removed", name, a or {})
            a = next(old, None)
        elif a is None or (key_a and key_b and key_b < key_a):
            yield _change("added", name, b)
            b = next(new, None)
        else:
            columns = [column for column in a if a[column] != b[column]]
            if columns:
                yield _change("changed", name, a, columns)
            a, b = next(old, None), next(new, None)


def _rows(table: pa.Table) -> Iterator[Row]:
    for batch in table.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


def _change(change: str, name: str, row: Row, columns: list[str] | None = None) -> Row:
    id_ = row["id"] if "id" in row else row["source"]
    return {"change": change, "type": name, "id": id_, "target": row.get("target"), "columns": ", ".join(columns or [])}
