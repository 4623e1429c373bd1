"""From inputs to a graph file: `build` reads papers and records and brings the graph up to date with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

from kgbuild import graphfile, sources
from kgbuild.errors import InputError, InputWarning, KgbuildError, RecordError
from kgbuild.extraction import Extractor, load_extractor, parse_record
from kgbuild.ledger import Ledger, digest
from kgbuild.records import Extraction, Paper, dumps
from kgbuild.schema import load_schema
from kgbuild.sources.locations import files
from kgbuild.update import Engine, GivenRows, OnProgress, Options, Report, log, ontology_digest, safely, timed, update

Location = str | PathLike[str]
STDIN = "-"


def build(
    inputs: Location | Iterable[Location],
    output: Location,
    *,
    records: Iterable[Location] = (),
    extractor: str | Extractor | None = None,
    decisions: Location | None = None,
    format: str | None = None,
    fresh: bool = False,
    dry_run: bool = False,
    workers: int = 1,
    engine: Engine | None = None,
    on_progress: OnProgress | None = None,
) -> Report:
    """Build the graph at `output` from the inputs, or add them to the one that is there.

    Papers that the graph has and the inputs change are replaced; papers that a source given again no longer has are removed; other
    sources stay. Only papers that are new in content are extracted.

    Args:
        inputs: files, folders, patterns or `-`; `format` overrides what their content tells.
        records: JSONL files of extraction records to take instead of extracting those papers.
        extractor: a name, `none`, or an object; without one that of the graph, else the best that is installed.
        decisions: a review file that a person has edited; without one the graph's own decisions stay in force.
        fresh: forget what the graph holds and build from the inputs alone; finished extractions are still used.
        dry_run: write nothing, and tell what would change.
        workers: processes that extract.
        engine: such as `kgbuild.spark.SparkEngine()`; it extracts, resolves and assembles instead, and the graph is the same.

    Raises KgbuildError where nothing could be read, or the output cannot be written; the old graph is whole then. Single
    inputs and records that cannot be read are in the report's `problems`.
    """
    path, report = Path(output), Report()
    locations = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    record_files = [Path(file) for file in records]
    settings = (format or "", extractor if isinstance(extractor, str) else getattr(extractor, "name", ""))
    named = fingerprint(locations, [*record_files, *([Path(decisions)] if decisions else [])], settings)
    options = Options(extractor, workers, dry_run, named, on_progress or Options().on_progress, engine)
    with safely(path), nullcontext() if dry_run else graphfile.writing(path):
        if named and not fresh and not dry_run and named == graphfile.inputs_of(path):
            return _unchanged(path, report)
        old = Ledger() if fresh or not graphfile.is_graph_file(path) else graphfile.GraphFile(path).ledger()
        with timed(report, "read"):
            copies = _read(locations, format, old, report, options.on_progress)
            if not any(copies.values()) and report.problems:
                raise KgbuildError("nothing could be read: no graph is written", str(report.problems[0]))
            ledger = replace(old, copies=copies)
            if decisions is not None:
                from kgbuild.resolution import read_decisions

                ledger = replace(ledger, decisions=tuple(read_decisions(Path(decisions))))
        rows = _record_rows(record_files, ledger, report)
        update(path, old, ledger, options, report, rows)
        if not dry_run:
            log(path, report, {"verb": "build", "inputs": list(map(str, locations)), "fresh": fresh, "workers": workers})
    return report


def fingerprint(locations: Sequence[Location], others: Sequence[Path], settings: Sequence[str]) -> str:
    """A name for the bytes of all inputs and the settings that go with them; empty where they cannot be told without reading them."""
    problems: list[InputError] = []
    found = [file for location in locations for file in files(location, problems.append)]
    paths = [path for _, path in found if path and path.is_file()]
    if problems or len(paths) < len(found) or not all(file.is_file() for file in others):
        return ""
    parts = [version("kgbuild"), ontology_digest(), *settings, *(name for name, _ in found)]
    for path in [*paths, *others]:
        with path.open("rb") as stream:
            parts.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return digest(*parts)


def _unchanged(path: Path, report: Report) -> Report:
    """The report of a build that finds its inputs as the last one left them."""
    with graphfile.GraphFile(path) as graph:
        report.counts = graph.manifest["counts"]
        report.papers = sum(report.counts[name] for name, kind in load_schema().nodes.items() if kind.kind == "source")
    return report


def _read(
    locations: Sequence[Location], format_: str | None, old: Ledger, report: Report, on_progress: OnProgress
) -> dict[str, tuple[Paper, ...]]:
    """The copies after reading: sources that were given again are replaced, sources that had problems lose nothing."""
    found: dict[str, dict[str, Paper]] = {}
    for source, paper in sources.read(locations, format=format_, on_problem=report.note):
        found.setdefault(source, {})[dumps(paper.to_json())] = paper
        report.records += 1
        if report.records % 100 == 0:
            on_progress("read", report.records, None)
    faulty = [problem.path for problem in report.problems if isinstance(problem, InputError)]
    copies = {}
    for source in sorted({*old.copies, *found}):
        new = found.get(source, {})
        given = source in found or any(sources.belongs(source, location) for location in locations)
        # Standard input is another stream each time: it adds and updates, and what it lacks says nothing.
        keeps = not given or source == STDIN or any(sources.belongs(source, path) for path in faulty)
        if keeps and not new:
            copies[source] = old.copies[source]
            continue
        ids = {paper.id for paper in new.values()}
        kept = [paper for paper in old.copies.get(source, ()) if paper.id not in ids] if keeps else []
        rows = {dumps(paper.to_json()): paper for paper in kept} | new
        if rows:
            copies[source] = tuple(rows[text] for text in sorted(rows))
    return copies


def _record_rows(files: Sequence[Path], ledger: Ledger, report: Report) -> GivenRows:
    """(record key, checked record) by paper key; faulty records are noted and left out, the last one of a paper counts."""
    by_id = {paper.id: paper for paper in ledger.papers()} if files else {}
    rows: dict[str, tuple[str, dict[str, Any]]] = {}
    for file, number, line in _lines(files):
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or not isinstance(row.get("id"), str):
                raise RecordError("a record is a JSON object with an id", "see docs/records.md")
            if row["id"] not in by_id:
                report.note(InputWarning(str(file), f"no paper has the id {row['id']!r}", position=f"line {number}"))
                continue
            paper = by_id[row["id"]]
            record = parse_record(row, paper).to_json(paper.text)
            rows[ledger.paper_key(paper)] = digest("given", dumps(record)), record
        except (RecordError, ValueError, RecursionError) as error:
            message = error.message if isinstance(error, RecordError) else f"not JSON: {error}"
            report.note(InputError(str(file), message, position=f"line {number}", hint="see docs/records.md"))
    return rows


def _lines(files: Sequence[Path]) -> Iterator[tuple[Path, int, str]]:
    for file in files:
        try:
            with file.open(encoding="utf-8") as stream:
                yield from ((file, number, line) for number, line in enumerate(stream, 1) if line.strip())
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise InputError(str(file), f"cannot be read: {reason}", hint="--records takes JSONL, one record a line") from error


def extract(papers: Iterable[Paper], extractor: str | Extractor | None = None) -> Iterator[Extraction]:
    """What each paper says, in order; `extractor` is a name or an object, without one the best that is installed."""
    named = load_extractor(extractor) if extractor is None or isinstance(extractor, str) else extractor
    return named.extract(papers)
