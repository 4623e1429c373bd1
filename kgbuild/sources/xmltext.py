"""XML read element by element: no entities, no network, no document type, no growing tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from lxml import etree

from kgbuild.sources.stream import Input

RECORD_LIMIT = 200_000  # elements in one record; collaborations of physics have some thousand authors


def elements(source: Input, names: Collection[str]) -> Iterator[Any]:
    """The elements with these local names as they end, each with all that is below it; forgotten after use.

    Raises: InputError with the line where the XML is not well-formed, declares entities or holds an endless record.
    """
    encoding = "utf-8" if source.encoding != "utf-8" else None
    # lxml calls read() of the stream, so that errors of the stream come through as they are.
    parser = etree.iterparse(
        source.file(), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, encoding=encoding
    )
    current, inside = None, 0
    try:
        for event, element in parser:
            inside += 1
            if event == "start":
                if element.getparent() is None:
                    _refuse_entities(source, element)
                if current is None and local(element) in names:
                    current, inside = element, 0
                elif current is not None and inside > 2 * RECORD_LIMIT:
                    raise source.error(f"more than {RECORD_LIMIT:,} elements in one record", position(element))
            elif current is None or element is current:
                if element is current:
                    yield element
                current = None
                _forget(element)
    except etree.XMLSyntaxError as error:
        raise source.error(_reason(error), f"line {error.lineno or 1}", "papers before that place are kept") from error
    except LookupError as error:  # an encoding that nobody knows
        raise source.error(str(error).lower(), "line 1") from error


def local(element: Any) -> str:
    """The name of an element without its namespace; empty for comments and entities."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def position(element: Any) -> str:
    """Where an element begins: `line 7`."""
    return f"line {element.sourceline}"


def children(element: Any, name: str) -> Iterator[Any]:
    """The direct children of that local name."""
    return (child for child in element if local(child) == name)


def child(element: Any, name: str) -> Any | None:
    """The first direct child of that local name."""
    return next(children(element, name), None)


def text(element: Any | None) -> str:
    """All text inside an element; empty for None."""
    return "" if element is None else "".join(element.itertext(with_tail=False))


def child_text(element: Any, name: str) -> str:
    """The text of the first direct child of that name, without white space around it; empty where there is none."""
    return text(child(element, name)).strip()


def _refuse_entities(source: Input, root: Any) -> None:
    """Entities are never expanded; text that leaned on them would be wrong, so the whole input is refused."""
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and next(iter(declared.iterentities()), None) is not None:
        raise source.error("the XML declares entities", hint="resolve them first; kgbuild expands none")


def _forget(element: Any) -> None:
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _reason(error: Any) -> str:
    message = (error.msg or "not well-formed").split("\n")[0].split(", line ")[0]
    return f"not well-formed XML: {message}"
