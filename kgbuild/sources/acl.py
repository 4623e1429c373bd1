"""ACL Anthology XML: a collection of volumes of papers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kgbuild.records import Paper
from kgbuild.sources.cleaning import clean
from kgbuild.sources.fields import code_of, marked_up
from kgbuild.sources.stream import Input
from kgbuild.sources.xmltext import child, child_text, children, elements, local, position


def read(source: Input) -> Iterator[Paper]:
    """The papers of every volume; front matter is none."""
    volume: dict[str, str] = {}
    for element in elements(source, ("paper", "meta")):
        if local(element) == "meta":
            volume = {name: child_text(element, name) for name in ("booktitle", "year", "venue")}
            continue
        paper = _paper(source, element, volume)
        if paper:
            yield paper


def _paper(source: Input, element: Any, volume: dict[str, str]) -> Paper | None:
    name = child_text(element, "url") or _name(element)
    link = name if "://" in name else f"https://aclanthology.org/{name}" if name else None
    return marked_up(
        source,
        position(element),
        title=_markup(child(element, "title")),
        abstract=_markup(child(element, "abstract")),
        id=f"acl:{name}" if name and "://" not in name else None,
        year=child_text(element, "year") or volume.get("year"),
        authors=tuple(filter(None, (_author(author) for author in children(element, "author")))),
        venue=child_text(element, "booktitle") or volume.get("booktitle") or volume.get("venue"),
        doi=child_text(element, "doi"),
        url=link,
        code=code_of([code.get("url") for code in children(element, "pwccode")]),
    )


def _name(element: Any) -> str:
    """The Anthology's name of a paper without a link: collection, volume and number."""
    volume = element.getparent()
    collection = volume.getparent() if volume is not None else None
    parts = (collection.get("id") if collection is not None else None, volume.get("id") if volume is not None else None, element.get("id"))
    if not all(parts):
        return ""
    first, second, third = (str(part) for part in parts)
    if first[0].isalpha():
        return f"{first}-{second}{third.zfill(4 - len(second))}"
    return f"{first}-{second}.{third}"


def _author(author: Any) -> str:
    return clean(" ".join(filter(None, (child_text(author, name) for name in ("first", "last", "suffix")))))


def _markup(element: Any | None) -> str:
    """The text of a title or abstract; formulas are marked as such, so that they are cleaned as formulas."""
    if element is None:
        return ""
    pieces = [element.text or ""]
    for part in element:
        inner = _markup(part) if local(part) else ""
        pieces += [rf"\({inner}\)" if local(part) == "tex-math" else inner, part.tail or ""]
    return "".join(pieces)
