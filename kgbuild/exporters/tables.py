"""Tables: `nodes/TYPE` and `edges/RELATION` as CSV or Parquet with the manifest beside, in a folder or a zip."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.csv

from kgbuild.exporters.files import manifest_text
from kgbuild.exporters.flat import json_text
from kgbuild.graph import Graph

# The first moment that a zip can hold: a real time would make two exports of one graph differ.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_parquet(graph: Graph, path: Path) -> None:
    """Write the tables as Parquet, lists and nulls as they are; into a zip where the name ends with .zip."""
    _write(path, graph.write)


def write_csv(graph: Graph, path: Path) -> None:
    """Write the tables as CSV (UTF-8): text quoted, numbers bare, null an empty cell, lists as JSON; zipped as above."""

    def write(folder: Path) -> None:
        for part, tables in (("nodes", graph.nodes), ("edges", graph.edges)):
            (folder / part).mkdir(parents=True)
            for name, table in tables.items():
                pa.csv.write_csv(_without_lists(table), folder / part / f"{name}.csv")
        (folder / "manifest.json").write_text(manifest_text(graph) + "\n", encoding="utf-8", newline="\n")

    _write(path, write)


def _without_lists(table: pa.Table) -> pa.Table:
    for index, column in enumerate(table.schema):
        if pa.types.is_list(column.type):
            texts = [None if value is None else json_text(value) for value in table[column.name].to_pylist()]
            table = table.set_column(index, pa.field(column.name, pa.string()), pa.array(texts, pa.string()))
    return table


def _write(path: Path, write: Callable[[Path], None]) -> None:
    if path.suffix.lower() != ".zip":
        path.mkdir()
        write(path)
        return
    with TemporaryDirectory(dir=path.parent) as name, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = Path(name)
        write(folder)
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), ZIP_TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, file.read_bytes())
