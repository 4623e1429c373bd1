"""People's spelling of a name finds its node, and what finds nothing is answered with the nearest names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.errors import QueryError
from kgbuild.graph import Graph
from kgbuild.queries.names import Known, Names
from kgbuild.schema import load_schema

CONCEPTS = load_schema().concepts


@pytest.mark.parametrize(
    "name",
    ["large language model", "Large Language Models", "LLM", "LLMs", "llms", "large-language-model", "LARGE LANGUAGE MODEL", "method:llm"],
)
def test_aliases_case_plural_and_hyphens(awkward_graph: Graph, name: str) -> None:
    """Every usual spelling of a thing finds it."""
    assert Names.of_graph(awkward_graph).find(name, CONCEPTS).id == "method:llm"


def test_types_decide_between_namesakes(awkward_graph: Graph) -> None:
    """A question that takes one type is not troubled by a namesake of another; where both fit, the ids are offered."""
    names = Names.of_graph(awkward_graph)
    assert names.find("machine translation", ["Task"]).id == "task:mt"
    assert names.find("machine translation", ["Method"]).id == "method:mt"
    with pytest.raises(QueryError, match=r"task:mt .*method:mt"):
        names.find("machine translation", CONCEPTS)


def test_a_much_commoner_namesake_is_meant() -> None:
    """Where one namesake stands in far more papers than the other, it is the one; ties in one type are told apart by id."""
    names = Names([Known("Task", "task:x", "X", (), 40), Known("Method", "method:x", "X", (), 2)])
    assert names.find("x", CONCEPTS).id == "task:x"
    with pytest.raises(QueryError, match="several things"):
        Names([Known("Task", "task:x", "X", (), 4), Known("Task", "task:y", "X", (), 4)]).find("X", ["Task"])


def test_a_name_beats_an_alias() -> None:
    """What is called so outranks what is also called so."""
    names = Names([Known("Method", "method:a", "Adam", (), 1), Known("Method", "method:b", "B", ("Adam",), 9)])
    assert names.find("Adam", ["Method"]).id == "method:a"


def test_near_misses_are_suggested(awkward_graph: Graph) -> None:
    """A slip of the pen is answered with the right name, and a name of another type with that type."""
    names = Names.of_graph(awkward_graph)
    with pytest.raises(QueryError, match="did you mean 'machine translation'"):
        names.find("machin translaton", ["Task"])
    with pytest.raises(QueryError, match="there is a Dataset of that name: dataset:d"):
        names.find("data-1", ["Task"])


@given(st.text())
def test_any_text_is_found_or_refused(text: str) -> None:
    """No text breaks the look-up: it finds a node of the type or raises the one error, and a node's own name finds it."""
    names = Names([Known("Task", "task:own", text, (), 1)])
    assert names.find(text, ["Task"]).id == "task:own"
    with pytest.raises(QueryError):
        names.find(text, ["Metric"])
