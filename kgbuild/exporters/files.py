"""Writing beside and renaming: a target is either the old file or the new one, never something between."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kgbuild.errors import KgbuildError
from kgbuild.graph import Graph

TABLE_FOLDER = {"nodes", "edges", "manifest.json"}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to, of the same name; when the block ends well it takes the place of `path` in one rename.

    Raises KgbuildError where the place cannot be written, and for a folder that holds anything but an earlier export.
    """
    if path.is_dir() and not {entry.name for entry in path.iterdir()} <= TABLE_FOLDER:
        raise KgbuildError(f"{path}: a folder that holds other things than an export", "give another name, or remove it yourself")
    if not path.parent.is_dir():
        raise KgbuildError(f"{path.parent}: no such folder", "make it first, or give another place")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name[:40]}.", dir=path.parent) as folder:
            beside = Path(folder) / path.name
            yield beside
            if path.exists() and path.is_dir() != beside.is_dir():
                raise KgbuildError(f"{path}: a {'folder' if path.is_dir() else 'file'} is in the way", "give another name, or remove it")
            _sync(beside)
            _swap(beside, path, Path(folder) / "replaced")
    except OSError as error:
        raise KgbuildError(f"{path}: cannot be written: {error.strerror or error}", "the old file is as it was") from error


def _sync(path: Path) -> None:
    """Have the bytes on disk before the name points at them, so that a power cut cannot leave an empty file."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())


def _swap(new: Path, path: Path, aside: Path) -> None:
    if not path.is_dir():
        os.replace(new, path)
        return
    # No portable call swaps two folders, so the old one steps aside and comes back if the new one cannot take its place.
    os.replace(path, aside)
    try:
        os.replace(new, path)
    except OSError:
        os.replace(aside, path)
        raise
    if aside.is_dir():
        shutil.rmtree(aside)


def manifest_text(graph: Graph) -> str:
    """The manifest on one line of JSON, keys sorted."""
    return json.dumps(graph.manifest, ensure_ascii=False, sort_keys=True)
