"""The graph itself: one Arrow table per node type and per relation type, with the evidence on the edges."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kgbuild.errors import SchemaError, StoreError
from kgbuild.schema import Schema, load_schema

NODE_KEY = ("id",)
EDGE_KEY = ("source_type", "source", "target_type", "target")


class StoredTables(Mapping[str, pa.Table]):
    """Tables in the files of a folder: each is read when it is asked for, and not kept."""

    def __init__(self, folder: Path, schemas: Mapping[str, pa.Schema]) -> None:
        """`schemas` by name of the table; `store` has written the files."""
        self.folder = folder
        self.schemas = schemas

    @classmethod
    def store(cls, folder: Path, tables: Iterable[tuple[str, pa.Table]]) -> StoredTables:
        """Write each table as soon as it comes: where they are made one by one, only one is in memory."""
        schemas = {}
        for name, table in tables:
            _write_table(_made(folder), name, table)
            schemas[name] = table.schema
            del table  # or it would be there still while the next one is made
        return cls(folder, schemas)

    def __getitem__(self, name: str) -> pa.Table:
        """The table, with one chunk per column."""
        return pq.read_table(self.folder / f"{name}.parquet", schema=self.schemas[name]).combine_chunks()

    def __contains__(self, name: object) -> bool:
        """Whether there is a table of that name."""
        return name in self.schemas

    def __iter__(self) -> Iterator[str]:
        """The names of the tables."""
        return iter(self.schemas)

    def __len__(self) -> int:
        """The number of tables."""
        return len(self.schemas)

    def height(self, name: str) -> int:
        """The number of rows of a table, without reading them."""
        return int(pq.read_metadata(self.folder / f"{name}.parquet").num_rows)


@dataclass(frozen=True, repr=False)
class Graph:
    """Typed tables: `nodes` by type and `edges` by relation, every type of the schema present, rows in canonical order.

    Node rows are sorted by id, edge rows by their four ends, both by code point. Column meanings stand in the ontology.
    `manifest` holds what the graph was made from (versions, settings, input hashes, counts) and nothing that changes
    from run to run.
    """

    nodes: Mapping[str, pa.Table]
    edges: Mapping[str, pa.Table]
    schema: Schema = field(default_factory=load_schema)
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_rows(
        cls,
        nodes: Mapping[str, list[dict[str, Any]]],
        edges: Mapping[str, list[dict[str, Any]]],
        manifest: Mapping[str, Any] | None = None,
        schema: Schema | None = None,
    ) -> Graph:
        """A canonical graph from row dicts; types without rows become empty tables. Raises SchemaError for unknown types."""
        schema = schema or load_schema()
        unknown = [*(set(nodes) - set(schema.nodes)), *(set(edges) - set(schema.relations))]
        if unknown:
            raise SchemaError(f"unknown type {sorted(unknown)[0]!r}", "the types stand in ontology/kgbuild.yaml")
        node_tables = {name: pa.Table.from_pylist(nodes.get(name, []), schema=kind.arrow) for name, kind in schema.nodes.items()}
        edge_tables = {name: pa.Table.from_pylist(edges.get(name, []), schema=kind.arrow) for name, kind in schema.relations.items()}
        return cls(node_tables, edge_tables, schema, dict(manifest or {})).canonical()

    def canonical(self) -> Graph:
        """The same graph with rows in canonical order and one chunk per column."""
        nodes = {name: in_order(table, NODE_KEY) for name, table in self.nodes.items()}
        edges = {name: in_order(table, EDGE_KEY) for name, table in self.edges.items()}
        return Graph(nodes, edges, self.schema, self.manifest)

    def counts(self) -> dict[str, int]:
        """Rows per node type and relation, in the order of the ontology."""
        return {name: _height(tables, name) for tables in (self.nodes, self.edges) for name in tables}

    def __repr__(self) -> str:
        """Size only: the tables themselves would fill pages."""
        nodes, edges = (sum(_height(tables, name) for name in tables) for tables in (self.nodes, self.edges))
        return f"<Graph of {nodes:,} nodes and {edges:,} edges>"

    def _repr_html_(self) -> str:
        from kgbuild.notebook import graph_html

        return graph_html(self)

    def equals(self, other: Graph) -> bool:
        """Whether both hold the same rows (manifests aside)."""
        return all(table.equals(other.nodes[name]) for name, table in self.nodes.items()) and all(
            table.equals(other.edges[name]) for name, table in self.edges.items()
        )

    def node_rows(self, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(type, row) of every node of the given types (all when none is given)."""
        for name in types or self.nodes:
            for batch in self.nodes[name].to_batches(max_chunksize=10_000):
                for row in batch.to_pylist():
                    yield name, row

    def edge_rows(self, *relations: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(relation, row) of every edge of the given relations (all when none is given)."""
        for name in relations or self.edges:
            for batch in self.edges[name].to_batches(max_chunksize=10_000):
                for row in batch.to_pylist():
                    yield name, row

    def validate(self) -> None:
        """Raise SchemaError unless columns, patterns, uniqueness of ids and ends of edges are as the ontology says."""
        ids: dict[str, pa.Array] = {}
        for name, kind in self.schema.nodes.items():
            table = self.nodes[name]
            if not table.schema.equals(kind.arrow):
                raise SchemaError(f"{name} nodes have columns {table.schema.names}, expected {kind.arrow.names}")
            ids[name] = table["id"].combine_chunks()
            if pc.count_distinct(ids[name]).as_py() != table.num_rows:
                raise SchemaError(f"two {name} nodes have the same id")
        for name, relation in self.schema.relations.items():
            self._validate_edges(name, relation.arrow, set(relation.patterns), ids)

    def _validate_edges(self, name: str, arrow: pa.Schema, patterns: set[tuple[str, str]], ids: Mapping[str, pa.Array]) -> None:
        table = self.edges[name]
        if not table.schema.equals(arrow):
            raise SchemaError(f"{name} edges have columns {table.schema.names}, expected {arrow.names}")
        keys = table.select(EDGE_KEY).group_by(list(EDGE_KEY)).aggregate([])
        if keys.num_rows != table.num_rows:
            raise SchemaError(f"two {name} edges have the same ends")
        pairs = table.select(["source_type", "target_type"]).group_by(["source_type", "target_type"]).aggregate([])
        for pair in pairs.to_pylist():
            source, target = pair["source_type"], pair["target_type"]
            if (source, target) not in patterns:
                raise SchemaError(f"{name} may not go from {source} to {target}", "allowed patterns stand in ontology/kgbuild.yaml")
        for end in ("source", "target"):
            for kind in set(table[f"{end}_type"].to_pylist()):
                wanted = table.filter(pc.equal(table[f"{end}_type"], kind))[end]
                missing = pc.filter(wanted.combine_chunks(), pc.invert(pc.is_in(wanted.combine_chunks(), ids[kind])))
                if len(missing):
                    raise SchemaError(f"{name} names {kind} {missing[0].as_py()!r}, which is no node")

    def write(self, folder: Path) -> None:
        """Write `nodes/TYPE.parquet`, `edges/RELATION.parquet` and `manifest.json`; the same graph gives the same bytes."""
        for part, tables in (("nodes", self.nodes), ("edges", self.edges)):
            if not (isinstance(tables, StoredTables) and tables.folder == folder / part):
                with ThreadPoolExecutor(2) as pool:  # compressing leaves the interpreter free
                    list(pool.map(partial(_write_table, _made(folder / part)), *zip(*tables.items(), strict=True)))
        text = json.dumps(self.manifest, ensure_ascii=False, indent=2, sort_keys=True)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path, schema: Schema | None = None) -> Graph:
        """The graph that `write` wrote; raises StoreError where a table is missing or unreadable."""
        schema = schema or load_schema()
        try:
            nodes = {name: pq.read_table(folder / "nodes" / f"{name}.parquet", schema=kind.arrow) for name, kind in schema.nodes.items()}
            edges = {
                name: pq.read_table(folder / "edges" / f"{name}.parquet", schema=kind.arrow) for name, kind in schema.relations.items()
            }
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, pa.ArrowInvalid, ValueError) as error:
            raise StoreError(f"{folder}: not a readable graph: {error}", "build it again, or copy it again as a whole") from error
        return cls(nodes, edges, schema, manifest).canonical()


@dataclass(frozen=True)
class Change:
    """What became of one table: rows that are no more, and rows that are new or other than before; a changed row is in both."""

    old: pa.Table
    new: pa.Table


def _height(tables: Mapping[str, pa.Table], name: str) -> int:
    return tables.height(name) if isinstance(tables, StoredTables) else tables[name].num_rows


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_table(folder: Path, name: str, table: pa.Table) -> None:
    pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def in_order(table: pa.Table, key: Sequence[str]) -> pa.Table:
    """The table in the order of its key, which has no nulls, and with one chunk per column; rows move only where they must."""
    if not _is_in_order(table, key):
        table = table.sort_by([(column, "ascending") for column in key])
    return table.combine_chunks()


def _is_in_order(table: pa.Table, key: Sequence[str]) -> bool:
    """Whether no row comes before one with a smaller key; a tenth of the time of sorting."""
    pairs = max(table.num_rows - 1, 0)
    less, equal = (pa.repeat(pa.scalar(value), pairs) for value in (False, True))
    for column in key:
        values = table[column].combine_chunks()
        before, after = values.slice(0, pairs), values.slice(1)
        less = pc.or_(less, pc.and_(equal, pc.less(before, after)))
        equal = pc.and_(equal, pc.equal(before, after))
    return bool(pc.all(pc.or_(less, equal)).as_py())


def node_key(type_: str, id_: str) -> str:
    """One key for a node of any type: ids of papers come from outside and get the prefix `paper:`, ours carry their type already."""
    return f"paper:{id_}" if type_ == "Paper" else id_
