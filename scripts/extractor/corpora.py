"""Corpora as documents of one form: what the network reads and what it should answer.

A target is a probability, so that gold labels (one or zero) and a teacher's soft labels train in the same way.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from kgbuild.extraction.features import MAX_WIDTH, Encoded, encode, fold

TYPES = ("Method", "Task", "Dataset", "Metric")
RELATIONS = ("USED_FOR", "PART_OF", "SUBCLASS_OF", "SUBTASK_OF", "EVALUATED_ON", "TRAINED_ON", "BENCHMARK_FOR", "COMPARED_WITH", "MEASURED_BY")
ROLES = ("method", "dataset", "task", "metric", "baseline")
KINDS = ("absolute", "improvement", "reduction", "ratio")
SCIER = {"Used-For": "USED_FOR", "Part-Of": "PART_OF", "SubClass-Of": "SUBCLASS_OF", "SubTask-Of": "SUBTASK_OF", "Evaluated-With": "EVALUATED_ON",
         "Trained-With": "TRAINED_ON", "Benchmark-For": "BENCHMARK_FOR", "Compare-With": "COMPARED_WITH"}  # fmt: skip
# Corpora that train a span head of their own over the shared encoder.
SCHEMES = {
    "scierc": ("Task", "Method", "Metric", "Material", "OtherScientificTerm", "Generic"),
    "scirex_abs": ("Method", "Task", "Metric", "Material"),
    "gsap": ("Method", "MLModel", "Task", "Dataset", "ModelArchitecture", "MLModelGeneric", "DatasetGeneric", "Datasource"),
    "tdmsci": ("TASK", "METRIC", "DATASET"),
    "csner": ("SOLUTION", "RESEARCH_PROBLEM", "METHOD", "RESOURCE", "TOOL", "LANGUAGE", "DATASET"),
}


@dataclass
class Document:
    """One window with its answers; entities and numbers are counted separately, strings belong to entities.

    spans: (first word, width - 1, probabilities of no mention and the types). strings: (entity, [(first, last) words]).
    relations: (head, label index, tail, probability). roles: (number, role index, entity, probability).
    kinds: {number: probabilities of KINDS}. Fields that a corpus does not annotate are switched off.
    """

    id: str
    encoded: Encoded
    spans: list[tuple[int, int, list[float]]] = field(default_factory=list)
    strings: list[tuple[int, list[tuple[int, int]]]] = field(default_factory=list)
    entity_types: list[int] = field(default_factory=list)
    relations: list[tuple[int, int, int, float]] = field(default_factory=list)
    proposes: dict[int, float] = field(default_factory=dict)
    addresses: dict[int, float] = field(default_factory=dict)
    roles: list[tuple[int, int, int, float]] = field(default_factory=list)
    kinds: dict[int, list[float]] = field(default_factory=dict)
    scheme: str | None = None
    paper: bool = True  # proposes, addresses and results are annotated
    across: bool = True  # relations across sentences are annotated


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from (json.loads(line) for line in stream if line.strip())


def aligned(encoded: Encoded, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Word spans of the character spans that begin and end at words and are not too long."""
    first = {int(s): i for i, s in enumerate(encoded.word_start)}
    last = {int(e): i for i, e in enumerate(encoded.word_end)}
    found = [(first[s], last[e]) for s, e in spans if s in first and e in last]
    return [(a, b) for a, b in found if a <= b < a + MAX_WIDTH]


def _add_entity(doc: Document, type_: int, spans: list[tuple[int, int]]) -> int | None:
    """Add an entity with the mentions inside the window; its strings are the folded surfaces. None when no mention is inside."""
    words = aligned(doc.encoded, spans)
    if not words:
        return None
    entity = len(doc.entity_types)
    doc.entity_types.append(type_)
    strings: dict[str, list[tuple[int, int]]] = {}
    for a, b in words:
        strings.setdefault(fold(doc.encoded.text[doc.encoded.word_start[a] : doc.encoded.word_end[b]]), []).append((a, b))
        doc.spans.append((a, b - a, [0.0, *(float(i == type_) for i in range(len(TYPES)))]))
    doc.strings += [(entity, occurrences) for _, occurrences in sorted(strings.items())]
    return entity


def mentions(record: dict[str, Any], text: str) -> dict[str, list[tuple[int, int]]]:
    """Character spans of each gold entity by matching its surfaces; where they overlap the longest wins."""
    spans = [
        (m.start(), m.end(), e["eid"])
        for e in record["entities"]
        for s in sorted(set(e["surfaces"]))
        for m in re.finditer(rf"(?<!\w){re.escape(s)}(?!\w)", text)
    ]
    taken: list[tuple[int, int, str]] = []
    for start, end, eid in sorted(spans, key=lambda x: (x[0] - x[1], x[0])):
        if not any(start < e and s < end for s, e, _ in taken):
            taken.append((start, end, eid))
    out: dict[str, list[tuple[int, int]]] = {e["eid"]: [] for e in record["entities"]}
    for start, end, eid in sorted(taken):
        out[eid].append((start, end))
    return out


def _number(value: str) -> str:
    return re.sub(r"[,\s+~≈%]", "", value).replace("–", "-").lstrip("-")


def _place(result: dict[str, Any], text: str) -> tuple[int, int]:
    """Characters of the clause that states a result."""
    if "place" in result:
        start, end = result["place"]
        return start, end
    start = text.find(result["quote"])
    return start, start + len(result["quote"])


def _add_results(doc: Document, results: list[dict[str, Any]], index: dict[str, int]) -> None:
    text = doc.encoded.text
    for result in results:
        at, end = _place(result, text)
        inside = [i for i, n in enumerate(doc.encoded.numbers) if at <= n.start and n.end <= end]
        fitting = [i for i in inside if _number(doc.encoded.numbers[i].value) == _number(str(result["value"]))]
        if not fitting or index.get(result["metric"]) is None:
            continue
        number = fitting[0]
        doc.kinds[number] = [float(kind == result["kind"]) for kind in KINDS]
        for role, name in enumerate(ROLES):
            entity = index.get(result.get(name) or "")
            if entity is not None and (number, role, entity, 1.0) not in doc.roles:
                doc.roles.append((number, role, entity, 1.0))


def annotated(name: str = "2026-11.jsonl.xz") -> list[dict[str, Any]]:
    """Our own records of public abstracts; a result's quote is kept as its place in the text, since texts lie in `shared` alone."""
    with lzma.open(Path(__file__).parent / "annotations" / name, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def abstracts(shared: Path) -> Iterator[dict[str, Any]]:
    """The public abstracts: id, title, abstract and more."""
    with lzma.open(shared / "abstracts/abstracts.jsonl.xz", "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def gold(records: Iterable[dict[str, Any]], papers: dict[str, dict[str, Any]], tokenizer: Tokenizer) -> list[Document]:
    documents = []
    for record in records:
        paper = papers[record["id"]]
        text = f"{paper['title']}\n{paper['abstract']}"
        doc = Document(record["id"], encode(text, tokenizer)[0])
        found = mentions(record, text)
        index: dict[str, int] = {}
        for entity in record["entities"]:
            added = _add_entity(doc, TYPES.index(entity["type"]), found[entity["eid"]])
            if added is not None:
                index[entity["eid"]] = added
        doc.relations = [(index[h], RELATIONS.index(r), index[t], 1.0) for h, r, t in record["relations"] if h in index and t in index]
        doc.proposes = {index[e]: 1.0 for e in record["proposes"] if e in index}
        doc.addresses = {index[e]: 1.0 for e in record["addresses"] if e in index}
        _add_results(doc, record["results"], index)
        documents.append(doc)
    return documents


def windows(row: dict[str, Any], limit: int) -> Iterator[tuple[int, int]]:
    """Character windows of whole sentences, at most `limit` characters where sentences allow it."""
    start = end = None
    for s, e in row["sentences"]:
        if start is None:
            start = s
        elif e - start > limit:
            yield start, end
            start = s
        end = e
    if start is not None:
        yield start, end


def scier(path: Path, tokenizer: Tokenizer, limit: int = 1300) -> list[Document]:
    """SciER in our own types and relations: entities of a window are the strings that it repeats or calls synonyms."""
    documents = []
    for row in lines(path):
        for start, end in windows(row, limit):
            doc = Document(f"{row['id']}:{start}", encode(row["text"][start:end], tokenizer)[0], paper=False, across=False)
            inside = [i for i, e in enumerate(row["entities"]) if start <= e[0] and e[1] <= end]
            root = {i: (row["entities"][i][2], fold(row["text"][row["entities"][i][0] : row["entities"][i][1]])) for i in inside}
            for h, t, label in row["relations"]:
                if label == "Synonym-Of" and h in root and t in root and root[h][0] == root[t][0]:
                    old, new = root[h], root[t]
                    root = {i: new if r == old else r for i, r in root.items()}
            index = {}
            for key in sorted(set(root.values())):
                spans = [(row["entities"][i][0] - start, row["entities"][i][1] - start) for i in inside if root[i] == key]
                index[key] = _add_entity(doc, TYPES.index(key[0]), spans)
            seen = set()
            for h, t, label in row["relations"]:
                if label in SCIER and h in root and t in root:
                    a, b = index[root[h]], index[root[t]]
                    if a is not None and b is not None and a != b and (a, b) not in seen:
                        seen.add((a, b))
                        doc.relations.append((a, RELATIONS.index(SCIER[label]), b, 1.0))
            if doc.encoded.words > 5:
                documents.append(doc)
    return documents


def auxiliary(path: Path, scheme: str, tokenizer: Tokenizer, limit: int = 1300, most: int | None = None) -> list[Document]:
    """Span labels of another scheme; only its own head learns from them."""
    names = SCHEMES[scheme]
    documents: list[Document] = []
    for row in lines(path):
        for start, end in windows(row, limit):
            doc = Document(f"{scheme}:{row['id']}:{start}", encode(row["text"][start:end], tokenizer)[0], scheme=scheme, paper=False, across=False)
            for s, e, label in row["entities"]:
                if label in names and start <= s and e <= end:
                    probabilities = [0.0, *(float(label == n) for n in names)]
                    doc.spans += [(a, b - a, probabilities) for a, b in aligned(doc.encoded, [(s - start, e - start)])]
            if doc.encoded.words > 5:
                documents.append(doc)
    return documents[:: max(1, len(documents) // most)] if most else documents


def read_papers(path: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in lines(path)}


if __name__ == "__main__":  # what alignment and the number candidates lose
    shared, tokenizer = Path(sys.argv[1]), Tokenizer.from_file(sys.argv[2])
    tokenizer.no_truncation(), tokenizer.no_padding()
    papers = read_papers(shared / "annotation/papers.jsonl")
    for name in ("train", "extra"):
        records = list(lines(shared / f"annotation/{name}.jsonl"))
        documents = gold(records, papers, tokenizer)
        total = sum(len(v) for r in records for v in mentions(r, f"{papers[r['id']]['title']}\n{papers[r['id']]['abstract']}").values())
        kept, results = sum(len(d.spans) for d in documents), sum(len(r["results"]) for r in records)
        print(name, len(documents), "mentions", total, kept, "results", results, "numbers kept", sum(len(d.kinds) for d in documents))
        print("pieces", np.percentile([len(d.encoded.pieces) for d in documents], [50, 90, 99, 100]))
        for r, d in zip(records, documents, strict=True):
            have = {_number(n.value) for n in d.encoded.numbers}
            missed = [x for x in r["results"] if _number(str(x["value"])) not in have]
            for x in missed:
                print("   lost", x["value"], x["unit"], x["quote"][:90])
