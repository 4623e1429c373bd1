"""The tables of a graph into a Neo4j server, from the executors, by Neo4j's own connector for Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgbuild.errors import KgbuildError, StoreError
from kgbuild.spark.frames import exists
from kgbuild.spark.session import open_session, spark_errors
from kgbuild.stores.neo4j import BATCH, Neo4jStore, edge_upsert, node_upsert

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORMAT = "org.neo4j.spark.DataSource"
ROW = "event"  # what the connector calls a row


def write_neo4j(tables: str, url: str, spark: SparkSession | None = None) -> None:
    """Upsert the tables that `kgbuild.spark.build` left into a Neo4j server: nodes by all executors, edges by one task.

    Two tasks that write edges of one node wait for each other's lock or fail, so edges go one after the other.

    Args:
        tables: a folder or URL.
        url: `neo4j://HOST[:PORT][/DATABASE]`; user and password as for `kgbuild load`.

    Raises StoreError where no finished graph lies there or the server does not let us in, KgbuildError without the connector's jars
    or where Spark gives up. Writing again after a failure completes the graph without doubles.
    """
    spark = spark or open_session()
    require_connector(spark)
    tables = tables.rstrip("/")
    if not exists(spark, f"{tables}/edges/_SUCCESS"):
        raise StoreError(f"{tables}: no finished graph of the Spark engine", "run kgbuild spark first")
    with Neo4jStore.open(url) as store, spark_errors():
        store.prepare()
        options = {**store.connector_options(), "batch.size": str(BATCH)}

        def send(frame: DataFrame, query: str) -> None:
            frame.write.format(FORMAT).mode("overwrite").options(**options, query=query).save()

        for name in store.schema.nodes:
            if exists(spark, place := f"{tables}/nodes/type={name}"):
                send(spark.read.parquet(place), node_upsert(name, ROW))
        for name, relation in store.schema.relations.items():
            if not exists(spark, place := f"{tables}/edges/relation={name}"):
                continue
            edges = spark.read.parquet(place)
            for source, target in relation.patterns:
                rows = edges.filter((edges.source_type == source) & (edges.target_type == target)).drop("source_type", "target_type")
                columns = [column for column in rows.columns if column not in ("source", "target")]
                send(rows.coalesce(1), edge_upsert(name, source, target, columns, ROW))


def require_connector(spark: SparkSession) -> None:
    """Raise KgbuildError where the session has no connector."""
    jvm = spark._jvm
    assert jvm is not None
    try:
        jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(FORMAT)
    except Exception as error:
        hint = "give the jars of org.neo4j:neo4j-connector-apache-spark_2.13 by --jars or spark.jars, see docs/spark.md"
        raise KgbuildError("Spark has no connector for Neo4j", hint) from error
