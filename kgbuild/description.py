"""One node of a graph as a page of text: what it is, what it is related to, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.errors import QueryError
from kgbuild.graph import Graph

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An edge seen from one of its ends: `outgoing` where the described node is its source."""

    relation: str
    outgoing: bool
    type: str
    id: str
    name: str
    belief: float
    support: int
    sentences: tuple[tuple[str, str], ...]  # (paper id, sentence)


@dataclass
class Description:
    """A node with its edges, the surest first within a relation."""

    type: str
    row: Row
    neighbours: list[Neighbour] = field(default_factory=list)


def describe(graph: Graph, name: str, *, type_: str | None = None) -> list[Description]:
    """The nodes that go by that name, id, alias, title or identifier, letter case aside; several where types share the name.

    Raises QueryError where there is none, with the nearest name.
    """
    found = list(_named(graph, name, type_))
    if not found:
        from kgbuild.stores.base import nearest

        known = {label for _, row in _nodes(graph, type_) for label in _labels(row)}
        raise QueryError(f"nothing in the graph is called {name!r}", nearest(name, known))
    return [Description(kind, row, list(_neighbours(graph, kind, row["id"]))) for kind, row in found]


def _nodes(graph: Graph, type_: str | None) -> Iterator[tuple[str, Row]]:
    kinds = [name for name, kind in graph.schema.nodes.items() if kind.kind != "fact" and type_ in (None, name)]
    return graph.node_rows(*kinds) if kinds else iter(())


def _named(graph: Graph, name: str, type_: str | None) -> Iterable[tuple[str, Row]]:
    """By id or name first; aliases count only where nothing is named so."""
    wanted = name.casefold()
    aliased = []
    found = []
    for kind, row in _nodes(graph, type_):
        if wanted in (label.casefold() for label in _labels(row)):
            found.append((kind, row))
        elif wanted in (alias.casefold() for alias in row.get("aliases") or ()):
            aliased.append((kind, row))
    return found or aliased


def _labels(row: Row) -> list[str]:
    """What the node is called: its id and whichever of name, title and identifiers it has."""
    return [row["id"], *(row[key] for key in ("name", "title", "doi", "arxiv", "url") if row.get(key))]


def _neighbours(graph: Graph, type_: str, id_: str) -> Iterator[Neighbour]:
    for relation, table in graph.edges.items():
        rows = []
        for end, other in (("source", "target"), ("target", "source")):
            mine = pc.and_(pc.equal(table[end], id_), pc.equal(table[f"{end}_type"], type_))
            rows += [(row, end == "source", row[f"{other}_type"], row[other]) for row in table.filter(mine).to_pylist()]
        rows.sort(key=lambda item: (not item[1], -item[0]["belief"], -item[0]["support"], item[3]))
        names = _names(graph, {(kind, other) for _, _, kind, other in rows})
        for row, outgoing, kind, other in rows:
            sentences = tuple(dict.fromkeys(zip(row["evidence_paper"], row["evidence_text"], strict=True)))
            yield Neighbour(relation, outgoing, kind, other, names[kind, other], row["belief"], row["support"], sentences)


def _names(graph: Graph, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    names: dict[tuple[str, str], str] = {}
    for kind in {kind for kind, _ in wanted}:
        table = graph.nodes[kind]
        ids = pa.array(sorted(id_ for other, id_ in wanted if other == kind))
        column = next(name for name in ("name", "title", "quote", "url") if name in table.column_names)
        rows = table.filter(pc.is_in(table["id"], ids)).select(["id", column]).to_pylist()
        names |= {(kind, row["id"]): row[column] for row in rows}
    return names
