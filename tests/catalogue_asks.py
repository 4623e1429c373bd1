"""Questions of the catalogue put to a store and to the graph itself."""

from __future__ import annotations

from kgbuild.graph import Graph
from kgbuild.queries import QUESTIONS, Questions
from kgbuild.stores import Store


def most_mentioned(graph: Graph, type_: str, count: int) -> list[str]:
    """Ids of the things of a type that stand in most papers."""
    rows = sorted(graph.nodes[type_].select(["id", "papers"]).to_pylist(), key=lambda row: (-row["papers"], row["id"]))
    return [row["id"] for row in rows[:count]]


def asks(graph: Graph, count: int) -> list[tuple[str, dict[str, str]]]:
    """Each question about the most mentioned things of each type that it takes, and about two roles at once."""
    found: list[tuple[str, dict[str, str]]] = []
    for question in QUESTIONS.values():
        for name, types in question.takes.items():
            if not question.any_of or name in question.any_of:
                found += [(question.name, {name: id_}) for type_ in types for id_ in most_mentioned(graph, type_, count)]
    metric = most_mentioned(graph, "Metric", 1)[0]
    found += [("leaderboard", {"dataset": id_, "metric": metric}) for id_ in most_mentioned(graph, "Dataset", count)]
    return [*found, ("leaderboard", {"task": most_mentioned(graph, "Task", 1)[0], "kind": "improvement"})]


def compare(store: Store, graph: Graph, count: int, beliefs: tuple[float, ...]) -> set[str]:
    """Ask the store and the graph itself; the questions that had rows."""
    reference = Questions(graph)
    asked = Questions(store, reference.names)
    answered = set()
    for name, parameters in asks(graph, count):
        for belief in beliefs:
            expected = reference.ask(name, min_belief=belief, **parameters)
            found = asked.ask(name, min_belief=belief, **parameters)
            assert found.to_pylist() == expected.to_pylist(), (store.name, name, parameters, belief)
            assert found.schema.equals(expected.schema)
            if found.num_rows:
                answered.add(name)
    return answered
