"""How well the beliefs of edges are calibrated: extract gold papers, build both graphs, compare edge by edge.

    python scripts/bench_belief.py ../shared [--extractor rules] [--gold dev.jsonl]

An edge is right if the gold records of the same papers give an edge with the same relation and ends; both are resolved together.
Prints the expected calibration error (ten bins of equal width) for each relation and for all, and the bins.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from kgbuild.extraction import load_extractor, parse_record
from kgbuild.graph import Graph
from kgbuild.records import Paper
from kgbuild.resolution import assemble, resolve

BINS = 10
GOLD = "gold:"


def edges(graph: Graph) -> dict[tuple[str, ...], float]:
    """Belief by relation and ends, background and results aside; gold papers go by the id that they are a copy of."""
    found = {}
    for relation in (*graph.schema.group("concept"), *graph.schema.group("paper")):
        if any(graph.schema.nodes[target].kind != "concept" for _, target in relation.patterns):
            continue
        for _, row in graph.edge_rows(relation.name):
            if not row["background"]:
                found[relation.name, row["source_type"], row["source"].removeprefix(GOLD), row["target_type"], row["target"]] = row[
                    "belief"
                ]
    return found


def calibration(pairs: list[tuple[float, bool]]) -> tuple[float, list[tuple[int, float, float]]]:
    """Expected calibration error, and (edges, mean belief, share right) of each bin that is not empty."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for belief, right in pairs:
        bins[min(BINS - 1, int(belief * BINS))].append((belief, right))
    rows = [(len(part), sum(b for b, _ in part) / len(part), sum(r for _, r in part) / len(part)) for _, part in sorted(bins.items())]
    return sum(count * abs(mean - share) for count, mean, share in rows) / max(1, len(pairs)), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--extractor", default="rules")
    parser.add_argument("--gold", default="dev.jsonl")
    arguments = parser.parse_args()
    folder = arguments.shared / "annotation"
    papers = {
        row["id"]: Paper(row["id"], row["title"], row["abstract"])
        for row in map(json.loads, (folder / "papers.jsonl").open(encoding="utf-8"))
    }
    rows = [json.loads(line) for line in (folder / arguments.gold).open(encoding="utf-8")]
    wanted = [papers[row["id"]] for row in rows]
    gold = [(paper, parse_record(row, paper)) for paper, row in zip(wanted, rows, strict=True)]
    gold = [(replace(paper, id=GOLD + paper.id), replace(extraction, id=GOLD + paper.id)) for paper, extraction in gold]
    found = list(zip(wanted, load_extractor(arguments.extractor).extract(wanted), strict=True))
    resolution = resolve([*gold, *found])
    truth, beliefs = edges(assemble(gold, resolution)), edges(assemble(found, resolution))
    by_relation: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for edge, belief in beliefs.items():
        by_relation[edge[0]].append((belief, edge in truth))
    for relation, pairs in sorted(by_relation.items()):
        share = sum(right for _, right in pairs) / len(pairs)
        print(f"{relation:<16}{len(pairs):>6} edges, {share:6.1%} right, ECE {calibration(pairs)[0]:.3f}")
    error, bins = calibration([pair for pairs in by_relation.values() for pair in pairs])
    print(f"{'all':<16}{len(beliefs):>6} edges, ECE {error:.3f}")
    for count, mean, share in bins:
        print(f"  belief {mean:.2f}: {share:6.1%} of {count} right")


if __name__ == "__main__":
    main()
