"""Papers -> extractions by Arrow batches, with the extractor loaded once in every Python worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

from kgbuild.extraction import Extractor
from kgbuild.ledger import extraction_from_json, paper_from_json
from kgbuild.records import Extraction, dumps
from kgbuild.spark.frames import Row, Stages, map_rows, write
from kgbuild.workers import BATCH, LoadExtractor, extract_batch

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TEXT = pa.string()
PAPERS = pa.schema([("id", TEXT), ("paper", TEXT)])
OUTCOMES = pa.schema([("id", TEXT), ("paper", TEXT), ("record", TEXT), ("problem", TEXT)])

PARTS = 4  # tasks for each core: some papers take longer, and small tasks even that out

_loaded: dict[bytes, Extractor] = {}  # Spark keeps its Python workers: the next task finds the extractor of the last one


def extract_rows(papers: DataFrame, load: LoadExtractor) -> DataFrame:
    """Columns `id`, `paper`, `record` (JSON; where extraction failed it says nothing) and `problem` (one line, else null)."""
    from pyspark import cloudpickle

    pickled: Callable[[LoadExtractor], bytes] = cloudpickle.dumps  # which has no types of its own
    loader = pickled(load)

    def extract(rows: Iterator[Row]) -> Iterator[Row]:
        extractor = _extractor(loader)
        while batch := [paper_from_json(json.loads(row["paper"])) for row in islice(rows, BATCH)]:
            for paper, found in extract_batch(extractor, batch):
                problem = found if isinstance(found, str) else None
                record = Extraction(paper.id) if isinstance(found, str) else found
                yield {"id": paper.id, "paper": dumps(paper.to_json()), "record": dumps(record.to_json(paper.text)), "problem": problem}

    return map_rows(papers, extract, OUTCOMES)


def extract_papers(papers: DataFrame, load: LoadExtractor, slices: int, stage: Stages) -> DataFrame:
    """The columns of `extract_rows` for all papers; each of the slices (column `slice`) is a stage of its own."""
    from pyspark.sql.pandas.types import from_arrow_schema

    spark = papers.sparkSession
    parts = PARTS * spark.sparkContext.defaultParallelism
    for number in range(slices):
        part = papers.filter(papers["slice"] == number).select("id", "paper").repartition(parts)
        write(spark, lambda part=part: extract_rows(part, load), stage.path(f"documents/{number}"))  # type: ignore[misc]
    return spark.read.schema(from_arrow_schema(OUTCOMES)).parquet(*(stage.path(f"documents/{number}") for number in range(slices)))


def outcome(row: Row) -> Extraction | str:
    """The extraction of a row, or what went wrong."""
    return extraction_from_json(json.loads(row["record"]), row["id"]) if row["problem"] is None else str(row["problem"])


def _extractor(loader: bytes) -> Extractor:
    if loader not in _loaded:
        from pyspark.cloudpickle import loads

        _loaded[loader] = loads(loader)()
    return _loaded[loader]
