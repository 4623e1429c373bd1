"""The verbs of resolution: resolve, explain, review."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgbuild.cli.console import say, shown, warn

if TYPE_CHECKING:
    from kgbuild.records import Extraction, Paper
    from kgbuild.resolution import Decision

DecisionsPath = Annotated[Path | None, typer.Option(metavar="REVIEW", help="A review file that you have edited (see kgbuild review).")]


def resolve(
    records: Annotated[Path, typer.Argument(metavar="RECORDS.jsonl", help="Extraction records; names of entities may be missing.")],
    papers: Annotated[Path, typer.Option(metavar="PAPERS", help="The papers that the records are about.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT.jsonl", help="The records, each entity with its node.")],
    decisions: DecisionsPath = None,
) -> None:
    """Give each entity of extraction records its node.

    The records come out as they went in, in the same order, with a `node` in every entity: the identifier of the thing that it is.
    Entities with the same node are the same thing. Names that stand for anything get no node (null).

    Example:
      kgbuild resolve records.jsonl --papers papers.jsonl -o resolved.jsonl
    """
    from kgbuild.records import dumps
    from kgbuild.resolution import resolve as decide

    rows, documents = _documents(records, papers)
    resolution = decide(documents, decisions=_decisions(decisions))
    for row in rows:
        for entity in row["entities"]:
            entity["node"] = resolution.links.get(row["id"], {}).get(entity["eid"])
    part = output.with_name(output.name + ".part")
    part.write_text("".join(dumps(row) + "\n" for row in rows), encoding="utf-8")
    part.replace(output)
    say(f"{sum(map(len, resolution.links.values()))} entities of {len(rows)} papers are {len(resolution.nodes)} nodes.")


def explain(
    left: Annotated[str, typer.Argument(metavar="A", help="A name.")],
    right: Annotated[str, typer.Argument(metavar="B", help="Another name.")],
    graph: Annotated[Path | None, typer.Option(metavar="GRAPH", help="The graph whose papers are the evidence.")] = None,
    type: Annotated[str | None, typer.Option(help="Only this type.")] = None,
) -> None:
    """Say why two names are one node or two.

    Without a graph the vocabulary and the rules of words answer alone.

    Example:
      kgbuild explain LLMs "large language model"
      kgbuild explain CIFAR-10 CIFAR-100 --graph papers.kg --type Dataset
    """
    from kgbuild.errors import KgbuildError
    from kgbuild.graphfile import GraphFile
    from kgbuild.resolution import explain as find
    from kgbuild.schema import load_schema

    if type is not None and type not in load_schema().concepts:
        raise KgbuildError(f"no type {type!r}", f"known: {', '.join(load_schema().concepts)}")
    file = GraphFile(graph) if graph else None
    found = find(left, right, file.documents() if file else (), type=type, decisions=file.ledger().decisions if file else ())
    if not found:
        raise KgbuildError(f"neither {left!r} nor {right!r} is known", "--graph GRAPH looks in a graph, --type TYPE compares the words")
    for explanation in found:
        nodes = [node.id for node in explanation.nodes if node]
        where = f" ({', '.join(dict.fromkeys(nodes))})" if nodes else ""
        print(f"{explanation.type}: {shown(left)} and {shown(right)} are {'one thing' if explanation.same else 'two things'}{where}")
        for reason in explanation.reasons:
            print(f"  {shown(reason)}")


def review(
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="The graph, a folder such as papers.kg.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="REVIEW", help="The review file to write: .yaml, or .csv.")],
) -> None:
    """Write the doubtful merges for a person to decide.

    Fill in `same`, `different`, `rename` or `type` in the column `decision`, and give the file to the next build. Decisions that the
    graph was built with come first; deleting one and building again undoes it.

    Example:
      kgbuild review papers.kg -o review.yaml
      kgbuild build papers/ -o papers.kg --decisions review.yaml
    """
    from kgbuild.errors import InputError
    from kgbuild.graphfile import GraphFile
    from kgbuild.resolution import resolve as decide
    from kgbuild.resolution import write_review

    if output.exists():
        raise InputError(str(output), "is there already", hint="it may hold your decisions: name another file, or delete it first")
    file = GraphFile(graph)
    decisions = file.ledger().decisions
    resolution = decide(file.documents(), decisions=decisions)
    count = write_review(resolution.proposals, output, decided=decisions)
    say(f"{count} doubtful merges to look at in {output}.")


def _decisions(path: Path | None) -> list[Decision]:
    from kgbuild.resolution import read_decisions

    return read_decisions(path) if path else []


def _documents(records: Path, papers: Path) -> tuple[list[dict[str, Any]], list[tuple[Paper, Extraction]]]:
    """The rows of the record file and, for each, its paper with the entities; only entities matter here."""
    from kgbuild import sources
    from kgbuild.errors import InputError, KgbuildError
    from kgbuild.extraction import parse_record

    def note(problem: KgbuildError) -> None:
        warn(f"skipped: {problem}")

    by_id = {paper.id: paper for _, paper in sources.read([papers], on_problem=note)}
    rows, documents = [], []
    try:
        lines = records.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(records), "cannot be read", hint="RECORDS.jsonl holds one record a line, in UTF-8") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            paper = by_id[row["id"]]
            entities = [_named(entity) for entity in row["entities"]]
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError(str(records), f"not a record: {error}", position=f"line {number}") from error
        except KeyError as error:
            missing = (
                f"no paper has the id {error}" if isinstance(row.get("id"), str) and row["id"] not in by_id else f"a record needs {error}"
            )
            raise InputError(str(records), missing, position=f"line {number}", hint="--papers names the file of the papers") from error
        documents.append((paper, parse_record({"id": paper.id, "entities": entities, "results": []}, paper)))
        rows.append(row)
    return rows, documents


def _named(entity: dict[str, Any]) -> dict[str, Any]:
    """The entity with a name: its own, else its first surface."""
    surfaces = entity.get("surfaces") or [""]
    return entity if entity.get("name") else entity | {"name": surfaces[0] or "unnamed"}
