"""kgbuild: typed knowledge graphs from research abstracts, offline, with evidence on every edge.

>>> import kgbuild
>>> report = kgbuild.build("papers.jsonl", "papers.kg")        # doctest: +SKIP
>>> with kgbuild.open("papers.kg") as papers:                  # doctest: +SKIP
...     papers.query("MATCH (m:Method) RETURN m.name LIMIT 3")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgbuild.changes import merge, remove
    from kgbuild.comparison import diff
    from kgbuild.errors import KgbuildError
    from kgbuild.explorer import write_page
    from kgbuild.exporters import export, select
    from kgbuild.extraction import load_extractor
    from kgbuild.graph import Graph
    from kgbuild.graphfile import GraphFile, open
    from kgbuild.pipeline import build, extract
    from kgbuild.queries import ask
    from kgbuild.records import Extraction, Paper
    from kgbuild.schema import load_schema
    from kgbuild.sources import read
    from kgbuild.stores import open_store
    from kgbuild.update import Report
    from kgbuild.verification import verify

# public name: module
_HOME = {
    "Extraction": "kgbuild.records",
    "Graph": "kgbuild.graph",
    "GraphFile": "kgbuild.graphfile",
    "KgbuildError": "kgbuild.errors",
    "Paper": "kgbuild.records",
    "Report": "kgbuild.update",
    "ask": "kgbuild.queries",
    "build": "kgbuild.pipeline",
    "diff": "kgbuild.comparison",
    "export": "kgbuild.exporters",
    "extract": "kgbuild.pipeline",
    "load_extractor": "kgbuild.extraction",
    "load_schema": "kgbuild.schema",
    "merge": "kgbuild.changes",
    "open": "kgbuild.graphfile",
    "open_store": "kgbuild.stores",
    "read": "kgbuild.sources",
    "remove": "kgbuild.changes",
    "select": "kgbuild.exporters",
    "verify": "kgbuild.verification",
    "write_page": "kgbuild.explorer",
}
__all__ = [
    "Extraction",
    "Graph",
    "GraphFile",
    "KgbuildError",
    "Paper",
    "Report",
    "ask",
    "build",
    "diff",
    "export",
    "extract",
    "load_extractor",
    "load_schema",
    "merge",
    "open",
    "open_store",
    "read",
    "remove",
    "select",
    "verify",
    "write_page",
]


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for: `import kgbuild` itself loads nothing heavy."""
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name not in _HOME:
        raise AttributeError(f"module 'kgbuild' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return [*__all__]
