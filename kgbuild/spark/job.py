"""The whole way on a cluster: papers on any file system that Spark reads -> tables of the graph as Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.graph import Graph
from kgbuild.resolution.decisions import rules
from kgbuild.resolution.values import Decision
from kgbuild.resolution.vocabulary import load_vocabulary
from kgbuild.spark.frames import Stages, exists
from kgbuild.spark.names import name_entities
from kgbuild.spark.nodes import make_nodes
from kgbuild.spark.tables import make_tables, read_tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def make_graph(documents: DataFrame, decisions: Sequence[Decision], stage: Stages, output: str) -> None:
    """Resolve and assemble documents (columns `id`, `paper`, `record`, JSON) and write the tables under the output."""
    by_person = rules(decisions, load_vocabulary())
    entities, names = name_entities(documents, by_person, stage)
    nodes = make_nodes(names, by_person, stage)
    make_tables(documents, entities, nodes, stage, output)


def read_graph(path: str, spark: SparkSession) -> Graph:
    """The graph whose tables lie at the path, in the memory of the driver."""

    def read(place: str) -> pa.Table | None:
        whole = f"{path}/{place}"
        if "://" not in path:
            # through the JVM the same would take twice the memory
            return pq.read_table(whole, partitioning=None) if any(Path(whole).glob("*.parquet")) else None
        return spark.read.parquet(whole).toArrow() if exists(spark, whole) else None

    return read_tables(read)
