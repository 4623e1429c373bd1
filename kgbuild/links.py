"""Links to code: where a paper's text or its record points to a repository."""

from __future__ import annotations

import re

from kgbuild.records import Paper

_HOSTS = (
    r"(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org|huggingface\.co|codeberg\.org|gitee\.com"
    r"|sourceforge\.net/projects|code\.google\.com/p)"
)
_PAGES = r"[\w-]+\.(?:github|gitlab|gitee)\.io"
# A path ends before a blank, a bracket or LaTeX; `~` and `\_` occur in page paths.
_LINK = re.compile(rf"(?:https?://)?(?:{_HOSTS}/[\w.~/-]+(?:\\_[\w.~/-]+)*|{_PAGES}(?:/[\w.~/-]*)?)", re.IGNORECASE)
_HOST_WORD = re.compile(r"github|gitlab|bitbucket|huggingface\.co|codeberg|gitee|sourceforge|code\.google", re.IGNORECASE)
_TRAILING = ".,;:/-"


def code_links(paper: Paper) -> list[tuple[str, tuple[int, int] | None]]:
    """(address, half-open offsets in the text) of every repository that the paper links to, in the order of the text.

    Addresses that only the record (`Paper.code`) knows follow, sorted, with no offsets. Every repository comes once.
    """
    found: dict[str, tuple[str, tuple[int, int] | None]] = {}
    text = paper.text
    # most texts have no link, and the pattern is slow to say so
    for match in _LINK.finditer(text) if _HOST_WORD.search(text) else ():
        link = match[0].rstrip(_TRAILING)
        if "/" in link.removeprefix("https://").removeprefix("http://") or ".io" in link:
            url = _absolute(link)
            found.setdefault(link_key(url), (url, (match.start(), match.start() + len(link))))
    for address in sorted(paper.code):
        url = _absolute(address.strip().rstrip(_TRAILING))
        if url:
            found.setdefault(link_key(url), (url, None))
    return list(found.values())


def link_key(url: str) -> str:
    """Host and path of an address, lower case, without scheme, `www.`, `.git` or a deeper path than owner and repository."""
    key = re.sub(r"^https?://(?:www\.)?", "", url.lower()).split("#")[0].split("?")[0].rstrip("/").removesuffix(".git")
    host, *path = key.split("/")
    depth = 3 if host in ("sourceforge.net", "code.google.com") or path[:1] in (["datasets"], ["spaces"]) else 2
    return "/".join([host, *path[:depth]]) if host in ("github.com", "gitlab.com", "bitbucket.org", "huggingface.co") else key


def _absolute(link: str) -> str:
    link = link.replace("\\_", "_")
    return link if not link or link.lower().startswith(("http://", "https://")) else f"https://{link}"
