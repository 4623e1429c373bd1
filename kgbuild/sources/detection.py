"""Which format an input has, from its first bytes alone; file names are not looked at."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from kgbuild.errors import InputError
from kgbuild.sources.jsontext import first_record
from kgbuild.sources.pages import pairs
from kgbuild.sources.stream import HEAD, Input
from kgbuild.sources.tables import header

_PROLOGUE = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\])?\s*>)*", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_BIBTEX = re.compile(r"^[ \t]*@\s*[A-Za-z]+\s*[{(]", re.MULTILINE)


class Head:
    """The beginning of an input, as far as detection needs it."""

    def __init__(self, source: Input) -> None:
        """Look at the first 64 KiB."""
        self._source = source
        self.bytes = source.peek(HEAD)

    @cached_property
    def text(self) -> str:
        """The head as text, without the line that it cuts off."""
        whole = self.bytes if len(self.bytes) < HEAD else self.bytes.rpartition(b"\n")[0] or self.bytes
        return whole.decode("utf-8", "replace").lstrip("\ufeff")

    @cached_property
    def root(self) -> str:
        """The local name of the root element of an XML document; empty for anything else."""
        text = self.bytes.decode("utf-8", "replace")
        if not text.lstrip().startswith("<"):
            return ""
        match = _ROOT.match(text, _PROLOGUE.match(text).end())  # type: ignore[union-attr]
        return match.group(1) if match else ""

    @cached_property
    def json(self) -> dict[str, Any] | InputError | None:
        """The first JSON record, or why there is none; None for anything else."""
        return first_record(self._source) if self.bytes.lstrip()[:1] in (b"{", b"[") else None

    @property
    def record(self) -> dict[str, Any]:
        """The first JSON record; empty for anything else."""
        return self.json if isinstance(self.json, dict) else {}


def is_acl(head: Head) -> bool:
    """A collection, volume or paper of the ACL Anthology."""
    return head.root in ("collection", "volume") or (head.root == "paper" and b"<bibkey" in head.bytes)


def is_atom(head: Head) -> bool:
    """An Atom feed or entry."""
    return head.root in ("feed", "entry")


def is_oai(head: Head) -> bool:
    """An OAI-PMH answer or one record of it."""
    return head.root in ("OAI-PMH", "ListRecords", "GetRecord", "record", "arXiv", "arXivRaw", "dc")


def is_openalex(head: Head) -> bool:
    """A record with an OpenAlex id or an inverted abstract."""
    return str(head.record.get("id", "")).startswith("https://openalex.org/") or "abstract_inverted_index" in head.record


def is_semantic_scholar(head: Head) -> bool:
    """A record with a `paperId`, or a citation."""
    return any(name in head.record for name in ("paperId", "citingPaper", "citedPaper"))


def is_snapshot(head: Head) -> bool:
    """A record of arXiv's metadata snapshot."""
    return "abstract" in head.record and "categories" in head.record and ("submitter" in head.record or "authors_parsed" in head.record)


def is_daily(head: Head) -> bool:
    """A record with `summary` and arXiv's links or categories."""
    return "summary" in head.record and "abstract" not in head.record and ("abs" in head.record or "categories" in head.record)


def is_venue(head: Head) -> bool:
    """A record of a venue's list: `author` is one text, and there is a track, status or site."""
    return isinstance(head.record.get("author"), str) and any(name in head.record for name in ("track", "status", "site", "bibtex"))


def is_jsonl(head: Head) -> bool:
    """Any other record with a title."""
    return "title" in head.record


def is_parquet(head: Head) -> bool:
    """Parquet's first four bytes."""
    return head.bytes.startswith(b"PAR1")


def is_bibtex(head: Head) -> bool:
    """A line that begins a BibTeX entry."""
    return not head.root and not head.record and bool(_BIBTEX.search(head.text))


def is_table(head: Head) -> bool:
    """A first line that names a `title` column."""
    first = next((line for line in head.text.split("\n") if line.strip()), "")
    return header(first.strip("\r\n")) is not None


def is_pages(head: Head) -> bool:
    """Mostly pairs of a short line and a long one."""
    if head.root or head.bytes.lstrip()[:1] in (b"{", b"["):
        return False
    left_over: list[int] = []
    found = list(pairs(enumerate(head.text.split("\n"), 1), lambda number, _: left_over.append(number)))
    return bool(found) and len(left_over) <= max(2, len(found) // 2)


def refusal(source: Input, head: Head, hint: str) -> InputError:
    """The error about an input that is none of the formats; `hint` where nothing better can be said."""
    if isinstance(head.json, InputError):
        return head.json
    message, better = _unknown(head)
    return source.error(message, hint=better or hint)


def _unknown(head: Head) -> tuple[str, str]:
    start = head.bytes.lstrip()[:512].lower()
    if start.startswith(b"%pdf"):
        return "a PDF", "give titles and abstracts, for example as JSON lines"
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page", "save its text, titles and abstracts line by line"
    if head.bytes.startswith((b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        return "compressed twice", "unpack it once"
    if head.record:
        return "JSON without a title in its first record", ""
    if b"\0" in head.bytes:
        return "binary data, no format of papers", ""
    return "no known format", ""
