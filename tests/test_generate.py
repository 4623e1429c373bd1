"""The derived files of the ontology are up to date, correct and the same bytes every time."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pyshacl
import pytest
from rdflib import OWL, RDF, RDFS, SH, SKOS, URIRef
from rdflib import Graph as Triples

from kgbuild.graph import Graph
from kgbuild.schema import load_schema
from kgbuild.stores.rdf import serialize

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "generate.py"
SCHEMA = load_schema()


def _script() -> ModuleType:
    sys.path.insert(0, str(SCRIPT.parent))
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


def _statement(paper: str, **changes: object) -> dict[str, object]:
    one = {"evidence_paper": paper, "evidence_start": 0, "evidence_end": 5, "evidence_text": "Bert.", "evidence_confidence": 0.5}
    one |= {
        "evidence_head_start": -1,
        "evidence_head_end": -1,
        "evidence_tail_start": 0,
        "evidence_tail_end": 4,
        "evidence_extractor": "hand 1",
    }
    return {"belief": 0.5, "support": 1, "background": False, **{name: [value] for name, value in one.items()}, **changes}


def _small_graph() -> Graph:
    concept = {"aliases": [], "same_as": [], "papers": 1, "mentions": 1}
    ends = {"source_type": "Method", "source": "method:bert", "target_type": "Method", "target": "method:lm"}
    bare = {column.name: [] for column in SCHEMA.relations["USED_FOR"].properties if column.many}
    return Graph.from_rows(
        {
            "Paper": [{"id": "p1", "title": "Bert.", "abstract": "", "year": 2018, "authors": ["B", "A"]}],
            "Method": [{"id": "method:bert", "name": "BERT", **concept}, {"id": "method:lm", "name": "language model", **concept}],
            "Metric": [{"id": "metric:f1", "name": "F1", "better": "higher", **concept}],
        },
        {
            "USED_FOR": [{**ends, **_statement("p1")}],
            "SUBCLASS_OF": [{**ends, **_statement("p1", **bare, background=True, support=0)}],
            "MENTIONS": [{"source_type": "Paper", "source": "p1", "target_type": "Method", "target": "method:bert", **_statement("p1")}],
        },
    )


def _violations(text: str) -> list[str]:
    _, report, _ = pyshacl.validate(Triples().parse(data=text, format="turtle"), shacl_graph=_triples("shapes.ttl"))
    return sorted(str(message) for message in report.objects(None, SH.resultMessage))


def test_shapes_pass_a_sound_graph_and_name_each_fault() -> None:
    """A graph as kgbuild writes it conforms; a fault in a value, a count, an end or the evidence is reported by its own shape."""
    text = serialize(_small_graph(), "turtle").decode()
    assert _violations(text) == []
    faults = {
        ('kg:belief "0.5"', 'kg:belief "1.5"'): "Statement.belief",
        ('kg:better "higher"', 'kg:better "sideways"'): "Metric.better",
        ('dcterms:title "Bert."', 'dcterms:alternative "Bert."'): "Paper.title",
        ("kg:background true", "kg:background false"): "Statement: at least one piece of evidence",
        ("metric:f1> a kg:Metric", "metric:f1> kg:USED_FOR <x:y> ; a kg:Metric"): "USED_FOR may only go",
        ("oa:start 0", "oa:start -4"): "Evidence.start",
        ("kg:papers 1", 'kg:papers "many"'): "papers",
        ("fabio:hasPublicationYear 2018", 'fabio:hasPublicationYear "MMXVIII"'): "Paper.year",
    }
    for (sound, faulty), message in faults.items():
        assert sound in text, sound
        found = _violations(text.replace(sound, faulty))
        assert found, sound
        assert all(message in line for line in found), found
