"""The same paper from several files: who is the same, which copy's text stands, and what the others add."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import groupby
from operator import attrgetter

from kgbuild.errors import InputWarning
from kgbuild.records import Paper
from kgbuild.sources.fields import SCHEMES, acl_of, content_id
from kgbuild.sources.stream import Problem

# Of 100, rapidfuzz token_set_ratio. One DOI may name all papers of a book, one id of a user two papers: papers that share an id are
# the same if one of the two agrees. Measured on 870 pairs of 101k papers that share an id: titles of different papers reach 73, their
# abstracts 66.
SAME_TITLE = 80
SAME_ABSTRACT = 70
RIVALS = 20  # different papers that one DOI may be compared with
TITLE_WORDS = 4  # a shorter title ("Introduction") does not tell papers apart

_COMMAND = re.compile(r"\\[a-zA-Z]+")
_NOISE = re.compile(r"[\W_]+")
_ASCII_NOISE = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_FIRST = attrgetter("id", "title", "abstract")  # the first fields of all: they order nearly all papers
_METADATA = tuple(field.name for field in fields(Paper) if field.name not in ("id", "title", "abstract", "code"))


def unite(papers: Iterable[Paper], *, on_problem: Problem | None = None) -> list[Paper]:
    """One paper per publication, sorted by id; the result does not depend on the order of `papers`.

    Copies are the same paper if they share an id, DOI, arXiv or ACL id (and their titles or abstracts agree), or title and abstract but
    for case, punctuation and LaTeX; a copy without an abstract joins the one paper of its title. The text of one copy stands: our own
    records before all others, then the longest abstract, then the cleanest; metadata that it lacks come from the next copies.
    on_problem: told of ids of our own that name different papers; only one of these papers keeps it, the others are named by content.
    """
    copies = [copy for _, same in groupby(sorted(set(papers), key=_FIRST), key=_FIRST) for copy in _sorted(list(same))]
    groups = _join_titles([[copies[index] for index in group] for group in _groups(copies)])
    united: dict[str, list[Paper]] = defaultdict(list)
    for group in groups:
        paper = _merged(group)
        united[paper.id].append(paper)
    kept: dict[str, Paper] = {}
    for id, rivals in sorted(united.items()):
        first, *others = sorted(rivals, key=_rank) if len(rivals) > 1 else rivals
        kept[id] = first
        for paper in others:
            other = replace(paper, id=content_id(paper.title, paper.abstract))
            kept.setdefault(other.id, other)
            if on_problem and _scheme(id) < 0:
                message = f"id {id!r} names several papers; {paper.title[:60]!r} is called {other.id} now"
                on_problem(InputWarning("inputs", message, hint="give each paper an id of its own"))
    return [kept[id] for id in sorted(kept)]


def normal(text: str) -> str:
    """Letters and digits alone, in one case: what two copies of a text share."""
    if "\\" in text:
        text = _COMMAND.sub("", text)
    if text.isascii():
        return text.encode().lower().translate(None, _ASCII_NOISE).decode()
    return _NOISE.sub("", unicodedata.normalize("NFKD", text).casefold())


def common_keys(paper: Paper) -> set[str]:
    """Keys of which copies of one paper share at least one; the `title:` key counts only where a copy lacks its abstract."""
    return {*_keys(paper), f"title:{normal(paper.title)}"}


def _sorted(copies: list[Paper]) -> list[Paper]:
    """Copies of one text by all that they say."""
    return sorted(copies, key=_sort_key) if len(copies) > 1 else copies


def _groups(copies: Sequence[Paper]) -> Iterator[list[int]]:
    """Indices of copies of one paper."""
    titles = [normal(paper.title) for paper in copies]
    often = Counter(titles)
    parent = list(range(len(copies)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    by_key: dict[str, list[int]] = defaultdict(list)
    for index, paper in enumerate(copies):
        for key in sorted(_keys(paper, text=often[titles[index]] > 1)):
            same = next((other for other in by_key[key] if _agree(copies[other], paper, key)), None)
            if same is not None:
                parent[root(index)] = root(same)
            elif len(by_key[key]) < RIVALS:
                by_key[key].append(index)
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(len(copies)):
        members[root(index)].append(index)
    yield from members.values()


def _keys(paper: Paper, *, text: bool = True) -> set[str]:
    """What copies of a paper share; without `text` for one whose title no other has, which takes half of the time."""
    acl = acl_of(paper.doi) or acl_of(paper.url)
    keys = {f"id:{paper.id}", paper.doi and f"id:doi:{paper.doi}", paper.arxiv and f"id:arxiv:{paper.arxiv}", acl and f"id:acl:{acl}"}
    if text and paper.abstract:
        keys.add("text:" + hashlib.sha1(f"{normal(paper.title)}\n{normal(paper.abstract)}".encode()).hexdigest())
    return {key for key in keys if key}


def _agree(left: Paper, right: Paper, key: str) -> bool:
    if key.startswith(("text:", "id:arxiv:")) or normal(left.title) == normal(right.title):
        return True
    from rapidfuzz import fuzz, utils

    if fuzz.token_set_ratio(left.title, right.title, processor=utils.default_process) >= SAME_TITLE:
        return True
    return fuzz.token_set_ratio(left.abstract, right.abstract, processor=utils.default_process) >= SAME_ABSTRACT


def _join_titles(groups: list[list[Paper]]) -> list[list[Paper]]:
    """Copies without an abstract join the paper of their title where there is exactly one and nothing contradicts."""
    kept = [group for group in groups if any(paper.abstract for paper in group)]
    bare = [group for group in groups if not any(paper.abstract for paper in group)]
    full: dict[str, list[list[Paper]]] = defaultdict(list)
    for group in kept if bare else ():
        for title in sorted({normal(paper.title) for paper in group}):
            full[title].append(group)
    for group in bare:
        found = full[normal(group[0].title)]
        if len(group[0].title.split()) >= TITLE_WORDS and len(found) == 1 and not _contradict(group, found[0]):
            found[0].extend(group)
        else:
            kept.append(group)
    return kept


def _contradict(bare: list[Paper], full: list[Paper]) -> bool:
    """Different DOIs, arXiv ids or ids of our own, or years more than one apart."""
    for name in ("doi", "arxiv"):
        left, right = ({getattr(paper, name) for paper in group} - {None} for group in (bare, full))
        if left and right and not left & right:
            return True
    own = [{paper.id for paper in group if _scheme(paper.id) < 0} for group in (bare, full)]
    if own[0] and own[1] and not own[0] & own[1]:
        return True
    years = [(left.year, right.year) for left in bare for right in full if left.year and right.year]
    return bool(years) and min(abs(left - right) for left, right in years if left and right) > 1


def _merged(group: list[Paper]) -> Paper:
    if len(group) == 1:
        return group[0]
    ordered = sorted(group, key=_rank)
    best = ordered[0]
    filled = {name: next(filter(None, (getattr(paper, name) for paper in ordered)), getattr(best, name)) for name in _METADATA}
    code = {link.lower(): link for paper in reversed(ordered) for link in paper.code}
    abstract = best.abstract or next((paper.abstract for paper in ordered if paper.abstract), "")
    id = min((paper.id for paper in group), key=lambda id: (_scheme(id), id))
    if id.startswith("sha1:"):
        id = content_id(best.title, abstract)
    return replace(best, id=id, abstract=abstract, code=tuple(code[key] for key in sorted(code)), **filled)


def _rank(paper: Paper) -> tuple[object, ...]:
    """The copy whose text stands comes first: a matter of content alone."""
    markup = sum(paper.text.count(sign) for sign in "\\{}$")
    known = sum(bool(getattr(paper, name)) for name in _METADATA)
    return (_scheme(paper.id) >= 0, -len(normal(paper.abstract)), markup, -known, _sort_key(paper))


def _scheme(id: str) -> int:
    """Place of an id's scheme among the natural ones; -1 for an id that a user gave."""
    scheme = id.partition(":")[0]
    return SCHEMES.index(scheme) if scheme in SCHEMES and ":" in id else -1


def _sort_key(paper: Paper) -> tuple[str, ...]:
    return tuple(str(getattr(paper, field.name)) for field in fields(Paper))
