"""Inputs -> distinct papers, as DataFrames: read where they lie, and united by the function of the local engine."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kgbuild import sources
from kgbuild.errors import InputError, InputWarning
from kgbuild.ledger import paper_from_json
from kgbuild.records import dumps
from kgbuild.sources.jsonl import own
from kgbuild.sources.parquet import COLUMNS
from kgbuild.sources.stream import Input
from kgbuild.sources.union import common_keys
from kgbuild.spark.components import components
from kgbuild.spark.extraction import PAPERS, TEXT
from kgbuild.spark.frames import Row, Stages, make_frame, map_rows, together

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FILES = pa.schema([("path", TEXT)])
COPIES = pa.schema([("paper", TEXT), ("problem", TEXT), ("warning", pa.bool_())])
KEYED = pa.schema([("id", TEXT), ("paper", TEXT), ("keys", pa.list_(TEXT)), ("bare", pa.bool_())])


def read_copies(spark: SparkSession, urls: Sequence[str], paths: Sequence[str], format: str | None) -> DataFrame:
    """Columns `paper` (JSON, null where there is none), `problem` and `warning`, one row for each record of the inputs.

    urls: our own records, as Parquet where the name ends so, else as JSON lines; Spark reads them and splits large files.
    paths: files of any format that kgbuild reads, at a place that the executors see; each is read by one task.
    """
    frames = [_read_by_spark(spark, url) for url in urls]
    if paths:
        listed = make_frame(spark, ({"path": path} for path in paths), FILES)

        def read(rows: Iterator[Row]) -> Iterator[Row]:
            problems: list[InputError] = []
            for row in rows:
                for _, paper in sources.read(row["path"], format=format, on_problem=problems.append):
                    yield _copy(paper.to_json())
                yield from map(_problem, problems)
                problems.clear()

        frames.append(map_rows(listed.repartition(len(paths)), read, COPIES))
    return together(frames or [make_frame(spark, [], COPIES)])


def _read_by_spark(spark: SparkSession, url: str) -> DataFrame:
    if url.rstrip("/").endswith(".parquet"):
        table = spark.read.parquet(url)
        return map_rows(table.select([name for name in COLUMNS if name in table.columns]), lambda rows: _own(url, rows), COPIES)
    return map_rows(spark.read.text(url), lambda rows: _own(url, _parsed(row["value"] for row in rows)), COPIES)


def _parsed(lines: Iterable[str]) -> Iterator[Mapping[str, Any] | str]:
    for line in lines:
        if line.strip():
            try:
                record = json.loads(line)
                yield record if isinstance(record, dict) else line
            except (ValueError, RecursionError):
                yield line


def _own(name: str, records: Iterable[Mapping[str, Any] | str]) -> Iterator[Row]:
    """Papers of our own records; a text is a line that is none."""
    problems: list[InputError] = []
    for record in records:
        if isinstance(record, str):
            yield _problem(InputError(name, f"not a JSON object: {record[:60]!r}"))
            continue
        # The line number is unknown to a task that reads a part of a file; the id says which record it is.
        paper = own(Input(name, io.BytesIO(), problems.append), f"record {str(record.get('id'))[:60]!r}", record)
        if paper:
            yield _copy(paper.to_json())
        yield from map(_problem, problems)
        problems.clear()


def _copy(paper: Mapping[str, Any]) -> Row:
    return {"paper": dumps(paper), "problem": None, "warning": False}


def _problem(problem: InputError) -> Row:
    return {"paper": None, "problem": str(problem), "warning": isinstance(problem, InputWarning)}


def unite(copies: DataFrame, slices: int, stage: Stages) -> DataFrame:
    """Columns `id`, `paper` and `slice` (0 to slices - 1): one row for each publication, the same as those of `sources.unite`.

    Copies of one paper share a key. So each connected component of copies and shared keys is united by itself.
    """
    from pyspark.sql import functions as fn

    def key(rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            paper = paper_from_json(json.loads(row["paper"]))
            yield {"id": paper.id, "paper": row["paper"], "keys": sorted(common_keys(paper)), "bare": not paper.abstract}

    distinct = copies.filter("paper is not null").select("paper").distinct()
    keyed = stage("keyed", lambda: map_rows(distinct, key, KEYED)).withColumn("a", fn.xxhash64("paper"))
    by_key = keyed.select("a", "bare", fn.explode("keys").alias("key"))
    shared = by_key.groupBy("key").agg(fn.count("*").alias("copies"), fn.max("bare").alias("bare"))
    # A title joins only copies without an abstract to others; "Introduction" of ten thousand whole papers joins nothing.
    joining = shared.filter((fn.col("copies") > 1) & (fn.col("bare") | ~fn.col("key").startswith("title:"))).select("key")
    edges = stage("shared", lambda: by_key.join(joining, "key", "left_semi").select("a", fn.xxhash64("key").alias("b")))
    alone, several = keyed, None
    if not edges.isEmpty():
        found = stage("copies", lambda: components(stage.spark, edges, stage.path("same")))
        grouped = keyed.join(found.withColumnRenamed("vertex", "a"), "a").groupBy("component").agg(fn.collect_list("paper").alias("papers"))
        alone, several = keyed.join(edges, "a", "left_anti"), map_rows(grouped, _united, PAPERS)
    papers = alone.select("id", "paper")
    papers = papers.unionByName(several) if several is not None else papers
    # Slices are extracted one after the other, each from files of its own.
    sliced = papers.withColumn("slice", fn.pmod(fn.xxhash64("id"), fn.lit(slices)))
    return stage("papers", lambda: sliced.repartitionByRange(slices, "slice"))


def _united(rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        for paper in sources.unite(paper_from_json(json.loads(text)) for text in row["papers"]):
            yield {"id": paper.id, "paper": dumps(paper.to_json())}
