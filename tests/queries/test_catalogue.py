"""Every question of the catalogue gives the same rows, order included, whatever holds the graph."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import pyarrow as pa
import pytest
from catalogue_asks import compare, most_mentioned

from kgbuild.errors import QueryError
from kgbuild.graph import Graph
from kgbuild.queries import QUESTIONS, Questions
from kgbuild.queries.asking import find_question
from kgbuild.queries.memory import FORMS
from kgbuild.schema import load_schema
from kgbuild.stores import Store

Load = Callable[[Graph], Store]


def test_same_rows_for_real_papers(loaded: Load, gold_graph: Graph) -> None:
    """Over the seed papers every question gives on this store the rows of the graph itself, and none is always empty."""
    assert compare(loaded(gold_graph), gold_graph, 2, (0.7,)) == set(QUESTIONS)


def test_same_rows_for_awkward_cases(loaded: Load, awkward_graph: Graph) -> None:
    """Ties, both directions of a comparison, background edges, hostile names and mixed boards make no difference between stores."""
    assert compare(loaded(awkward_graph), awkward_graph, 9, (0.0, 0.5)) == set(QUESTIONS)


def test_walks_are_the_same_everywhere(loaded: Load, gold_graph: Graph, awkward_graph: Graph) -> None:
    """Neighbourhoods, paths, search and similar things do not depend on the store either."""
    for graph, thing in ((gold_graph, "method:bert"), (awkward_graph, "method:a")):
        reference, asked = Questions(graph), Questions(loaded(graph))
        far = most_mentioned(graph, "Dataset", 1)[0]
        assert asked.neighbours(thing, hops=2).equals(reference.neighbours(thing, hops=2))
        assert asked.path(thing, far).equals(reference.path(thing, far))
        assert reference.path(thing, far).num_rows > 0
        assert asked.search("language model").equals(reference.search("language model"))
        assert asked.similar(thing).equals(reference.similar(thing))


def test_hostile_names_are_values(loaded: Load, awkward_graph: Graph) -> None:
    """A name or id full of query syntax is looked up as it stands: it answers or is unknown, and the graph stays as it was."""
    store = loaded(awkward_graph)
    questions = Questions(store)
    name = awkward_graph.nodes["Method"].filter(pa.compute.equal(awkward_graph.nodes["Method"]["id"], "method:c"))["name"][0].as_py()
    assert questions.ask("compared_with", method=name)["id"].to_pylist() == ["method:a"]
    for hostile in ("' OR 1=1 //", '"} ; DROP ALL ; #', "x`) DELETE n //", "$task", "}} UNION {{ ?s ?p ?o"):
        with pytest.raises(QueryError, match="is called"):
            questions.ask("methods_for", task=hostile)
    assert store.read().equals(awkward_graph)


def test_rows_are_as_expected(awkward_graph: Graph) -> None:
    """The answers themselves, worked out by hand: order, ties by id, evidence, and the filter of belief."""
    questions = Questions(awkward_graph)
    rows = questions.ask("methods_for", task="testing tasks").to_pylist()
    assert [row["id"] for row in rows] == ["method:a", "method:b", "method:c", "method:d"]
    assert rows[0]["papers"] == ["p1", "p10", "p2", "p2"]
    assert rows[0]["passages"] == ["one", "ten", "two", "two"]
    assert rows[0]["support"] == 3
    assert "method:a" not in questions.ask("methods_for", task="task:t", min_belief=0.3)["id"].to_pylist()
    compared = questions.ask("compared_with", method="alpha net").to_pylist()
    assert [(row["id"], row["support"], row["ahead"], row["belief"]) for row in compared] == [
        ("method:b", 3, 1, 0.75),
        ("method:c", 1, 0, 0.5),
    ]
    assert compared[0]["papers"] == ["p1", "p2", "p3"]
    times = questions.ask("timeline", thing="Alpha net").to_pylist()
    assert [(row["year"], row["id"], row["event"]) for row in times] == [
        (2015, "p2", "mentions"), (2019, "p1", "proposes"), (2019, "p10", "mentions"), (2021, "p'\"\\4", "mentions"),
        (None, "p3", "mentions"),
    ]  # fmt: skip
    together = questions.ask("co_occurring", thing="task:t").to_pylist()
    assert [(row["type"], row["id"], row["papers"]) for row in together] == [
        ("Method", "method:a", ["p1", "p10", "p2"]),
        ("Method", "method:b", ["p1"]),
    ]
    assert questions.ask("variants_of", method="method:a").to_pylist()[-1]["background"] is True


def test_leaderboard_ranks_only_what_is_comparable(awkward_graph: Graph) -> None:
    """Boards are one dataset, metric and unit; lower is better where the metric says so; ranges and unknown directions have no rank."""
    rows = Questions(awkward_graph).ask("leaderboard", dataset="data 1").to_pylist()
    assert [(row["metric"], row["unit"], row["value"], row["rank"]) for row in rows] == [
        ("metric:acc", None, "0.9", 1),
        ("metric:acc", "%", "91.5", 1),
        ("metric:acc", "%", "90.5", 2),
        ("metric:err", "%", "4", 1),
        ("metric:err", "%", "5", 2),
        ("metric:err", "%", "6-7", None),
        ("metric:odd", None, "1", None),
    ]
    task = Questions(awkward_graph).ask("leaderboard", task="task:t").to_pylist()
    assert [(row["dataset"], row["rank"]) for row in task] == [("dataset:d", 1), ("dataset:d", 2), (None, None)]
    assert Questions(awkward_graph).ask("leaderboard", dataset="dataset:d", kind="improvement")["value"].to_pylist() == ["3"]


def test_every_question_has_its_three_forms() -> None:
    """Cypher, SPARQL and Python of each question exist, no text is left over, and texts name only what the ontology has."""
    assert list(FORMS) == list(QUESTIONS)
    suffixes = {name.name for name in (files("kgbuild.queries") / "texts").iterdir()}
    assert suffixes == {f"{name}.{suffix}" for name in QUESTIONS for suffix in ("cypher", "rq")}
    schema = load_schema()
    known = {*schema.nodes, *schema.relations}
    for question in QUESTIONS.values():
        used = [word for word in question.text("cypher").replace("|", " ").replace(":", " ").replace("]", " ").split() if word.isupper()]
        assert not {word for word in used if "_" in word} - known, question.name
        assert "{" not in question.text("cypher").replace("{id: $", ""), question.name
        assert all(type_ in schema.nodes for types in question.takes.values() for type_ in types)


def test_wrong_questions_say_what_is_right(awkward_graph: Graph) -> None:
    """An unknown question, a parameter it does not take, one that is missing and an unknown choice are each one clear line."""
    questions = Questions(awkward_graph)
    assert find_question("methods-for").name == "methods_for"
    with pytest.raises(QueryError, match="did you mean 'methods_for'"):
        questions.ask("method_for", task="x")
    with pytest.raises(QueryError, match="it takes task"):
        questions.ask("methods_for", dataset="x")
    with pytest.raises(QueryError, match="needs a dataset or a task"):
        questions.ask("leaderboard", metric="accuracy")
    with pytest.raises(QueryError, match="known: absolute"):
        questions.ask("leaderboard", dataset="dataset:d", kind="guess")
