"""Make the lexicon of the rule-based extractor: names from gazetteers and gold records, each with a measured confidence.

    python scripts/make_lexicon.py --shared ../shared --out kgbuild/extraction/lexicon.tsv

Only train.jsonl and extra.jsonl are counted; the dev files are for measuring. Names and figures are facts, no sentence of a text is kept.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter, defaultdict
from pathlib import Path

from kgbuild.extraction.gazetteer import Candidate, Lexicon, head_key, shape
from kgbuild.extraction.names import in_context, introduced
from kgbuild.extraction.records import parse_record
from kgbuild.extraction.words import Word, name_key, runs, words
from kgbuild.records import Paper

GAZETTEERS = {"methods.tsv": "Method", "tasks.tsv": "Task", "datasets.tsv": "Dataset", "metrics.tsv": "Metric"}
STOP_SHARE = 0.8  # a word that lies outside mentions this often bounds them
OFTEN = 5  # times that the sources have a name
PRIOR_WEIGHT = 2.0  # occurrences that the prior of a term counts for
LEAST_TERM, LEAST_HEAD = 0.25, 0.15
Document = tuple[str, list[Word], dict[tuple[int, int], str]]

NOTICE = """\
# Rule lexicon of kgbuild: kind, text, type, confidence (see kgbuild/extraction/gazetteer.py); made by scripts/make_lexicon.py.
# Names come from Papers with Code and sota-extractor (CC-BY-SA-4.0), ITO (CC-BY-SA 3.0 AT), AIO (CC BY 4.0), NLP-progress (MIT),
# dataset cards (Apache-2.0) and our own gold records; this file as a whole is CC-BY-SA-4.0. Confidences are measured on the gold records.
"""


def read_documents(folder: Path, names: tuple[str, ...]) -> list[Document]:
    papers = {}
    for line in (folder / "papers.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        papers[row["id"]] = Paper(row["id"], row["title"], row["abstract"])
    documents = []
    for name in names:
        for line in (folder / name).open(encoding="utf-8"):
            row = json.loads(line)
            paper = papers[row["id"]]
            gold = {span: entity.type for entity in parse_record(row, paper).entities for span in entity.mentions}
            documents.append((paper.text, words(paper.text), gold))
    return documents


def read_gazetteers(folder: Path) -> dict[str, tuple[str, int]]:
    """name -> type and how often the sources have it; a name of two types goes to the more frequent one."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for file, type_ in GAZETTEERS.items():
        with (folder / file).open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                for name in {row["name"], *(row["alias"].split("|") if row.get("alias") else [])}:
                    if len(name_key(name)) >= 2 and any(char.isalpha() for char in name) and len(name) <= 60 and "\t" not in name:
                        counts[name][type_] += int(row["count"] or 1)
    best = {name: max(sorted(types), key=types.__getitem__) for name, types in sorted(counts.items())}
    return {name: (type_, counts[name][type_]) for name, type_ in best.items()}


def stop_words(documents: list[Document]) -> set[str]:
    inside, outside = Counter(), Counter()
    for _, found, gold in documents:
        covered = bytearray(max((word.end for word in found), default=0) + 1)
        for start, end in gold:
            covered[start:end] = b"\1" * (end - start)
        for word in found:
            (inside if covered[word.start] else outside)[word.key] += 1
    return {word for word, count in outside.items() if count >= 2 and count > STOP_SHARE * (count + inside[word])}


def gold_names(documents: list[Document]) -> dict[str, str]:
    """Surfaces that are a mention in at least two documents -> type."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for text, _, gold in documents:
        for surface, type_ in {(text[start:end], type_) for (start, end), type_ in gold.items()}:
            seen[name_key(surface)][f"{type_}\t{surface}"] += 1
    names = {}
    for rows in seen.values():
        if sum(rows.values()) >= 2:
            type_, name = max(sorted(rows), key=rows.__getitem__).split("\t")
            plain = name[0].lower() + name[1:] if " " in name and name[1:] == name[1:].lower() else name
            names[plain] = type_
    return names


def counted(lexicon: Lexicon, documents: list[Document], kinds: dict[str, str]) -> tuple[dict[tuple[str, str], Counter[str]], Counter[str]]:
    """How often each term's string occurs and is a mention of which type, and the mean share over names of one kind.

    kinds: kind by name, for names that were not taken from the documents themselves.
    """
    found_as: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for text, found, gold in documents:
        spans = {(c.start, c.end) for c in lexicon._terms(text, found)}
        for start, end in sorted(spans):
            key = name_key(text[start:end])
            inside = any(a <= start and end <= b and (a, b) != (start, end) for a, b in gold)
            if inside:
                continue  # part of a longer mention: says nothing about the term
            for term in lexicon.terms[key]:
                if term.fits(text[start:end]):
                    found_as[key, term.name][gold.get((start, end), "")] += 1
    priors: Counter[str] = Counter()
    for (key, name), types in found_as.items():
        for term in lexicon.terms[key]:
            if term.name == name and name in kinds:
                priors[f"{kinds[name]} sum"] += types[term.type] / sum(types.values())
                priors[f"{kinds[name]} n"] += 1
    return found_as, priors


def kind_of(name: str, type_: str, count: int) -> str:
    """Names of one type, look and frequency are about as trustworthy."""
    look = "phrase" if " " in name else "cased" if name != name.lower() else "word"
    return f"{type_} {look} {'often' if count >= OFTEN else 'seldom'}"


def term_rows(documents: list[Document], gazetteer: dict[str, tuple[str, int]], gold: dict[str, str]) -> list[tuple[str, str, float]]:
    lexicon = Lexicon()
    for name, type_ in ({name: type_ for name, (type_, _) in gazetteer.items()} | gold).items():
        lexicon.add("term", name, type_, 1.0)
    kinds = {name: kind_of(name, type_, count) for name, (type_, count) in gazetteer.items() if name not in gold}
    counts, priors = counted(lexicon, documents, kinds)
    rows = []
    for key, terms in lexicon.terms.items():
        for term in terms:
            seen = counts.get((key, term.name), Counter())
            kind = kinds.get(term.name, kind_of(term.name, term.type, 1))
            prior = (priors[f"{kind} sum"] + 1) / (priors[f"{kind} n"] + 4)
            best = max(sorted(t for t in {*seen, term.type} if t), key=seen.__getitem__)
            confidence = (seen[best] + PRIOR_WEIGHT * prior) / (sum(seen.values()) + PRIOR_WEIGHT)
            if confidence >= LEAST_TERM:
                rows.append((term.name, best, confidence))
    best_rows: dict[tuple[str, str], tuple[str, str, float]] = {}
    for row in sorted(rows, key=lambda row: (-row[2], row[0])):
        cased = " " not in row[0] and row[0] != row[0].lower()
        best_rows.setdefault((name_key(row[0]), row[0] if cased else ""), row)
    return sorted(best_rows.values())


def run_rows(
    documents: list[Document], stops: set[str], known: set[str]
) -> tuple[list[tuple[str, str, float]], list[tuple[str, str, float]]]:
    heads: dict[str, Counter[str]] = defaultdict(Counter)
    shapes: dict[str, Counter[str]] = defaultdict(Counter)
    for text, found, gold in documents:
        for first, stop in runs(found, stops):
            if stop - first > 6:
                continue
            start, end = found[first].start, found[stop - 1].end
            type_ = gold.get((start, end), "")
            heads[head_key(found[first:stop])][type_] += 1
            if name_key(text[start:end]) not in known:
                shapes[shape(text[start:end])][type_] += 1
    make = lambda table, least: [  # noqa: E731
        (key, type_, count / (sum(types.values()) + 1))
        for key, types in sorted(table.items())
        if sum(types.values()) >= least
        for type_, count in sorted(types.items())
        if type_ and count / (sum(types.values()) + 1) >= LEAST_HEAD
    ]
    # a head that tells no type still speaks: it keeps the shape from being asked
    told = make(heads, 3)
    silent = [(key, "", 0.0) for key, types in sorted(heads.items()) if sum(types.values()) >= 3 and key not in {row[0] for row in told}]
    return told + silent, make(shapes, 1)


def cue_rows(documents: list[Document], stops: set[str]) -> list[tuple[str, str, float]]:
    """How often a name that is introduced by each cue is a mention of each type."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    cues = {f"@{data}{cue}": [(f"@{data}{cue}", 1.0)] for data in ("", "data ") for cue in ("title", "introduced")} | {
        "@data": [("@data", 1.0)]
    }
    any_shape = {f"{look}{more}": [("", 0.0)] for look in ("acronym", "mixed", "digits", "capital", "lower") for more in ("", "+")}
    for text, found, gold in documents:
        runs_ = [Candidate(c.start, c.end, "", 0.0, "run") for c in Lexicon(shapes=any_shape, stops=stops).candidates(text, found)]
        for candidate in [*introduced(text, cues), *in_context(runs_, text, cues)]:
            if candidate.type:
                rows[candidate.type][gold.get((candidate.start, candidate.end), "")] += 1
    return [
        (cue, type_, count / sum(types.values()))
        for cue, types in sorted(rows.items())
        for type_, count in sorted(types.items())
        if type_ and count / sum(types.values()) >= LEAST_HEAD
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--out", type=Path, default=Path("kgbuild/extraction/lexicon.tsv"))
    parser.add_argument("--gold", nargs="+", default=["train.jsonl", "extra.jsonl"])
    options = parser.parse_args()
    documents = read_documents(options.shared / "annotation", tuple(options.gold))
    stops = stop_words(documents)
    terms = term_rows(documents, read_gazetteers(options.shared / "gazetteers"), gold_names(documents))
    heads, shapes = run_rows(documents, stops, {name_key(name) for name, _, _ in terms})
    shapes += cue_rows(documents, stops)
    with options.out.open("w", encoding="utf-8") as stream:
        stream.write(NOTICE)
        stream.writelines(f"stop\t{word}\t\t\n" for word in sorted(stops))
        for kind, rows in (("term", terms), ("head", heads), ("shape", shapes)):
            stream.writelines(f"{kind}\t{text}\t{type_}\t{confidence:.2f}\n" for text, type_, confidence in rows)
    print(f"{len(stops)} stop words, {len(terms)} terms, {len(heads)} heads, {len(shapes)} shapes -> {options.out}")


if __name__ == "__main__":
    main()
