"""Paper -> Extraction: spaCy components, rules and the learned model behind one protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from kgbuild.errors import KgbuildError
from kgbuild.extraction.records import parse_record
from kgbuild.records import Entity, Extraction, Paper

__all__ = ["EXTRACTORS", "Extractor", "best_extractor", "load_extractor", "parse_record"]

# name -> module whose `load(**options)` makes the extractor
EXTRACTORS = {"model": "kgbuild.extraction.onnx", "rules": "kgbuild.extraction.rules"}
MODEL_FILES = Path(__file__).parent / "weights"


class Extractor(Protocol):
    """What turns papers into extractions; `name` is name and version, such as `rules 1`."""

    @property
    def name(self) -> str:
        """Name and version, written on every edge."""
        ...

    def extract(self, papers: Iterable[Paper]) -> Iterator[Extraction]:
        """One extraction for each paper, in order, without holding more than a batch."""
        ...

    def relate(self, paper: Paper, entities: Sequence[Entity]) -> Extraction:
        """Everything but the entities, which are given with their mentions and come back unchanged."""
        ...


def best_extractor() -> str:
    """The name of the extractor that is taken where none is named: the model where its files are shipped, else the rules."""
    return "model" if MODEL_FILES.is_dir() and any(MODEL_FILES.glob("*.onnx")) else "rules"


def load_extractor(name: str | None = None, **options: Any) -> Extractor:
    """The extractor of that name; without one the best that is installed.

    Options go to the extractor. Raises KgbuildError for an unknown name.
    """
    name = name or best_extractor()
    if name not in EXTRACTORS:
        raise KgbuildError(f"unknown extractor {name!r}", f"known: {', '.join(EXTRACTORS)}")
    extractor: Extractor = import_module(EXTRACTORS[name]).load(**options)
    return extractor
