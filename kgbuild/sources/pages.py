"""Plain pages of titles and abstracts, as copied from a web page: text is kept letter for letter, page furniture is left out.

Two layouts: blocks parted by blank lines, and lines without blank ones. In both a title is a short line, its abstract the long one below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from kgbuild.records import Paper
from kgbuild.sources.fields import as_it_stands
from kgbuild.sources.stream import Input

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DATE = rf"{_MONTH}\s+\d{{1,2}}(?:,?\s+\d{{4}})?|\d{{1,2}}\s+{_MONTH}(?:\s+\d{{4}})?|\d{{4}}-\d\d-\d\d"
_COUNTED = "(?:authors?|comments?|upvotes?|likes?|views?|citations?|stars?|models?|datasets?|spaces?)"
_FURNITURE = re.compile(
    rf"""(?:published\s+on\s+|updated\s+)?(?:{_DATE})
    |\d[\d.,]*\s?[kKmM]?(?:\s+{_COUNTED})?
    |[·•|\s]*\d+\s+authors?
    |get\ trending\ papers\ in\ your\ email\ inbox.*|subscribe|by\s*[@\w-]+\s+and\s+the\s+research\s+community
    |new|upvote|share|previous|next|show\ more|view\ all|sort:.*|trending|daily\ papers?|papers?|abstract|pdf|html|bibtex|github|code
    |submitted\s+by.*|@[\w.-]+|[\W_]+
    |https?://\S+""",
    re.IGNORECASE | re.VERBOSE,
)
# Furniture where a better line stands beside it, else perhaps a title: handles, and lists of names.
_PERSON = r"[A-Z][\w.'’-]*(?:\s+[A-Z][\w.'’-]*)"
_HANDLE = re.compile(rf"[a-z0-9][\w.-]*|(?:{_PERSON}{{1,3}},\s*)+(?:and\s+)?{_PERSON}{{0,3}}")
WAITING = 50  # lines before an abstract among which its title is looked for
_INBOX = re.compile(r"get trending papers in your email inbox", re.IGNORECASE)
_GLUED = re.compile(r"^Subscribe(?=\S)")  # the line after the invitation: where the button has no line of its own, a title follows it


def read(source: Input) -> Iterator[Paper]:
    """One paper per pair of title and abstract; lines that are neither title, abstract nor furniture are reported as warnings."""

    def left_over(number: int, line: str) -> None:
        source.warn(f"taken for neither title nor abstract: {line[:60]!r}", f"line {number}")

    for number, title, abstract in pairs(source.lines(), left_over):
        paper = as_it_stands(source, f"line {number}", title=title, abstract=abstract)
        if paper:
            yield paper


def pairs(lines: Iterable[tuple[int, str]], left_over: Callable[[int, str], None]) -> Iterator[tuple[int, str, str]]:
    """(line number of the title, title, abstract) of numbered lines; `left_over` is told of lines that fit nowhere."""
    waiting: list[tuple[int, str]] = []
    found: tuple[int, str, str] | None = None
    after_inbox = False
    for number, raw in lines:
        line = raw.strip()
        if after_inbox and line:
            line = _GLUED.sub("", line)
        after_inbox = bool(_INBOX.match(line)) if line else after_inbox
        if not line or _FURNITURE.fullmatch(line):
            continue
        if not is_prose(line):
            waiting.append((number, line))
            _tell(left_over, waiting[:-WAITING])
            del waiting[:-WAITING]
        elif waiting:
            if found:
                yield found
            chosen = _title(waiting)
            _tell(left_over, [item for item in waiting if item != chosen])
            found, waiting = (*chosen, line), []
        elif found:
            # A second paragraph of the same abstract.
            found = (found[0], found[1], f"{found[2]}\n{line}")
        else:
            left_over(number, line)
    if found:
        yield found
    _tell(left_over, waiting)


def is_prose(line: str) -> bool:
    """Whether a line is an abstract rather than a title: long, or a full sentence."""
    words = len(line.split())
    return words >= 30 or len(line) >= 220 or (words >= 12 and line.rstrip("\"')]”’").endswith((".", "!")))


def _title(waiting: list[tuple[int, str]]) -> tuple[int, str]:
    return next((item for item in reversed(waiting) if not _HANDLE.fullmatch(item[1])), waiting[-1])


def _tell(left_over: Callable[[int, str], None], lines: list[tuple[int, str]]) -> None:
    for number, line in lines:
        if not _HANDLE.fullmatch(line):
            left_over(number, line)
