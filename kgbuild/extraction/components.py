"""The extractors as spaCy components, for pipelines of one's own.

    import spacy
    nlp = spacy.blank("en")
    nlp.add_pipe("kgbuild_sentences")
    nlp.add_pipe("kgbuild_entities", config={"extractor": "rules"})
    nlp.add_pipe("kgbuild_relations")
    nlp.add_pipe("kgbuild_results")

The text of a document is title, line break, abstract. `kgbuild_entities` sets `doc.ents` and `doc.spans["kgbuild"]`, which displaCy
shows; `doc._.kgbuild` is the Extraction so far: entities, after `kgbuild_relations` also relations, what the paper proposes and
addresses, after `kgbuild_results` also results. An extractor reads a text once, whichever components follow; where another component
has put its own entities into `doc._.kgbuild` in between, the rest is made for those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import cached_property
from itertools import islice
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from kgbuild.extraction import Extractor, load_extractor
from kgbuild.records import Entity, Extraction, Paper, Relation, Result
from kgbuild.text import sentences

SPANS = "kgbuild"
_WHOLE = "kgbuild_whole"  # what the extractor said in one go; later components show more and more of it
_UNNAMED = "doc"  # id of the paper of a document that came without a record
_PACKED = "__kgbuild__"

for _name in ("kgbuild", _WHOLE):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=None)


@srsly.msgpack_encoders("kgbuild.extraction")  # type: ignore[untyped-decorator]
def _pack(value: Any, chain: Any = None) -> Any:
    """Extractions as plain data, so that documents can be saved and sent to other processes."""
    if isinstance(value, Extraction):
        return {_PACKED: asdict(value)}
    return value if chain is None else chain(value)


@srsly.msgpack_decoders("kgbuild.extraction")  # type: ignore[untyped-decorator]
def _unpack(value: Any, chain: Any = None) -> Any:
    if isinstance(value, dict) and _PACKED in value:
        row = value[_PACKED]
        entities = (Entity(**{**entity, "mentions": tuple(map(tuple, entity["mentions"]))}) for entity in row.pop("entities"))
        relations, results = (Relation(**item) for item in row.pop("relations")), (Result(**item) for item in row.pop("results"))
        return Extraction(**row, entities=tuple(entities), relations=tuple(relations), results=tuple(results))
    return value if chain is None else chain(value)


def pipeline(extractor: str | None = None) -> Language:
    """A blank English pipeline with all four components; `extractor` as for `load_extractor`."""
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("kgbuild_sentences")
    for name in ("kgbuild_entities", "kgbuild_relations", "kgbuild_results"):
        nlp.add_pipe(name, config={"extractor": extractor})
    return nlp


def paper_of(doc: Doc) -> Paper:
    """The document as a paper: its first line is the title."""
    title, _, abstract = doc.text.partition("\n")
    return Paper(_UNNAMED, title, abstract)


@Language.component("kgbuild_sentences", assigns=["token.is_sent_start"])
def mark_sentences(doc: Doc) -> Doc:
    """Set the sentence boundaries of `kgbuild.text.sentences`."""
    starts = [start for start, _ in sentences(doc.text)]
    at = 0
    for token in doc:
        begins = at < len(starts) and starts[at] < token.idx + len(token)
        token.is_sent_start = begins or token.i == 0
        while at < len(starts) and starts[at] < token.idx + len(token):
            at += 1
    return doc


class Entities:
    """Finds entities; a stage of a pipeline that works on batches."""

    def __init__(self, extractor: Extractor) -> None:
        """`extractor` reads the texts."""
        self.extractor = extractor

    def __call__(self, doc: Doc) -> Doc:
        """Set entities and spans of one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 32) -> Iterator[Doc]:
        """Set entities and spans of many documents, `batch_size` at a time."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            for doc, extraction in zip(batch, self.extractor.extract(map(paper_of, batch)), strict=True):
                doc._.set(_WHOLE, extraction)
                doc._.kgbuild = Extraction(id=extraction.id, entities=extraction.entities, extractor=extraction.extractor)
                _show(doc)
                yield doc


def _show(doc: Doc) -> None:
    """Mentions as spans of whole tokens: all of them in `doc.spans`, the longest of overlapping ones in `doc.ents`."""
    spans: list[Span] = []
    for entity in doc._.kgbuild.entities:
        for start, end in entity.mentions:
            span = doc.char_span(start, end, label=entity.type, span_id=entity.eid, alignment_mode="expand")
            if span is not None:
                spans.append(span)
    doc.spans[SPANS] = sorted(spans, key=lambda span: (span.start, span.end))
    doc.set_ents(filter_spans(spans))


class Rest:
    """Adds what holds among the entities of `doc._.kgbuild`: the fields named in `fields`."""

    def __init__(self, extractor: str | None, fields: tuple[str, ...]) -> None:
        """`extractor` is the name of the one that is asked for entities which another component has put there."""
        self._extractor_name, self._fields = extractor, fields

    @cached_property
    def extractor(self) -> Extractor:
        """Loaded when it is first asked, which in most pipelines is never."""
        return load_extractor(self._extractor_name)

    def __call__(self, doc: Doc) -> Doc:
        """Fill the fields of one document."""
        stated = doc._.kgbuild or Extraction(id=_UNNAMED)
        whole = doc._.get(_WHOLE)
        if whole is None or whole.entities != stated.entities:
            whole = self.extractor.relate(paper_of(doc), stated.entities)
            doc._.set(_WHOLE, whole)
        doc._.kgbuild = replace(stated, extractor=whole.extractor, **{field: getattr(whole, field) for field in self._fields})
        return doc


@Language.factory("kgbuild_entities", default_config={"extractor": None}, assigns=["doc.ents", "doc.spans", "doc._.kgbuild"])
def make_entities(nlp: Language, name: str, extractor: str | None) -> Entities:
    """The component that finds entities."""
    return Entities(load_extractor(extractor))


@Language.factory("kgbuild_relations", default_config={"extractor": None}, requires=["doc._.kgbuild"], assigns=["doc._.kgbuild"])
def make_relations(nlp: Language, name: str, extractor: str | None) -> Rest:
    """The component that adds relations, what the paper proposes, and what it addresses."""
    return Rest(extractor, ("relations", "proposes", "addresses"))


@Language.factory("kgbuild_results", default_config={"extractor": None}, requires=["doc._.kgbuild"], assigns=["doc._.kgbuild"])
def make_results(nlp: Language, name: str, extractor: str | None) -> Rest:
    """The component that adds reported figures."""
    return Rest(extractor, ("results",))
