"""Questions that people come with: the catalogue, paths and neighbourhoods, and search by words and by meaning."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from kgbuild.queries.asking import Questions
    from kgbuild.queries.catalogue import QUESTIONS, Question
    from kgbuild.queries.frames import convert

__all__ = ["QUESTIONS", "Question", "Questions", "ask", "convert"]

_HOMES = {"Questions": "asking", "QUESTIONS": "catalogue", "Question": "catalogue", "convert": "frames"}


def ask(target: Any, question: str, **parameters: Any) -> pa.Table:
    """The rows of one question over a graph or an open store; see `Questions.ask`, which is cheaper for many questions."""
    from kgbuild.queries.asking import Questions

    return Questions(target).ask(question, **parameters)


def __getattr__(name: str) -> Any:
    # Arrow and networkx load with the first question only.
    if name in _HOMES:
        return getattr(import_module(f"kgbuild.queries.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
