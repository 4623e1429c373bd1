"""Time resolution and assembly on public abstracts, at 10,000 to 100,000 papers, and fit the growth exponent.

    python scripts/bench_resolve.py ../shared [--sizes 10000 30000 100000] [--plot docs/resolution_growth.svg]

The load does not wait for an extractor: every run of one to four words between function words is a mention if it holds a capital
letter inside, a figure or an abbreviation, or is known to the vocabulary, or comes twice in its paper. That gives more different names
per paper than extraction does, so it is a harder load than a real one.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import re
import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from kgbuild.records import Entity, Extraction, Paper
from kgbuild.resolution import assemble, resolve
from kgbuild.resolution.normalise import is_acronym, is_proper, key
from kgbuild.resolution.vocabulary import load_vocabulary

STOP = frozenset(
    re.findall(
        r"[\w.'-]+",
        """
a an the of in on for to and or with by from as at is are be was were been this that these those it its we our their they which who can may
will also not no but than then such using use used based show shows propose proposed present introduce achieve achieves new novel more most
both into over under between through via while when where how what if only other each all any some many several however thus therefore
there here has have had do does first second third one two three one's paper work study results result state-of-the-art
""",
    )
)
RUN = re.compile(r"[A-Za-z][\w+.-]*[\w+]|[A-Za-z]|\d[\w.-]*")


def papers(path: Path) -> Iterator[Paper]:
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        seen = set()
        for row in map(json.loads, stream):
            if row["id"] in seen:
                continue
            seen.add(row["id"])
            yield Paper(row["id"], row.get("title") or "", row.get("abstract") or "")


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Runs of one to four words with single blanks between them."""
    run: list[tuple[int, int]] = []
    for match in RUN.finditer(text):
        joined = run and match.start() - run[-1][1] == 1 and text[run[-1][1]] == " "
        if run and (not joined or len(run) == 4):
            yield run[0][0], run[-1][1]
            run = []
        if match[0].lower() in STOP:
            if run:
                yield run[0][0], run[-1][1]
            run = []
        else:
            run.append(match.span())
    if run:
        yield run[0][0], run[-1][1]


def extraction(paper: Paper) -> Extraction:
    vocabulary, text = load_vocabulary(), paper.text
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for start, end in spans(text):
        found[text[start:end]].append((start, end))
    entities = []
    for name, places in found.items():
        types = [type_ for type_ in ("Method", "Task", "Dataset", "Metric") if vocabulary.find_all(type_, key(type_, name))]
        if types or len(places) > 1 or is_acronym(name) or is_proper(name):
            entities.append(Entity(f"e{len(entities)}", types[0] if types else "Method", name, tuple(places), 0.9))
    return Extraction(paper.id, tuple(entities), extractor="load 1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    documents = [
        (paper, extraction(paper)) for paper in islice(papers(arguments.shared / "abstracts" / "abstracts.jsonl.xz"), max(arguments.sizes))
    ]
    rows = []
    for size in sorted(arguments.sizes):
        part = documents[:size]
        mentions = sum(len(entity.mentions) for _, found in part for entity in found.entities)
        wall, start = time.monotonic(), time.process_time()
        resolution = resolve(part)
        middle = time.process_time()
        graph = assemble(part, resolution)
        end = time.process_time()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        rows.append((size, middle - start))
        counted = f"{mentions} mentions, {len(resolution.nodes)} nodes, {len(resolution.merges)} merges"
        times = (
            f"resolve {middle - start:.1f} s and assemble {end - middle:.1f} s of one core, {time.monotonic() - wall:.0f} s by the clock"
        )
        print(f"{size} papers, {counted}: {times}, peak {memory:.2f} GiB, {sum(graph.counts().values())} rows", flush=True)
        del resolution, graph
    if len(rows) > 1:
        (small, fast), (large, slow) = rows[0], rows[-1]
        print(f"growth exponent {math.log(slow / fast) / math.log(large / small):.3f} from {small} to {large} papers")
    if arguments.plot:
        plot(rows, arguments.plot)


def plot(rows: list[tuple[int, float]], path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "kgbuild"
    figure, axes = plt.subplots(figsize=(5, 3.2))
    axes.loglog(*zip(*rows, strict=True), "o-", label="measured")
    axes.loglog([size for size, _ in rows], [rows[0][1] * size / rows[0][0] for size, _ in rows], ":", label="linear")
    axes.set(xlabel="papers", ylabel="seconds of one core", title="Resolution")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
