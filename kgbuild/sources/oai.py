"""arXiv over OAI-PMH, in its own `arXiv` form and as Dublin Core; whole answers and single records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kgbuild.records import Paper
from kgbuild.sources.cleaning import clean
from kgbuild.sources.fields import arxiv_of, arxiv_year, code_of, doi_of, link_of, marked_up
from kgbuild.sources.stream import Input
from kgbuild.sources.xmltext import child, child_text, children, elements, local, position, text


def read(source: Input) -> Iterator[Paper]:
    """One paper per `arXiv`, `arXivRaw` or `dc` element; deleted records have none."""
    for element in elements(source, ("arXiv", "arXivRaw", "dc")):
        paper = _dublin_core(source, element) if local(element) == "dc" else _own(source, element)
        if paper:
            yield paper


def _own(source: Input, element: Any) -> Paper | None:
    arxiv = arxiv_of(child_text(element, "id"))
    group = child(element, "authors")
    return marked_up(
        source,
        position(element),
        title=child_text(element, "title"),
        abstract=child_text(element, "abstract"),
        year=arxiv_year(arxiv) or child_text(element, "created"),
        authors=tuple(filter(None, (_author(author) for author in children(group, "author")))) if group is not None else (),
        venue=child_text(element, "journal-ref"),
        doi=child_text(element, "doi"),
        arxiv=arxiv,
        url=f"https://arxiv.org/abs/{arxiv}" if arxiv else None,
        code=code_of(child_text(element, "comments")),
    )


def _author(author: Any) -> str:
    """First name first; a keyname without a letter (such as a colon after a collaboration) is none."""
    name = clean(" ".join(filter(None, (child_text(author, part) for part in ("forenames", "keyname", "suffix")))))
    return name if any(letter.isalpha() for letter in name) else ""


def _dublin_core(source: Input, element: Any) -> Paper | None:
    identifiers = [text(item).strip() for item in children(element, "identifier")]
    # The first description is the abstract, the next ones are comments.
    notes = [text(item) for item in children(element, "description")]
    arxiv = next(filter(None, map(arxiv_of, identifiers)), None)
    return marked_up(
        source,
        position(element),
        title=child_text(element, "title"),
        abstract=notes[0] if notes and not notes[0].startswith("Comment:") else "",
        year=arxiv_year(arxiv) or child_text(element, "date"),
        authors=tuple(filter(None, (_turned(text(item)) for item in children(element, "creator")))),
        doi=next(filter(None, map(doi_of, identifiers)), None),
        arxiv=arxiv,
        url=link_of(*identifiers),
        code=code_of(notes[1:]),
    )


def _turned(name: str) -> str:
    last, _, first = clean(name).partition(", ")
    return f"{first} {last}".strip()
