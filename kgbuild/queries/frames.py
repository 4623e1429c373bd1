"""Answers for other libraries: an Arrow table to pandas, polars or networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kgbuild.errors import MissingExtraError, QueryError

if TYPE_CHECKING:
    import networkx as nx
    import pyarrow as pa

TARGETS = ("arrow", "pandas", "polars", "networkx")


def convert(table: pa.Table, to: str) -> Any:
    """The answer as `pandas` or `polars` data frame, as `networkx` graph, or as it is (`arrow`).

    Raises QueryError for another target, MissingExtraError where its package is not installed.
    """
    if to not in TARGETS:
        raise QueryError(f"cannot convert to {to!r}", f"known: {', '.join(TARGETS)}")
    try:
        if to == "pandas":
            import pandas  # noqa: F401  to_pandas needs it

            return table.to_pandas()
        if to == "polars":
            import polars

            return polars.from_arrow(table)
    except ImportError as error:
        raise MissingExtraError(f"converting to {to}", "frames") from error
    return to_network(table) if to == "networkx" else table


def to_network(table: pa.Table) -> nx.MultiDiGraph[str]:
    """The answer as a graph: the edges of a path or neighbourhood, or an edge from each row's node to what was asked about.

    Nodes are ids. The key of an edge is its relation or the name of the question; its attributes are the other columns.
    """
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    notes = {key.decode().removeprefix("kgbuild."): value.decode() for key, value in (table.schema.metadata or {}).items()}
    question = notes.pop("question", "answer")
    for row in table.to_pylist():
        if {"source", "target", "relation"} <= row.keys():
            graph.add_edge(row.pop("source"), row.pop("target"), key=row.pop("relation"), **row)
            continue
        id_ = row.pop("id")
        graph.add_node(id_, **{name: row[name] for name in ("name", "title") if name in row})
        for asked in notes.values():
            graph.add_edge(id_, asked, key=question, **row)
    return graph
