"""A Neo4j server over Bolt: batched upserts, constraints, indexes and a full-text index, in Cypher.

Neo4j keeps no empty difference: a property that is null is absent, and comes back as null.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import neo4j
import pyarrow as pa
from neo4j.exceptions import AuthError, ConfigurationError, DriverError, Neo4jError

from kgbuild.errors import QueryError, StoreError
from kgbuild.graph import Graph
from kgbuild.schema import RelationType, Schema, load_schema
from kgbuild.stores.base import Closing, by_pattern, nearest, property_names, quote

BATCH = 5_000  # rows in one transaction
PATIENCE = 10.0  # seconds for connecting, and for repeating a transaction that failed in passing
# What the driver logs becomes an error of ours where it matters; without a handler of the user's, Python would print it.
logging.getLogger("neo4j").addHandler(logging.NullHandler())
MANIFEST = "KgbuildManifest"
FULLTEXT = "kgbuild_text"
NAMES = "skos:prefLabel"  # the property with this meaning gets an index
TEXTS = ("skos:prefLabel", "skos:altLabel", "dcterms:title", "dcterms:abstract")  # and these the full-text index


class Neo4jStore(Closing):
    """One database of a Neo4j server; user, password and database come from the environment or from `.env`."""

    name: ClassVar[str] = "neo4j"
    language: Literal["cypher", "sparql"] | None = "cypher"

    def __init__(self, uri: str, user: str, password: str, database: str | None = None, schema: Schema | None = None) -> None:
        """Connect; raises StoreError where no server answers or it does not let us in."""
        self.uri, self.database, self.schema = uri, database, schema or load_schema()
        self.user, self._password = user, password
        with self._failures("connecting"):
            self._driver = neo4j.GraphDatabase.driver(
                uri,
                auth=(user, password),
                connection_timeout=PATIENCE,
                max_transaction_retry_time=PATIENCE,
            )
            with self._session(neo4j.READ_ACCESS) as session:
                session.run("RETURN 1").consume()

    @classmethod
    def open(cls, url: str) -> Neo4jStore:
        """The database at `neo4j://HOST[:PORT][/DATABASE]` (or bolt), or at NEO4J_URI for the bare `neo4j:`.

        NEO4J_USERNAME (or NEO4J_USER), NEO4J_PASSWORD and NEO4J_DATABASE are read from the environment, then from `.env`.
        """
        settings = _settings()
        uri = url if "//" in url else settings.get("NEO4J_URI", "neo4j://localhost:7687")
        parts = urlsplit(uri)
        if parts.username or parts.password:
            raise StoreError("an address must not hold a password", "set NEO4J_USERNAME and NEO4J_PASSWORD, or write them to .env")
        database = parts.path.strip("/") or settings.get("NEO4J_DATABASE") or None
        user = settings.get("NEO4J_USERNAME") or settings.get("NEO4J_USER") or "neo4j"
        return cls(f"{parts.scheme}://{parts.netloc}", user, settings.get("NEO4J_PASSWORD", ""), database)

    def write(self, graph: Graph) -> None:
        """Upsert in batches, each its own transaction: after a failure, writing again completes the graph without doubles."""
        self.prepare(graph.schema)
        for name, table in graph.nodes.items():
            self._send(name, f"UNWIND $rows AS row {node_upsert(name, 'row')} RETURN count(n)", table)
        for name, relation in graph.schema.relations.items():
            for (source, target), rows in by_pattern(relation, graph.edges[name]):
                text = edge_upsert(name, source, target, rows.schema.names[2:], "row")
                self._send(name, f"UNWIND $rows AS row {text} RETURN count(r)", rows)
        self.write_manifest(graph.manifest)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Keep what the graph was made from."""
        with self._failures("writing the manifest"), self._session() as session:
            text = json.dumps(dict(manifest), sort_keys=True)
            session.run(f"MERGE (m:{MANIFEST} {{id: 'manifest'}}) SET m.json = $text", text=text).consume()

    def prepare(self, schema: Schema) -> None:
        """Make the constraints and indexes, where they are not there yet, and wait until they can be used."""
        with self._failures("preparing constraints and indexes"), self._session() as session:
            for statement in definitions(schema):
                session.run(statement).consume()
            session.run("CALL db.awaitIndexes(300)").consume()

    def read(self) -> Graph:
        """All nodes and edges of the ontology's types, as a canonical graph."""
        try:
            with self._failures("reading"), self._session(neo4j.READ_ACCESS) as session:
                nodes = {name: _read_nodes(session, name, kind.arrow) for name, kind in self.schema.nodes.items()}
                edges = {name: _read_edges(session, relation) for name, relation in self.schema.relations.items()}
                found = session.run(f"MATCH (m:{MANIFEST}) RETURN m.json").single()
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            hint = "nodes of ours share labels with something else there: load into a database of its own"
            raise StoreError(f"{self.uri}: holds values that the ontology does not allow: {error}", hint) from error
        return Graph(nodes, edges, self.schema, json.loads(found[0]) if found else {}).canonical()

    def query(self, text: str, parameters: Mapping[str, Any] | None = None, *, write: bool = False) -> pa.Table:
        """The rows of one Cypher statement; read-only unless `write`. Raises QueryError as the Store protocol says."""
        access = neo4j.WRITE_ACCESS if write else neo4j.READ_ACCESS
        try:
            with self._failures("answering"), self._session(access) as session:
                # Text comes from the user by design; values go in as parameters.
                result = session.run(neo4j.Query(text), dict(parameters or {}))
                columns, records = result.keys(), [record.values() for record in result]
                self._refuse_unknown_names(result.consume())
        except Neo4jError as error:
            raise _query_error(error) from error
        try:
            return _table(columns, records)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise QueryError(f"a column of the answer mixes types: {error}", "convert it in the query, say with toString()") from error

    def connector_options(self) -> dict[str, str]:
        """What Neo4j's connector for Spark needs to reach this database."""
        names = {"url": self.uri, "authentication.basic.username": self.user, "authentication.basic.password": self._password}
        return {**names, **({"database": self.database} if self.database else {})}

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def _session(self, access: str = neo4j.WRITE_ACCESS) -> neo4j.Session:
        return self._driver.session(database=self.database, default_access_mode=access)

    def _send(self, name: str, text: str, table: pa.Table) -> None:
        for batch in table.to_batches(max_chunksize=BATCH):
            rows = batch.to_pylist()
            with self._failures(f"writing {name}"), self._session() as session:
                written = session.execute_write(_run_batch, text, rows)
            if written != len(rows):
                hint = "check the graph with Graph.validate()"
                raise StoreError(f"{self.uri}: {len(rows) - written} edges of {name} end at nodes that are not there", hint)

    def _refuse_unknown_names(self, summary: neo4j.ResultSummary) -> None:
        """Neo4j only warns about names that it has never seen; those that the ontology has not either are mistakes."""
        labels = {*self.schema.nodes, *self.schema.relations}
        for status in summary.gql_status_objects:
            found = re.search(r"The (label|relationship type|property) `(.+)` does not exist", status.status_description)
            if found and found[2] not in (known := property_names(self.schema) if found[1] == "property" else labels):
                kind = "property" if found[1] == "property" else "label or relation"
                raise QueryError(f"there is no {kind} {found[2]!r}", nearest(found[2], known))

    @contextmanager
    def _failures(self, doing: str) -> Iterator[None]:
        """One clear line for a server that is down, gone or does not let us in."""
        try:
            yield
        except AuthError as error:
            hint = "set NEO4J_USERNAME and NEO4J_PASSWORD, in the environment or in .env"
            raise StoreError(f"{self.uri}: the server refuses the user name or password", hint) from error
        except ConfigurationError as error:
            raise StoreError(f"{self.uri}: {error}", "write neo4j://HOST:PORT/DATABASE") from error
        except DriverError as error:
            hint = "start the server and repeat: what is already there is not doubled"
            raise StoreError(f"{self.uri}: no server answers ({doing})", hint) from error
        except Neo4jError as error:
            code = error.code or ""
            if "DatabaseNotFound" in code:
                raise StoreError(f"{self.uri}: there is no database {self.database!r}", "set NEO4J_DATABASE, or leave it out") from error
            if code.startswith("Neo.ClientError.Statement") and doing == "answering":
                raise
            raise StoreError(f"{self.uri}: {doing} failed: {_first_line(error)}", "see the server's log, then repeat") from error


def definitions(schema: Schema) -> list[str]:
    """The statements for unique ids, indexes on names and the full-text index; each may be repeated."""
    statements = []
    texts: dict[str, None] = {}
    for name, kind in schema.nodes.items():
        label = quote(name)
        statements.append(f"CREATE CONSTRAINT {quote(f'kgbuild_{name}_id')} IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE")
        for prop in kind.properties:
            if prop.iri == NAMES:
                column = quote(prop.name)
                statements.append(f"CREATE INDEX {quote(f'kgbuild_{name}_name')} IF NOT EXISTS FOR (n:{label}) ON (n.{column})")
        texts.update(dict.fromkeys(prop.name for prop in kind.properties if prop.iri in TEXTS))
    labels, columns = "|".join(map(quote, schema.nodes)), ", ".join(f"n.{quote(column)}" for column in texts)
    statements.append(f"CREATE FULLTEXT INDEX {FULLTEXT} IF NOT EXISTS FOR (n:{labels}) ON EACH [{columns}]")
    return statements


def _settings() -> dict[str, str]:
    from dotenv import dotenv_values

    given = {**dotenv_values(".env"), **os.environ}
    return {name: value for name, value in given.items() if value and name.startswith("NEO4J_")}


def node_upsert(name: str, row: str) -> str:
    """Cypher that makes or changes the node `n` of a type from the map that the variable `row` names."""
    return f"MERGE (n:{quote(name)} {{id: {row}.id}}) SET n += {row}"


def edge_upsert(name: str, source: str, target: str, columns: Iterable[str], row: str) -> str:
    """Cypher that makes or changes the edge `r` between nodes of two types from the map that the variable `row` names."""
    sets = ", ".join(f"{quote(column)}: {row}.{quote(column)}" for column in columns)
    ends = f"MATCH (a:{quote(source)} {{id: {row}.source}}) MATCH (b:{quote(target)} {{id: {row}.target}})"
    return f"{ends} MERGE (a)-[r:{quote(name)}]->(b) SET r += {{{sets}}}"


def _run_batch(transaction: neo4j.ManagedTransaction, text: str, rows: list[dict[str, Any]]) -> int:
    written: int = transaction.run(text, rows=rows).single(strict=True)[0]
    return written


def _read_nodes(session: neo4j.Session, name: str, schema: pa.Schema) -> pa.Table:
    columns = ", ".join(f"n.{quote(column)}" for column in schema.names)
    return _typed(session.run(f"MATCH (n:{quote(name)}) RETURN {columns}"), schema)


def _read_edges(session: neo4j.Session, relation: RelationType) -> pa.Table:
    names = ", ".join(f"r.{quote(prop.name)}" for prop in relation.properties)
    parts = []
    for source, target in relation.patterns:
        ends = f"MATCH (a:{quote(source)})-[r:{quote(relation.name)}]->(b:{quote(target)})"
        text = f"{ends} RETURN $source, a.id, $target, b.id, {names}"
        parts.append(_typed(session.run(text, source=source, target=target), relation.arrow))
    return pa.concat_tables(parts)


def _typed(result: neo4j.Result, schema: pa.Schema) -> pa.Table:
    """Rows into Arrow, a batch at a time; a list that is absent was empty in the files of neo4j-admin import."""
    batches = []
    while records := result.fetch(BATCH):
        columns = zip(*(record.values() for record in records), strict=True)
        batches.append(pa.record_batch([_column(values, kind) for values, kind in zip(columns, schema, strict=True)], schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def _column(values: tuple[Any, ...], kind: pa.Field) -> pa.Array:
    if pa.types.is_list(kind.type):
        values = tuple(value or [] for value in values)
    array = pa.array(values, kind.type)
    if array.null_count and not kind.nullable:
        raise pa.ArrowInvalid(f"{kind.name} is missing")
    return array


def _table(columns: tuple[str, ...] | list[str], records: list[list[Any]]) -> pa.Table:
    values = zip(*records, strict=True) if records else ((),) * len(columns)
    return pa.table({name: pa.array([_plain(value) for value in column]) for name, column in zip(columns, values, strict=True)})


def _plain(value: Any) -> Any:
    """Nodes and relationships as their properties, paths as lists of node ids, times as text."""
    if isinstance(value, neo4j.graph.Path):
        return [node.get("id") for node in value.nodes]
    if isinstance(value, neo4j.graph.Entity):
        return dict(sorted(value.items()))
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.iso_format() if hasattr(value, "iso_format") else value


def _query_error(error: Neo4jError) -> QueryError:
    text, code = error.message or "", error.code or ""
    place = re.search(r"\(line (\d+), column (\d+) \(offset: \d+\)\)\s*\n\"?(.*?)\"?$", text, re.MULTILINE)
    if "SyntaxError" in code and place:
        # Where anything could stand, the server lists the whole language.
        problem = re.sub(r": expected (?=.{200})", " ... ", " ".join(text[: place.start()].split())).partition(" ... ")[0]
        return QueryError(f"Cypher does not parse at line {place[1]}, column {place[2]}: {problem}", f"it reads {place[3]}")
    if "ParameterMissing" in code:
        return QueryError(f"the query needs a value: {_first_line(error)}", "give it as a parameter")
    if "AccessMode" in code:
        return QueryError("the query writes, and queries are read-only", "allow it with --write (write=True in Python)")
    return QueryError(f"Cypher cannot run: {_first_line(error)}", "see docs/stores/neo4j.md")


def _first_line(error: Neo4jError) -> str:
    return (error.message or str(error)).partition("\n")[0]
