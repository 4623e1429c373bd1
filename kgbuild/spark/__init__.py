"""The same pipeline on Spark (extra `spark`): see docs/spark.md.

`SparkEngine` makes graph files with Spark (`kgbuild build --engine spark`); `build` and `python -m kgbuild.spark` go the whole way on a
cluster and leave the graph as Parquet, which `read_graph` reads and `write_neo4j` sends to a server from the executors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgbuild.spark.connector import write_neo4j
    from kgbuild.spark.engine import SparkEngine
    from kgbuild.spark.job import build, read_graph
    from kgbuild.spark.session import open_session

__all__ = ["SparkEngine", "build", "open_session", "read_graph", "write_neo4j"]

_HOME = {"SparkEngine": "engine", "build": "job", "open_session": "session", "read_graph": "job", "write_neo4j": "connector"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
