"""Papers and what was extracted from them: the values that pass between sources, extractors and resolution."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from kgbuild.errors import RecordError

ROLES = ("method", "dataset", "task", "metric", "baseline")


@dataclass(frozen=True, slots=True)
class Paper:
    """One publication; every character offset in kgbuild refers to `text`."""

    id: str
    title: str
    abstract: str = ""
    year: int | None = None
    authors: tuple[str, ...] = ()
    venue: str | None = None
    doi: str | None = None
    arxiv: str | None = None
    url: str | None = None
    code: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Title, newline, abstract."""
        return f"{self.title}\n{self.abstract}"

    def to_json(self) -> dict[str, Any]:
        """Our own JSONL record: empty fields are left out, id, title and abstract always stand."""
        rest = {name: getattr(self, name) for name in _REST}
        row: dict[str, Any] = {"id": self.id, "title": self.title, "abstract": self.abstract}
        return row | {name: list(value) if isinstance(value, tuple) else value for name, value in rest.items() if value not in (None, ())}


_REST = tuple(field.name for field in fields(Paper))[3:]  # all but id, title and abstract


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing of one document: all its mentions are one node candidate.

    mentions: half-open character offsets into the paper's text, sorted. confidence: probability in [0, 1].
    """

    eid: str
    type: str
    name: str
    mentions: tuple[tuple[int, int], ...]
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed relation between two entities of one document (by eid)."""

    head: str
    label: str
    tail: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """A reported number; `method` to `baseline` are eids, `start`/`end` the offsets of the number, `quote` the passage around it."""

    value: str
    metric: str
    kind: str
    quote: str
    unit: str | None = None
    method: str | None = None
    dataset: str | None = None
    task: str | None = None
    baseline: str | None = None
    start: int = -1
    end: int = -1
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one paper says. `proposes` and `addresses` map eids to confidences; `extractor` is name and version."""

    id: str
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    proposes: Mapping[str, float] = field(default_factory=dict)
    addresses: Mapping[str, float] = field(default_factory=dict)
    results: tuple[Result, ...] = ()
    extractor: str = "records"

    def to_json(self, text: str) -> dict[str, Any]:
        """The guidelines' record; confidences stand in fields of their own and surfaces are slices of `text`."""
        return {
            "id": self.id,
            "entities": [
                {
                    "eid": entity.eid,
                    "type": entity.type,
                    "name": entity.name,
                    "surfaces": sorted({text[start:end] for start, end in entity.mentions}),
                    "mentions": [list(span) for span in entity.mentions],
                    "confidence": entity.confidence,
                }
                for entity in self.entities
            ],
            "relations": [[r.head, r.label, r.tail] for r in self.relations],
            "relation_confidences": [r.confidence for r in self.relations],
            "proposes": list(self.proposes),
            "proposes_confidences": list(self.proposes.values()),
            "addresses": list(self.addresses),
            "addresses_confidences": list(self.addresses.values()),
            "results": [asdict(result) for result in self.results],
            "extractor": self.extractor,
        }


def dumps(row: Mapping[str, Any]) -> str:
    """One line of JSONL: compact, Unicode as it stands, keys in the order given."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def require(condition: object, paper_id: str, message: str) -> None:
    """Raise a RecordError about the paper unless `condition` holds."""
    if not condition:
        raise RecordError(f"record {paper_id!r}: {message}", "see the record format in docs/records.md")
