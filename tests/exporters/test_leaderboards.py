"""Leaderboards as CSV and as the JSON of sota-extractor."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path

from kgbuild.exporters import export
from kgbuild.exporters.leaderboards import entries
from kgbuild.graph import Graph


def test_every_result_is_a_row(gold: Graph, tmp_path: Path) -> None:
    """The CSV has a row for each result of the annotated seeds, with its digits, its sentence and its paper as the graph has them."""
    path = export(gold, tmp_path / "gold.leaderboards.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    results = {row["id"]: row for _, row in gold.node_rows("Result")}
    papers = {row["target"]: row["source"] for _, row in gold.edge_rows("REPORTS")}
    assert {row["result"] for row in rows} == set(results)
    for row in rows:
        result = results[row["result"]]
        assert (row["value"], row["quote"], row["kind"]) == (result["value"], result["quote"], result["kind"])
        assert row["paper"] == papers[row["result"]]


def test_ranks(board: Graph) -> None:
    """The best figure in the metric's direction has rank 1."""
    ranks = {(entry.dataset, entry.method): entry.rank for entry in entries(board)}
    assert ranks == {("WMT 2014 English-German", "Transformer"): 1, ("WMT 2014 English-German", "ConvS2S"): 2, ("ImageNet", "ResNet"): 1}


def test_what_cannot_be_ranked_is_not(gold: Graph) -> None:
    """Improvements, ranges and figures in a metric without a direction have no rank."""
    ranked = [entry for entry in entries(gold) if entry.rank is not None]
    assert ranked
    assert all(entry.kind == "absolute" and entry.better and entry.number is not None and entry.dataset for entry in ranked)
    for before, after in pairwise(ranked):
        if before.board == after.board:
            assert before.number is not None
            assert after.number is not None
            assert (before.number > after.number) == (before.rank != after.rank)


def test_sota_extractor(board: Graph, tmp_path: Path) -> None:
    """The JSON has the fields that sota-extractor's description names, and the figures in their places."""
    tasks = json.loads(export(board, tmp_path / "board.sota.json").read_text(encoding="utf-8"))
    assert [task["task"] for task in tasks] == ["not stated", "machine translation"]
    for task in tasks:
        assert set(task) == {"task", "description", "subtasks", "datasets"}
        for dataset in task["datasets"]:
            assert {"dataset", "description", "subdatasets", "dataset_links", "dataset_citations", "sota"} == set(dataset)
    (dataset,) = tasks[1]["datasets"]
    assert dataset["sota"]["metrics"] == ["BLEU"]
    assert dataset["sota"]["rows"][0] == {
        "model_name": "Transformer",
        "paper_title": "Attention Is All You Need",
        "paper_url": "https://arxiv.org/abs/1706.03762",
        "paper_date": None,
        "code_links": [{"title": "code", "url": "https://github.com/tensorflow/tensor2tensor"}],
        "model_links": [],
        "metrics": {"BLEU": "28.4"},
    }
    assert tasks[0]["datasets"][0]["sota"]["rows"][0]["metrics"] == {"top-5 error": "3.57%"}


def test_sota_counts(gold: Graph, tmp_path: Path) -> None:
    """Every absolute figure with method, dataset and metric is in the JSON, one for each method, paper and metric of a board."""
    tasks = json.loads(export(gold, tmp_path / "gold.sota.json").read_text(encoding="utf-8"))
    found = sum(len(row["metrics"]) for task in tasks for dataset in task["datasets"] for row in dataset["sota"]["rows"])
    fitting = [entry for entry in entries(gold) if entry.kind == "absolute" and entry.dataset and entry.metric and entry.method]
    assert found == len({(entry.board, entry.method, entry.paper) for entry in fitting}) > 0
