"""The derived files of the ontology are up to date, correct and the same bytes every time."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from rdflib import OWL, RDF, RDFS, SKOS, URIRef
from rdflib import Graph as Triples

from kgbuild.schema import load_schema

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "generate.py"
SCHEMA = load_schema()


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _script()


def _triples(name: str) -> Triples:
    return Triples().parse(ROOT / "ontology" / "generated" / name, format="turtle")


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_derived_files_are_current(seed: str) -> None:
    """`--check` passes on the committed files, whatever the hash seed: the same ontology gives the same bytes."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def test_check_names_each_stale_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing or edited file makes `--check` fail, names it and leaves it alone; a plain run mends it."""
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate.stale, "__defaults__", (tmp_path,))
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    changed = tmp_path / "docs" / "ontology.md"
    changed.write_text("old", encoding="utf-8")
    (tmp_path / "ontology" / "generated" / "shapes.ttl").unlink()
    assert generate.main(["--check"]) == 1
    complaints = capsys.readouterr().err
    assert "docs/ontology.md is stale" in complaints
    assert "shapes.ttl is stale" in complaints
    assert "ontology.ttl is stale" not in complaints
    assert changed.read_text(encoding="utf-8") == "old"
    assert generate.main([]) == 0
    assert generate.stale(tmp_path) == []


def test_unknown_option_is_refused() -> None:
    """Anything but `--check` prints the usage and does nothing."""
    assert generate.main(["--force"]) == 2


def test_owl_holds_every_type_with_its_alignments() -> None:
    """Each node type is a class and each relation an object property, with definition, domain, range and alignments."""
    graph = _triples("ontology.ttl")
    for name, node in SCHEMA.nodes.items():
        term = URIRef(SCHEMA.iri(f"kg:{name}"))
        assert (term, RDF.type, OWL.Class) in graph
        assert str(graph.value(term, SKOS.definition)) == node.description
        assert {str(o) for o in graph.objects(term, RDFS.subClassOf)} == {SCHEMA.iri(curie) for curie in node.match}
        assert {str(o) for o in graph.objects(term, SKOS.closeMatch)} == {SCHEMA.iri(curie) for curie in node.close}
    for name, relation in SCHEMA.relations.items():
        term = URIRef(SCHEMA.iri(f"kg:{name}"))
        assert (term, RDF.type, OWL.ObjectProperty) in graph
        assert ((term, RDF.type, OWL.SymmetricProperty) in graph) == relation.symmetric
        assert graph.value(term, RDFS.domain) is not None
        assert graph.value(term, RDFS.range) is not None
        inverses = {str(o) for b in graph.subjects(OWL.inverseOf, term) for o in graph.objects(b, RDFS.subPropertyOf)}
        assert inverses == {SCHEMA.iri(curie) for curie in relation.inverse}


def test_context_expands_to_the_ontologys_iris() -> None:
    """A node written with the context means what the ontology says, and `url` differs between a paper and a repository."""
    terms = json.loads((ROOT / "ontology" / "generated" / "context.jsonld").read_text(encoding="utf-8"))["@context"]
    for name, node in SCHEMA.nodes.items():
        document = {"@context": terms, "@id": f"{SCHEMA.namespace}x", "@type": name}
        document |= {column: value for column, value in node.example.items() if column != "id"}
        graph = Triples().parse(data=json.dumps(document), format="json-ld")
        iris = {column.name: column.iri for column in node.properties}
        expected = {SCHEMA.iri(iris[column]) for column in node.example if column != "id"} | {str(RDF.type)}
        assert {str(p) for p in graph.predicates()} == expected


def test_page_tells_every_type_and_property() -> None:
    """The docs page names each type, relation and property of the ontology."""
    text = (ROOT / "docs" / "ontology.md").read_text(encoding="utf-8")
    for name, node in SCHEMA.nodes.items():
        assert f"### {name}\n" in text
        assert all(f"`{column.name}`" in text for column in node.properties)
    for name, relation in SCHEMA.relations.items():
        assert f"| `{name}` |" in text
        assert relation.description in text
