"""Stores: a `Graph` into a database and back, and query text to an Arrow table. One address opens any of them.

| address                                   | store                                                        |
|-------------------------------------------|--------------------------------------------------------------|
| `graph.kg`                                | the embedded Cypher store of a graph, never written to       |
| `ladybug:PATH`                            | embedded Cypher in a file of its own                         |
| `neo4j://HOST`, `bolt://HOST`, `neo4j:`   | a Neo4j server; user, password and database from NEO4J_*     |
| `rdf:DIR`                                 | Oxigraph on disk, SPARQL                                     |
| `rdflib:`                                 | an rdflib dataset in memory, backed by Oxigraph, SPARQL      |
| `networkx:`, `networkx:graph.kg`          | a typed MultiDiGraph in memory, no query language            |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self, cast, runtime_checkable

from kgbuild.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from kgbuild.graph import Graph


@runtime_checkable
class Store(Protocol):
    """What every store does; the conformance suite in tests/stores holds each of them to it.

    `name` is the row of the table below, `language` what `query` understands (None: it has no query language).
    """

    name: str
    language: Literal["cypher", "sparql"] | None

    def write(self, graph: Graph) -> None:
        """Add the graph: rows whose id or ends are already there are replaced, others stay. Writing twice changes nothing.

        Raises StoreError where the store cannot be reached or is being written by someone else.
        """

    def read(self) -> Graph:
        """Everything in the store that the ontology knows, as a canonical graph."""

    def query(self, text: str, parameters: Mapping[str, Any] | None = None, *, write: bool = False) -> pa.Table:
        """The rows that the query gives, one column for each name that it returns; changes nothing unless `write`.

        Values come in through `parameters` only. Raises QueryError for a query that does not parse or names what is not there.
        """

    def close(self) -> None:
        """Let go of files and connections; closing twice is fine."""

    def __enter__(self) -> Self:
        """The store itself."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the store."""


class _Row(NamedTuple):
    module: str
    type: str
    package: str


_NEO4J = _Row("neo4j", "Neo4jStore", "neo4j")
STORES = {
    "ladybug": _Row("ladybug", "LadybugStore", "ladybug"),
    "neo4j": _NEO4J,
    "neo4j+s": _NEO4J,
    "neo4j+ssc": _NEO4J,
    "bolt": _NEO4J,
    "bolt+s": _NEO4J,
    "bolt+ssc": _NEO4J,
    "rdf": _Row("oxigraph", "OxigraphStore", "pyoxigraph"),
    "rdflib": _Row("rdflib", "RdflibStore", "oxrdflib"),
    "networkx": _Row("networkx", "NetworkxStore", "networkx"),
}


def open_store(url: str) -> Store:
    """The store at that address (table above); nothing is created before the first write.

    Raises StoreError for an unknown kind of address, a package that is not installed, or a store that cannot be opened.
    """
    scheme, colon, _ = url.partition(":")
    # One letter before the colon is a drive, and a name with a slash or dot before it is a path.
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+]+", scheme):
        scheme = "ladybug"
    if scheme.lower() not in STORES:
        raise StoreError(f"unknown kind of store {scheme!r} in {url!r}", f"known: {', '.join(STORES)}; or the path of a graph")
    row = STORES[scheme.lower()]
    try:
        module = import_module(f"{__name__}.{row.module}")
    except ImportError as error:
        raise StoreError(f"the {scheme} store needs the package {row.package}", f"pip install {row.package}") from error
    return cast(Store, getattr(module, row.type).open(url))
