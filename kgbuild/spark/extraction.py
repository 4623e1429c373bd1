"""Papers -> extractions by Arrow batches, with the extractor loaded once in every Python worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

from kgbuild.extraction import Extractor
from kgbuild.ledger import extraction_from_json, paper_from_json
from kgbuild.records import Extraction, dumps
from kgbuild.spark.frames import Row, map_rows
from kgbuild.workers import BATCH, LoadExtractor, extract_batch

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TEXT = pa.string()
PAPERS = pa.schema([("id", TEXT), ("paper", TEXT)])
OUTCOMES = pa.schema([("id", TEXT), ("paper", TEXT), ("record", TEXT), ("problem", TEXT)])

_loaded: dict[bytes, Extractor] = {}  # Spark keeps its Python workers: the next task finds the extractor of the last one


def extract_rows(papers: DataFrame, load: LoadExtractor) -> DataFrame:
    """Columns `id`, `paper`, `record` (JSON, null where extraction failed) and `problem` (one line, else null)."""
    from pyspark.cloudpickle import dumps as pickled

    loader: bytes = pickled(load)  # type: ignore[no-untyped-call]

    def extract(rows: Iterator[Row]) -> Iterator[Row]:
        extractor = _extractor(loader)
        while batch := [paper_from_json(json.loads(row["paper"])) for row in islice(rows, BATCH)]:
            for paper, found in extract_batch(extractor, batch):
                failed = isinstance(found, str)
                record = None if isinstance(found, str) else dumps(found.to_json(paper.text))
                yield {"id": paper.id, "paper": dumps(paper.to_json()), "record": record, "problem": found if failed else None}

    return map_rows(papers, extract, OUTCOMES)


def outcome(row: Row) -> Extraction | str:
    """The extraction of a row, or what went wrong."""
    return extraction_from_json(json.loads(row["record"]), row["id"]) if row["problem"] is None else str(row["problem"])


def _extractor(loader: bytes) -> Extractor:
    if loader not in _loaded:
        from pyspark.cloudpickle import loads

        _loaded[loader] = loads(loader)()
    return _loaded[loader]
