"""Builds from real pages and records: what goes in, what comes out, what is said about the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from builds import NetExtractor, exported, load_nets, read_jsonl, write_source

import kgbuild
from kgbuild.errors import KgbuildError, StoreError
from kgbuild.records import Paper
from kgbuild.workers import extract


@pytest.fixture(scope="module")
def seeds(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graph of the seed pages by the rules."""
    path = tmp_path_factory.mktemp("seeds") / "seeds.kg"
    report = kgbuild.build(shared / "seeds", path, extractor="rules")

    assert (report.records, report.papers, report.problems) == (525, 468, [])
    return path


def test_seed_texts_are_letter_for_letter(seeds: Path, shared: Path) -> None:
    """468 papers; the 388 of them whose text is published with the annotations have exactly that text."""
    with kgbuild.open(seeds) as graph:
        texts = {(row["title"], row["abstract"]) for _, row in graph.graph().node_rows("Paper")}
    annotated = {(row["title"], row["abstract"]) for row in read_jsonl(shared / "annotation" / "papers.jsonl")}

    assert len(texts) == 468
    assert len(texts & annotated) == 388


def test_seed_graph_verifies(seeds: Path) -> None:
    """Every span of the seeds graph is the text that it claims to be."""
    with kgbuild.open(seeds) as graph:
        found = kgbuild.verify(graph.graph())

    assert found.checked > 10_000
    assert found.faults == []


def test_second_build_does_nothing(seeds: Path, shared: Path) -> None:
    """A build with nothing to do extracts nothing and writes nothing, not even a date."""
    before = {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in seeds.rglob("*") if file.is_file()}
    report = kgbuild.build(shared / "seeds", seeds, extractor="rules")
    other = kgbuild.build([*sorted((shared / "seeds").iterdir())], seeds)

    assert (other.papers, other.written, other.extracted) == (468, False, 0)
    assert (report.papers, report.written, report.extracted) == (468, False, 0)
    assert before == {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in seeds.rglob("*") if file.is_file()}


def test_same_bytes_for_any_order_workers_and_seed(seeds: Path, shared: Path, tmp_path: Path) -> None:
    """Files in reverse order, two workers and another hash seed give byte-identical exports."""
    files = sorted(map(str, (shared / "seeds").iterdir()), reverse=True)
    other = tmp_path / "other.kg"
    command = [sys.executable, "-m", "kgbuild", "build", *files, "-o", str(other), "--workers", "2", "--extractor", "rules", "-q"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "7"})

    assert exported(seeds) == exported(other)


def test_gold_records_load(shared: Path, tmp_path: Path) -> None:
    """Gold records become a graph that verifies, each record's papers with the relations it states."""
    annotation = shared / "annotation"
    report = kgbuild.build(annotation / "papers.jsonl", tmp_path / "gold.kg", records=[annotation / "dev.jsonl"], extractor="none")

    assert report.problems == []
    with kgbuild.open(tmp_path / "gold.kg") as graph:
        assert kgbuild.verify(graph.graph()).faults == []
        rows = graph.query("MATCH (p:Paper {id: '001-273'})-[:PROPOSES]->(m) RETURN m.name ORDER BY m.name").to_pylist()
    assert len(rows) == 2
    assert rows[0]["m.name"] == "negative sampling"


def test_bad_records_are_named(tmp_path: Path) -> None:
    """A record with a span outside its text, and one that is no JSON, are named by file and line; the good one counts."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet", "p2": "BetaNet", "p3": "GammaNet"})
    entity = {"eid": "e1", "type": "Method", "name": "AlphaNet", "mentions": [[0, 8]]}
    far = {"id": "p2", "entities": [entity | {"mentions": [[0, 900]]}]}
    records = tmp_path / "r.jsonl"
    records.write_text("\n".join([json.dumps({"id": "p1", "entities": [entity]}), json.dumps(far), "{nope"]), encoding="utf-8")
    report = kgbuild.build(source, tmp_path / "g.kg", records=[records], extractor="none")

    lines = [str(problem) for problem in report.problems]
    assert len(lines) == 2
    assert f"{records}: line 2: " in lines[0]
    assert f"{records}: line 3: not JSON" in lines[1]
    assert report.counts["Method"] == 1


def test_unreadable_inputs(tmp_path: Path) -> None:
    """What cannot be read is named and the rest is built; where nothing can be read no graph is written."""
    good = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet"})
    bad = tmp_path / "b.bin"
    bad.write_bytes(b"\x00\x01\x02" * 100)
    report = kgbuild.build([good, bad], tmp_path / "g.kg", extractor=NetExtractor())

    assert (report.papers, report.written) == (1, True)
    assert [str(bad)] == [problem.path for problem in report.problems]
    with pytest.raises(KgbuildError, match="nothing could be read"):
        kgbuild.build(bad, tmp_path / "h.kg")
    assert not (tmp_path / "h.kg").exists()


def test_valid_file_without_papers(shared: Path, tmp_path: Path) -> None:
    """A real file that holds authors and no papers is a warning, not an error."""
    file = next((shared / "formats").rglob("authorJsonResponse.json"))
    report = kgbuild.build(file, tmp_path / "g.kg", extractor="none")

    assert (report.problems, len(report.warnings), report.papers) == ([], 1, 0)


def test_failing_papers_are_named(tmp_path: Path) -> None:
    """A paper that the extractor fails on is named, stays with its text alone, and is tried again by the next build."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet", "p2": "raise BetaNet", "p3": "GammaNet"})
    report = kgbuild.build(source, tmp_path / "g.kg", extractor=NetExtractor())

    assert [problem.message for problem in report.problems] == ["paper 'p2': not extracted: ValueError: told to raise"]
    assert (report.counts["Paper"], report.counts["Method"]) == (3, 2)
    again = NetExtractor()
    kgbuild.build(source, tmp_path / "g.kg", extractor=again)
    assert again.seen == ["p2"]


def test_crashing_worker_is_named_and_the_rest_goes_on() -> None:
    """A paper that kills its process costs that paper alone, whatever was in the batch with it."""
    papers = [Paper(f"p{i}", "die" if i == 40 else f"Number{i}") for i in range(100)]
    outcomes = {paper.id: outcome for paper, outcome in extract(papers, load_nets, workers=2)}

    assert len(outcomes) == 100
    assert [id_ for id_, outcome in outcomes.items() if isinstance(outcome, str)] == ["p40"]
    assert "died" in str(outcomes["p40"])


def _broken() -> NetExtractor:
    os._exit(3)


def test_workers_that_cannot_start() -> None:
    """Workers that die while loading end the build with one line instead of being started for ever."""
    with pytest.raises(KgbuildError, match=r"die while they start \(exit code 3\)"):
        list(extract([Paper("p1", "t")], _broken, workers=2))


def test_output_that_is_no_graph_is_left_alone(tmp_path: Path) -> None:
    """A build refuses to write into a folder or file that is something else."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    for name in ("mine", "a.jsonl"):
        with pytest.raises(StoreError, match="exists and is not a graph"):
            kgbuild.build(source, tmp_path / name, extractor="none")
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]


def test_other_format_version_is_refused(tmp_path: Path) -> None:
    """A graph of a later format is refused in one line that says what to do."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet"})
    kgbuild.build(source, tmp_path / "g.kg", extractor=NetExtractor())
    current = tmp_path / "g.kg" / "CURRENT"
    current.write_text(current.read_text(encoding="utf-8").replace('"format": 1', '"format": 99'), encoding="utf-8")

    with pytest.raises(StoreError, match="graph format 99, this kgbuild reads format 1"):
        kgbuild.open(tmp_path / "g.kg")
    kgbuild.build(source, tmp_path / "g.kg", extractor=NetExtractor(), fresh=True)
    assert kgbuild.open(tmp_path / "g.kg").manifest["counts"]["Paper"] == 1


def test_graph_moves_as_a_whole(tmp_path: Path) -> None:
    """A graph that is renamed works as before, queries included."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet against BetaNet"})
    kgbuild.build(source, tmp_path / "g.kg", extractor=NetExtractor())
    (tmp_path / "g.kg").rename(tmp_path / "moved.kg")

    with kgbuild.open(tmp_path / "moved.kg") as graph:
        rows = graph.query("MATCH (m:Method) RETURN m.name ORDER BY m.name").to_pylist()
    assert [row["m.name"] for row in rows] == ["AlphaNet", "BetaNet"]


def test_manifest_holds_nothing_of_the_run(tmp_path: Path) -> None:
    """Paths, dates and workers stay out of the manifest: graphs of the same papers in other places have the same one."""
    (tmp_path / "elsewhere").mkdir()
    for folder in (tmp_path, tmp_path / "elsewhere"):
        kgbuild.build(write_source(folder / "a.jsonl", {"p1": "AlphaNet"}), folder / "g.kg", extractor=NetExtractor())

    assert exported(tmp_path / "g.kg") == exported(tmp_path / "elsewhere" / "g.kg")
    log = (tmp_path / "g.kg" / "log.jsonl").read_text(encoding="utf-8")
    assert str(tmp_path) in json.loads(log)["inputs"][0]


def test_import_is_light() -> None:
    """`import kgbuild` takes under half a second and loads none of the heavy libraries."""
    heavy = ["torch", "spacy", "onnxruntime", "pyarrow", "ladybug", "neo4j", "pyspark", "rdflib", "numpy", "networkx"]
    code = "import time; start = time.process_time(); import kgbuild; spent = time.process_time() - start; import sys; "
    code += f"print(spent, [name for name in {heavy!r} if name in sys.modules])"
    spent, loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split(" ", 1)

    assert float(spent) < 0.5
    assert loaded.strip() == "[]"


def test_public_names_exist() -> None:
    """Every public name can be had, and `dir` lists them."""
    assert [name for name in kgbuild.__all__ if not hasattr(kgbuild, name)] == []
    assert sorted(kgbuild.__all__) == dir(kgbuild)
