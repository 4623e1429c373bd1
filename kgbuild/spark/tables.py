"""Documents and nodes -> the tables of the graph: assembled batch by batch by the local code, then united where papers meet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from kgbuild.graph import EDGE_KEY, Graph
from kgbuild.ledger import extraction_from_json, paper_from_json
from kgbuild.resolution.assembly import assemble, hierarchy
from kgbuild.resolution.belief import BeliefModel
from kgbuild.resolution.evidence import united
from kgbuild.resolution.naming import broader_pairs, owners
from kgbuild.resolution.values import Node, Resolution
from kgbuild.resolution.vocabulary import load_vocabulary
from kgbuild.schema import Schema, load_schema
from kgbuild.spark.frames import Row, Stages, join, make_frame, map_rows, write
from kgbuild.spark.names import LONG, TEXT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

DOCUMENTS = 200  # papers whose graph is assembled in one piece
PARTS = pa.schema([("part", TEXT), ("content", pa.binary())])
COUNTS = pa.schema([("type", TEXT), ("id", TEXT), ("papers", LONG), ("mentions", LONG)])
EDGES, COUNTED = "edges", "counts"


def make_tables(documents: DataFrame, entities: DataFrame, nodes: DataFrame, stage: Stages, output: str) -> None:
    """Write `nodes/type=TYPE` and `edges/relation=RELATION` under the output, columns as in the ontology."""
    from pyspark.sql import functions as fn
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = load_schema()
    ids = nodes.select("id", "type", fn.explode("names").alias("n")).select(
        fn.col("n.type").alias("type"), fn.col("n.key").alias("key"), fn.col("id").alias("node"), fn.col("type").alias("node_type")
    )
    link = fn.struct("eid", "node", "node_type")
    linked = join(entities.select("id", "eid", "type", "key"), ids, ["type", "key"])
    links = linked.groupBy("id").agg(fn.collect_list(link).alias("links"))
    whole = documents.select("id", "paper", "record").join(links, "id", "left")
    write(stage.spark, lambda: map_rows(whole, _assembled, PARTS), stage.path("parts"), by="part")
    parts = stage.spark.read.schema(from_arrow_schema(PARTS)).parquet(stage.path("parts"))

    def part(name: str, columns: pa.Schema) -> DataFrame:
        return _unpacked(parts.filter(fn.col("part") == name), columns)

    counts = part(COUNTED, COUNTS).groupBy("type", "id").agg(fn.sum("papers").alias("papers"), fn.sum("mentions").alias("mentions"))
    concepts = stage("concepts", lambda: nodes.drop("names", "type").join(counts, "id"))
    for name, kind in schema.nodes.items():
        if kind.kind == "concept":
            rows = _concept_rows(concepts.filter(fn.col("type") == name), [prop.name for prop in kind.properties])
        else:
            rows = part(name, kind.arrow)
            if kind.kind == "link":
                # many papers link to one repository, each in its own spelling
                rows = rows.groupBy("id").agg(*(fn.min(prop.name).alias(prop.name) for prop in kind.properties))
        write(stage.spark, lambda rows=rows: rows.sortWithinPartitions("id"), f"{output}/nodes/type={name}")  # type: ignore[misc]
    edges = _edges(part(EDGES, _edge_schema(schema)), concepts, schema)
    write(stage.spark, lambda: edges, f"{output}/edges", by="relation")


def _assembled(rows: Iterator[Row]) -> Iterator[Row]:
    """The graphs of batches of documents: packed tables, of the concepts only how many papers and mentions they have."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == DOCUMENTS:
            yield from _pack(batch)
            batch = []
    if batch:
        yield from _pack(batch)


def _pack(batch: list[Row]) -> Iterator[Row]:
    documents, links, nodes = [], {}, dict[str, Node]()
    for row in batch:
        paper = paper_from_json(json.loads(row["paper"]))
        documents.append((paper, extraction_from_json(json.loads(row["record"]), paper.id)))
        links[paper.id] = {item["eid"]: item["node"] for item in row["links"] or ()}
        nodes |= {item["node"]: Node(item["node"], item["node_type"], "") for item in row["links"] or ()}
    graph = assemble(documents, Resolution(links, nodes))
    edges = [table.add_column(0, "relation", pa.array([name] * table.num_rows, TEXT)) for name, table in graph.edges.items()]
    tables = {EDGES: pa.concat_tables(edges)}
    counts = []
    for name, table in graph.nodes.items():
        if graph.schema.nodes[name].kind == "concept":
            counts.append(table.select(["id", "papers", "mentions"]).add_column(0, "type", pa.array([name] * table.num_rows, TEXT)))
        else:
            tables[name] = table
    tables[COUNTED] = pa.concat_tables(counts)
    for name, table in tables.items():
        if table.num_rows:
            yield {"part": name, "content": _packed(table)}


def _packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _unpacked(parts: DataFrame, schema: pa.Schema) -> DataFrame:
    from pyspark.sql.pandas.types import from_arrow_schema

    def unpack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for content in batch.column("content"):
                yield from pa.ipc.open_stream(content.as_buffer()).read_all().select(schema.names).to_batches()

    return parts.select("content").mapInArrow(unpack, from_arrow_schema(_nullable(schema)))


def _nullable(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in schema])


def _concept_rows(concepts: DataFrame, properties: list[str]) -> DataFrame:
    from pyspark.sql import functions as fn

    own = [fn.col(name) if name in concepts.columns else fn.col("properties")[name].alias(name) for name in properties]
    return concepts.select("id", *own)


def _edge_schema(schema: Schema) -> pa.Schema:
    """The columns that all relations have, after the relation."""
    return pa.schema([("relation", TEXT), *next(iter(schema.relations.values())).arrow])


def _edges(edges: DataFrame, concepts: DataFrame, schema: Schema) -> DataFrame:
    """The edges of papers as they are; between concepts the evidence of all papers is united, and the vocabulary's hierarchy added."""
    from pyspark.sql import functions as fn

    columns = _edge_schema(schema)
    between = [relation.name for relation in schema.group("concept")]
    background = make_frame(edges.sparkSession, _background(concepts, schema), _nullable(columns))
    rest = fn.struct(*(name for name in columns.names if name not in ("relation", *EDGE_KEY)))
    grouped = (
        edges.filter(fn.col("relation").isin(between))
        .unionByName(background)
        .groupBy("relation", *EDGE_KEY)
        .agg(fn.collect_list(rest).alias("rows"))
    )
    alone = (
        grouped.filter(fn.size("rows") == 1)
        .select("relation", *EDGE_KEY, fn.col("rows")[0].alias("row"))
        .select("relation", *EDGE_KEY, "row.*")
    )
    several = grouped.filter(fn.size("rows") > 1)

    def unite(rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            ends = {name: row[name] for name in EDGE_KEY}
            table = united(schema.relation(row["relation"]), [ends | found for found in row["rows"]], BeliefModel())
            yield from ({"relation": row["relation"], **made} for made in table.to_pylist())

    return edges.filter(~fn.col("relation").isin(between)).unionByName(alone).unionByName(map_rows(several, unite, _nullable(columns)))


def _background(concepts: DataFrame, schema: Schema) -> Iterator[Row]:
    """Edges of the vocabulary's hierarchy; it has some thousand concepts, so the driver does it."""
    from pyspark.sql import functions as fn

    known = concepts.filter(fn.size("same_as") > 0).select("id", "type", "same_as").toArrow().to_pylist()
    nodes = [Node(row["id"], row["type"], "", (), tuple(row["same_as"])) for row in known]
    vocabulary = load_vocabulary()
    broader = broader_pairs(owners(nodes, vocabulary), vocabulary)
    for relation, head, tail in hierarchy(broader, {node.id: node.type for node in nodes}, schema):
        ends = dict(zip(EDGE_KEY, (*head, *tail), strict=True))
        nothing: Row = {field.name: [] for field in schema.relation(relation).arrow if pa.types.is_list(field.type)}
        (row,) = united(schema.relation(relation), [ends | nothing], BeliefModel()).to_pylist()
        yield {"relation": relation, **row}


def read_tables(read: Callable[[str], pa.Table | None], manifest: Mapping[str, object] | None = None) -> Graph:
    """The graph that `make_tables` wrote; `read` gives the table at a place under the output, None where nothing was written."""
    schema = load_schema()

    def table(place: str, columns: pa.Schema) -> pa.Table:
        found = read(place)
        return found.select(columns.names).cast(columns) if found is not None else columns.empty_table()

    nodes = {name: table(f"nodes/type={name}", kind.arrow) for name, kind in schema.nodes.items()}
    edges = {name: table(f"edges/relation={name}", relation.arrow) for name, relation in schema.relations.items()}
    return Graph(nodes, edges, schema, dict(manifest or {})).canonical()
