"""From a ledger to a graph file: extract what is new, resolve, assemble, and put the new graph in the old one's place."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kgbuild import graphfile
from kgbuild.errors import InputWarning, KgbuildError, StoreError
from kgbuild.extraction import EXTRACTORS, Extractor, best_extractor, load_extractor
from kgbuild.ledger import Documents, Ledger, RecordCache, digest, paper_keys_in
from kgbuild.records import Extraction, Paper
from kgbuild.resolution.values import Decision
from kgbuild.schema import ontology_path
from kgbuild.workers import LoadExtractor, Outcome, extract

if TYPE_CHECKING:
    from kgbuild.graph import Change, Graph

OnProgress = Callable[[str, int, int | None], None]  # stage, items done, items in all (None while unknown)
GivenRows = Mapping[str, tuple[str, dict[str, Any]]]  # (record key, record) by paper key
NO_EXTRACTOR = "none"  # papers without a given record say nothing
CUSTOM = "custom"  # an object given in Python
STORED = 256  # extractions that are made durable together: what a killed build may lose


@dataclass
class Report:
    """What a build did or, after a dry run, would do.

    `added` to `removed` hold paper ids; `problems` lose papers, `warnings` do not; `counts` are rows per node type and relation;
    `written` tells whether the graph file was replaced.
    """

    records: int = 0
    papers: int = 0
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    extracted: int = 0
    problems: list[KgbuildError] = field(default_factory=list)
    warnings: list[KgbuildError] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    written: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    def note(self, problem: KgbuildError) -> None:
        """Keep a problem or warning."""
        (self.warnings if isinstance(problem, InputWarning) else self.problems).append(problem)


class Engine(Protocol):
    """What takes the two long steps of a build in place of this process and its workers."""

    def extract(self, papers: Iterable[Paper], load: LoadExtractor) -> Iterator[Outcome]:
        """Each paper, in any order, with its extraction or with what went wrong in one line."""
        ...

    def graph(self, documents: Iterable[tuple[Paper, Extraction]], decisions: Sequence[Decision]) -> Graph:
        """The graph of the documents: row by row that of `resolve` and `assemble`."""
        ...


@dataclass(frozen=True)
class Options:
    """How to build: see `build`."""

    extractor: str | Extractor | None = None
    workers: int = 1
    dry_run: bool = False
    inputs: str = ""  # a name for the inputs, see `graphfile.new_data`
    on_progress: OnProgress = lambda stage, done, total: None
    engine: Engine | None = None


def update(path: Path, old: Ledger, ledger: Ledger, options: Options, report: Report, rows: GivenRows | None = None) -> None:
    """Bring the graph at `path` from the old ledger to the new one; writes nothing where nothing changes.

    The caller holds the lock (not for a dry run). rows: records that were given, already checked against their papers.
    """
    papers = ledger.papers(report.note)
    report.papers = len(papers)
    names = {paper: ledger.paper_key(paper) for paper in papers}
    paper_keys = {paper.id: names[paper] for paper in papers}
    before = graphfile.data_folder(path) if old.copies else None
    _compare(old, ledger, paper_keys, before, report)
    ledger, load = _settled(ledger, paper_keys, options, rows or {})
    if options.dry_run:
        return
    with RecordCache(path / graphfile.RECORDS) as cache:
        cache.put((rows or {}).values())
        missing = cache.missing(ledger.keys.values())
        if ledger == old and not missing:
            report.counts = graphfile.GraphFile(path).manifest["counts"]
            return
        if load and missing:
            with timed(report, "extract"):
                _extract([paper for paper in papers if ledger.keys[paper.id] in missing], ledger.keys, load, cache, options, report)
            missing = cache.missing(missing)
        found = {id_: key for id_, key in ledger.keys.items() if key not in missing}
        contents = {id_: f"{key} {found.get(id_, '')}" for id_, key in paper_keys.items()}
        manifest = _manifest(ledger, names)
        _write(path, before, ledger, manifest, Documents(papers, ledger.keys, cache, contents), options, report)
        cache.keep_only(ledger.keys.values())


def _settled(
    ledger: Ledger, paper_keys: Mapping[str, str], options: Options, rows: GivenRows
) -> tuple[Ledger, Callable[[], Extractor] | None]:
    """The ledger with the settings of this build and the record key of every paper, and what loads the extractor."""
    wanted = options.extractor or ledger.settings.get("choice") or best_extractor()
    name, load = _extractor(wanted, ledger.settings.get("extractor", ""))
    ontology = ontology_digest()
    # What a graph was made with is remembered by its name in EXTRACTORS: the name of the weights says nothing to load_extractor.
    kind = wanted if isinstance(wanted, str) else name.partition(" ")[0]
    choice = kind if kind in (*EXTRACTORS, NO_EXTRACTOR) else CUSTOM
    settings = {"kgbuild": version("kgbuild"), "ontology": ontology, "extractor": name, "choice": choice}
    present = set(paper_keys.values())
    given = {key: record for key, record in ledger.given.items() if key in present} | {key: record for key, (record, _) in rows.items()}
    keys = {id_: given.get(key) or digest(name, ontology, key) for id_, key in paper_keys.items() if load or key in given}
    return replace(ledger, given=given, keys=keys, settings=settings), load


def ontology_digest() -> str:
    """16 hex digits that change with the ontology."""
    return hashlib.sha256(ontology_path("kgbuild.yaml").read_bytes()).hexdigest()[:16]


def _extractor(choice: str | Extractor, used: str) -> tuple[str, Callable[[], Extractor] | None]:
    """Name and version of the extractor, and what makes it. `used`: the name of the one that made the graph."""
    if choice == NO_EXTRACTOR:
        return NO_EXTRACTOR, None
    if choice == CUSTOM:
        return used, partial(_missing, used)
    load = partial(load_extractor, choice) if isinstance(choice, str) else partial(_itself, choice)
    return load().name, load


def _missing(used: str) -> Extractor:
    hint = "give it again, in Python as extractor=, or name another"
    raise KgbuildError(f"the graph was made with an extractor of your own, {used!r}", hint)


def _itself(extractor: Extractor) -> Extractor:
    return extractor


def _extract(
    papers: list[Paper], keys: Mapping[str, str], load: Callable[[], Extractor], cache: RecordCache, options: Options, report: Report
) -> None:
    """Extract and keep; what is done is durable every `STORED` papers and when anything stops the build."""
    done: list[tuple[str, dict[str, Any]]] = []
    try:
        outcomes = options.engine.extract(papers, load) if options.engine else extract(papers, load, options.workers)
        for count, (paper, outcome) in enumerate(outcomes, 1):
            if isinstance(outcome, str):
                report.note(KgbuildError(f"paper {paper.id!r}: not extracted: {outcome}", "it is in the graph with its text alone"))
            else:
                done.append((keys[paper.id], outcome.to_json(paper.text)))
                report.extracted += 1
            if len(done) >= STORED:
                cache.put(done)
                done = []
            options.on_progress("extract", count, len(papers))
    finally:
        cache.put(done)


def _write(
    path: Path, before: Path | None, ledger: Ledger, manifest: Mapping[str, Any], documents: Documents, options: Options, report: Report
) -> None:
    """Put a new graph in the place of the old one, whose data lie in the folder `before`."""
    # Inputs with problems are read again next time, so that the problems are told again.
    inputs = "" if report.problems or report.warnings else options.inputs
    with graphfile.new_data(path, inputs) as folder:
        graph, changes = _graph(folder, before, documents, ledger.decisions, options, report)
        graph = replace(graph, manifest={**manifest, "counts": graph.counts()})
        with timed(report, "write"):
            options.on_progress("write", 0, None)
            graph.write(folder)
            ledger.write(folder)
            graphfile.write_database(folder, graph, changes)
    report.counts, report.written = dict(graph.manifest["counts"]), True


def _graph(
    folder: Path, before: Path | None, documents: Documents, decisions: Sequence[Decision], options: Options, report: Report
) -> tuple[Graph, Mapping[str, Change] | None]:
    """The graph of the documents, and how it differs from the one before where a copy of its database was put into the folder."""
    from kgbuild.growth import Growth

    with timed(report, "resolve"):
        options.on_progress("resolve", 0, None)
        if options.engine:
            # Its names lie on the cluster: there is no state to grow from, and the next build without an engine makes it anew.
            return options.engine.graph(documents, decisions), None
        growth = Growth(folder, before, documents, decisions)
    with timed(report, "assemble"), ThreadPoolExecutor(1) as beside:
        options.on_progress("assemble", 0, None)
        # A gigabyte is copied while the tables are read.
        kept = before if growth.revision and graphfile.can_change(before) else None
        copying = beside.submit(graphfile.copy_database, kept, folder) if kept else None
        graph = growth.graph()
        if copying:
            copying.result()
    return graph, growth.changes if copying else None


def _manifest(ledger: Ledger, names: Mapping[Paper, str]) -> dict[str, Any]:
    """What decides the graph, and nothing that differs between two builds of it; `names`: keys of papers that are known already."""
    texts = sorted({names.get(paper) or ledger.paper_key(paper) for papers in ledger.copies.values() for paper in papers})
    decided = sorted(map(str, ledger.decisions))
    return {
        "kgbuild": ledger.settings["kgbuild"],
        "ontology": ledger.settings["ontology"],
        "extractor": ledger.settings["extractor"],
        "inputs": digest(*texts),
        "records": digest(*sorted(ledger.given.values())) if ledger.given else None,
        "decisions": digest(*decided) if decided else None,
    }


def _compare(old: Ledger, ledger: Ledger, after: Mapping[str, str], folder: Path | None, report: Report) -> None:
    """Tell which papers came, changed and left; `after` has their keys by id, `folder` is that of the graph before."""
    if old.copies == ledger.copies:
        return
    before = paper_keys_in(folder) if folder else {}
    if before is None:
        before = {paper.id: old.paper_key(paper) for paper in old.papers()}
    report.added = sorted(after.keys() - before.keys())
    report.removed = sorted(before.keys() - after.keys())
    report.updated = sorted(id_ for id_ in after.keys() & before.keys() if after[id_] != before[id_])


@contextmanager
def timed(report: Report, stage: str) -> Iterator[None]:
    """Note the seconds of a stage in the report."""
    start = time.monotonic()
    yield
    report.seconds[stage] = report.seconds.get(stage, 0.0) + time.monotonic() - start


@contextmanager
def safely(path: Path) -> Iterator[None]:
    """What the disk refuses becomes an error that names the graph; the old one is whole."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written: {error.strerror or error}", "free some space or mend the rights, and run again"
        ) from error


def log(path: Path, report: Report, row: Mapping[str, Any]) -> None:
    """Add what was done to the graph's log, where something was."""
    if graphfile.is_graph_file(path) and report.written:
        seconds = {stage: round(value, 3) for stage, value in report.seconds.items()}
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        changes = {name: len(getattr(report, name)) for name in ("added", "updated", "removed", "problems")}
        graphfile.write_log(path, {"time": now, **row, **changes, "extracted": report.extracted, "seconds": seconds})
