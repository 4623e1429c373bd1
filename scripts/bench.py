"""The whole pipeline over sizes and engines, and what a user would pick instead, side by side in one run; writes docs/benchmarks.md.

    python scripts/bench.py ../shared/abstracts/abstracts.jsonl.xz --sizes 1000 10000 100000 --write

Each line is a process of its own. Processor seconds count the process and all that it started; memory is the peak of their resident
sets together.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import rivals
from measure import Meter, machine, put_into, table, write_papers

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


@dataclass
class Line:
    what: str
    papers: int
    wall: float
    cpu: float
    memory: int
    seconds: dict[str, float] = field(default_factory=dict)
    note: str = ""


def kgbuild_local(papers: Path, folder: Path, extractor: str, workers: int) -> tuple[dict[str, float], str]:
    import kgbuild

    report = kgbuild.build(papers, folder / "graph.kg", extractor=extractor, workers=workers)
    return report.seconds, f"{sum(report.counts.values()):,} rows"


def kgbuild_spark(papers: Path, folder: Path, extractor: str) -> tuple[dict[str, float], str]:
    import kgbuild
    from kgbuild.spark import SparkEngine

    start = time.monotonic()
    engine = SparkEngine("local[2]")
    engine.spark.range(1).count()
    begun = {"start Spark": time.monotonic() - start}
    report = kgbuild.build(papers, folder / "graph.kg", extractor=extractor, engine=engine)
    return begun | report.seconds, f"{sum(report.counts.values()):,} rows"


def spacy_rules(papers: Path, folder: Path, extractor: str) -> tuple[dict[str, float], str]:
    """A blank spaCy pipeline with a phrase matcher over our vocabulary's names: entities only, no relations, no graph."""
    import spacy
    from spacy.matcher import PhraseMatcher

    from kgbuild.resolution.vocabulary import load_vocabulary

    start = time.monotonic()
    nlp = spacy.blank("en")
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    for concept in load_vocabulary().concepts.values():
        matcher.add(concept.type, [nlp.make_doc(name) for name in (concept.name, *concept.aliases)])
    loaded = time.monotonic()
    rows = (json.loads(line) for line in papers.open(encoding="utf-8"))
    count = sum(len(matcher(doc)) for doc in nlp.pipe(f"{row['title']}\n{row['abstract']}" for row in rows))
    return {"load": loaded - start, "extract": time.monotonic() - loaded}, f"{count:,} mentions of known names"


def _load(papers: Path, folder: Path, extractor: str, address: str) -> tuple[dict[str, float], str]:
    """Load the graph of these papers, which is built first and not counted, into a store."""
    import kgbuild
    from kgbuild.stores import open_store

    with kgbuild.open(folder / "graph.kg") as graph:
        content = graph.graph()
    start = time.monotonic()
    with open_store(address) as store:
        store.write(content)
    return {"load": time.monotonic() - start}, f"{sum(content.counts().values()):,} rows"


def load_rdflib(papers: Path, folder: Path, extractor: str) -> tuple[dict[str, float], str]:
    """rdflib's own parser and memory store on the Turtle that we export."""
    import rdflib

    import kgbuild

    with kgbuild.open(folder / "graph.kg") as graph:
        kgbuild.export(graph.graph(), folder / "graph.nt")
    start = time.monotonic()
    loaded = rdflib.Graph().parse(folder / "graph.nt", format="nt")
    return {"load": time.monotonic() - start}, f"{len(loaded):,} triples"


Run = Callable[[Path, Path, str], tuple[dict[str, float], str]]
PIPELINES: dict[str, Run] = {
    "kgbuild, 1 worker": lambda papers, folder, extractor: kgbuild_local(papers, folder, extractor, 1),
    "kgbuild, 2 workers": lambda papers, folder, extractor: kgbuild_local(papers, folder, extractor, 2),
    "kgbuild, Spark local[2]": kgbuild_spark,
    "spaCy phrase matcher": spacy_rules,
    "LangChain, canned answers": rivals.langchain,
    "neo4j-graphrag, canned answers": rivals.neo4j_graphrag,
}
NEEDS = {"LangChain, canned answers": "langchain_experimental", "neo4j-graphrag, canned answers": "neo4j_graphrag"}
LOADS: dict[str, Run] = {
    "embedded store": lambda papers, folder, extractor: _load(papers, folder, extractor, f"ladybug:{folder / 'copy.ladybug'}"),
    "networkx": lambda papers, folder, extractor: _load(papers, folder, extractor, "networkx:"),
    "rdflib in memory": load_rdflib,
}


def one(what: str, papers: Path, size: int, folder: Path, extractor: str) -> None:
    """Run one line and print it as JSON."""
    with Meter() as meter:
        seconds, note = {**PIPELINES, **LOADS}[what](papers, folder, extractor)
    print(json.dumps(asdict(Line(what, size, meter.wall, meter.cpu, meter.memory, seconds, note))))


def lines(source: Path, sizes: list[int], extractor: str, only: list[str], folder: Path) -> list[Line]:
    found = []
    for size in sizes:
        papers = write_papers(source, folder / f"{size}.jsonl", size)
        for what in only:
            place = folder / (f"{size}-graph" if what in LOADS or what == "kgbuild, 1 worker" else f"{size}-{len(found)}")
            place.mkdir(exist_ok=True)
            command = [
                sys.executable,
                __file__,
                str(papers),
                "--one",
                what,
                "--sizes",
                str(size),
                "--extractor",
                extractor,
                "--folder",
                str(place),
            ]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found.append(Line(**json.loads(done.stdout.splitlines()[-1])))
            print(row(found[-1]), flush=True)
    return found


def row(line: Line) -> list[str]:
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in line.seconds.items())
    rate = line.papers / line.cpu if line.cpu else 0
    return [
        line.what,
        f"{line.papers:,}",
        f"{line.wall:.1f}",
        f"{line.cpu:.1f}",
        f"{rate:,.0f}",
        f"{line.memory / 2**20:,.0f}",
        stages,
        line.note,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="abstracts as xz-packed JSONL")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--extractor", default="rules")
    parser.add_argument("--only", nargs="+", choices=[*PIPELINES, *LOADS], default=[*PIPELINES, *LOADS])
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one, arguments.source, arguments.sizes[0], arguments.folder, arguments.extractor)
        return
    only = [what for what in arguments.only if what not in NEEDS or importlib.util.find_spec(NEEDS[what])]
    for what in set(arguments.only) - set(only):
        print(f"left out, as it is not installed: {what}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="kgbuild-bench-") as folder:
        found = lines(arguments.source, arguments.sizes, arguments.extractor, only, Path(folder))
    header = ["", "papers", "seconds", "processor seconds", "papers per processor second", "peak MiB", "seconds by stage", "made"]
    host = machine("kgbuild", "pyspark", "spacy", "networkx", "rdflib", "ladybug")
    text = f"Extractor: {arguments.extractor}. {host}.\n\n{table(header, [row(line) for line in found])}"
    print(text)
    if arguments.write:
        put_into(PAGE, "bench", text)


if __name__ == "__main__":
    main()
