"""The schema as Python follows the ontology file, and the file itself is sound."""

import pyarrow as pa
import pytest

from kgbuild.errors import SchemaError
from kgbuild.graph import Graph
from kgbuild.records import ROLES
from kgbuild.schema import ARROW_TYPES, load_schema

SCHEMA = load_schema()
EDGE = next(iter(SCHEMA.relations.values())).properties


def test_every_pattern_names_known_types() -> None:
    """A relation joins types that the ontology has, each pattern once."""
    for relation in SCHEMA.relations.values():
        assert len(set(relation.patterns)) == len(relation.patterns) > 0, relation.name
        assert {end for pattern in relation.patterns for end in pattern} <= set(SCHEMA.nodes), relation.name


def test_groups_start_where_they_say() -> None:
    """Concept relations join concepts, paper relations start at a source node, result relations at a fact."""
    kinds = {"concept": "concept", "paper": "source", "result": "fact"}
    for relation in SCHEMA.relations.values():
        for source, _ in relation.patterns:
            assert SCHEMA.nodes[source].kind == kinds[relation.group], relation.name
    assert {name for group in kinds for name in (r.name for r in SCHEMA.group(group))} == set(SCHEMA.relations)


def test_result_roles_are_the_records_roles() -> None:
    """Each role of a result has exactly one relation, and records know the same roles."""
    assert sorted(r.role for r in SCHEMA.group("result")) == sorted(ROLES)


def test_every_iri_expands_and_every_type_is_known() -> None:
    """No property, class or relation uses an undeclared prefix, and property types are those that Arrow and RDF know."""
    columns = [column for node in SCHEMA.nodes.values() for column in node.properties] + list(EDGE)
    for column in columns:
        assert SCHEMA.iri(column.iri).startswith("http")
        assert column.type in ARROW_TYPES
        assert column.description.endswith("."), f"{column.name}: quote descriptions that hold a comma"
    for thing in (*SCHEMA.nodes.values(), *SCHEMA.relations.values()):
        for curie in (*thing.match, *thing.close, *getattr(thing, "inverse", ())):
            assert SCHEMA.iri(curie).startswith("http")


def test_every_declared_prefix_is_used() -> None:
    """SKOS, PROV-O, schema.org, FaBiO, CiTO, ORKG, CSO and the others are aligned with, not merely declared."""
    columns = [column.iri for node in SCHEMA.nodes.values() for column in node.properties] + [column.iri for column in EDGE]
    terms = [c for t in (*SCHEMA.nodes.values(), *SCHEMA.relations.values()) for c in (*t.match, *t.close, *getattr(t, "inverse", ()))]
    assert {curie.partition(":")[0] for curie in columns + terms} == set(SCHEMA.prefixes)


def test_a_node_has_no_two_properties_with_one_iri() -> None:
    """Within a type an IRI names one property, so that reading RDF back is unambiguous."""
    for node in SCHEMA.nodes.values():
        iris = [column.iri for column in node.properties]
        assert len(iris) == len(set(iris)), node.name


def test_examples_are_rows_of_their_type() -> None:
    """The example of each node type has an id and only properties of that type, with allowed values."""
    for node in SCHEMA.nodes.values():
        known = {column.name: column for column in node.properties}
        for name, value in node.example.items():
            if name != "id":
                assert pa.scalar(value, ARROW_TYPES[known[name].type]).as_py() == value
                assert not known[name].values or value in known[name].values
        assert node.example["id"]


def test_concepts_share_their_properties() -> None:
    """Every concept type carries name, aliases, same_as, papers and mentions."""
    assert SCHEMA.concepts
    for name in SCHEMA.concepts:
        assert {"name", "aliases", "same_as", "papers", "mentions"} <= {column.name for column in SCHEMA.nodes[name].properties}


def test_empty_graph_has_every_table_and_is_valid() -> None:
    """A graph without rows holds all tables of the schema and passes validation."""
    graph = Graph.from_rows({}, {})
    graph.validate()
    assert set(graph.counts()) == {*SCHEMA.nodes, *SCHEMA.relations}
    assert set(graph.counts().values()) == {0}


@pytest.mark.parametrize("bad", ["nothing:here", "plain"])
def test_unknown_prefix_is_an_error(bad: str) -> None:
    """A name with an undeclared prefix is refused, naming the prefix."""
    with pytest.raises(SchemaError, match="unknown prefix"):
        SCHEMA.iri(bad)


def test_unknown_relation_lists_the_known_ones() -> None:
    """Asking for a relation that is not there names those that are."""
    with pytest.raises(SchemaError) as caught:
        SCHEMA.relation("LIKES")
    assert all(name in caught.value.hint for name in SCHEMA.relations)
    assert not SCHEMA.allows("Paper", "LIKES", "Paper")
