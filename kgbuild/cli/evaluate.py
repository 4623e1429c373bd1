"""The verbs `extract` and `eval`."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from kgbuild.cli.console import OnProgress
    from kgbuild.evaluation import Record
    from kgbuild.extraction import Extractor
    from kgbuild.records import Extraction, Paper

STDOUT = "-"


def extract(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, patterns, or - for standard input.")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="RECORDS.jsonl", help="Where the records go; - for standard output.")],
    extractor: Annotated[str | None, typer.Option(help="model or rules; by default the best that is installed.")] = None,
    format: Annotated[str | None, typer.Option(help="Format of the inputs, where their content does not tell.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Exit with 0 although some inputs could not be read.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that extract.")] = 1,
) -> None:
    """Write one extraction record per paper.

    Records come in the order of the input. Each holds entities with their mentions, relations, what the paper proposes and addresses,
    and results, all with a confidence. `kgbuild build --records` takes them, corrected or not.

    Example:
      kgbuild extract examples/papers.jsonl -o records.jsonl
    """
    from kgbuild import sources
    from kgbuild.cli import console
    from kgbuild.errors import InputError, InputWarning
    from kgbuild.extraction import load_extractor
    from kgbuild.records import dumps

    problems: list[InputError] = []
    count = failed = 0
    with console.progress() as on_progress, _output(output) as stream:
        papers = (paper for _, paper in sources.read(inputs, format=format, on_problem=problems.append))
        for paper, outcome in _in_order(papers, partial(load_extractor, extractor), workers):
            if isinstance(outcome, str):
                console.warn(f"skipped: {paper.id}: {outcome}")
                failed += 1
            else:
                stream.write(dumps(outcome.to_json(paper.text)) + "\n")
                count += 1
                on_progress("extract", count, None)
        bad = [problem for problem in problems if not isinstance(problem, InputWarning)]
        for problem in problems:
            (console.warn if problem in bad else console.say)(f"{'skipped' if problem in bad else 'warning'}: {problem}")
        if bad and not count:
            sys.exit(2)  # nothing could be read, so nothing is written
    console.say(f"{'standard output' if output == STDOUT else output}: {count} records")
    if failed or (bad and not skip_bad):
        sys.exit(2)


@contextmanager
def _output(name: str) -> Iterator[TextIO]:
    """Standard output, or a file that appears as a whole when the block ends well."""
    from kgbuild.exporters.files import replacing

    if name == STDOUT:
        yield sys.stdout
        return
    with replacing(Path(name)) as path, path.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream


def _in_order(papers: Iterable[Paper], load: Callable[[], Extractor], workers: int) -> Iterator[tuple[Paper, Extraction | str]]:
    """Outcomes in the order of the papers: those that come early wait for the ones before them."""
    from kgbuild.workers import extract

    waiting: deque[Paper] = deque()

    def noted() -> Iterator[Paper]:
        for paper in papers:
            waiting.append(paper)
            yield paper

    # By identity, since an id may stand in the input twice.
    done: dict[int, Extraction | str] = {}
    for paper, outcome in extract(noted(), load, workers):
        done[id(paper)] = outcome
        while waiting and id(waiting[0]) in done:
            first = waiting.popleft()
            yield first, done.pop(id(first))


def eval_(
    gold: Annotated[list[Path], typer.Argument(metavar="GOLD...", help="JSONL of gold records.")],
    papers: Annotated[Path | None, typer.Option(metavar="PAPERS", help="Their papers; by default papers.jsonl beside GOLD.")] = None,
    gold_entities: Annotated[
        bool, typer.Option("--gold-entities", help="Give the extractor the gold mentions and score the rest.")
    ] = False,
    extractor: Annotated[str | None, typer.Option(help="model or rules; by default the best that is installed.")] = None,
    records: Annotated[
        Path | None, typer.Option(metavar="RECORDS.jsonl", help="Score these records instead of running an extractor.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=0, metavar="N", help="Add 95 % intervals of F1 from N draws of the papers.")] = 0,
    errors: Annotated[
        Path | None, typer.Option(metavar="PAGE.html", help="Write the worst papers with gold and prediction side by side.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print F1 by measure as one JSON object.")] = False,
) -> None:
    """Score an extractor against gold records.

    Prints precision, recall and F1 of mentions, entities, relations, what papers propose and address, and results (value: right metric
    and number; result: right method and dataset too), then entities by type and relations by label.

    Example:
      kgbuild eval gold/dev.jsonl --bootstrap 1000 --errors errors.html
    """
    from kgbuild import evaluation
    from kgbuild.cli import console
    from kgbuild.errors import KgbuildError

    rows = evaluation.read_records(gold)
    if not rows:
        raise KgbuildError(f"{gold[0]}: holds no records")
    if records and (gold_entities or extractor):
        raise KgbuildError("--records goes without --extractor and --gold-entities", "leave one of them out")
    known = _papers([papers] if papers else sorted({path.parent / "papers.jsonl" for path in gold}), rows)
    texts = {id_: paper.text for id_, paper in known.items()}
    if records:
        predicted: Mapping[str, Record] = evaluation.read_records([records])
    else:
        with console.progress() as on_progress:
            predicted = _predict(rows, known, extractor, gold_entities, on_progress)
    scores, scored = evaluation.score(rows, predicted, texts)
    bounds = evaluation.intervals(scored, bootstrap) if bootstrap else None
    if json_:
        print(json.dumps(scores.f1() | ({"intervals": bounds} if bounds else {})))
    else:
        print(f"{len(rows)} gold documents, {len(rows.keys() & predicted.keys())} of them predicted")
        print(evaluation.table(scores, bounds))
    if errors:
        from kgbuild.errorpage import page

        with _output(str(errors)) as stream:
            stream.write(page(scored, rows, predicted, texts))
        console.say(f"{errors}: the worst papers")


def _papers(files: list[Path], rows: Mapping[str, Record]) -> dict[str, Paper]:
    """The paper of every gold record, in the order of the records."""
    from kgbuild import sources
    from kgbuild.errors import InputError, InputWarning, KgbuildError

    def on_problem(problem: InputError) -> None:
        if not isinstance(problem, InputWarning):
            raise problem

    found = {paper.id: paper for _, paper in sources.read(files, on_problem=on_problem) if paper.id in rows}
    missing = [id_ for id_ in rows if id_ not in found]
    if missing:
        places = ", ".join(map(str, files))
        raise KgbuildError(
            f"no paper for the gold record {missing[0]!r} in {places} ({len(missing)} such)", "give their papers with --papers"
        )
    return {id_: found[id_] for id_ in rows}


def _predict(
    rows: Mapping[str, Record], papers: Mapping[str, Paper], name: str | None, gold_entities: bool, on_progress: OnProgress
) -> dict[str, Record]:
    """The extractor's record of every paper."""
    from kgbuild.extraction import load_extractor, parse_record

    extractor = load_extractor(name)
    extractions: Iterator[Extraction]
    if gold_entities:
        extractions = (extractor.relate(paper, parse_record(rows[id_], paper).entities) for id_, paper in papers.items())
    else:
        extractions = extractor.extract(papers.values())
    predicted: dict[str, Record] = {}
    for done, (id_, extraction) in enumerate(zip(papers, extractions, strict=True), 1):
        predicted[id_] = extraction.to_json(papers[id_].text)
        on_progress("extract", done, len(papers))
    return predicted
