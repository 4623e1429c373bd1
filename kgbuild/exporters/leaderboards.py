"""Leaderboards: every result as a row of one CSV, and the absolute ones as the JSON of sota-extractor."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby, product
from pathlib import Path
from typing import Any

from kgbuild.graph import Graph

Node = tuple[str, str]
Row = dict[str, Any]


@dataclass(slots=True)
class Entry:
    """A result with the names of its roles; what the paper does not state is empty. `rank` counts from 1 on its board.

    A board is a task, dataset and metric together; ranked are its absolute figures, where the graph knows which direction
    of the metric is better, and equal figures share a rank.
    """

    task: str
    dataset: str
    metric: str
    rank: int | None
    method: str
    value: str
    unit: str
    kind: str
    number: float | None
    better: str
    baseline: str
    confidence: float
    paper: str
    paper_title: str
    year: int | None
    paper_url: str
    code: str
    quote: str
    result: str

    @property
    def board(self) -> tuple[str, str, str]:
        """Task, dataset and metric."""
        return (self.task, self.dataset, self.metric)


def entries(graph: Graph) -> list[Entry]:
    """All results, board by board, best first; a result with two methods, say, gives two rows."""
    rows = sorted((entry for node in _results(graph) for entry in node), key=_order)
    for _, board in groupby(rows, key=lambda entry: entry.board):
        ranked = [entry for entry in board if _is_ranked(entry)]
        for place, entry in enumerate(ranked):
            above = ranked[place - 1]
            entry.rank = above.rank if place and above.number == entry.number else place + 1
    return rows


def _is_ranked(entry: Entry) -> bool:
    stated = entry.dataset and entry.metric and entry.better and entry.kind == "absolute"
    return bool(stated) and entry.number is not None and math.isfinite(entry.number)


def _order(entry: Entry) -> tuple[Any, ...]:
    number = entry.number if entry.number is not None and math.isfinite(entry.number) else -math.inf
    unranked = not _is_ranked(entry)
    return (*entry.board, unranked, number if entry.better == "lower" else -number, entry.method, entry.paper, entry.result, entry.baseline)


def _results(graph: Graph) -> Iterator[list[Entry]]:
    """The entries of each result."""
    rows: dict[Node, Row] = {(type_, row["id"]): row for type_, row in graph.node_rows()}
    roles = {relation.name: relation.role for relation in graph.schema.group("result")}
    filled: defaultdict[tuple[Node, str | None], list[Node]] = defaultdict(list)
    for relation, edge in graph.edge_rows(*roles):
        filled[(edge["source_type"], edge["source"]), roles[relation]].append((edge["target_type"], edge["target"]))
    papers, code = _papers(graph)
    facts = [name for name, kind in graph.schema.nodes.items() if kind.kind == "fact"]
    for type_, result in graph.node_rows(*facts):
        node = (type_, result["id"])
        options = [[rows[end] for end in filled[node, role]] or [{}] for role in ("task", "dataset", "metric", "method", "baseline")]
        paper = rows[papers[node]] if node in papers else {}
        yield [_entry(result, chosen, paper, code) for chosen in product(*options)]


def _papers(graph: Graph) -> tuple[dict[Node, Node], dict[str, str]]:
    """The paper of each result, and the first repository of each paper."""
    papers: dict[Node, Node] = {}
    code: dict[str, str] = {}
    urls = {row["id"]: row["url"] for name, kind in graph.schema.nodes.items() if kind.kind == "link" for _, row in graph.node_rows(name)}
    for _, edge in graph.edge_rows(*(relation.name for relation in graph.schema.group("paper"))):
        kind = graph.schema.nodes[edge["target_type"]].kind
        if kind == "fact":
            papers.setdefault((edge["target_type"], edge["target"]), (edge["source_type"], edge["source"]))
        elif kind == "link":
            code.setdefault(edge["source"], urls[edge["target"]])
    return papers, code


def _entry(result: Row, chosen: Sequence[Row], paper: Row, code: dict[str, str]) -> Entry:
    task, dataset, metric, method, baseline = chosen
    return Entry(
        task=task.get("name", ""),
        dataset=dataset.get("name", ""),
        metric=metric.get("name", ""),
        rank=None,
        method=method.get("name", ""),
        value=result["value"],
        unit=result["unit"] or "",
        kind=result["kind"],
        number=result["number"],
        better=metric.get("better") or "",
        baseline=baseline.get("name", ""),
        confidence=result["confidence"],
        paper=paper.get("id", ""),
        paper_title=paper.get("title", ""),
        year=paper.get("year"),
        paper_url=paper_url(paper),
        code=code.get(paper.get("id", ""), ""),
        quote=result["quote"],
        result=result["id"],
    )


def paper_url(paper: Row) -> str:
    """The address of a paper: its own, or the one that its arXiv identifier or DOI gives; empty where it has none."""
    if paper.get("url"):
        return str(paper["url"])
    if paper.get("arxiv"):
        return f"https://arxiv.org/abs/{paper['arxiv']}"
    return f"https://doi.org/{paper['doi']}" if paper.get("doi") else ""


def write_csv(graph: Graph, path: Path) -> None:
    """Write every result as a row, board by board, best first."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        names = [field.name for field in fields(Entry)]
        writer.writerow(names)
        writer.writerows([getattr(entry, name) for name in names] for entry in entries(graph))


def write_sota(graph: Graph, path: Path) -> None:
    """Write the boards as sota-extractor's list of tasks; only absolute figures that state method, dataset and metric fit there.

    Results without a task stand under the task `not stated`. One row is one method in one paper; where that gives two
    figures for a metric the format has room for the better one.
    """
    fitting = [entry for entry in entries(graph) if entry.kind == "absolute" and entry.method and entry.dataset and entry.metric]
    tasks: list[dict[str, Any]] = []
    for task, of_task in groupby(fitting, key=lambda entry: entry.task):
        datasets = [_dataset(name, list(rows)) for name, rows in groupby(of_task, key=lambda entry: entry.dataset)]
        tasks.append({"task": task or "not stated", "description": "", "subtasks": [], "datasets": datasets})
    text = json.dumps(tasks, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _dataset(name: str, entries_: list[Entry]) -> dict[str, Any]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries_:
        row = rows.setdefault((entry.method, entry.paper), _row(entry))
        row["metrics"].setdefault(entry.metric, f"{entry.value}{entry.unit if entry.unit == '%' else ''}")
    sota = {"metrics": list(dict.fromkeys(entry.metric for entry in entries_)), "rows": list(rows.values())}
    return {"dataset": name, "description": "", "subdatasets": [], "dataset_links": [], "dataset_citations": [], "sota": sota}


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "model_name": entry.method,
        "paper_title": entry.paper_title,
        "paper_url": entry.paper_url,
        # The format wants a day and the graph knows the year, so a day is not made up.
        "paper_date": None,
        "code_links": [{"title": "code", "url": entry.code}] if entry.code else [],
        "model_links": [],
        "metrics": {},
    }
