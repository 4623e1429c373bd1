"""The questions of the catalogue: what each takes, what its rows hold, and its Cypher, SPARQL and Python forms.

The texts lie in `texts/NAME.cypher` and `texts/NAME.rq`, the Python forms in `memory.py`. Values reach a text as bound
parameters only. All forms give the same rows in the same order, ties broken by id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pyarrow as pa

from kgbuild.schema import load_schema

SUFFIXES = {"cypher": "cypher", "sparql": "rq"}
STRINGS = pa.list_(pa.string())
TYPES: Mapping[str, pa.DataType] = {
    "belief": pa.float64(), "proposes": pa.float64(), "addresses": pa.float64(), "number": pa.float64(),
    "support": pa.int64(), "ahead": pa.int64(), "together": pa.int64(), "mentions": pa.int64(), "year": pa.int64(), "rank": pa.int64(),
    "background": pa.bool_(), "papers": STRINGS, "passages": STRINGS,
}  # fmt: skip
RELATED = ("id", "name", "belief", "support", "background", "papers", "passages")


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the catalogue.

    takes: parameter -> the node types that it may name. any_of: parameters of which at least one must be given (all of `takes`
    where it is empty). choices: parameter -> its allowed words, the first being the default. columns: names of the columns of
    its rows, in order; their types stand in `schema`. grouped: columns that say which rows are comparable, for questions that
    rank. unordered: list columns whose elements have no order of their own.
    """

    name: str
    about: str
    takes: Mapping[str, tuple[str, ...]]
    columns: tuple[str, ...] = RELATED
    any_of: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] | None = None
    grouped: tuple[str, ...] = ()
    unordered: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows; columns that are not listed in TYPES hold strings."""
        return pa.schema([pa.field(name, TYPES.get(name, pa.string())) for name in self.columns])

    @property
    def python(self) -> Callable[..., list[dict[str, Any]]]:
        """The form over a networkx graph."""
        from kgbuild.queries.memory import FORMS

        return FORMS[self.name]

    def text(self, language: str) -> str:
        """The form in `cypher` or `sparql`."""
        return _text(f"{self.name}.{SUFFIXES[language]}")


@cache
def _text(name: str) -> str:
    return (files("kgbuild.queries") / "texts" / name).read_text(encoding="utf-8")


def _questions() -> dict[str, Question]:
    schema = load_schema()
    concepts = schema.concepts
    kinds = next(p.values for node in schema.nodes.values() if node.kind == "fact" for p in node.properties if p.name == "kind")
    board = (
        "rank", "method", "method_name", "value", "number", "unit", "metric", "metric_name", "better", "dataset", "dataset_name",
        "task", "task_name", "paper", "title", "year", "belief", "quote", "id",
    )  # fmt: skip
    rows = (
        Question(
            "leaderboard",
            "Results on a dataset or for a task, ranked where they are comparable: same dataset, metric and unit.",
            {"dataset": ("Dataset",), "task": ("Task",), "metric": ("Metric",)},
            board,
            any_of=("dataset", "task"),
            choices={"kind": kinds},
            grouped=("dataset", "metric", "unit"),
        ),
        Question("methods_for", "Methods that are used for a task.", {"task": ("Task",)}),
        Question("datasets_for", "Datasets that serve to train or test a task.", {"task": ("Task",)}),
        Question("metrics_for", "Metrics by which a task, dataset or method is measured.", {"thing": ("Task", "Dataset", "Method")}),
        Question("evaluated_on", "Methods that were tested on a dataset.", {"dataset": ("Dataset",)}),
        Question(
            "compared_with",
            "Methods that a method is compared with; `ahead` counts the papers that favour the method asked about.",
            {"method": ("Method",)},
            ("id", "name", "belief", "support", "ahead", "papers", "passages"),
        ),
        Question("variants_of", "Kinds, instances and variants of a method.", {"method": ("Method",)}),
        Question("components_of", "Components, modules, steps and ingredients of a method.", {"method": ("Method",)}),
        Question(
            "papers_about",
            "Papers that mention a thing: those that propose it first, then those that address it.",
            {"thing": concepts},
            ("id", "title", "year", "proposes", "addresses", "belief", "mentions", "passages"),
        ),
        Question(
            "timeline",
            "Papers that mention a thing, oldest first, papers without a year last.",
            {"thing": concepts},
            ("year", "id", "title", "event", "belief", "passages"),
        ),
        Question(
            "co_occurring",
            "Things that stand in the same papers as a thing.",
            {"thing": concepts},
            ("type", "id", "name", "together", "papers"),
            unordered=("papers",),
        ),
    )
    return {question.name: question for question in rows}


QUESTIONS: Mapping[str, Question] = _questions()
