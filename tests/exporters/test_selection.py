"""Parts of a graph, checked against NetworkX and against what the filters promise."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgbuild.errors import KgbuildError
from kgbuild.exporters import select
from kgbuild.exporters.selection import find
from kgbuild.graph import Graph

Node = tuple[str, str]


def nodes_of(graph: Graph) -> set[Node]:
    """(type, id) of every node."""
    return {(type_, row["id"]) for type_, row in graph.node_rows()}


def as_networkx(graph: Graph) -> nx.MultiGraph:
    """The graph without directions."""
    multi = nx.MultiGraph()
    multi.add_nodes_from(nodes_of(graph))
    for relation, row in graph.edge_rows():
        multi.add_edge((row["source_type"], row["source"]), (row["target_type"], row["target"]), relation)
    return multi


def test_no_filter_keeps_everything(gold: Graph) -> None:
    """Without filters the part is the whole."""
    assert select(gold).equals(gold)


@pytest.mark.parametrize("hops", [0, 1, 2])
def test_neighbourhood_is_that_of_networkx(hops: int, gold: Graph) -> None:
    """`around` keeps exactly the nodes and edges of NetworkX's ego graph, for a name in another case as well."""
    (centre,) = find(gold, "imagenet")
    ego = nx.ego_graph(as_networkx(gold), centre, radius=hops)
    part = select(gold, around=["IMAGENET"], hops=hops)
    part.validate()
    assert nodes_of(part) == set(ego.nodes)
    assert sum(table.num_rows for table in part.edges.values()) == ego.number_of_edges()


def test_types_and_relations(gold: Graph) -> None:
    """Only named types and relations are left, with every edge of theirs."""
    part = select(gold, types=["Method", "Task"])
    assert {type_ for type_, _ in nodes_of(part)} == {"Method", "Task"}
    assert part.edges["SUBTASK_OF"].equals(gold.edges["SUBTASK_OF"])
    assert part.edges["EVALUATED_ON"].num_rows == 0
    part = select(gold, relations=["EVALUATED_ON"])
    assert part.edges["EVALUATED_ON"].equals(gold.edges["EVALUATED_ON"])
    ends = {(row[f"{end}_type"], row[end]) for _, row in gold.edge_rows("EVALUATED_ON") for end in ("source", "target")}
    assert nodes_of(part) == ends


def test_belief(nasty: Graph) -> None:
    """Edges under the belief go, and with them only the nodes that they alone held."""
    part = select(nasty, min_belief=0.5)
    assert part.edges["USED_FOR"].num_rows == 0
    assert part.edges["COMPARED_WITH"].equals(nasty.edges["COMPARED_WITH"])
    assert nodes_of(part) == nodes_of(nasty)
    assert nodes_of(select(nasty, min_belief=0.5, relations=["USED_FOR"])) == {("Metric", "metric:m")}


def test_paper(gold: Graph) -> None:
    """A paper's part is the paper and every statement with evidence in it, and nothing else."""
    paper = gold.nodes["Paper"]["id"][0].as_py()
    part = select(gold, papers=[paper])
    part.validate()
    expected = sum(paper in row["evidence_paper"] for _, row in gold.edge_rows())
    assert sum(table.num_rows for table in part.edges.values()) == expected > 0
    assert part.nodes["Paper"]["id"].to_pylist() == [paper]


def test_top(gold: Graph) -> None:
    """The nodes with the most edges stay; a node asked for by name stays too."""
    degrees = dict(as_networkx(gold).degree)
    part = select(gold, top=20)
    lowest = min(degrees[node] for node in nodes_of(part))
    assert len(nodes_of(part)) == 20
    assert all(degree <= lowest for node, degree in degrees.items() if node not in nodes_of(part))
    rare = min(gold.nodes["Dataset"]["name"].to_pylist())
    assert find(gold, rare)[0] in nodes_of(select(gold, around=[rare], hops=2, top=1))


def test_centre_of_another_type_stays(gold: Graph) -> None:
    """`--around ImageNet --type Task` shows the tasks around ImageNet with ImageNet among them."""
    part = select(gold, around=["ImageNet"], types=["Task"])
    assert [row["name"] for _, row in part.node_rows("Dataset")] == ["ImageNet"]
    assert part.edges["BENCHMARK_FOR"].num_rows == part.nodes["Task"].num_rows > 0


@settings(max_examples=25)
@given(data=st.data())
def test_every_part_is_a_graph(data: st.DataObject, gold: Graph) -> None:
    """Whatever the filters, the part is valid and within the whole."""
    part = select(
        gold,
        types=data.draw(st.lists(st.sampled_from(list(gold.schema.nodes)), max_size=3)),
        relations=data.draw(st.lists(st.sampled_from(list(gold.schema.relations)), max_size=3)),
        min_belief=data.draw(st.sampled_from([0.0, 0.5, 1.0])),
        papers=data.draw(st.lists(st.sampled_from(gold.nodes["Paper"]["id"].to_pylist()[:5]), max_size=2)),
        around=data.draw(st.lists(st.sampled_from(["ImageNet", "image classification"]), max_size=2)),
        hops=data.draw(st.integers(0, 3)),
        top=data.draw(st.sampled_from([None, 1, 10])),
    )
    part.validate()
    assert nodes_of(part) <= nodes_of(gold)


def test_unknown_names_are_named(gold: Graph) -> None:
    """A name that is not there is one line, with the nearest that is."""
    with pytest.raises(KgbuildError, match=r"no node 'ImageNett'.*did you mean 'imagenet'"):
        select(gold, around=["ImageNett"])
    with pytest.raises(KgbuildError, match="no paper 'x'"):
        select(gold, papers=["x"])
    with pytest.raises(KgbuildError, match=r"unknown type 'Methods'.*Method"):
        select(gold, types=["Methods"])
    with pytest.raises(KgbuildError, match="unknown relation 'USES'"):
        select(gold, relations=["USES"])
