"""Changes to graph files that need no new inputs: taking papers or sources out, and uniting graphs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path

from kgbuild import graphfile, sources
from kgbuild.errors import KgbuildError
from kgbuild.extraction import Extractor
from kgbuild.graphfile import GraphFile
from kgbuild.ledger import Ledger, RecordCache
from kgbuild.records import Paper, dumps
from kgbuild.update import OnProgress, Options, Report, log, safely, update


def remove(
    graph: str | PathLike[str],
    names: Iterable[str],
    *,
    extractor: str | Extractor | None = None,
    dry_run: bool = False,
    on_progress: OnProgress | None = None,
) -> Report:
    """Take papers (by id) or sources (by the name or folder they were given by) out of a graph, with all that only they support.

    extractor: for papers whose other copy now stands; without one that of the graph.
    Raises KgbuildError where a name is neither. A paper comes back when a source that has it is given again.
    """
    path, report = Path(graph), Report()
    options = Options(extractor, dry_run=dry_run, on_progress=on_progress or Options().on_progress)
    graphfile.data_folder(path)
    with safely(path), graphfile.writing(path):
        old = GraphFile(path).ledger()
        ledger, wanted = old, list(names)
        for name in wanted:
            ledger = _without(ledger, name)
        update(path, old, ledger, options, report)
        log(path, report, {"verb": "remove", "names": wanted})
    return report


def _without(ledger: Ledger, name: str) -> Ledger:
    named = {source for source in ledger.copies if sources.belongs(source, name)}
    if named:
        return replace(ledger, copies={source: papers for source, papers in ledger.copies.items() if source not in named})
    present = {paper.id: paper for paper in ledger.papers()}
    if name not in present:
        from kgbuild.stores.base import nearest

        raise KgbuildError(f"the graph has no paper or source {name!r}", nearest(name, [*ledger.copies, *present]))
    while name in present:
        ledger = replace(ledger, copies=_without_paper(ledger, present[name]))
        present = {paper.id: paper for paper in ledger.papers()}
    return ledger


def _without_paper(ledger: Ledger, paper: Paper) -> dict[str, tuple[Paper, ...]]:
    """The copies without those that unite with the paper."""
    left = {
        source: tuple(copy for copy in papers if copy.id != paper.id and len(sources.unite([copy, paper])) > 1)
        for source, papers in ledger.copies.items()
    }
    return {source: papers for source, papers in left.items() if papers}


def merge(
    graphs: Iterable[str | PathLike[str]],
    output: str | PathLike[str],
    *,
    extractor: str | Extractor | None = None,
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> Report:
    """Unite graphs into the one at `output`, which may be one of them: the same graph as building from all their inputs at once.

    Raises KgbuildError where they were made by different extractors and none is named.
    """
    path, report = Path(output), Report()
    parts = [GraphFile(graph) for graph in graphs]
    ledgers = [part.ledger() for part in parts]
    options = Options(extractor or _common_extractor(parts, ledgers), workers, on_progress=on_progress or Options().on_progress)
    with safely(path), graphfile.writing(path):
        old = GraphFile(path).ledger() if graphfile.is_graph_file(path) else Ledger()
        united = _united(ledgers if any(part.path.resolve() == path.resolve() for part in parts) or not old.copies else [old, *ledgers])
        with RecordCache(path / graphfile.RECORDS) as cache:
            for part, ledger in zip(parts, ledgers, strict=True):
                if part.path.resolve() != path.resolve():
                    cache.take_from(part.path / graphfile.RECORDS, cache.missing(ledger.keys.values()))
        update(path, old, united, options, report)
        log(path, report, {"verb": "merge", "graphs": [str(part.path) for part in parts]})
    return report


def _common_extractor(parts: list[GraphFile], ledgers: list[Ledger]) -> str | None:
    names = {str(ledger.settings["extractor"]): part.path for part, ledger in zip(parts, ledgers, strict=True)}
    if len(names) > 1:
        listed = ", ".join(f"{path} by {name}" for name, path in sorted(names.items()))
        raise KgbuildError(f"the graphs were made by different extractors: {listed}", "say which one to use with --extractor")
    return str(ledgers[0].settings["choice"])


def _united(ledgers: list[Ledger]) -> Ledger:
    copies: dict[str, dict[str, Paper]] = {}
    given: dict[str, str] = {}
    for ledger in ledgers:
        for source, papers in ledger.copies.items():
            copies.setdefault(source, {}).update((dumps(paper.to_json()), paper) for paper in papers)
        for key, record in ledger.given.items():
            # Two records for one paper: which stands is decided by their content, so that A with B is B with A.
            given[key] = min(record, given.get(key, record))
    decisions = sorted({decision for ledger in ledgers for decision in ledger.decisions}, key=repr)
    rows = {source: tuple(papers[text] for text in sorted(papers)) for source, papers in sorted(copies.items())}
    return Ledger(copies=rows, given=given, decisions=tuple(decisions))
