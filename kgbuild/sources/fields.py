"""The fields of a paper from whatever a source calls them: identifiers, years, names, links, and the paper itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from kgbuild.records import Paper
from kgbuild.sources.cleaning import clean, squeeze
from kgbuild.sources.stream import Input

SCHEMES = ("doi", "arxiv", "acl", "openreview", "openalex", "s2", "sha1")  # natural ids, the best known first
FIELD_LIMIT = 2000  # characters of an identifier that are looked at
TEXT_LIMIT = 1_000_000  # characters; the longest abstracts have some ten thousand

_DOI = re.compile(r"10\.\d{4,9}/[^\s\"'{}|]+")
_DOI_NEXT = re.compile(r"[,;]\s*(?:doi:|https?://\S*?/)?10\.\d{4,9}/.*", re.DOTALL | re.IGNORECASE)
_ARXIV = re.compile(
    r"(?:^|arxiv[:./]|/(?:abs|pdf|html)/)\s*(\d{4}\.\d{4,5}|[a-z][a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?(?![\w/])",
    re.IGNORECASE | re.ASCII,
)
_ACL = re.compile(
    r"(?:aclanthology\.org|aclweb\.org/anthology|10\.18653/v1|10\.3115/v1)/(?:papers/\w+/\w+/)?([A-Z]\d\d-\d{4}|\d{4}\.[\w-]+\.\d+)",
    re.IGNORECASE,
)
_OPENREVIEW = re.compile(r"openreview\.net/(?:forum|pdf)\?id=([\w-]{6,})")
_CODE = re.compile(r"(?:https?://)?(?:www\.)?(github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)/([\w.-]+)/([\w.-]+)", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)", re.ASCII)
_URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:\[(?:PDF|HTML|BOOK|CITATION)\]\s+)+")
_ABSTRACT = re.compile(r"^(?:abstract|summary)\s*[:.\-–—]?\s+(?=[A-Z])", re.IGNORECASE)


def doi_of(value: object) -> str | None:
    """The DOI in a text or link, lower case; the first one of several.

    >>> doi_of("https://doi.org/10.18653/v1/2022.ACL-long.1")
    '10.18653/v1/2022.acl-long.1'
    """
    match = _DOI.search(unquote(text_of(value)[:FIELD_LIMIT]))
    return _DOI_NEXT.sub("", match.group()).rstrip(".,;").lower() or None if match else None


def arxiv_of(value: object) -> str | None:
    """The arXiv id in an id, link or DOI, without its version.

    >>> arxiv_of("http://arxiv.org/abs/astro-ph/0601001v1")
    'astro-ph/0601001'
    """
    match = _ARXIV.search(value.strip()) if isinstance(value, str) else None
    return match.group(1) if match else None


def acl_of(value: object) -> str | None:
    """The ACL Anthology id in a link or DOI."""
    match = _ACL.search(value) if isinstance(value, str) else None
    found = match.group(1) if match else None
    return found.upper() if found and found[0].isalpha() else found


def openreview_of(value: object) -> str | None:
    """The OpenReview id in a link."""
    match = _OPENREVIEW.search(value) if isinstance(value, str) else None
    return match.group(1) if match else None


def arxiv_year(arxiv: str | None) -> int | None:
    """The year that an arXiv id begins with; ids go back to 1991."""
    digits = arxiv.rsplit("/", 1)[-1][:2] if arxiv else ""
    return (1900 if int(digits) > 90 else 2000) + int(digits) if digits.isdigit() else None


def year_of(*values: object) -> int | None:
    """The first year from 1500 to 2099 among numbers, dates and texts."""
    for value in values:
        match = _YEAR.search(str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
        if match:
            return int(match.group())
    return None


def names_of(value: object) -> tuple[str, ...]:
    """Author names from a list of names or of objects with a `name`, or from one text parted by `;`, `and` or commas."""
    if isinstance(value, str):
        text = squeeze(value)
        parts: Iterable[object] = text.split(";") if ";" in text else re.split(r",\s+and\s+|\s+and\s+|,\s+", text)
    else:
        parts = value if isinstance(value, (list, tuple)) else ()
    named = (part.get("name") if isinstance(part, dict) else part for part in parts)
    return tuple(name for name in (clean(each).strip(",") for each in named if isinstance(each, str)) if name)


def code_of(*values: object) -> tuple[str, ...]:
    """Links to code repositories in texts and lists of texts, as https://host/owner/name, each once, in order."""
    texts = [text for value in values for text in (value if isinstance(value, (list, tuple)) else (value,)) if isinstance(text, str)]
    found: dict[str, str] = {}
    for match in (match for text in texts for match in _CODE.finditer(text)):
        host, owner, name = match.group(1).lower(), match.group(2), match.group(3).rstrip(".").removesuffix(".git")
        if name:
            found.setdefault(f"{host}/{owner}/{name}".lower(), f"https://{host}/{owner}/{name}")
    return tuple(found.values())


def text_of(value: object) -> str:
    """A text without lone surrogates; empty for everything else."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def link_of(*values: object) -> str | None:
    """The first http(s) link."""
    return next((match.group() for match in (_URL.search(text_of(value)) for value in values) if match), None)


def content_id(title: str, abstract: str) -> str:
    """The id of a paper that has no other: `sha1:` and 16 hexadecimal digits of the hash of its text."""
    return "sha1:" + hashlib.sha1(f"{title}\n{abstract}".encode()).hexdigest()[:16]


def marked_up(
    source: Input, position: str, *, title: object, abstract: object = "", id: str | None = None, **metadata: Any
) -> Paper | None:
    """A paper from a marked-up format: title and abstract are cleaned. None, and a warning, where there is no title.

    id: natural id to use where neither a DOI nor an arXiv or ACL id is known. metadata: raw values, see `as_it_stands`.
    """
    for field, value in (("title", title), ("abstract", abstract)):
        if value is not None and not isinstance(value, str):
            source.problem(f"the {field} is not a text", position)
            return None
    name = _PREFIX.sub("", clean(text_of(title)))
    if not name:
        source.warn("no title, left out", position)
        return None
    summary = _ABSTRACT.sub("", clean(text_of(abstract)))
    metadata["venue"] = clean(text_of(metadata.get("venue"))) or None
    return as_it_stands(source, position, title=name, abstract=summary, natural=id, **metadata)


def as_it_stands(
    source: Input,
    position: str,
    *,
    title: str,
    abstract: str,
    id: str | None = None,
    natural: str | None = None,
    year: object = None,
    authors: tuple[str, ...] = (),
    venue: str | None = None,
    doi: object = None,
    arxiv: object = None,
    url: object = None,
    code: tuple[str, ...] = (),
) -> Paper | None:
    """A paper whose title and abstract are kept letter for letter; None, and a problem, where they cannot be.

    id: given by the user, kept as it is; without one the paper is named by DOI, arXiv id, ACL id, `natural` or its content.
    """
    problem = _unusable(title, abstract)
    if problem:
        source.problem(problem, position)
        return None
    number, link = doi_of(doi), link_of(url)
    preprint = arxiv_of(arxiv) or arxiv_of(number) or (arxiv_of(link) if link and "arxiv.org/" in link else None)
    published = None if number and number.startswith("10.48550/arxiv") else number
    acl = acl_of(published) or acl_of(link)
    known = (published and f"doi:{published}", preprint and f"arxiv:{preprint}", acl and f"acl:{acl}", natural)
    return Paper(
        id=id or next((name for name in known if name), None) or content_id(title, abstract),
        title=title,
        abstract=abstract,
        year=year_of(year) or arxiv_year(preprint),
        authors=authors,
        venue=venue,
        doi=number,
        arxiv=preprint,
        url=link,
        code=code,
    )


def _unusable(title: str, abstract: str) -> str:
    if len(title) + len(abstract) > TEXT_LIMIT:
        return f"title and abstract have more than {TEXT_LIMIT:,} characters"
    if not title.strip():
        return "no title"
    if "\0" in title or "\0" in abstract:
        return "NUL character in the text"
    try:
        (title + abstract).encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair in the text"
    return ""
