"""Asking the catalogue: names to nodes, the form that fits the store, and the same typed rows from each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kgbuild.errors import QueryError
from kgbuild.graph import Graph
from kgbuild.queries import paths
from kgbuild.queries.catalogue import QUESTIONS, STRINGS, Question
from kgbuild.queries.names import Names
from kgbuild.schema import Schema, load_schema

if TYPE_CHECKING:
    import networkx as nx

    from kgbuild.queries.index import SearchIndex
    from kgbuild.stores import Store

Row = dict[str, Any]
SEPARATOR = "\x1f"  # between the parts of a list that SPARQL gives as one text


class Questions:
    """A graph or a store that answers questions; names are read once, so that many questions cost one reading.

    target: a Graph, an opened graph file (`kgbuild.open`), an open Store of any kind, or a networkx MultiDiGraph made by
    `kgbuild.stores.networkx.to_networkx`. Names, `search` and `similar` come from an index of kgbuild's own, which is made
    of the graph's nodes; everything else is asked in the language of the target.
    """

    def __init__(self, target: Any, names: Names | None = None) -> None:
        """`names`: those of the graph, where they are at hand already."""
        if hasattr(target, "store") and hasattr(target, "graph"):  # a graph file has both
            self.graph = target.graph()
            target = target.store
        self.target: Graph | Store | nx.MultiDiGraph[str] = target
        if names is not None:
            self.names = names

    @cached_property
    def names(self) -> Names:
        """The names in the graph."""
        return Names.of_graph(self.graph)

    @cached_property
    def graph(self) -> Graph:
        """The whole graph as tables."""
        if isinstance(self.target, Graph):
            return self.target
        if hasattr(self.target, "read"):
            return self.target.read()
        from kgbuild.stores.networkx import from_networkx

        return from_networkx(self.target)

    @cached_property
    def network(self) -> nx.MultiDiGraph[str]:
        """The graph in memory that the Python forms run on."""
        from kgbuild.stores.networkx import NetworkxStore, to_networkx

        if isinstance(self.target, NetworkxStore):
            return self.target.graph
        return to_networkx(self.graph) if isinstance(self.target, Graph) or hasattr(self.target, "read") else self.target

    @cached_property
    def index(self) -> SearchIndex:
        """Full text and likeness over the graph."""
        from kgbuild.queries.index import SearchIndex

        return SearchIndex(self.graph)

    @property
    def schema(self) -> Schema:
        """The ontology of the graph."""
        return getattr(self.target, "schema", None) or load_schema()

    @property
    def language(self) -> str | None:
        """The query language of the target; None where the Python forms answer."""
        return getattr(self.target, "language", None)

    def ask(self, question: str, *, min_belief: float = 0.0, limit: int | None = None, **parameters: str | None) -> pa.Table:
        """The rows of a question of the catalogue; `parameters` are names, aliases or ids.

        min_belief: edges of less belief, in [0, 1], count for nothing. limit: at most that many rows. The schema's metadata
        hold the question and the ids that were asked for. Raises QueryError for an unknown question, parameter or name.
        """
        entry = find_question(question)
        bound, asked = self._bind(entry, parameters)
        bound["min_belief"] = float(min_belief)
        rows = list(self._rows(entry, bound))[:limit]
        table = pa.Table.from_pylist(rows, schema=entry.schema)
        notes = {"question": entry.name, **asked}
        return table.replace_schema_metadata({f"kgbuild.{name}": value for name, value in notes.items()})

    def search(self, text: str, *, types: Sequence[str] = (), limit: int = 10) -> pa.Table:
        """Concepts and papers by words and by meaning, best first: type, id, name, score in [0, 1], and the words around a hit."""
        if unknown := [name for name in types if name not in self.schema.nodes]:
            raise QueryError(f"unknown type {unknown[0]!r}", f"known: {', '.join(self.schema.nodes)}")
        return self.index.search(text, types=types, limit=limit)

    def similar(self, thing: str, *, limit: int = 10) -> pa.Table:
        """Things like a thing, of its type, best first: type, id, name, score in [0, 1], and how many neighbours they share."""
        return self.index.similar(self.names.find(thing, self.schema.concepts), limit=limit)

    def neighbours(self, thing: str, *, hops: int = 1, relations: Sequence[str] = (), min_belief: float = 0.0) -> pa.Table:
        """The edges around a thing; see `kgbuild.queries.paths.neighbours`."""
        return paths.neighbours(self, thing, hops=hops, relations=relations, min_belief=min_belief)

    def path(self, first: str, second: str, *, relations: Sequence[str] = (), min_belief: float = 0.0) -> pa.Table:
        """A shortest path between two things; see `kgbuild.queries.paths.path`."""
        return paths.path(self, first, second, relations=relations, min_belief=min_belief)

    def _bind(self, entry: Question, given: Mapping[str, str | None]) -> tuple[Row, dict[str, str]]:
        """What the forms take, and the ids that the names stand for."""
        values = {name: value for name, value in given.items() if value is not None}
        choices = entry.choices or {}
        for name in values:
            if name not in entry.takes and name not in choices:
                raise QueryError(f"{entry.name} takes no {name!r}", f"it takes {', '.join((*entry.takes, *choices))}")
        needed = entry.any_of or tuple(entry.takes)
        if not any(name in values for name in needed):
            raise QueryError(f"{entry.name} needs a {' or a '.join(needed)}", f'say {needed[0]}="NAME"')
        asked = {name: self.names.find(values[name], types).id for name, types in entry.takes.items() if name in values}
        bound: Row = {f"wanted_{name}": asked.get(name, "") for name in entry.takes} if entry.any_of else dict(asked)
        for name, allowed in choices.items():
            bound[name] = values.get(name, allowed[0])
            if bound[name] not in allowed:
                raise QueryError(f"{name} {bound[name]!r} is unknown", f"known: {', '.join(allowed)}")
        return bound, asked

    def _rows(self, entry: Question, bound: Row) -> Iterator[Row]:
        language = self.language
        if language is None or isinstance(self.target, Graph):
            rows = entry.python(self.network, **bound)
        else:
            found = self.target.query(entry.text(language), bound).to_pylist()  # type: ignore[union-attr]
            rows = list(folded(entry, found)) if language == "sparql" else found
        for row in rows:
            for name in entry.unordered:
                row[name] = sorted(row[name])
            if "type" in entry.columns:
                row["type"] = self.names.types.get(row["id"])
        return ranked(entry, rows)


def find_question(name: str) -> Question:
    """The question of that name, hyphens allowed; raises QueryError with the nearest for an unknown one."""
    wanted = name.replace("-", "_")
    if wanted not in QUESTIONS:
        from kgbuild.stores.base import nearest

        raise QueryError(f"no question {name!r}", nearest(name, QUESTIONS))
    return QUESTIONS[wanted]


def folded(entry: Question, rows: list[Row]) -> Iterator[Row]:
    """SPARQL has no lists: one row for each element, or their texts joined, become one row with lists."""
    lists = [field.name for field in entry.schema if field.type == STRINGS]
    plain = [name for name in entry.columns if name not in lists and rows and name in rows[0]]
    for _, group in groupby(rows, key=lambda row: [row[name] for name in plain]):
        members = list(group)
        row = {name: members[0][name] for name in plain}
        for name in lists:
            row[name] = [part for member in members if member[name] is not None for part in member[name].split(SEPARATOR)]
        yield row


def ranked(entry: Question, rows: list[Row]) -> Iterator[Row]:
    """The rows with a `rank` from 1 inside each group of comparable figures, equal figures sharing one; others as they are.

    A figure has no rank where the group lacks a part that makes it comparable, where the figure is a range, or where nobody
    knows which direction of the metric is good.
    """
    if not entry.grouped:
        yield from rows
        return
    for group, members in groupby(rows, key=lambda row: tuple(row[name] for name in entry.grouped)):
        place, before = 0, None
        for position, row in enumerate(members, 1):
            if row["number"] != before:
                place, before = position, row["number"]
            comparable = group[0] is not None and row["number"] is not None and row["better"] is not None
            yield {**row, "rank": place if comparable else None}
