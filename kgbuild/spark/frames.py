"""DataFrames in and out of Python: functions over rows, joins that survive a skewed key, and stages kept as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Row = dict[str, Any]
BATCH = 2000  # rows of an Arrow batch
HUB = 200_000  # rows of one key from which on a join spreads it over several tasks
SALTS = 32  # tasks that share a hub


def map_rows(frame: DataFrame, function: Callable[[Iterator[Row]], Iterable[Row]], schema: pa.Schema) -> DataFrame:
    """The frame whose rows a function makes from the rows of a partition; `schema` is theirs."""
    from pyspark.sql.pandas.types import from_arrow_schema

    def over(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        made = iter(function(row for batch in batches for row in batch.to_pylist()))
        while rows := list(islice(made, BATCH)):
            yield from pa.Table.from_pylist(rows, schema=schema).to_batches()

    return frame.mapInArrow(over, from_arrow_schema(schema))


def make_frame(spark: SparkSession, rows: Iterable[Row], schema: pa.Schema) -> DataFrame:
    """A frame of rows that the driver holds."""
    from pyspark.sql.pandas.types import from_arrow_schema

    table = pa.Table.from_pylist(list(rows), schema=schema)
    if not table.num_rows:
        return spark.createDataFrame([], from_arrow_schema(schema))
    return spark.createDataFrame(table)


def together(frames: Sequence[DataFrame]) -> DataFrame:
    """All rows of one frame or more."""
    first, *others = frames
    for other in others:
        first = first.unionByName(other)
    return first


def join(left: DataFrame, right: DataFrame, on: Sequence[str], *, hub: int | None = None) -> DataFrame:
    """Left join with a right side that has a key at most once; keys that the left side has over and over are salted.

    `deep learning` stands in every second paper: all its rows would go to one task. Its rows get one of `SALTS` numbers and the one
    row of the right side is repeated under each. The left side has a column `id`; it is scanned twice and should be a stage on disk.
    """
    from pyspark.sql import functions as fn

    # As a list and not as a frame that executors keep: one of them may be lost. There are at most rows / hub of them.
    keys = left.groupBy(*on).count().filter(fn.col("count") >= (hub or HUB)).select(*on).collect()
    if not keys:
        return left.join(right, list(on), "left")
    spark = left.sparkSession
    hubs = fn.broadcast(spark.createDataFrame(keys, left.select(*on).schema).withColumn("salts", fn.lit(SALTS)))
    # By hash and not by chance: a task that runs again must give each row the same number.
    number = fn.coalesce(fn.pmod(fn.xxhash64("id"), fn.col("salts")).cast("int"), fn.lit(0))
    salted = left.join(hubs, list(on), "left").withColumn("salt", number).drop("salts")
    every = fn.explode(fn.sequence(fn.lit(0), fn.coalesce(fn.col("salts"), fn.lit(1)) - 1))
    spread = right.join(hubs, list(on), "left").withColumn("salt", every).drop("salts")
    return salted.join(spread, [*on, "salt"], "left").drop("salt")


class Stages:
    """Results of a run kept as Parquet under one folder, each whole or absent: a run that starts again takes up what is there."""

    def __init__(self, spark: SparkSession, folder: str) -> None:
        """`folder`: a path or URL that the driver and all executors reach."""
        self.spark = spark
        self.folder = folder.rstrip("/")

    def __call__(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """The stage of that name, made and written if it is not there."""
        write(self.spark, make, self.path(name))
        return self.spark.read.parquet(self.path(name))

    def path(self, name: str) -> str:
        """Where the stage lies."""
        return f"{self.folder}/{name}"


def write(spark: SparkSession, make: Callable[[], DataFrame], path: str, by: str | None = None) -> None:
    """Write a frame as Parquet unless it is there as a whole, which Spark marks; `by` is a column to make folders of."""
    if exists(spark, f"{path}/_SUCCESS"):
        return
    # Spark's web page and event log then say which step a job belongs to.
    spark.sparkContext.setJobDescription(path.rpartition("/")[2])
    writer = make().write.mode("overwrite")
    (writer.partitionBy(by) if by else writer).parquet(path)


def exists(spark: SparkSession, path: str) -> bool:
    """Whether a file or folder is there, on any file system that Spark reaches."""
    return bool(_file_system(spark, path).exists(_path(spark, path)))


def remove(spark: SparkSession, path: str) -> None:
    """Remove a folder with all in it; nothing happens if it is not there."""
    _file_system(spark, path).delete(_path(spark, path), True)


def _path(spark: SparkSession, path: str) -> Any:
    jvm = spark._jvm
    assert jvm is not None
    return jvm.org.apache.hadoop.fs.Path(path)


def _file_system(spark: SparkSession, path: str) -> Any:
    return _path(spark, path).getFileSystem(spark._jsc.hadoopConfiguration())


def write_text(spark: SparkSession, path: str, text: str) -> None:
    """Write a small file, on any file system that Spark reaches."""
    stream = _file_system(spark, path).create(_path(spark, path), True)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def read_text(spark: SparkSession, path: str) -> str:
    """A small file as text; empty where none is there."""
    if not exists(spark, path):
        return ""
    return "\n".join(row["value"] for row in spark.read.text(path, wholetext=True).collect())


def listing(spark: SparkSession, path: str) -> list[str]:
    """Name, size and time of every file of a file or folder, sorted; nothing where nothing is there."""
    if not exists(spark, path):
        return []
    found, files = [], _file_system(spark, path).listFiles(_path(spark, path), True)
    while files.hasNext():
        file = files.next()
        found.append(f"{file.getPath()} {file.getLen()} {file.getModificationTime()}")
    return sorted(found)
