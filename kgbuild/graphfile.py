"""`graph.kg`: one folder that moves, copies and is replaced as a whole, and that readers can go on reading while it is rebuilt.

CURRENT          one line of JSON: format version and the name of the data folder; replaced atomically
data/<digest>/   never changed once named: the graph as Parquet, the ledger of its sources, the embedded database, the state of resolution
records.sqlite   extractions by content, so that no paper is extracted twice and a killed build goes on
log.jsonl        when and how it was built: everything that may differ between two builds of the same graph
lock             held by the one process that writes
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from kgbuild.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from kgbuild.graph import Change, Graph
    from kgbuild.ledger import Documents, Ledger
    from kgbuild.stores import Store

FORMAT = 1
CURRENT, DATA, LOCK, LOG, RECORDS = "CURRENT", "data", "lock", "log.jsonl", "records.sqlite"
DATABASE = "graph.ladybug"
LOADED = "graph.ladybug.loaded"  # bytes of the database when it was loaded as a whole
STATE = "resolution.sqlite"  # what the next build resolves from where little has changed


class GraphFile:
    """A graph on disk, opened for reading: what it shows stays the same while another process rebuilds it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the graph at `path`; raises StoreError where there is none or its format is another version's."""
        self.path = Path(path)
        self.folder = data_folder(self.path)
        self._graph: Graph | None = None
        self._store: Store | None = None

    @property
    def digest(self) -> str:
        """Name of the content: equal for equal graphs."""
        return self.folder.name

    @property
    def manifest(self) -> dict[str, Any]:
        """What the graph was made from: versions, settings, input hashes, counts."""
        manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        return manifest

    def graph(self) -> Graph:
        """The whole graph as Arrow tables, read once."""
        from kgbuild.graph import Graph

        if self._graph is None:
            self._graph = Graph.read(self.folder)
        return self._graph

    @property
    def store(self) -> Store:
        """The embedded Cypher store, read-only."""
        from kgbuild.stores import open_store

        if self._store is None:
            self._store = open_store(f"ladybug:{self.folder / DATABASE}")
        return self._store

    def query(self, text: str, parameters: Mapping[str, Any] | None = None, **more: Any) -> pa.Table:
        """The rows of a Cypher query; parameters as a mapping or by name. Raises QueryError for a wrong one."""
        return self.store.query(text, {**(parameters or {}), **more})

    def ledger(self) -> Ledger:
        """The papers by source, the records given by hand, the decisions."""
        from kgbuild.ledger import Ledger

        return Ledger.read(self.folder)

    def documents(self) -> Documents:
        """Each paper with its extraction, by id; iterate as often as you like."""
        from kgbuild.ledger import Documents, RecordCache

        ledger = self.ledger()
        return Documents(ledger.papers(), ledger.keys, RecordCache(self.path / RECORDS, readonly=True))

    def close(self) -> None:
        """Let go of the database; closing twice is fine."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the database."""
        self.close()


def open(path: str | os.PathLike[str]) -> GraphFile:
    """The graph at `path`, for reading; raises StoreError where there is none or its format is another version's."""
    return GraphFile(path)


def is_graph_file(path: Path) -> bool:
    """Whether a graph, of whatever format version, lies at the path."""
    return (path / CURRENT).is_file()


def data_folder(path: Path) -> Path:
    """The folder that holds the graph's data now; raises StoreError where there is none or its format is another version's."""
    try:
        pointer = json.loads((path / CURRENT).read_text(encoding="utf-8"))
        version, name = pointer["format"], pointer["data"]
    except FileNotFoundError:
        raise _no_graph(path) from None
    except NotADirectoryError:
        raise StoreError(f"{path}: is a file, not a graph", "graphs are folders made by kgbuild build") from None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path / CURRENT}: damaged", "copy the graph again as a whole, or build it again with --fresh") from error
    if version != FORMAT:
        hint = "build it again from its sources with --fresh" if version < FORMAT else "update kgbuild"
        raise StoreError(f"{path}: has graph format {version}, this kgbuild reads format {FORMAT}", hint)
    folder = path / DATA / str(name)
    if not folder.is_dir():
        raise StoreError(f"{path}: its data folder is missing", "copy the graph again as a whole, or build it again")
    return folder


def inputs_of(path: Path) -> str:
    """The name of the inputs that the last build gave to `new_data`; empty where there is no graph."""
    if not is_graph_file(path):
        return ""
    data_folder(path)
    return str(json.loads((path / CURRENT).read_text(encoding="utf-8")).get("inputs", ""))


def _no_graph(path: Path) -> StoreError:
    if (path / RECORDS).exists():
        return StoreError(f"{path}: its first build is not finished", "run the same kgbuild build again: it goes on where it stopped")
    what = "no graph in this folder" if path.exists() else "no such graph"
    return StoreError(f"{path}: {what}", f"make one: kgbuild build INPUT... -o {path}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold the graph's lock; the folder is made for it and removed again where nothing came of it.

    Raises StoreError where another process holds the lock, or where something that is not a graph lies at the path.
    """
    if path.exists() and not (path.is_dir() and (is_graph_file(path) or (path / LOCK).exists() or not any(path.iterdir()))):
        raise StoreError(f"{path}: exists and is not a graph", "choose another name, or move it away")
    try:
        path.mkdir(parents=True, exist_ok=True)
        stream = (path / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}", "choose a folder that you may write to") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(f"{path}: another build is writing to it", "wait until it is done and repeat") from None
        _sweep(path)
        try:
            yield
        finally:
            _sweep(path)
            if not is_graph_file(path) and {entry.name for entry in path.iterdir()} <= {LOCK}:
                (path / LOCK).unlink()
                path.rmdir()


def _sweep(path: Path) -> None:
    """Remove what killed builds and replaced graphs left behind; readers keep the files that they have open."""
    if not (path / DATA).is_dir():
        return
    try:
        current = json.loads((path / CURRENT).read_text(encoding="utf-8"))["data"]
    except FileNotFoundError:
        current = None
    except (ValueError, KeyError, TypeError):
        return
    for folder in (path / DATA).iterdir():
        if folder.name != current:
            shutil.rmtree(folder, ignore_errors=True)
    if current is None:
        (path / DATA).rmdir()


@contextmanager
def new_data(path: Path, inputs: str = "") -> Iterator[Path]:
    """A folder to write new data into; it becomes current as a whole when the block ends, and not at all when it raises.

    inputs: a name for what the data was made from, by which `inputs_of` tells that there is nothing to do.
    """
    (path / DATA).mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="new-", dir=path / DATA))
    try:
        yield folder
        digest = _digest(folder)
        _sync(folder)
        target = path / DATA / digest
        if target.exists():
            # The graph is the one that is there, but its state may be missing or be of other words; readers do not open it.
            # An engine leaves none: then what is there still fits, as it is of the same graph.
            if (folder / STATE).exists():
                (folder / STATE).replace(target / STATE)
            shutil.rmtree(folder)
        else:
            folder.rename(target)
        _sync_folder(path / DATA)
        replace_file(path / CURRENT, json.dumps({"format": FORMAT, "data": digest, "inputs": inputs}) + "\n")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def can_change(before: Path | None) -> bool:
    """Whether the embedded database in the folder may be copied and changed: it has not doubled by changes yet.

    The database does not always use again what changes set free.
    """
    try:
        return before is not None and (before / DATABASE).stat().st_size <= 2 * int((before / LOADED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def copy_database(before: Path, folder: Path) -> None:
    """Copy the embedded database of a data folder into a new one."""
    for name in (DATABASE, LOADED):
        shutil.copyfile(before / name, folder / name)


def write_database(folder: Path, graph: Graph, changes: Mapping[str, Change] | None = None) -> None:
    """Load the graph into the embedded database of a new data folder; or with `changes`, make them in the one that was copied there."""
    from kgbuild.stores.ladybug import LadybugStore

    file = folder / DATABASE
    try:
        with LadybugStore(file) as store:
            if changes is None:
                store.write(graph)
            else:
                store.change(graph, changes)
        if changes is None:
            (folder / LOADED).write_text(f"{file.stat().st_size}\n", encoding="utf-8")
    except StoreError as error:
        # The database tells of a full disk in its own long words.
        if os.strerror(errno.ENOSPC) in error.message:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise


def replace_file(path: Path, text: str) -> None:
    """Replace the file's content as a whole: readers see the old text or the new one."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    _sync_folder(path.parent)


def write_log(path: Path, row: Mapping[str, Any]) -> None:
    """Add a line to the graph's log."""
    with (path / LOG).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def _digest(folder: Path) -> str:
    """sha256 over names and bytes; database and state are left out: they follow from the rest, and their bytes are not ours to fix."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith((DATABASE, STATE)):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:24]


def _sync(folder: Path) -> None:
    for entry in folder.rglob("*"):
        if entry.is_file():
            with entry.open("rb") as stream:
                os.fsync(stream.fileno())
        else:
            _sync_folder(entry)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
