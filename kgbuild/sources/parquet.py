"""Our own records as Parquet: the columns of our JSON lines, kept letter for letter."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.records import Paper
from kgbuild.sources.jsonl import own
from kgbuild.sources.stream import MIB, Input

COLUMNS = ("id", "title", "abstract", "year", "authors", "venue", "doi", "arxiv", "url", "code")
ROWS = 1024  # rows in memory at once
ROW_GROUP_LIMIT = 512 * MIB  # bytes of our columns in one row group, unpacked


def read(source: Input) -> Iterator[Paper]:
    """One paper per row; other columns are left alone.

    Raises: InputError for a damaged file, a missing `title` column and row groups beyond 512 MiB.
    """
    with tempfile.TemporaryFile() as spool:
        try:
            table = pq.ParquetFile(_seekable(source, spool), thrift_string_size_limit=16 * MIB, thrift_container_size_limit=1_000_000)
            yield from _rows(source, table)
        except (pa.ArrowException, OSError, OverflowError, MemoryError, UnicodeDecodeError) as error:
            raise source.error(f"damaged Parquet: {str(error).splitlines()[0][:200] if str(error) else 'unreadable'}") from error


def _rows(source: Input, table: pq.ParquetFile) -> Iterator[Paper]:
    columns = [name for name in COLUMNS if name in table.schema_arrow.names]
    if "title" not in columns:
        raise source.error("no column `title`", hint=f"columns that are read: {', '.join(COLUMNS)}")
    for group in range(table.metadata.num_row_groups):
        if table.metadata.row_group(group).total_byte_size > ROW_GROUP_LIMIT:
            raise source.error(f"row group {group + 1} has more than {ROW_GROUP_LIMIT // MIB} MiB", hint="write smaller row groups")
    number = 0
    for batch in table.iter_batches(batch_size=ROWS, columns=columns):
        for record in batch.to_pylist():
            number += 1
            paper = own(source, f"row {number}", record)
            if paper:
                yield paper


def _seekable(source: Input, spool: IO[bytes]) -> IO[bytes] | str:
    if source.path is not None and source.path.is_file():
        return str(source.path)
    shutil.copyfileobj(source.file(), spool, MIB)
    spool.seek(0)
    return spool
