"""Connected components by GraphX, which every Spark installation has.

GraphFrames would be the DataFrame way to it, but its jar is a package apart that a user has to fetch for just his Spark version.
GraphX has the same algorithm behind it, is part of Spark and is called here through the JVM that PySpark drives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgbuild.spark.frames import remove

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def components(spark: SparkSession, edges: DataFrame, folder: str) -> DataFrame:
    """Columns `vertex` and `component` for the vertices of edges with columns `a` and `b`, all of them long integers.

    folder: where the edges and what GraphX finds are written as text, which is how it reads and writes. The vertices are hashes of names;
    two names with one hash would merely put two components into one, and what is done within a component would be done in both.
    """
    from pyspark.sql import functions as fn

    edges.select("a", "b").write.mode("overwrite").csv(f"{folder}/edges", sep=" ")
    jvm, context = spark._jvm, spark._jsc.sc()
    assert jvm is not None
    level = jvm.org.apache.spark.storage.StorageLevel.MEMORY_AND_DISK()
    parts = max(1, int(spark.conf.get("spark.sql.shuffle.partitions", "1") or 1))
    graph = jvm.org.apache.spark.graphx.GraphLoader.edgeListFile(context, f"{folder}/edges", False, parts, level, level)
    remove(spark, f"{folder}/found")
    graph.ops().connectedComponents().vertices().saveAsTextFile(f"{folder}/found")
    pair = fn.split(fn.regexp_replace("value", "[()]", ""), ",")
    found = spark.read.text(f"{folder}/found")
    return found.select(pair[0].cast("long").alias("vertex"), pair[1].cast("long").alias("component"))
