"""From what single papers say to one graph: which entities are the same thing, and typed edges with all their evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kgbuild.resolution.values import Decision, Merge, Node, Proposal, Resolution

if TYPE_CHECKING:
    from kgbuild.resolution.assembly import assemble
    from kgbuild.resolution.explanation import Explanation, explain
    from kgbuild.resolution.resolver import Resolver, resolve
    from kgbuild.resolution.review import read_decisions, write_review

__all__ = [
    "Decision",
    "Explanation",
    "Merge",
    "Node",
    "Proposal",
    "Resolution",
    "Resolver",
    "assemble",
    "explain",
    "read_decisions",
    "resolve",
    "write_review",
]

_HOME = {
    "Explanation": "explanation",
    "Resolver": "resolver",
    "assemble": "assembly",
    "explain": "explanation",
    "read_decisions": "review",
    "resolve": "resolver",
    "write_review": "review",
}


def __getattr__(name: str) -> Any:
    # numpy and Arrow load only when a graph is assembled or entities are resolved
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f"kgbuild.resolution.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
