"""Speed of the learned extractor: the whole way from text to records against a bare pass of the same encoder over the same pieces.

    python scripts/bench_extract.py ../shared/annotation/papers.jsonl --papers 300 --workers 2

Prints abstracts a second for each, their ratio, the mean length in words and the peak memory of a worker.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from pathlib import Path

from kgbuild.extraction.features import encode
from kgbuild.extraction.onnx import load as load_model
from kgbuild.records import Paper, dumps


def read(path: Path, count: int, words: int) -> list[Paper]:
    """Papers of the file whose texts have `words` words within a fifth, so that figures compare."""
    rows = (json.loads(line) for line in path.open(encoding="utf-8"))
    papers = (Paper(id=r["id"], title=r["title"], abstract=r["abstract"]) for r in rows)
    return [p for p in papers if abs(len(p.text.split()) - words) <= words / 5][:count]


def share(papers: list[Paper], whole: bool) -> tuple[float, int]:
    """Seconds that one process takes for its papers, model loading left out, and its peak memory in bytes."""
    model = load_model()
    encoded = [] if whole else [encode(p.text, model.tokenizer)[0] for p in papers]
    for paper in papers[:3]:
        next(model.extract([paper]))
    start = time.perf_counter()
    if whole:
        for paper, extraction in zip(papers, model.extract(papers), strict=True):
            dumps(extraction.to_json(paper.text))
    else:
        for window in encoded:
            model.network.encode(window)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(papers: list[Paper], workers: int, whole: bool) -> tuple[float, int]:
    """Abstracts a second over all workers, and the largest peak memory of one."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        rows = pool.starmap(share, [(papers[i::workers], whole) for i in range(workers)])
    return len(papers) / max(seconds for seconds, _ in rows), max(memory for _, memory in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path, help="our own JSONL")
    parser.add_argument("--papers", type=int, default=300)
    parser.add_argument("--words", type=int, default=195)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    papers = read(args.input, args.papers, args.words)
    mean = sum(len(p.text.split()) for p in papers) / len(papers)
    print(f"{len(papers)} abstracts of {mean:.0f} words on average, {args.workers} workers")
    rates = {}
    for name, whole in (("bare encoder", False), ("whole pipeline", True)):
        rates[name], memory = measure(papers, args.workers, whole)
        print(f"{name:<16}{rates[name]:8.1f} abstracts/s   peak {memory / 2**20:6.0f} MiB a worker")
    print(f"{'ratio':<16}{rates['whole pipeline'] / rates['bare encoder']:8.2f}")


if __name__ == "__main__":
    main()
