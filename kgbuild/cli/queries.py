"""The verbs that ask: ask, search."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.console import Format, write_table
from kgbuild.errors import QueryError, StoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from kgbuild.queries import Questions

Words = Annotated[list[str], typer.Argument(metavar="[GRAPH] QUESTION", help="The graph or store (else the only .kg here), the question.")]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="Name, alias or id.")]
WALKS = ("path", "neighbours", "similar")
FOR_MACHINES = {"leaderboard": ("number", "id")}  # columns that others show to people: value and quote


def ask(
    words: Words,
    task: Name = None,
    dataset: Name = None,
    metric: Name = None,
    method: Name = None,
    thing: Name = None,
    to: Annotated[str | None, typer.Option(metavar="NAME", help="The other end of a path.")] = None,
    kind: Annotated[str | None, typer.Option(help="Kind of figures in a leaderboard; absolute unless given.")] = None,
    hops: Annotated[int, typer.Option(min=1, help="Steps of neighbours.")] = 1,
    relation: Annotated[list[str] | None, typer.Option(help="Relation to follow in path and neighbours (repeatable).")] = None,
    min_belief: Annotated[float, typer.Option(min=0, max=1, help="Leave out edges of less belief.")] = 0.0,
    limit: Annotated[int | None, typer.Option(min=1, help="Rows at most.")] = None,
    format: Annotated[Format, typer.Option(help="How rows are printed.")] = Format.table,
) -> None:
    """Ask a question of the catalogue.

    Questions: leaderboard (--dataset or --task, and --metric, --kind), methods_for, datasets_for (--task), metrics_for (--thing),
    evaluated_on (--dataset), compared_with, variants_of, components_of (--method), papers_about, timeline, co_occurring (--thing),
    path (--thing, --to), neighbours (--thing, --hops), similar (--thing). Names may be aliases, plurals or ids.
    A leaderboard's table has names in the place of ids, and no table has empty columns; csv, json and jsonl have all of them.

    Example:
      kgbuild ask papers.kg leaderboard --dataset ImageNet
      kgbuild ask papers.kg methods_for --task "machine translation" --min-belief 0.8 --format csv
      kgbuild ask papers.kg path --thing BERT --to "question answering"
    """
    question = words[-1].replace("-", "_")
    names = {"task": task, "dataset": dataset, "metric": metric, "method": method, "thing": thing, "kind": kind}
    with _questions(words) as questions:
        if question in WALKS:
            one = next((name for name in (thing, method, task, dataset, metric) if name), None)
            table = _walk(questions, question, one, to, hops, relation or [], min_belief, limit)
        else:
            table = questions.ask(question, min_belief=min_belief, limit=limit, **names)
        write_table(_readable(table, FOR_MACHINES.get(question, ())) if format is Format.table else table, format)


def _readable(table: pa.Table, hidden: Sequence[str]) -> pa.Table:
    """The columns that say something to people: names in the place of ids, and none that is empty or hidden."""
    named = {name.removesuffix("_name"): name for name in table.column_names if name.endswith("_name")}
    left = [
        name for name in table.column_names if name not in (*hidden, *named) and (not table.num_rows or table[name].null_count < len(table))
    ]
    return table.select(left).rename_columns([name.removesuffix("_name") for name in left])


def _walk(
    questions: Questions,
    question: str,
    thing: str | None,
    to: str | None,
    hops: int,
    relations: list[str],
    min_belief: float,
    limit: int | None,
) -> pa.Table:
    """The questions that start at one thing and go on from there."""
    if not thing or (question == "path" and not to):
        raise QueryError(f"{question} needs --thing{' and --to' if question == 'path' else ''}", "kgbuild ask --help shows examples")
    if question == "similar":
        return questions.similar(thing, limit=limit or 10)
    if question == "path":
        return questions.path(thing, to or "", relations=relations, min_belief=min_belief)
    return questions.neighbours(thing, hops=hops, relations=relations, min_belief=min_belief).slice(0, limit)


def search(
    words: Annotated[list[str], typer.Argument(metavar="[GRAPH] TEXT", help="The graph or store (else the only .kg here), what to find.")],
    type_: Annotated[list[str] | None, typer.Option("--type", help="Find things of this type only (repeatable).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 10,
    format: Annotated[Format, typer.Option(help="How rows are printed.")] = Format.table,
) -> None:
    """Find entities and papers by words and by meaning.

    Example: kgbuild search papers.kg "pretraining of image encoders" --type Method
    """
    with _questions(words) as questions:
        write_table(questions.search(words[-1], types=type_ or [], limit=limit), format)


@contextmanager
def _questions(words: list[str]) -> Iterator[Questions]:
    """The graph file or the store to ask."""
    import kgbuild
    from kgbuild.graphfile import is_graph_file
    from kgbuild.queries import Questions

    if len(words) > 2:
        raise QueryError("too many words: a graph and one question are enough", "put quotes around a text with blanks")
    place = words[0] if len(words) == 2 else _only_graph()
    with kgbuild.open(place) if place.endswith(".kg") or is_graph_file(Path(place)) else kgbuild.open_store(place) as opened:
        yield Questions(opened)


def _only_graph() -> str:
    """The graph that is meant where none is named: $KGBUILD_GRAPH, or the only one in this folder."""
    if named := os.environ.get("KGBUILD_GRAPH"):
        return named
    here = sorted(str(path) for path in Path().glob("*.kg"))
    if len(here) != 1:
        raise StoreError("no graph is named, and this folder holds " + (", ".join(here) or "none"), "name it before the question")
    return here[0]
