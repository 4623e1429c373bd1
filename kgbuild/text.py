"""Sentences of titles and abstracts, by rules: fast, deterministic and without a model."""

from __future__ import annotations

import re
from itertools import pairwise

# A full stop after one of these does not end a sentence.
_ABBREVIATION = re.compile(
    r"e\.?g|i\.?e|cf|al|vs|v\.s|viz|resp|approx|ca|w\.?r\.?t|a\.?k\.?a|s\.t|i\.i\.d|incl|dr|mrs?|ms|prof|st|figs?|secs?|eqs?|tab|ch|chap|refs?|"
    r"alg|thm|def|prop|lem|cor|nos?|vol|pp|eds?|dept|univ",
    re.IGNORECASE,
)
# Words that open a sentence: they decide where a full stop is doubtful (initials, a missing space).
_OPENERS = (
    "The|This|These|Those|That|There|Then|Thus|Therefore|To|Here|Hence|However|He|In|It|Its|If|Is|Are|We|When|While|Where|What|Which|Why|With|"
    "Our|On|One|Of|Or|Over|A|An|And|As|At|All|Also|Although|Additionally|After|Among|By|Both|But|Because|Based|Compared|Can|Does|Despite|Due|"
    "During|Each|Existing|Experiments|Experimental|Extensive|Empirical|Empirically|Especially|Even|Every|For|From|First|Finally|Further|"
    "Furthermore|Given|How|Instead|Inspired|Many|Moreover|More|Most|Motivated|Nevertheless|No|Not|Notably|Other|Previous|Recent|Recently|"
    "Second|Since|Some|Such|Specifically|Similarly|Several|Simultaneously|Third|Through|Today|Traditional|Two|Under|Unlike|Unfortunately|Using|Via|You|Yet"
)
_CANDIDATE = re.compile(
    r"""(?P<stop>[.!?…]+)(?P<close>["'”’»)\]}]*)(?P<space>\s+)(?P<open>["'“‘«(\[{`*]*)(?=\S)"""
    r"""|(?P<wide>[。！？]+[”’」』）]*)\s*(?=\S)"""
    r"""|(?<=[a-z]{2})(?P<glued>[.!?])(?=(?:""" + _OPENERS + r""")\s)"""
    r"""|(?P<blank>[ \t\r]*\n\s*\n\s*)(?=\S)"""
)
_OPENER = re.compile(rf"(?:{_OPENERS})\b")
_WORD = re.compile(r"[\w.]*\w$")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Z]")
_NUMBERING = re.compile(r"\d{1,2}|[ivx]{1,4}|[a-z]")
_BRAND = re.compile(r"[a-z]+[A-Z0-9]|[a-z]-[A-Z]")  # mBERT, iPhone, k-NN: small letters that may open a sentence
_LONGEST_WORD = 40  # characters looked back for the word before a full stop


def sentences(text: str) -> list[tuple[int, int]]:
    """Sentence spans of a text whose first line is a title.

    Half-open character offsets, sorted and disjoint, without white space at either end; together they cover every character
    that is not white space. The first line break ends the title; later ones count only where a line is left blank.
    """
    title, line_break, _ = text.partition("\n")
    cuts = [0]
    cuts += _cuts(text, 0, len(title))
    if line_break:
        cuts.append(len(title) + 1)
        cuts += _cuts(text, len(title) + 1, len(text))
    cuts.append(len(text))
    return [span for start, end in pairwise(cuts) if (span := _trim(text, start, end))]


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    start += len(piece) - len(piece.lstrip())
    return start, start + len(stripped)


def _cuts(text: str, start: int, end: int) -> list[int]:
    """Offsets at which a new sentence begins, within [start, end)."""
    found = [start]
    for match in _CANDIDATE.finditer(text, start, end):
        if _ends(text, match, found[-1]):
            found.append(match.end("space") if match.lastgroup == "open" else match.end())
    return found[1:]


def _ends(text: str, match: re.Match[str], begin: int) -> bool:
    """Whether the candidate ends the sentence that starts at `begin`."""
    if match.lastgroup != "open":
        return True
    after = match.end()
    if text[after].islower() and not _BRAND.match(text, after):
        return False
    if match["stop"] != ".":
        return True
    word = _WORD.search(text, max(begin, match.start() - _LONGEST_WORD), match.start())
    before = word[0] if word else ""
    opener = _OPENER.match(text, after) is not None
    if _ABBREVIATION.fullmatch(before):
        # "no." and its like are also words: they end a sentence where the next one plainly opens.
        return before in ("no", "ed", "def", "prop", "cor") and opener
    if _INITIALS.fullmatch(before):
        return opener
    # "1. First item": the number belongs to what follows, not to a sentence of its own.
    at_start = word is not None and not text[begin : word.start()].strip()
    return not (at_start and _NUMBERING.fullmatch(before))
