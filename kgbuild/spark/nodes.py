"""Names -> nodes, as DataFrames: blocks, pairs, connected components, clusters within a component, identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from kgbuild.resolution.clusters import LETTERS, SAFE, STEMS, Pair, block_of, pairs_of
from kgbuild.resolution.decisions import Rules
from kgbuild.resolution.naming import Cluster, name_nodes, placed
from kgbuild.resolution.resolver import Resolver, Run
from kgbuild.spark.components import components
from kgbuild.spark.frames import Row, Stages, make_frame, map_rows
from kgbuild.spark.names import FLAG, LONG, NAME, STRINGS, TEXT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BLOCKS = pa.schema([("block", pa.list_(TEXT)), *NAME, ("papers", LONG)])
PAIRS = pa.schema([("type", TEXT), ("left", TEXT), ("right", TEXT), ("score", pa.float64())])
ROOTS = pa.schema([*NAME, ("root_type", TEXT), ("root", TEXT)])
MEMBERS = pa.list_(pa.struct([*NAME, ("papers", LONG), ("strings", STRINGS)]))
CLUSTERS = pa.schema(
    [("plain_id", TEXT), ("type", TEXT), ("names", MEMBERS), ("unknown", FLAG), ("papers", LONG), ("head_type", TEXT), ("head", TEXT)]
)
NODES = pa.schema(
    [("id", TEXT), ("type", TEXT), ("name", TEXT), ("aliases", pa.list_(TEXT)), ("same_as", pa.list_(TEXT)),
     ("properties", pa.map_(TEXT, TEXT)), ("place", LONG), ("names", pa.list_(pa.struct(NAME)))]
)  # fmt: skip


def make_nodes(names: DataFrame, rules: Rules, stage: Stages) -> DataFrame:
    """The nodes with the names that they stand for; `place` counts the nodes that share a plain identifier, the first keeps it."""
    from pyspark.sql import Window
    from pyspark.sql import functions as fn

    pairs = stage("pairs", lambda: _pairs(names, rules))
    roots = stage("roots", lambda: _roots(pairs, rules, stage))
    member = fn.struct("type", "key", "papers", "strings")
    clusters = (
        names.join(roots, ["type", "key"], "left")
        .groupBy(fn.coalesce("root_type", "type").alias("cluster_type"), fn.coalesce("root", "key").alias("cluster"))
        .agg(fn.collect_list(member).alias("names"))
        .select(fn.col("cluster_type").alias("type"), "names")
    )

    def label(rows: Iterator[Row]) -> Iterator[Row]:
        resolver = Resolver()
        for row in rows:
            plain, (unknown, papers, head) = placed(_cluster(row), resolver.vocabulary, rules.rename, resolver.profiler.key)
            yield row | {"plain_id": plain, "unknown": unknown, "papers": papers, "head_type": head[0], "head": head[1]}

    # Thousands of papers have a data set of their own without a name: they are ordered by Spark and not collected anywhere.
    order = Window.partitionBy("plain_id").orderBy("unknown", "papers", "head_type", "head")
    ranked = map_rows(clusters, label, CLUSTERS).withColumn("place", fn.row_number().over(order).cast("long"))

    def name(rows: Iterator[Row]) -> Iterator[Row]:
        resolver = Resolver()
        for row in rows:
            taken = [row["plain_id"]] if row["place"] > 1 else []
            nodes, ids = name_nodes([_cluster(row)], resolver.vocabulary, rules.rename, resolver.profiler.key, taken)
            (node,) = nodes.values()
            own = [{"type": type_, "key": key} for type_, key in ids]
            columns = {"id": node.id, "type": node.type, "name": node.name, "aliases": node.aliases, "same_as": node.same_as}
            yield columns | {"properties": list(node.properties.items()), "place": row["place"], "names": own}

    # Suffixes are short hashes: where two nodes get the same one they are one node, called as the last of them.
    columns = [field.name for field in NODES if field.name != "names"]
    found = map_rows(ranked, name, NODES).groupBy("id").agg(
        fn.max_by(fn.struct(*columns), "place").alias("node"), fn.flatten(fn.collect_list("names")).alias("names")
    )  # fmt: skip
    return stage("nodes", lambda: found.select("node.*", "names"))


def _cluster(row: Row) -> Cluster:
    cluster = Cluster(row["type"])
    for item in sorted(row["names"], key=lambda item: (item["type"], item["key"])):
        strings = {string["string"]: string["count"] for string in item["strings"]}
        cluster.add((item["type"], item["key"]), item["papers"], strings)
    return cluster


def _pairs(names: DataFrame, rules: Rules) -> DataFrame:
    """Pairs of names that are sure enough to be united, and those that a person says are the same, without a score."""
    from pyspark.sql import functions as fn

    def block(rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            for kind in (LETTERS, STEMS):  # misspellings are proposed to people and never united: the graph does not depend on them
                yield {"block": block_of((row["type"], row["key"]), kind), "type": row["type"], "key": row["key"], "papers": row["papers"]}

    def score(rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            papers = {(item["type"], item["key"]): item["papers"] for item in row["names"]}
            for pair in pairs_of(tuple(row["block"]), papers.keys(), papers):
                if pair.score >= SAFE:
                    yield {"type": pair.left[0], "left": pair.left[1], "right": pair.right[1], "score": pair.score}

    blocks = map_rows(names.select("type", "key", "papers"), block, BLOCKS)
    full = blocks.groupBy("block").agg(fn.collect_list(fn.struct("type", "key", "papers")).alias("names")).filter(fn.size("names") > 1)
    decided = [{"type": a[0], "left": a[1], "right": b[1], "score": None} for a, b in rules.same]
    return map_rows(full, score, PAIRS).unionByName(make_frame(names.sparkSession, decided, PAIRS))


def _roots(pairs: DataFrame, rules: Rules, stage: Stages) -> DataFrame:
    """For every name of a pair the name that stands for its cluster.

    Pairs are united from the surest down and vetoes look at whole clusters, so the order matters, but only among names that pairs
    connect: each connected component is decided by itself, in one piece, by the function of the local engine.
    """
    from pyspark.sql import functions as fn

    spark = pairs.sparkSession
    if pairs.isEmpty():
        return make_frame(spark, [], ROOTS)
    edges = pairs.withColumn("a", fn.xxhash64("type", "left")).withColumn("b", fn.xxhash64("type", "right"))
    found = components(spark, edges, stage.path("components"))
    together = edges.join(found, edges["a"] == found["vertex"]).repartition("component").drop("a", "b", "vertex", "component")

    def unite(rows: Iterator[Row]) -> Iterator[Row]:
        scored: dict[tuple[str, str, str, float], Pair] = {}
        same = []
        for row in rows:
            left, right = (row["type"], row["left"]), (row["type"], row["right"])
            if row["score"] is None:
                same.append((left, right))
            else:
                scored[(*left, right[1], row["score"])] = Pair(left, right, row["score"], ())
        run = Run(Resolver().expander, replace(rules, same=tuple(sorted(same))))
        ordered = sorted(scored.values(), key=lambda pair: (-pair.score, pair.left, pair.right))
        union = run.unite(ordered)
        for name in sorted({name for pair in ordered for name in (pair.left, pair.right)} | {name for pair in same for name in pair}):
            root = union.find(name)
            yield dict(zip(("type", "key", "root_type", "root"), (*name, *root), strict=True))

    return map_rows(together, unite, ROOTS)
