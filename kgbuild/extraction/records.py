"""Extraction records as JSON rows: parsing with every check that makes their spans and types trustworthy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from kgbuild.records import ROLES, Entity, Extraction, Paper, Relation, Result, require
from kgbuild.schema import load_schema

Span = tuple[int, int]


def parse_record(row: Mapping[str, Any], paper: Paper) -> Extraction:
    """The extraction that a guideline record states about its paper.

    Every surface and mention must stand in `paper.text` as whole words, every type, relation and role must be one that the
    ontology allows, confidences lie in [0, 1] (1 where the record gives none). Entities without `mentions` get them from their
    surfaces, the longest first. Raises RecordError, one line with the paper's id, at the first fault.
    """
    require(isinstance(row, Mapping), paper.id, "is not a JSON object")
    require(row.get("id") == paper.id, paper.id, f"has the id {row.get('id')!r}")
    entities = _entities(_rows(row, "entities", paper.id), paper)
    types = {entity.eid: entity.type for entity in entities}
    extractor = row.get("extractor", "records")
    require(isinstance(extractor, str), paper.id, f"extractor {extractor!r} is not a string")
    return Extraction(
        id=paper.id,
        entities=entities,
        relations=_relations(row, types, paper.id),
        proposes=_marks(row, "proposes", types, paper.id),
        addresses=_marks(row, "addresses", types, paper.id),
        results=tuple(_result(item, types, paper) for item in _rows(row, "results", paper.id)),
        extractor=extractor,
    )


def occurrences(surface: str, text: str) -> list[Span]:
    """Where the surface stands in the text as whole words."""
    return [match.span() for match in re.finditer(rf"(?<!\w){re.escape(surface)}(?!\w)", text)]


def match_surfaces(surfaces: Mapping[str, Iterable[str]], text: str) -> dict[str, tuple[Span, ...]]:
    """Mentions of each eid by its surfaces: where two overlap the longer wins, then the earlier, then the first eid."""
    found = [(span, eid) for eid, forms in surfaces.items() for form in forms for span in occurrences(form, text)]
    taken: list[Span] = []
    mentions: dict[str, list[Span]] = {eid: [] for eid in surfaces}
    for (start, end), eid in sorted(found, key=lambda item: (item[0][0] - item[0][1], item[0][0])):
        if not any(start < right and left < end for left, right in taken):
            taken.append((start, end))
            mentions[eid].append((start, end))
    return {eid: tuple(sorted(spans)) for eid, spans in mentions.items()}


def _nested(surfaces: Iterable[str], text: str) -> tuple[Span, ...]:
    """Where an entity stands whose every occurrence is part of a longer name: no node is left without a place in the text."""
    return tuple(sorted({span for form in surfaces for span in occurrences(form, text)}))


def _rows(row: Mapping[str, Any], key: str, paper_id: str) -> Sequence[Any]:
    value = row.get(key, [])
    require(isinstance(value, list), paper_id, f"{key} is not a list")
    rows: Sequence[Any] = value
    return rows


def _confidence(value: Any, paper_id: str, what: str) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    require(good, paper_id, f"confidence of {what} is {value!r}, not a number from 0 to 1")
    return float(value)


def _entities(rows: Sequence[Any], paper: Paper) -> tuple[Entity, ...]:
    surfaces: dict[str, list[str]] = {}
    given: dict[str, tuple[Span, ...]] = {}
    owners: dict[str, str] = {}
    for row in rows:
        require(isinstance(row, Mapping), paper.id, f"entity {row!r} is not a JSON object")
        eid, name = row.get("eid"), row.get("name")
        require(isinstance(eid, str) and eid and eid not in surfaces, paper.id, f"eid {eid!r} is missing or stands twice")
        require(row.get("type") in load_schema().concepts, paper.id, f"{eid} has the unknown type {row.get('type')!r}")
        require(isinstance(name, str) and name.strip(), paper.id, f"{eid} has no name")
        if row.get("mentions") is not None:
            given[eid] = _mentions(row, paper)
        surfaces[eid] = _surfaces(row, given.get(eid), paper)
        for surface in surfaces[eid]:
            owner = owners.setdefault(surface, eid)
            require(owner == eid, paper.id, f"surface {surface!r} stands in two entities, {owner} and {eid}")
    mentions = match_surfaces({eid: forms for eid, forms in surfaces.items() if eid not in given}, paper.text) | given
    return tuple(
        Entity(
            row["eid"],
            row["type"],
            row["name"],
            mentions[row["eid"]] or _nested(surfaces[row["eid"]], paper.text),
            _confidence(row.get("confidence", 1.0), paper.id, row["eid"]),
        )
        for row in rows
    )


def _mentions(row: Mapping[str, Any], paper: Paper) -> tuple[Span, ...]:
    eid, text = row["eid"], paper.text
    pairs = _rows(row, "mentions", paper.id)
    require(pairs, paper.id, f"{eid} has no mentions")
    for pair in pairs:
        whole = isinstance(pair, list) and len(pair) == 2 and all(type(offset) is int for offset in pair)
        require(whole and 0 <= pair[0] < pair[1] <= len(text), paper.id, f"{eid} has the mention {pair!r} outside the text")
        start, end = pair
        require(text[start:end].strip(), paper.id, f"{eid} has the blank mention {pair!r}")
        cut = (start > 0 and _inside_word(text, start)) or (end < len(text) and _inside_word(text, end))
        require(not cut, paper.id, f"{eid} has the mention {pair!r} {text[start:end]!r} that cuts a word")
    return tuple(sorted({(start, end) for start, end in pairs}))


def _inside_word(text: str, offset: int) -> bool:
    return re.match(r"\w\w", text[offset - 1 : offset + 1]) is not None


def _surfaces(row: Mapping[str, Any], mentions: tuple[Span, ...] | None, paper: Paper) -> list[str]:
    eid, text = row["eid"], paper.text
    stated = _rows(row, "surfaces", paper.id)
    require(stated or mentions, paper.id, f"{eid} has neither surfaces nor mentions")
    for surface in stated:
        require(isinstance(surface, str) and surface.strip(), paper.id, f"{eid} has the surface {surface!r}")
        require(surface in text, paper.id, f"{eid} has the surface {surface!r} that is not in the text")
        require(occurrences(surface, text), paper.id, f"{eid} has the surface {surface!r} that stands only inside a word")
    forms = sorted(set(stated))
    if mentions is None:
        return forms
    strings = sorted({text[start:end] for start, end in mentions})
    require(not stated or forms == strings, paper.id, f"{eid} has surfaces {forms!r} but its mentions are {strings!r}")
    return strings


def _relations(row: Mapping[str, Any], types: Mapping[str, str], paper_id: str) -> tuple[Relation, ...]:
    rows = _rows(row, "relations", paper_id)
    confidences = _parallel(row, "relations", len(rows), paper_id)
    schema = load_schema()
    found: dict[tuple[str, str, str], float] = {}
    labels = {relation.name for relation in schema.group("concept")}
    for item, confidence in zip(rows, confidences, strict=True):
        shaped = isinstance(item, list) and len(item) == 3 and all(isinstance(part, str) for part in item)
        require(shaped, paper_id, f"relation {item!r} is not [head, label, tail]")
        head, label, tail = item
        require(head in types and tail in types, paper_id, f"relation {item!r} names an unknown eid")
        require(head != tail, paper_id, f"relation {item!r} joins an entity to itself")
        allowed = label in labels and schema.allows(types[head], label, types[tail])
        require(allowed, paper_id, f"relation {item!r} is not allowed from {types[head]} to {types[tail]}")
        found.setdefault((head, label, tail), confidence)
    return tuple(Relation(head, label, tail, confidence) for (head, label, tail), confidence in found.items())


def _parallel(row: Mapping[str, Any], key: str, count: int, paper_id: str) -> list[float]:
    """The confidences that stand beside the list `key` in a field of their own."""
    name = {"relations": "relation_confidences"}.get(key, f"{key}_confidences")
    if row.get(name) is None:
        return [1.0] * count
    values = _rows(row, name, paper_id)
    require(len(values) == count, paper_id, f"{name} has {len(values)} values for {count} {key}")
    return [_confidence(value, paper_id, key) for value in values]


def _marks(row: Mapping[str, Any], key: str, types: Mapping[str, str], paper_id: str) -> dict[str, float]:
    """`proposes` or `addresses`: eids of types that the paper relation of that name may point to."""
    eids = _rows(row, key, paper_id)
    targets = {target for _, target in load_schema().relation(key.upper()).patterns}
    for eid in eids:
        require(isinstance(eid, str) and eid in types, paper_id, f"{key} names the unknown eid {eid!r}")
        require(types[eid] in targets, paper_id, f"{key} names {eid}, a {types[eid]}")
    return dict(zip(eids, _parallel(row, key, len(eids), paper_id), strict=True))


@cache
def _role_types() -> dict[str, set[str]]:
    relations = load_schema().group("result")
    return {relation.role: {target for _, target in relation.patterns} for relation in relations if relation.role}


@cache
def _kinds() -> tuple[str, ...]:
    return next(p.values for node in load_schema().nodes.values() if node.kind == "fact" for p in node.properties if p.name == "kind")


def _result(row: Any, types: Mapping[str, str], paper: Paper) -> Result:
    require(isinstance(row, Mapping), paper.id, f"result {row!r} is not a JSON object")
    value, quote, unit, kind = row.get("value"), row.get("quote"), row.get("unit"), row.get("kind")
    require(isinstance(value, str) and re.search(r"\d", value), paper.id, f"result value {value!r} is not a string with digits")
    require(kind in _kinds(), paper.id, f"result kind {kind!r} is none of {', '.join(_kinds())}")
    require(unit is None or isinstance(unit, str), paper.id, f"result unit {unit!r} is not a string")
    require(isinstance(quote, str) and quote and quote in paper.text, paper.id, f"result quote {quote!r} is not in the text")
    require(row.get("metric") is not None, paper.id, f"result {value!r} has no metric")
    roles = {role: row.get(role) for role in ROLES}
    for role, eid in roles.items():
        fits = eid is None or (isinstance(eid, str) and types.get(eid) in _role_types()[role])
        require(fits, paper.id, f"result {value!r} has the {role} {eid!r}, not an entity of type {', '.join(sorted(_role_types()[role]))}")
    start, end = _number_span(row, str(value), str(quote), paper)
    confidence = _confidence(row.get("confidence", 1.0), paper.id, f"result {value!r}")
    return Result(value=value, kind=kind, quote=quote, unit=unit, start=start, end=end, confidence=confidence, **roles)


def _number_span(row: Mapping[str, Any], value: str, quote: str, paper: Paper) -> Span:
    """Offsets of the number, as the record gives them or by looking in the quote; (-1, -1) for numbers in words."""
    given = (row.get("start", -1), row.get("end", -1))
    if given == (-1, -1):
        begin = paper.text.index(quote)
        first = re.escape(re.split(r"[-–—]", value.lstrip("-"))[0])
        match = re.search(rf"(?<![\d.,]){first}(?![\d]|[.,]\d)", quote)
        return (begin + match.start(), begin + match.end()) if match else (-1, -1)
    inside = all(type(offset) is int for offset in given) and 0 <= given[0] < given[1] <= len(paper.text)
    require(inside, paper.id, f"result {value!r} has the span {list(given)!r} outside the text")
    return given
