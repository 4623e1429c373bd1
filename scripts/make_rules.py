"""Make the table of rules: how often each signature came with each relation, contribution, task or result in the gold records.

    python scripts/make_rules.py --shared ../shared --out kgbuild/extraction/rules.tsv

Only train.jsonl and extra.jsonl are counted; the dev files are for measuring.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from kgbuild.extraction.numbers import numbers
from kgbuild.extraction.records import parse_record
from kgbuild.extraction.relations import addressed, proposals, roles
from kgbuild.extraction.results import inside_name, nearest, of_kind, of_number
from kgbuild.extraction.signatures import View, of_pair, of_proposal, of_task
from kgbuild.records import Extraction, Paper
from kgbuild.schema import load_schema

LEAST = {"relation": 4, "proposes": 5, "addresses": 5, "result": 3, "kind": 3}  # times a signature must occur
LEAST_SHARE = 0.1
PRIOR = 1.0  # occurrences without an answer that every share is charged with
Counts = dict[str, dict[str, Counter[str]]]

NOTICE = "# Rules of kgbuild: kind, signature, answer, share (see kgbuild/extraction/signatures.py); made by scripts/make_rules.py.\n"


def read(folder: Path, names: list[str]) -> Iterator[tuple[Paper, Extraction]]:
    rows = map(json.loads, (folder / "papers.jsonl").open(encoding="utf-8"))
    papers = {row["id"]: Paper(row["id"], row["title"], row["abstract"]) for row in rows}
    for name in names:
        for row in map(json.loads, (folder / name).open(encoding="utf-8")):
            yield papers[row["id"]], parse_record(row, papers[row["id"]])


def count_marks(view: View, gold: Extraction, counts: Counts) -> None:
    schema = load_schema()
    for kind, signatures, marked in (("proposes", of_proposal, gold.proposes), ("addresses", of_task, gold.addresses)):
        targets = {target for _, target in schema.relation(kind.upper()).patterns}
        for entity in gold.entities:
            if entity.type in targets:
                for signature in signatures(view, entity):
                    counts[kind][signature]["yes" if entity.eid in marked else ""] += 1


def count_pairs(view: View, gold: Extraction, counts: Counts, rules: dict) -> None:
    schema = load_schema()
    labels = {(relation.head, relation.tail): relation.label for relation in gold.relations}
    concept = schema.group("concept")
    allowed = {pattern for relation in concept for pattern in relation.patterns}
    symmetric = {relation.name for relation in concept if relation.symmetric}
    parts = roles(proposals(view, rules), addressed(view, rules))
    for head in gold.entities:
        for tail in gold.entities:
            if head.eid != tail.eid and (head.type, tail.type) in allowed:
                back = labels.get((tail.eid, head.eid), "")
                label = labels.get((head.eid, tail.eid)) or (back if back in symmetric else "")
                for signature in of_pair(view, head, tail, parts):
                    counts["relation"][signature][label] += 1


def count_results(view: View, gold: Extraction, counts: Counts) -> None:
    metrics = {target for relation in load_schema().group("result") if relation.role == "metric" for _, target in relation.patterns}
    kinds = {(result.start, result.value): result.kind for result in gold.results if result.start >= 0}
    for number in numbers(view.text):
        if inside_name(view, number):
            continue
        kind = kinds.get((number.start, number.value), "")
        near = nearest(view, number, metrics)
        for signature in of_number(view, number, near and near[0]):
            counts["result"][signature]["yes" if kind else ""] += 1
        for signature in of_kind(view, number) if kind else ():
            counts["kind"][signature][kind] += 1


def rows_of(counts: Counts, kind: str) -> Iterator[tuple[str, str, float]]:
    for signature, seen in sorted(counts[kind].items()):
        total = sum(seen.values())
        if total < LEAST[kind]:
            continue
        shares = [(answer, count / (total + PRIOR)) for answer, count in sorted(seen.items()) if answer]
        told = [(answer, share) for answer, share in shares if share >= LEAST_SHARE]
        # a signature that tells nothing still stands, so that no more general one is asked
        yield from ((signature, answer, share) for answer, share in told or [("", 0.0)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--out", type=Path, default=Path("kgbuild/extraction/rules.tsv"))
    parser.add_argument("--gold", nargs="+", default=["train.jsonl", "extra.jsonl"])
    options = parser.parse_args()
    documents = [(View(paper.text, gold.entities), gold) for paper, gold in read(options.shared / "annotation", options.gold)]
    counts: Counts = defaultdict(lambda: defaultdict(Counter))
    for view, gold in documents:
        count_marks(view, gold, counts)
        count_results(view, gold, counts)
    rules: dict[str, dict[str, list[tuple[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for kind in ("proposes", "addresses"):
        for signature, answer, share in rows_of(counts, kind):
            rules[kind][signature] += [(answer, share)] if answer else []
    for view, gold in documents:
        count_pairs(view, gold, counts, rules)
    with options.out.open("w", encoding="utf-8") as stream:
        stream.write(NOTICE)
        for kind in LEAST:
            stream.writelines(f"{kind}\t{signature}\t{answer}\t{share:.2f}\n" for signature, answer, share in rows_of(counts, kind))
    print({kind: len(counts[kind]) for kind in LEAST}, "->", options.out)


if __name__ == "__main__":
    main()
