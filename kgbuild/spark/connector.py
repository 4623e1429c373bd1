"""The tables of a graph into a Neo4j server, from the executors, by Neo4j's own connector for Spark."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kgbuild.errors import KgbuildError, StoreError
from kgbuild.spark.frames import exists, read_text
from kgbuild.spark.session import open_session, spark_errors
from kgbuild.stores import open_store
from kgbuild.stores.base import quote
from kgbuild.stores.neo4j import BATCH, Neo4jStore, edge_upsert, node_upsert

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORMAT = "org.neo4j.spark.DataSource"
ROW = "event"  # what the connector calls a row
AGAIN = "mend what it names and write again: what is there is not doubled"


def write_neo4j(tables: str, url: str, spark: SparkSession | None = None) -> None:
    """Upsert the tables that `kgbuild.spark.build` left into a Neo4j server: nodes by all executors, edges by one task.

    Two tasks that write edges of one node wait for each other's lock or fail, so edges go one after the other.

    Args:
        tables: a folder or URL.
        url: `neo4j://HOST[:PORT][/DATABASE]`; user and password as for `kgbuild load`.

    Raises StoreError where no finished graph lies there, edges lack their ends or the server does not let us in, KgbuildError without
    the connector's jars or where Spark gives up. Writing again after a failure completes the graph without doubles.
    """
    tables = tables.rstrip("/")
    spark = spark or open_session()
    require_connector(spark)
    with neo4j_store(url) as store, spark_errors(AGAIN):
        if not exists(spark, f"{tables}/edges/_SUCCESS"):
            raise StoreError(f"{tables}: no finished graph of the Spark engine", "run kgbuild spark first")
        store.prepare(store.schema)
        options = {**store.connector_options(), "batch.size": str(BATCH)}

        def send(frame: DataFrame, query: str) -> None:
            frame.write.format(FORMAT).mode("overwrite").options(**options, query=query).save()

        for name in store.schema.nodes:
            send(spark.read.parquet(f"{tables}/nodes/type={name}"), node_upsert(name, ROW))
        for name in store.schema.relations:
            if not exists(spark, place := f"{tables}/edges/relation={name}"):
                continue  # Spark makes no folder for a relation without edges
            edges = spark.read.parquet(place)
            present = {row[:2]: row[2] for row in edges.groupBy("source_type", "target_type").count().collect()}
            for source, target in sorted(present):
                rows = edges.filter((edges.source_type == source) & (edges.target_type == target)).drop("source_type", "target_type")
                columns = [column for column in rows.columns if column not in ("source", "target")]
                send(rows.repartition(1), edge_upsert(name, source, target, columns, ROW))
            count = sum(present.values())
            found = store.query(f"MATCH ()-[r:{quote(name)}]->() RETURN count(r) AS count")["count"][0].as_py()
            if found < count:
                raise StoreError(f"{store.uri}: of {count} edges of {name} only {found} found both ends", "build the tables again")
        text = read_text(spark, f"{tables}/manifest.json")
        store.write_manifest(json.loads(text) if text else {})


def neo4j_store(url: str) -> Neo4jStore:
    """The server at the address; raises StoreError where it is another kind of store, or does not let us in."""
    store = open_store(url)
    if not isinstance(store, Neo4jStore):
        store.close()
        raise StoreError(f"{url}: is no address of a Neo4j server", "write neo4j://HOST[:PORT][/DATABASE]")
    return store


def require_connector(spark: SparkSession) -> None:
    """Raise KgbuildError where the session has no connector."""
    from py4j.protocol import Py4JJavaError

    jvm = spark._jvm
    assert jvm is not None
    try:
        jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(FORMAT)
    except Py4JJavaError as error:
        hint = "give the jars of org.neo4j:neo4j-connector-apache-spark_2.13 by --jars or spark.jars, see docs/spark.md"
        raise KgbuildError("Spark has no connector for Neo4j", hint) from error
