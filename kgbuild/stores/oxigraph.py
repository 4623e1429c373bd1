"""RDF on disk: an Oxigraph store in a folder of its own, asked in SPARQL over the union of its graphs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyoxigraph as ox

from kgbuild.errors import StoreError
from kgbuild.graph import Graph
from kgbuild.schema import Schema, load_schema
from kgbuild.stores import rdf, sparql
from kgbuild.stores.base import Closing

BATCH = 1_000  # subjects in one delete


class OxigraphStore(Closing):
    """A graph as RDF in a folder, or in memory where `path` is None."""

    name: ClassVar[str] = "rdf"
    language: Literal["cypher", "sparql"] | None = "sparql"

    def __init__(self, path: Path | None = None, schema: Schema | None = None) -> None:
        """`path`: the folder; it is made by the first write."""
        self.path, self.schema = path, schema or load_schema()
        self._inner: ox.Store | None = None if path else ox.Store()
        self._writable = path is None

    @classmethod
    def open(cls, url: str) -> OxigraphStore:
        """The store at `rdf:DIR`; `rdf:` alone is one in memory."""
        path = url.partition(":")[2]
        return cls(Path(path) if path else None)

    def write(self, graph: Graph) -> None:
        """Add the graph: bulk load into a new folder that appears when it is whole; a filled one has its rows replaced.

        Interrupted in a filled store, writing again completes it without doubles.
        """
        if self.path and not self.path.exists():
            self._write_new(self.path, graph)
            return
        inner = self.inner(write=True)
        if len(inner):
            _remove_old(inner, graph)
        inner.bulk_load(rdf.as_stream(graph), ox.RdfFormat.N_QUADS, lenient=True)
        if self.path:
            self.close()

    def read(self) -> Graph:
        """Everything in the store that the ontology knows, as a canonical graph."""
        return rdf.from_quads(self.inner(), self.schema)

    def query(self, text: str, parameters: Mapping[str, Any] | None = None, *, write: bool = False) -> pa.Table:
        """The rows of a SPARQL query, or of an update with `write` (no rows). The ontology's prefixes need no declaration.

        A parameter gives its value to the variable of its name, which SELECT must name (GROUP BY too); its column is left out.
        ASK gives one column `answer`, CONSTRUCT and DESCRIBE give `subject`, `predicate` and `object`.
        """
        given = dict(parameters or {})
        sparql.check(text, self.schema, write=write)
        if sparql.is_update(text):
            self.update(text)
            return pa.table({})
        result = self.solutions(text, {ox.Variable(name): sparql.term(item) for name, item in given.items()})
        if isinstance(result, ox.QueryBoolean):
            return pa.table({"answer": [bool(result)]})
        try:
            if isinstance(result, ox.QueryTriples):
                rows = [[sparql.value(item) for item in triple] for triple in result]
                return sparql.table(("subject", "predicate", "object"), rows, {})
            columns = [variable.value for variable in result.variables]
            return sparql.table(columns, [[sparql.value(item) for item in solution] for solution in result], given)
        except (RuntimeError, OSError) as error:
            raise sparql.query_error(error, text) from error

    def solutions(
        self,
        text: str,
        substitutions: Mapping[ox.Variable, Any] | None = None,
        *,
        default_graphs: list[ox.NamedNode] | None = None,
        named_graphs: list[ox.NamedNode] | None = None,
    ) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        """What Oxigraph itself answers; the default graph is the union of all graphs unless some are given."""
        try:
            return self.inner().query(
                text,
                prefixes=rdf.prefixes_of(self.schema),
                use_default_graph_as_union=not default_graphs,
                default_graph=list(default_graphs) if default_graphs else None,
                named_graphs=list(named_graphs) if named_graphs else None,
                substitutions=dict(substitutions or {}),
            )
        except (SyntaxError, RuntimeError, ValueError, OSError) as error:
            raise sparql.query_error(error, text) from error

    def update(self, text: str) -> None:
        """Run a SPARQL update."""
        try:
            self.inner(write=True).update(text, prefixes=rdf.prefixes_of(self.schema))
        except (SyntaxError, RuntimeError, ValueError, OSError) as error:
            raise sparql.query_error(error, text) from error

    def close(self) -> None:
        """Let go of the folder."""
        if self.path:
            self._inner = None

    def inner(self, *, write: bool = False) -> ox.Store:
        """The Oxigraph store itself, for those who need all of it."""
        if self._inner is None or (write and not self._writable):
            self._inner = None
            self._inner, self._writable = _opened(self.path or Path(), write), write
        return self._inner

    def _write_new(self, path: Path, graph: Graph) -> None:
        part = path.with_name(path.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            inner = ox.Store(str(part))
            inner.bulk_load(rdf.as_stream(graph), ox.RdfFormat.N_QUADS, lenient=True)
            inner.flush()
            del inner
            part.rename(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error}", "look at the place and its rights") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _opened(path: Path, write: bool) -> ox.Store:
    try:
        return ox.Store(str(path)) if write else ox.Store.read_only(str(path))
    except FileNotFoundError as error:
        raise StoreError(f"{path}: no such store", f"write a graph to it first: kgbuild load graph.kg --to rdf:{path}") from error
    except OSError as error:
        if "lock" in str(error).lower():
            raise StoreError(f"{path}: another process is writing to it", "wait until it is done and repeat") from error
        raise StoreError(f"{path}: not a store that can be opened: {error}", "load the graph again into a new folder") from error


def _remove_old(inner: ox.Store, graph: Graph) -> None:
    """Take out what the store says about the nodes and edges of the graph; relations of its nodes to others stay."""
    schema = graph.schema
    nodes = (rdf.node_iri(schema, type_, row["id"]) for type_, row in graph.node_rows())
    relations = ", ".join(f"<{schema.iri('kg:')}{name}>" for name in schema.relations)
    _delete(inner, nodes, f"FILTER(?p NOT IN ({relations}))")
    statements = (
        rdf.statement_iri(
            schema,
            rdf.node_iri(schema, row["source_type"], row["source"]),
            relation,
            rdf.node_iri(schema, row["target_type"], row["target"]),
        )
        for relation, row in graph.edge_rows()
    )
    evidence = ox.NamedNode(schema.iri("kg:evidence"))
    _delete(inner, (subject for iri in statements for subject in _parts(inner, iri, evidence)))


def _parts(inner: ox.Store, statement: str, evidence: ox.NamedNode) -> Iterable[str]:
    yield statement
    for quad in inner.quads_for_pattern(ox.NamedNode(statement), evidence, None):
        piece = str(quad.object).strip("<>")
        yield from (f"{piece}{part}" for part in ("", "/target", "/selector"))


def _delete(inner: ox.Store, subjects: Iterable[str], condition: str = "") -> None:
    # The subjects are IRIs of our own making, percent-encoded, never text from outside.
    everything = [f"<{subject}>" for subject in subjects]
    for start in range(0, len(everything), BATCH):
        values = " ".join(everything[start : start + BATCH])
        where = f"VALUES ?s {{ {values} }} {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} {condition}"
        inner.update(f"DELETE {{ ?s ?p ?o . GRAPH ?g {{ ?s ?p ?o }} }} WHERE {{ {where} }}")
