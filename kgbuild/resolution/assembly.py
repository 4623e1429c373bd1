"""Resolved documents -> the graph: typed nodes, and edges that carry every piece of their evidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha1
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from kgbuild.errors import RecordError
from kgbuild.graph import EDGE_KEY, NODE_KEY, Graph, StoredTables, in_order
from kgbuild.links import code_links, link_key
from kgbuild.records import Entity, Extraction, Paper, Result
from kgbuild.resolution.belief import BeliefModel
from kgbuild.resolution.evidence import PART, EdgeCollector, End, Ends, Evidence
from kgbuild.resolution.passages import NOWHERE, Passages, Span, nearest
from kgbuild.resolution.values import Node, Resolution
from kgbuild.schema import NodeType, RelationType, Schema, load_schema

Document = tuple[Paper, Extraction]


def assemble(
    documents: Iterable[Document],
    resolution: Resolution,
    *,
    manifest: Mapping[str, Any] | None = None,
    belief: BeliefModel | None = None,
    into: Path | None = None,
) -> Graph:
    """The graph of resolved documents; the same bytes for any order of the documents.

    What the ontology does not allow (a pattern that a person's `type` decision broke, a relation of a thing with itself) is
    left out. Raises RecordError where two documents have the same paper id.

    Documents are read once; of each the paper is kept, for quotes, and the extraction let go. into: a folder in which the tables shall
    lie, as `Graph.write` writes them; then only one of them is in memory at a time.
    """
    graph = _Assembly(load_schema(), resolution)
    for paper, extraction in documents:
        graph.add(paper, extraction)
    return graph.finish(belief or BeliefModel(), dict(manifest or {}), into)


class _Assembly:
    """Nodes and edges under construction; documents come in any order."""

    def __init__(self, schema: Schema, resolution: Resolution) -> None:
        self.schema = schema
        self.resolution = resolution
        self.documents: dict[str, Paper] = {}
        self.extractors: dict[str, int] = {}
        self.source = of_kind(schema, "source")
        self.fact = of_kind(schema, "fact")
        self.link = of_kind(schema, "link")
        ends = Ends()
        self.edges = {name: EdgeCollector(relation, ends) for name, relation in schema.relations.items()}
        self.rows: dict[str, dict[str, dict[str, Any]]] = {self.fact: {}, self.link: {}}
        self.papers: Counter[str] = Counter()
        self.mentions: Counter[str] = Counter()
        self.reports = self._paper_relation(self.fact)
        self.has_code = self._paper_relation(self.link)

    def _paper_relation(self, target: str) -> str:
        return next(r.name for r in self.schema.group("paper") if (self.source, target) in r.patterns)

    def add(self, paper: Paper, extraction: Extraction) -> None:
        """Everything that one document says."""
        if paper.id in self.documents:
            raise RecordError(f"record {paper.id!r}: two documents have this id", "unite the papers first")
        extractor = self.extractors.setdefault(extraction.extractor, len(self.extractors))
        document = _DocumentView(len(self.documents), paper, extraction, self.resolution, extractor)
        self.documents[paper.id] = paper
        self._mentions(document)
        self._concepts(document)
        self._claims(document)
        self._results(document)
        self._code(document)

    def _mentions(self, document: _DocumentView) -> None:
        collector = self.edges["MENTIONS"]
        for id_, spans in sorted(document.places.items()):
            node = self.resolution.nodes[id_]
            self.papers[id_] += 1
            self.mentions[id_] += len(spans)
            for span, confidence in sorted(spans.items()):
                collector.add((self.source, document.paper.id), (node.type, id_), document.evidence(span, span, confidence))

    def _concepts(self, document: _DocumentView) -> None:
        for relation in document.extraction.relations:
            head, tail = document.known(relation.head), document.known(relation.tail)
            if not head or not tail or head[1].id == tail[1].id:
                continue
            if not self.schema.allows(head[1].type, relation.label, tail[1].type):
                continue
            pair = document.passages.closest(head[0].mentions, tail[0].mentions)
            evidence = document.evidence(document.passages.around(*pair), pair[1], relation.confidence, pair[0])
            self.edges[relation.label].add(_end(head[1]), _end(tail[1]), evidence)

    def _claims(self, document: _DocumentView) -> None:
        """What the paper proposes and addresses: the fields of the extraction are called like the relations."""
        for field in ("proposes", "addresses"):
            collector = self.edges[field.upper()]
            for eid, confidence in sorted(getattr(document.extraction, field).items()):
                known = document.known(eid)
                if not known or not self.schema.allows(self.source, field.upper(), known[1].type):
                    continue
                span = document.passages.claim(known[0].mentions) if field == "proposes" else known[0].mentions[0]
                evidence = document.evidence(document.passages.around(span), span, confidence)
                collector.add((self.source, document.paper.id), _end(known[1]), evidence)

    def _results(self, document: _DocumentView) -> None:
        for result in document.extraction.results:
            span = document.passages.number(result)
            metric = document.known(result.metric)
            if not metric or span == NOWHERE:
                continue
            roles = {relation.name: document.known(getattr(result, relation.role or "")) for relation in self.schema.group("result")}
            id_ = _result_id(document.paper.id, result, span, {name: known[1].id for name, known in roles.items() if known})
            start, end = document.passages.around(span)
            row = {field.name: getattr(result, field.name, None) for field in self.schema.nodes[self.fact].properties}
            quote = result.quote or document.passages.text[start:end]
            self.rows[self.fact][id_] = row | {"number": _number(result.value), "quote": quote, "id": id_}
            evidence = document.evidence((start, end), span, result.confidence)
            self.edges[self.reports].add((self.source, document.paper.id), (self.fact, id_), evidence)
            for name, known in roles.items():
                if known and self.schema.allows(self.fact, name, known[1].type):
                    place = nearest(known[0].mentions, span)
                    evidence = document.evidence(document.passages.around(span, place), place, result.confidence)
                    self.edges[name].add((self.fact, id_), _end(known[1]), evidence)

    def _code(self, document: _DocumentView) -> None:
        for url, span in code_links(document.paper):
            id_ = f"{self.link.lower()}:{link_key(url)}"
            row = self.rows[self.link].setdefault(id_, {"id": id_, "url": url})
            row["url"] = min(row["url"], url)
            passage = document.passages.around(span) if span else (0, len(document.paper.title))
            evidence = document.evidence(passage, span or NOWHERE, 1.0)
            self.edges[self.has_code].add((self.source, document.paper.id), (self.link, id_), evidence)

    def finish(self, belief: BeliefModel, manifest: dict[str, Any], into: Path | None) -> Graph:
        """The canonical tables."""
        self._background()
        papers = list(self.documents.values())

        def quote(paper: int, start: int, end: int) -> str:
            return papers[paper].text[start:end]

        def edges() -> Iterator[tuple[str, pa.Table]]:
            ids, extractors = list(self.documents), list(self.extractors)
            for name in self.schema.relations:
                # Each collector goes as soon as its table is there: the two are of the same size.
                yield name, in_order(self.edges.pop(name).table(ids, quote, extractors, belief), EDGE_KEY)

        nodes = ((name, in_order(_table(self._rows(name), kind.arrow), NODE_KEY)) for name, kind in self.schema.nodes.items())
        if into:
            return Graph(StoredTables.store(into / "nodes", nodes), StoredTables.store(into / "edges", edges()), self.schema, manifest)
        return Graph(dict(nodes), dict(edges()), self.schema, manifest)

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The rows of the nodes of a type."""
        if name == self.source:
            own = [prop.name for prop in self.schema.nodes[name].properties]
            yield from ({"id": paper.id} | {field: _plain(getattr(paper, field)) for field in own} for paper in self.documents.values())
        elif name in self.rows:
            yield from self.rows.pop(name).values()
        else:
            named = (self.resolution.nodes[id_] for id_ in self.papers)
            yield from (concept_row(self.schema, n, self.papers[n.id], self.mentions[n.id]) for n in named if n.type == name)

    def _background(self) -> None:
        """Hierarchy that the vocabulary knows, between nodes that the papers name."""
        types = {id_: self.resolution.nodes[id_].type for id_ in self.papers}
        for relation, head, tail in hierarchy(self.resolution.broader, types, self.schema):
            self.edges[relation].add_background(head, tail)


class _DocumentView:
    """One document with its entities resolved: where each node stands in the text, and how to cite it."""

    def __init__(self, index: int, paper: Paper, extraction: Extraction, resolution: Resolution, extractor: int) -> None:
        self.index = index
        self.paper = paper
        self.extraction = extraction
        self.extractor = extractor
        self.passages = Passages(paper)
        self.entities: dict[str, tuple[Entity, Node]] = {}
        self.places: dict[str, dict[Span, float]] = defaultdict(dict)
        for entity in extraction.entities:
            node = resolution.node(paper.id, entity.eid)
            if node is None or not entity.mentions:
                continue
            self.entities[entity.eid] = entity, node
            spans = self.places[node.id]
            for span in entity.mentions:
                spans[span] = max(entity.confidence, spans.get(span, 0.0))

    def known(self, eid: str | None) -> tuple[Entity, Node] | None:
        """The entity with its node; None where there is none."""
        return self.entities.get(eid) if eid else None

    def evidence(self, passage: Span, tail: Span, confidence: float, head: Span = NOWHERE) -> Evidence:
        """Evidence in this document."""
        return Evidence(self.index, passage, tail, confidence, self.extractor, head)


def concept_row(schema: Schema, node: Node, papers: int, mentions: int) -> dict[str, Any]:
    """The row of a resolved thing that so many papers mention so many times."""
    row: dict[str, Any] = {"id": node.id, "name": node.name, "aliases": list(node.aliases), "same_as": list(node.same_as)}
    own = {prop.name for prop in schema.nodes[node.type].properties}
    return row | {"papers": papers, "mentions": mentions} | {name: value for name, value in node.properties.items() if name in own}


def of_kind(schema: Schema, kind: str) -> str:
    """The one type of that kind."""
    found: list[NodeType] = [node for node in schema.nodes.values() if node.kind == kind]
    return found[0].name


def hierarchy(broader: Iterable[tuple[str, str]], types: Mapping[str, str], schema: Schema) -> Iterator[tuple[str, End, End]]:
    """(relation, narrower end, broader end) of the pairs that the vocabulary states; `types` of the nodes that are present, by id."""
    for narrow, broad in broader:
        if narrow in types and broad in types and narrow != broad:
            relation = _broader(schema, types[narrow], types[broad])
            if relation:
                yield relation.name, (types[narrow], narrow), (types[broad], broad)


def _broader(schema: Schema, narrow: str, broad: str) -> RelationType | None:
    """The relation that means skos:broader between the two types."""
    for relation in schema.group("concept"):
        if "skos:broader" in relation.match and (narrow, broad) in relation.patterns:
            return relation
    return None


def _table(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table; a part at a time, as rows take several times the room."""
    parts = iter(lambda: list(islice(rows, PART)), [])
    return pa.Table.from_batches((pa.RecordBatch.from_pylist(part, schema=schema) for part in parts), schema)


def _end(node: Node) -> End:
    return node.type, node.id


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _number(value: str) -> float | None:
    try:
        return float(value.replace(",", ""))
    except ValueError:
        return None


def _result_id(paper_id: str, result: Result, span: Span, roles: Mapping[str, str]) -> str:
    """Stable as long as the paper, the figure and the things it belongs to are the same."""
    belongs = (f"{name}={id_}" for name, id_ in sorted(roles.items()))
    parts = (paper_id, result.value, result.unit or "", result.kind, *map(str, span), *belongs)
    return "result:" + sha1("\x1f".join(parts).encode()).hexdigest()[:16]
