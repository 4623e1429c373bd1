"""Make the vocabulary: `ontology/vocabulary.ttl` (SKOS), the same as `vocabulary.tsv` (loads fast) and `abbreviations.tsv`.

    python scripts/make_vocabulary.py ../shared            # everything from the sources
    python scripts/make_vocabulary.py --check              # is vocabulary.tsv the one that belongs to vocabulary.ttl?

Sources: `ontology/concepts.tsv` (by hand, wins), the gazetteers of tasks, datasets, metrics and methods, the topics of CSO, and
`long form (LF)` pairs counted over public abstracts. Their licences stand in `ontology/vocabulary.LICENSE.md`.
"""

from __future__ import annotations

import argparse
import csv
import json
import lzma
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kgbuild.resolution.abbreviations import abbreviates, definitions
from kgbuild.resolution.normalise import is_acronym, is_proper, key, load_words, singular, slug, squash, tokens
from kgbuild.schema import load_schema

ONTOLOGY = Path(__file__).parent.parent / "ontology"
CSO = "https://cso.kmi.open.ac.uk/topics/"
JUNK = re.compile(
    r"[%?*@#\"\\]|\b(?:how do i|customer|phone|expedia|coinbase|robinhood|refund|airlines?|quickbooks|unknown|misc|other)\b", re.I
)
SPLITS = re.compile(
    r"\b(?:test|val|valid|validation|dev|train|training|minival|testset|std|splits?|shots?|labels?|setting|subset|eval|fold|full)\b", re.I
)
PROPER = frozenset(
    re.findall(
        r"\S+",
        "atari bayesian gaussian markov monte carlo chinese english arabic german french hindi japanese korean spanish fourier laplace "
        "lagrangian hamiltonian newton hessian kalman boltzmann dirichlet bernoulli poisson euler hopfield siamese turing nash "
        "wasserstein sinkhorn fisher huber jaccard frechet fréchet pearson spearman kendall cohen matthews dice gabor hough langevin "
        "bellman tikhonov levenberg adam adagrad rubik starcraft minecraft wikipedia twitter youtube covid doom dota vietnamese persian "
        "turkish urdu bangla russian ",
    )
)
NO_PARENT = re.compile(
    r"\bprocess$|^multimodal$|^undetermined$|performance measure"
    r"|^(?:computer vision|natural language processing|audio|general|graphs|sequential)$",
    re.I,
)


@dataclass
class Concept:
    """A concept under construction; `rank` orders claims on a name (small wins)."""

    type: str
    name: str
    rank: int
    aliases: dict[str, None] = field(default_factory=dict)
    parents: dict[str, None] = field(default_factory=dict)
    better: str = ""
    same: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)

    @property
    def id(self) -> str:
        return f"{self.type.lower()}:{slug(self.name)}"


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        yield from csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)


def parts(cell: str | None) -> list[str]:
    return [part.strip() for part in (cell or "").split("|") if part.strip()]


def label(name: str) -> str:
    """Title Case names of ordinary words become lower case and singular; proper names stay."""
    words = name.split()
    shown = [word if is_proper(word) or word.casefold().strip(".,") in PROPER or "." in word else word.lower() for word in words]
    if len(words) == 1 and not is_acronym(name) and name[:1].isupper():
        return name  # a single capitalised word may be a proper name (Adam, Swish)
    if shown and shown[-1] == shown[-1].lower() and "-" not in shown[-1]:
        shown[-1] = singular(shown[-1])
    return " ".join(shown)


class Collection:
    """Concepts by type and key; the first to claim a key as its name keeps it."""

    def __init__(self) -> None:
        self.concepts: list[Concept] = []
        self.owner: dict[tuple[str, str], Concept] = {}

    def add(self, new: Concept) -> Concept:
        """Add a concept, or join it to the one that has its name already; returns the one that stands."""
        place = new.type, squash(key(new.type, new.name))
        claimed, new.aliases = new.aliases, {}
        known = self.owner.get(place)
        if known is None:
            self.concepts.append(new)
            self.owner[place] = known = new
        if known.rank or not known.parents:  # a hierarchy by hand stands as it is
            known.parents |= new.parents
        known.sources |= new.sources
        known.better = known.better or new.better
        for alias in claimed:
            self.alias(known, alias)
        return known

    def alias(self, concept: Concept, alias: str) -> None:
        """Give a concept another name, unless a concept of its type has it; abbreviations may belong to several."""
        place = concept.type, squash(key(concept.type, alias))
        owner = self.owner.get(place)
        if owner is concept:
            if alias.casefold() != concept.name.casefold():
                concept.aliases.setdefault(alias)
        elif owner is None or (is_acronym(alias) and squash(key(owner.type, owner.name)) != place[1]):
            self.owner.setdefault(place, concept)
            concept.aliases.setdefault(alias)

    def get(self, type_: str, name: str) -> Concept | None:
        return self.owner.get((type_, squash(key(type_, name))))


def by_hand(path: Path) -> Iterator[Concept]:
    for row in rows(path):
        yield Concept(
            row["type"],
            row["name"],
            0,
            dict.fromkeys(parts(row["aliases"])),
            dict.fromkeys(parts(row["broader"])),
            row["better"] or "",
            set(),
            {"kgbuild"},
        )


def clean(name: str, most_words: int = 6) -> bool:
    ascii_share = sum(char.isascii() for char in name) / max(1, len(name))
    return (
        2 <= len(name) <= 60
        and len(name.split()) <= most_words
        and not JUNK.search(name)
        and "(" not in name
        and ascii_share > 0.9
        and ":" not in name
    )


def gazetteer(path: Path, type_: str) -> Iterator[Concept]:
    """Concepts of one gazetteer, the most used first."""
    found = sorted(rows(path), key=lambda row: (-int(row["count"] or 0), row["name"]))
    generic = load_words().generic[type_]
    for row in found:
        name = row["name"].strip()
        if not clean(name) or " ".join(tokens(name)) in generic or not re.search(r"[A-Za-z]{2}", name) or not usable(type_, row):
            continue
        aliases = [alias for alias in parts(row.get("alias")) if clean(alias, 9) and (abbreviates(name, alias) or abbreviates(alias, name))]
        parents = [parent for parent in parts(row.get("parents")) if not NO_PARENT.search(parent)]
        spelled = [parent for parent in parents if is_acronym(name) and abbreviates(name, parent)]
        better = {"pos": "higher", "neg": "lower"}.get(row.get("pol") or "", "")
        shown = name if type_ == "Dataset" else label(name)
        sources = {source.split(":")[0] for source in parts(row["sources"])}
        yield Concept(type_, label(spelled[0]) if spelled else shown, 1, dict.fromkeys([*([name] if spelled else []), *aliases]),
                      dict.fromkeys(parent for parent in parents if parent not in spelled), better, set(), sources)  # fmt: skip


def usable(type_: str, row: dict[str, str]) -> bool:
    """What is worth keeping of each gazetteer: leaderboards list many one-off names."""
    name, count, sources = row["name"].strip(), int(row["count"] or 0), len(parts(row["sources"]))
    if type_ == "Metric":
        return (count >= 4 and sources >= 2) or "hf-evaluate" in row["sources"]
    if type_ == "Dataset":
        written = is_proper(name) or (sources >= 3 and name[:1].isupper())
        return written and not SPLITS.search(name) and (count >= 2 or sources >= 2) and re.search(r"[A-Za-z]{3}", name) is not None
    return "LLM" not in name or "aio" not in row["sources"]


def topics(path: Path) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """CSO: equivalent labels of each label, and (narrower, broader) pairs."""
    equal: dict[str, list[str]] = defaultdict(list)
    broader = []
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            subject, relation, thing = line.rstrip("\n").split("\t")
            if relation == "klink:relatedEquivalent":
                equal[subject].append(thing)
            elif relation == "klink:broaderGeneric":
                broader.append((thing, subject))
                equal.setdefault(thing, [])
                equal.setdefault(subject, [])
    return equal, broader


def add_topics(collection: Collection, path: Path) -> None:
    """Identifiers, abbreviations and hierarchy of CSO for concepts that are there already."""
    equal, broader = topics(path)
    places: dict[str, list[Concept]] = {}
    for topic in sorted(equal):
        held = [
            c
            for type_ in ("Method", "Task")
            if (c := collection.get(type_, topic)) and squash(key(type_, c.name)) == squash(key(type_, topic))
        ]
        places[topic] = held
        for concept in held:
            concept.same.add(CSO + topic.replace(" ", "_"))
            concept.sources.add("cso")
            for other in sorted(equal[topic]):
                if len(other) > 2 and abbreviates(other, topic) and clean(other):
                    collection.alias(concept, other.upper() if len(other) < 7 and " " not in other else other)
    for narrow, broad in broader:
        for a in places.get(narrow, ()):
            for b in places.get(broad, ()):
                if a.type == b.type and a is not b and a.rank:
                    a.parents.setdefault(b.name)


def hierarchy(collection: Collection) -> dict[str, list[str]]:
    """id -> ids of its parents, without loops; what is by hand or used most comes first and wins."""
    parents: dict[str, list[str]] = defaultdict(list)

    def reaches(start: str, goal: str) -> bool:
        seen, stack = set(), [start]
        while stack:
            at = stack.pop()
            if at == goal:
                return True
            if at not in seen:
                seen.add(at)
                stack.extend(parents.get(at, ()))
        return False

    for concept in sorted(collection.concepts, key=lambda concept: concept.rank):
        for name in concept.parents:
            parent = collection.get(concept.type, name)
            if parent and parent is not concept and parent.id not in parents[concept.id] and not reaches(parent.id, concept.id):
                parents[concept.id].append(parent.id)
    return {id_: sorted(found) for id_, found in parents.items()}


def mine(path: Path) -> Iterator[tuple[str, str, int]]:
    """(abbreviation, long form, abstracts) as keys, counted over the abstracts."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            seen = {
                (squash(" ".join(tokens(s))), " ".join(tokens(long)))
                for s, long in definitions(f"{row.get('title') or ''}\n{row.get('abstract') or ''}")
            }
            for short, long in seen:
                counts[short][long] += 1
    for short, longs in sorted(counts.items()):
        total = sum(longs.values())
        for long, count in sorted(longs.items(), key=lambda item: (-item[1], item[0])):
            if count >= 3 and count >= 0.02 * total and len(long) <= 70:
                yield short, long, count


def turtle(concepts: Iterable[Concept], parents: dict[str, list[str]]) -> Iterator[str]:
    """The vocabulary as SKOS, one concept after the other in the order of their identifiers."""
    schema = load_schema()
    prefix = f"{schema.namespace}vocabulary/"
    yield from (f"@prefix {name}: <{schema.prefixes[name]}> .\n" for name in ("kg", "skos", "dcterms"))
    yield f'\n<{prefix}> a skos:ConceptScheme ;\n    dcterms:title "kgbuild vocabulary"@en ;\n'
    yield "    dcterms:license <https://creativecommons.org/licenses/by-sa/4.0/> .\n"
    for concept in concepts:
        lines = [f"a skos:Concept, kg:{concept.type}", f"skos:inScheme <{prefix}>", f"skos:prefLabel {quoted(concept.name)}"]
        lines += [f"skos:altLabel {', '.join(quoted(alias) for alias in sorted(concept.aliases))}"] if concept.aliases else []
        lines += (
            [f"skos:broader {', '.join(f'<{prefix}{iri_part(id_)}>' for id_ in parents[concept.id])}"] if parents.get(concept.id) else []
        )
        lines += [f'kg:better "{concept.better}"'] if concept.better else []
        lines += [f"skos:exactMatch {', '.join(f'<{iri}>' for iri in sorted(concept.same))}"] if concept.same else []
        lines += [f"dcterms:source {', '.join(json.dumps(source) for source in sorted(concept.sources))}"]
        yield f"\n<{prefix}{iri_part(concept.id)}> " + " ;\n    ".join(lines) + " .\n"


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) + "@en"


def iri_part(id_: str) -> str:
    return id_.replace(":", "/", 1)


def derive(path: Path) -> str:
    """`vocabulary.tsv` of a `vocabulary.ttl`: id, type, name, keys, other names, broader, better, same as."""
    import pyoxigraph as ox

    from kgbuild.schema import load_schema

    schema = load_schema()
    base = f"{schema.namespace}vocabulary/"
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE):
        if quad.subject.value != base:
            found[quad.subject.value][re.split(r"[#/]", quad.predicate.value)[-1]].append(quad.object.value)
    lines = ["id\ttype\tname\tkeys\taliases\tbroader\tbetter\tsame_as\n"]
    for iri, row in sorted(found.items()):
        id_ = iri.removeprefix(base).replace("/", ":", 1)
        type_ = next(value.rsplit("#", 1)[1] for value in row["type"] if "skos" not in value)
        name, aliases = row["prefLabel"][0], sorted(row["altLabel"])
        keys = dict.fromkeys(key(type_, label_) for label_ in (name, *aliases))
        broader = sorted(value.removeprefix(base).replace("/", ":", 1) for value in row["broader"])
        cells = (
            id_,
            type_,
            name,
            "|".join(keys),
            "|".join(aliases),
            "|".join(broader),
            "".join(row["better"]),
            "|".join(sorted(row["exactMatch"])),
        )
        lines.append("\t".join(cells) + "\n")
    return "".join(lines)


def make(shared: Path) -> None:
    """Write all three files."""
    collection = Collection()
    for concept in by_hand(ONTOLOGY / "concepts.tsv"):
        collection.add(concept)
    for type_, name in (("Task", "tasks"), ("Metric", "metrics"), ("Method", "methods"), ("Dataset", "datasets")):
        for concept in gazetteer(shared / "gazetteers" / f"{name}.tsv", type_):
            collection.add(concept)
    add_topics(collection, shared / "gazetteers" / "cso_topics.tsv")
    unique: dict[str, Concept] = {}
    for concept in collection.concepts:
        unique.setdefault(concept.id, concept)
    ordered = [unique[id_] for id_ in sorted(unique)]
    (ONTOLOGY / "vocabulary.ttl").write_text("".join(turtle(ordered, hierarchy(collection))), encoding="utf-8")
    (ONTOLOGY / "vocabulary.tsv").write_text(derive(ONTOLOGY / "vocabulary.ttl"), encoding="utf-8")
    abstracts = shared / "abstracts" / "abstracts.jsonl.xz"
    lines = (f"{short}\t{long}\t{count}\n" for short, long, count in mine(abstracts))
    (ONTOLOGY / "abbreviations.tsv").write_text("short\tlong\tpapers\n" + "".join(lines), encoding="utf-8")
    print(Counter(concept.type for concept in ordered))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", nargs="?", type=Path)
    parser.add_argument("--check", action="store_true", help="fail unless vocabulary.tsv belongs to vocabulary.ttl")
    arguments = parser.parse_args()
    if arguments.check or not arguments.shared:
        stale = derive(ONTOLOGY / "vocabulary.ttl") != (ONTOLOGY / "vocabulary.tsv").read_text(encoding="utf-8")
        sys.exit("ontology/vocabulary.tsv is stale: python scripts/make_vocabulary.py SHARED" if stale else 0)
    make(arguments.shared)


if __name__ == "__main__":
    main()
