"""The embedded store: a Ladybug database, one node table per type and one relation table per relation, in Cypher."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, cast

import ladybug
import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.errors import QueryError, StoreError
from kgbuild.graph import EDGE_KEY, Change, Graph
from kgbuild.graphfile import DATABASE, data_folder, is_graph_file
from kgbuild.schema import Property, RelationType, Schema, load_schema
from kgbuild.stores.base import Closing, by_pattern, nearest, property_names, quote

TYPES = {"string": "STRING", "integer": "INT64", "float": "DOUBLE", "boolean": "BOOL"}
BUFFER = 1 << 30  # bytes of pages kept in memory at most
LOADING = 8 << 30  # the same while writing: one COPY of 3 million edges runs out of less, and takes no more than it needs
LARGEST = 1 << 38  # bytes of address space for the file
CHUNK = 1 << 20  # rows in one piece of a result
PATIENCE = 10.0  # seconds to wait for another writer
READS = r"\s*(MATCH|OPTIONAL|RETURN|WITH|UNWIND|EXPLAIN\s+MATCH|CALL\s+\w+\s*\()"


class LadybugStore(Closing):
    """A graph in one file; opened read-only for queries."""

    name: ClassVar[str] = "ladybug"
    language: Literal["cypher", "sparql"] | None = "cypher"

    def __init__(self, path: Path, schema: Schema | None = None, *, patience: float = PATIENCE) -> None:
        """`path`: the file of the store, or a graph. `patience`: seconds to wait while another process writes."""
        # The data of a graph file is replaced as a whole by builds and never changed in place.
        self.fixed = is_graph_file(path)
        self.path = data_folder(path) / DATABASE if self.fixed else path
        self.schema = schema or load_schema()
        self.patience = patience
        self._open: tuple[ladybug.Database, ladybug.Connection] | None = None
        self._writable = False

    @classmethod
    def open(cls, url: str) -> LadybugStore:
        """The store at `ladybug:PATH`, or that of the graph at PATH, which only `kgbuild build` may change."""
        if url == "ladybug:":
            raise StoreError("the address ladybug: names no file", "write ladybug:PATH")
        path = Path(url.removeprefix("ladybug:"))
        if path.is_dir() or path.suffix == ".kg":
            data_folder(path)  # says more about a graph that is not there or not finished than a database can
        return cls(path)

    def write(self, graph: Graph) -> None:
        """Add the graph, all or nothing: bulk load into a new file that appears when it is whole, rows merged into one that is there."""
        if self.path.exists() or self.fixed:
            connection = self._connection(write=True)
            with _transaction(connection, self.path):
                _fill(connection, graph)
            self.close()
            return
        # COPY inside of a transaction would pass everything through the log first.
        part = self.path.with_name(f"{self.path.name}.part")
        _remove(part)
        try:
            with LadybugStore(part, self.schema) as new:
                _fill(new._connection(write=True), graph)
            part.rename(self.path)
        except RuntimeError as error:
            raise StoreError(f"{self.path}: nothing was written: {_first_line(error)}", "check the graph with Graph.validate()") from error
        finally:
            _remove(part)

    def change(self, graph: Graph, changes: Mapping[str, Change]) -> None:
        """Bring a store that holds the graph before the changes to `graph`; the file is one that nobody reads yet."""
        connection = self._connection(write=True)
        with _transaction(connection, self.path):
            _delete(connection, self.schema, changes)
            new = {name: change.new for name, change in changes.items()}
            nodes, edges = ({name: new[name] for name in tables if name in new} for tables in (graph.nodes, graph.edges))
            _merge(connection, self.schema, nodes, edges)
            _note_manifest(connection, graph)
        self.close()

    def read(self) -> Graph:
        """Everything in the store, as a canonical graph."""
        connection = self._connection()
        tables = _tables(connection)
        missing = [name for name in (*self.schema.nodes, *self.schema.relations) if name not in tables]
        if missing:
            raise StoreError(f"{self.path}: no table for {missing[0]}", "it was made by another version or program: build it again")
        try:
            nodes = {name: _read_nodes(connection, name, kind.arrow) for name, kind in self.schema.nodes.items()}
            edges = {name: _read_edges(connection, relation) for name, relation in self.schema.relations.items()}
        except RuntimeError as error:
            raise StoreError(f"{self.path}: cannot be read: {_first_line(error)}", "build it again") from error
        return Graph(nodes, edges, self.schema, _manifest(tables)).canonical()

    def query(self, text: str, parameters: Mapping[str, Any] | None = None, *, write: bool = False) -> pa.Table:
        """The rows of one Cypher statement; read-only unless `write`. Raises QueryError as the Store protocol says."""
        connection = self._connection(write=write)
        given = dict(parameters or {})
        _check(text, given, write=write)
        try:
            return _rows(connection, text, given)
        except (RuntimeError, ValueError, TypeError) as error:
            raise self._query_error(error, connection) from error

    def close(self) -> None:
        """Close the file."""
        if self._open:
            database, connection = self._open
            self._open = None
            connection.close()
            database.close()

    def _connection(self, *, write: bool = False) -> ladybug.Connection:
        if write and self.fixed:
            hint = "change it with kgbuild build, merge or remove; for a database of your own: kgbuild load GRAPH --to ladybug:FILE"
            raise StoreError(f"{self.path.parent.parent.parent}: a graph file is not written to as a database", hint)
        if self._open and (self._writable or not write):
            return self._open[1]
        self.close()
        if not write and not self.path.exists():
            raise StoreError(f"{self.path}: no such store", "write a graph to it first: kgbuild load graph.kg --to ladybug:PATH")
        if write:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        database = self._database(write)
        self._open, self._writable = (database, ladybug.Connection(database)), write
        return self._open[1]

    def _database(self, write: bool) -> ladybug.Database:
        until = time.monotonic() + self.patience
        while True:
            try:
                # Compressed lists of numbers are spoilt, in rows beside it too, when a row is changed: seen in ladybug 0.22.
                pages = LOADING if write else BUFFER
                return ladybug.Database(self.path, buffer_pool_size=pages, max_db_size=LARGEST, read_only=not write, compression=False)
            except RuntimeError as error:
                locked = "lock" in str(error).lower()
                if not locked:
                    raise StoreError(f"{self.path}: not a store that can be opened: {_first_line(error)}", "build it again") from error
                if time.monotonic() > until:
                    raise StoreError(f"{self.path}: another process is writing to it", "wait until it is done and repeat") from error
                time.sleep(0.1)

    def _query_error(self, error: Exception, connection: ladybug.Connection) -> QueryError:
        text = str(error)
        kind, _, rest = text.partition(" exception: ")
        rest = rest or text
        place = re.search(r"\(line: (\d+), offset: (\d+)\)\n(.*)", rest, re.DOTALL)
        if kind == "Parser" and place:
            line, column, there = int(place[1]), int(place[2]) + 1, _first_line(place[3])
            return QueryError(
                f"Cypher does not parse at line {line}, column {column}: {rest[: place.start()].strip()}", f"it reads {there}"
            )
        if found := re.match(r"Table (\S+) does not exist", rest):
            return QueryError(f"there is no label or relation {found[1]!r}", nearest(found[1], _tables(connection)))
        if found := re.match(r"Cannot find property (.+) for ", rest):
            return QueryError(f"there is no property {found[1]!r}", nearest(found[1], property_names(self.schema)))
        if "read-only" in rest:
            return QueryError("the query writes, and queries are read-only", "allow it with --write (write=True in Python)")
        return QueryError(f"Cypher cannot run: {_first_line(rest)}", "see docs/stores/ladybug.md for the dialect")


class Definition(NamedTuple):
    """One statement that makes one table."""

    table: str
    text: str


def definitions(schema: Schema) -> list[Definition]:
    """The statements that make the tables of the schema: nodes first, a relation table with all its pairs after them."""
    statements = []
    for name, kind in schema.nodes.items():
        statements.append(Definition(name, f"CREATE NODE TABLE {quote(name)}(`id` STRING, {_columns(kind.properties)}PRIMARY KEY(`id`))"))
    for name, relation in schema.relations.items():
        pairs = ", ".join(f"FROM {quote(source)} TO {quote(target)}" for source, target in relation.patterns)
        statements.append(Definition(name, f"CREATE REL TABLE {quote(name)}({pairs}, {_columns(relation.properties)[:-2]})"))
    return statements


def _columns(properties: tuple[Property, ...]) -> str:
    return "".join(f"{quote(p.name)} {TYPES[p.type]}{'[]' if p.many else ''}, " for p in properties)


@contextmanager
def _transaction(connection: ladybug.Connection, path: Path) -> Iterator[None]:
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        # An error inside a statement has already rolled back.
        with suppress(RuntimeError):
            connection.execute("ROLLBACK")
        if isinstance(error, RuntimeError):
            raise StoreError(f"{path}: nothing was written: {_first_line(error)}", "check the graph with Graph.validate()") from error
        raise


def _fill(connection: ladybug.Connection, graph: Graph) -> None:
    tables = _tables(connection)
    for statement in definitions(graph.schema):
        if statement.table not in tables:
            connection.execute(statement.text)
    if _is_empty(connection, tables):
        _copy(connection, graph)
    else:
        _merge(connection, graph.schema, graph.nodes, graph.edges)
    _note_manifest(connection, graph)


def _remove(path: Path) -> None:
    for beside in (path, path.with_name(f"{path.name}.wal")):
        beside.unlink(missing_ok=True)


def _copy(connection: ladybug.Connection, graph: Graph) -> None:
    """Bulk load: Parquet files, because COPY of Arrow tables crashes the process on a repeated key."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        for name, table in graph.nodes.items():
            if table.num_rows:
                _copy_file(connection, name, table, file)
        for name, relation in graph.schema.relations.items():
            for (source, target), rows in by_pattern(relation, graph.edges[name]):
                _copy_file(connection, name, rows, file, f" (from={_quoted(source)}, to={_quoted(target)})")


def _copy_file(connection: ladybug.Connection, name: str, table: pa.Table, file: Path, options: str = "") -> None:
    pq.write_table(table, file)
    connection.execute(f"COPY {quote(name)} FROM {_quoted(str(file))}{options}")


def _merge(connection: ladybug.Connection, schema: Schema, nodes: Mapping[str, pa.Table], edges: Mapping[str, pa.Table]) -> None:
    """Upsert: columns are named by position, so that no property can shadow a variable."""
    for name, table in nodes.items():
        if table.num_rows:
            sets = _assignments("n", table.schema.names[1:], 1)
            text = f"LOAD FROM $rows MERGE (n:{quote(name)} {{id: c0}}) SET {sets}"
            connection.execute(text, {"rows": _numbered(table)})
    for name, edge_table in edges.items():
        for (source, target), rows in by_pattern(schema.relations[name], edge_table):
            sets = _assignments("r", rows.schema.names[2:], 2)
            text = f"LOAD FROM $rows {_ends(source, target)} MERGE (a)-[r:{quote(name)}]->(b) SET {sets}"
            connection.execute(text, {"rows": _numbered(rows)})


def _delete(connection: ladybug.Connection, schema: Schema, changes: Mapping[str, Change]) -> None:
    """Take out edges, then nodes, that are no more."""
    for name, relation in schema.relations.items():
        for (source, target), rows in by_pattern(relation, _lost(changes.get(name), EDGE_KEY)):
            text = f"LOAD FROM $rows MATCH (a:{quote(source)} {{id: c0}})-[r:{quote(name)}]->(b:{quote(target)} {{id: c1}}) DELETE r"
            connection.execute(text, {"rows": _numbered(rows)})
    for name in schema.nodes:
        lost = _lost(changes.get(name), ("id",))
        if lost.num_rows:
            connection.execute(f"LOAD FROM $rows MATCH (n:{quote(name)} {{id: c0}}) DELETE n", {"rows": _numbered(lost)})


def _lost(change: Change | None, key: tuple[str, ...]) -> pa.Table:
    """Keys of the rows that are no more."""
    if not change:
        return pa.table({name: pa.array([], pa.string()) for name in key})
    old, new = (table.select(list(key)) for table in (change.old, change.new))
    return old.join(new, list(key), join_type="left anti").sort_by([(name, "ascending") for name in key])


def _ends(source: str, target: str) -> str:
    """Two MATCH clauses: one with two nodes would be a cartesian product."""
    return f"MATCH (a:{quote(source)} {{id: c0}}) MATCH (b:{quote(target)} {{id: c1}})"


def _assignments(variable: str, names: list[str], first: int) -> str:
    return ", ".join(f"{variable}.{quote(name)} = c{position}" for position, name in enumerate(names, first))


def _numbered(table: pa.Table) -> pa.Table:
    return table.rename_columns([f"c{position}" for position in range(table.num_columns)])


def _read_nodes(connection: ladybug.Connection, name: str, schema: pa.Schema) -> pa.Table:
    columns = ", ".join(f"n.{quote(column)} AS {quote(column)}" for column in schema.names)
    return _rows(connection, f"MATCH (n:{quote(name)}) RETURN {columns}").cast(schema)


def _read_edges(connection: ladybug.Connection, relation: RelationType) -> pa.Table:
    names = [prop.name for prop in relation.properties]
    columns = ", ".join(["a.id AS `source`", "b.id AS `target`", *(f"r.{quote(name)} AS {quote(name)}" for name in names)])
    parts = []
    for source, target in relation.patterns:
        text = f"MATCH (a:{quote(source)})-[r:{quote(relation.name)}]->(b:{quote(target)}) RETURN {columns}"
        rows = _rows(connection, text)
        ends = {"source_type": source, "target_type": target}
        for column, type_ in ends.items():
            rows = rows.append_column(column, pa.repeat(type_, rows.num_rows))
        parts.append(rows.select(relation.arrow.names).cast(relation.arrow))
    return pa.concat_tables(parts)


def _rows(connection: ladybug.Connection, text: str, parameters: dict[str, Any] | None = None) -> pa.Table:
    return cast(ladybug.QueryResult, connection.execute(text, parameters)).get_as_arrow(CHUNK)


def _tables(connection: ladybug.Connection) -> dict[str, str]:
    """Names of all tables with their comments."""
    rows = _rows(connection, "CALL show_tables() RETURN name, comment")
    return {row["name"]: row["comment"] for row in rows.to_pylist()}


def _is_empty(connection: ladybug.Connection, tables: Mapping[str, str]) -> bool:
    return not tables or _rows(connection, "MATCH (n) RETURN count(n)")[0][0].as_py() == 0


def _note_manifest(connection: ladybug.Connection, graph: Graph) -> None:
    """The manifest lies in the comment of the first table, where no query for nodes can meet it."""
    text = json.dumps(dict(graph.manifest), sort_keys=True)
    connection.execute(f"COMMENT ON TABLE {quote(next(iter(graph.schema.nodes)))} IS {_quoted(text)}")


def _manifest(tables: Mapping[str, str]) -> dict[str, Any]:
    comments = [comment for comment in tables.values() if comment.startswith("{")]
    manifest: dict[str, Any] = json.loads(comments[0]) if comments else {}
    return manifest


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _check(text: str, given: Mapping[str, Any], *, write: bool) -> None:
    """Raise QueryError for what the database itself would let pass: files, extensions, several statements, missing parameters."""
    outside = _outside_literals(text)
    if not write and (not re.match(READS, outside, re.IGNORECASE) or re.search(r"\bLOAD\s+(FROM|WITH)\b", outside, re.IGNORECASE)):
        first = (outside.split() or ["nothing"])[0]
        raise QueryError(f"only queries that read are allowed, and this one starts with {first}", "MATCH reads; --write allows the rest")
    if re.search(r";\s*\S", outside):
        raise QueryError("only one statement at a time", "ask them one after the other")
    # A parameter that is not given would silently be null.
    missing = [name for name in re.findall(r"\$(\w+)", outside) if name not in given]
    if missing:
        raise QueryError(f"the query needs a value for ${missing[0]}", f"give it as a parameter named {missing[0]}")


def _outside_literals(text: str) -> str:
    """The query without strings, quoted names and comments."""
    return re.sub(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)


def _first_line(error: object) -> str:
    return str(error).partition("\n")[0]
