"""What a graph file remembers of its making: the papers of each source, the records that were given, decisions, extractions."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from sys import intern
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from kgbuild.errors import InputError, StoreError
from kgbuild.graphfile import STATE
from kgbuild.records import Entity, Extraction, Paper, Relation, Result, dumps
from kgbuild.resolution.values import Decision

COPIES = pa.schema([("source", pa.string()), ("paper", pa.string())])
KEYS = pa.schema([("id", pa.string()), ("key", pa.string())])
GROUP = 10_000  # rows that are Python objects at once


@dataclass(frozen=True)
class Ledger:
    """The inputs of a graph, from which it can be made again.

    copies: the papers of each source as that source gives them; the same paper may stand in several. given: record key by paper key
    for papers whose record came from a person or another program. keys: record key by paper id for every paper of the graph.
    decisions: what a person decided about names. settings: everything else that the graph depends on. lines: papers as they
    stood in a file, so that they need not be put into words again.
    """

    copies: Mapping[str, tuple[Paper, ...]] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[Paper, str] = field(default_factory=dict, compare=False, repr=False)

    def papers(self, on_problem: Callable[[InputError], None] | None = None) -> list[Paper]:
        """The distinct papers, by id; `on_problem` is told of those that cannot stand beside another."""
        from kgbuild.sources import unite

        return unite((paper for source in sorted(self.copies) for paper in self.copies[source]), on_problem=on_problem)

    def line(self, paper: Paper) -> str:
        """The paper as one line of JSON."""
        return self.lines.get(paper) or dumps(paper.to_json())

    def paper_key(self, paper: Paper) -> str:
        """A name for the paper's whole content."""
        return digest(self.line(paper))

    def write(self, folder: Path) -> None:
        """Write the ledger's files; the same ledger gives the same bytes."""
        copies = ((source, self.line(paper)) for source in sorted(self.copies) for paper in self.copies[source])
        _write(folder / "copies.parquet", copies, COPIES)
        for name, keys in (("given", self.given), ("keys", self.keys)):
            _write(folder / f"{name}.parquet", ((id_, keys[id_]) for id_ in sorted(keys)), KEYS)
        text = json.dumps(
            {"decisions": [asdict(d) for d in self.decisions], "settings": self.settings}, ensure_ascii=False, sort_keys=True, indent=2
        )
        (folder / "ledger.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """The ledger that `write` wrote; raises StoreError where a file is missing or damaged."""
        try:
            copies: dict[str, list[Paper]] = {}
            lines = {}
            for row in _rows(folder / "copies.parquet"):
                paper = paper_from_json(json.loads(row["paper"]))
                copies.setdefault(row["source"], []).append(paper)
                lines[paper] = row["paper"]
            given = {row["id"]: row["key"] for row in _rows(folder / "given.parquet")}
            keys = {row["id"]: row["key"] for row in _rows(folder / "keys.parquet")}
            rest = json.loads((folder / "ledger.json").read_text(encoding="utf-8"))
        except (OSError, pa.ArrowInvalid, ValueError) as error:
            raise StoreError(f"{folder}: damaged: {error}", "copy the graph again as a whole, or build it again with --fresh") from error
        decisions = tuple(Decision(**row) for row in rest["decisions"])
        return cls({source: tuple(papers) for source, papers in copies.items()}, given, keys, decisions, rest["settings"], lines)


class RecordCache:
    """Extractions by key in one SQLite file: every `put` survives the end of the process, however it comes."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        """Open or make the file; raises StoreError where that cannot be done."""
        self.path = path
        try:
            if readonly:
                self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            else:
                self._db = sqlite3.connect(path, isolation_level=None)
                self._db.execute("CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID")
        except sqlite3.Error as error:
            raise StoreError(f"{path}: cannot be opened: {error}", "remove the file: what it holds is extracted again") from error

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that have no record."""
        return set(keys) - {key for (key,) in self._db.execute("SELECT key FROM records")}

    def get(self, key: str) -> dict[str, Any] | None:
        """The record under the key as it was put in."""
        found = self._db.execute("SELECT record FROM records WHERE key = ?", (key,)).fetchone()
        return json.loads(zstandard.decompress(found[0])) if found else None

    def put(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Keep records by key, all of them or none; raises StoreError on a full disk."""
        packed = [(key, zstandard.compress(dumps(row).encode())) for key, row in rows]
        try:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?)", packed)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot be written: {error}", "free some space and run again: it goes on here") from error

    def take_from(self, other: Path, keys: Iterable[str]) -> None:
        """Copy the records under the keys from another graph's cache."""
        with RecordCache(other, readonly=True) as source:
            self.put((key, record) for key in sorted(keys) if (record := source.get(key)) is not None)

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forget all records but those under the keys; where that fails they stay, which does no harm."""
        with suppress(sqlite3.Error):
            kept = set(keys)
            gone = [row for row in self._db.execute("SELECT key FROM records").fetchall() if row[0] not in kept]
            self._db.execute("BEGIN")
            self._db.executemany("DELETE FROM records WHERE key = ?", gone)
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> RecordCache:
        """The cache itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()


class Documents:
    """Each paper with its extraction, in the order of the papers; every iteration reads the records anew, one at a time.

    `contents` names what each paper says, by id: it changes with the paper, and with its record.
    """

    def __init__(self, papers: list[Paper], keys: Mapping[str, str], cache: RecordCache, contents: Mapping[str, str] | None = None) -> None:
        """`keys`: record key by paper id; a paper without a record counts as one that says nothing."""
        self.papers = papers
        self.keys = keys
        self.cache = cache
        self.contents = contents or {}
        self.by_id = {paper.id: paper for paper in papers}

    def only(self, ids: Iterable[str]) -> Documents:
        """The documents of some papers, by id."""
        return Documents([self.by_id[id_] for id_ in sorted(ids)], self.keys, self.cache, self.contents)

    def __iter__(self) -> Iterator[tuple[Paper, Extraction]]:
        """(paper, extraction) of each paper."""
        for paper in self.papers:
            key = self.keys.get(paper.id)
            row = self.cache.get(key) if key else None
            yield paper, extraction_from_json(row, paper.id) if row else Extraction(paper.id)

    def __len__(self) -> int:
        """Number of papers."""
        return len(self.papers)


def paper_keys_in(folder: Path) -> dict[str, str] | None:
    """The keys of the papers of a graph by id, from what its resolution left in the folder; None where it left nothing."""
    if not (folder / STATE).is_file():
        return None
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{(folder / STATE).absolute().as_uri()}?mode=ro", uri=True)) as db:
        return {paper: content.partition(" ")[0] for paper, content in db.execute("SELECT paper, content FROM papers")}
    return None


def digest(*parts: str) -> str:
    """sha256 of the texts, each ended by a NUL; 32 hex digits."""
    return hashlib.sha256(b"".join(part.encode("utf-8", "surrogatepass") + b"\0" for part in parts)).hexdigest()[:32]


def paper_from_json(row: Mapping[str, Any]) -> Paper:
    """The inverse of `Paper.to_json`."""
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Paper(**fields)


def extraction_from_json(row: Mapping[str, Any], id_: str) -> Extraction:
    """The inverse of `Extraction.to_json` for rows that were checked when they were made, under the paper's id of today.

    Identifiers and types are the same few strings in all records.
    """
    return Extraction(
        id=id_,
        entities=tuple(
            Entity(intern(e["eid"]), intern(e["type"]), e["name"], tuple((start, end) for start, end in e["mentions"]), e["confidence"])
            for e in row["entities"]
        ),
        relations=tuple(
            Relation(head, label, tail, confidence)
            for (head, label, tail), confidence in zip(row["relations"], row["relation_confidences"], strict=True)
        ),
        proposes=dict(zip(row["proposes"], row["proposes_confidences"], strict=True)),
        addresses=dict(zip(row["addresses"], row["addresses_confidences"], strict=True)),
        results=tuple(Result(**r) for r in row["results"]),
        extractor=row["extractor"],
    )


def _write(path: Path, rows: Iterator[tuple[str, str]], schema: pa.Schema) -> None:
    """Write rows as they come, a group of them at a time."""
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for group in iter(lambda: list(islice(rows, GROUP)), []):
            file.write_batch(pa.record_batch([pa.array(column, pa.string()) for column in zip(*group, strict=True)], schema=schema))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=GROUP):
            yield from batch.to_pylist()
