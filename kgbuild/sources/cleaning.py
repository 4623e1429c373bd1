r"""Marked-up text as plain text: HTML tags and entities, LaTeX remains, white space.

Only readers of marked-up formats call this, before the text of a paper is fixed; plain pages, tables and our own formats never do.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import Any

LATEX_LIMIT = 20_000  # characters; the converter takes some 10 microseconds for each

_TAG = re.compile(
    r"</?(?:jats:)?(?:abstract|b|bold|br|div|em|i|inline-formula|italic|li|list|list-item|monospace|ol|p|sc|sec|section|span|strong|sub|sup"
    r"|title|tt|u|ul)(?:\s[^<>]{0,200})?/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,12}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SPACE = re.compile(r"\s+")
_LATEX = re.compile(r"[\\{}$~]|``|''")
_REFERENCE = re.compile(r"\s*\\(?:[cC]ite[a-zA-Z]*|ref|eqref|label)\*?(?:\[[^\]]{0,100}\])*\{[^{}]{0,200}\}")
_SWITCH = re.compile(
    r"\\(?:it|bf|rm|sc|tt|em|sf|sl|cal|mit|bfseries|itshape|scshape|ttfamily|small|large|normalfont|noindent|newline|left|right|displaystyle"
    r"|operatorname|mathbf|boldsymbol|bm|mathrm|mathsf|mathit|mathtt|ensuremath)\*?(?![a-zA-Z])\s*"
)
_LINK = re.compile(r"\\url\s*\{([^{}\s]{1,500})\}")
_BARE = re.compile(r"(?<!\\)([%&#])")
_TIE = re.compile(r"(?<=[\w$}])~(?=[A-Za-z\\$])|(?<=[.,)])~(?=[\w\\$])")
# A dollar opens mathematics only where its partner closes it: prices keep their sign.
_MATHS = re.compile(r"(?<!\\)\$\$?(?=[^\s$])([^$]{1,400}?)(?<![\s\\])\$\$?(?!\d)")
_DOUBLE = re.compile(r"[\u00c2-\u00f4][\u0080-\u00bf]{1,3}")
_HIDDEN = {"<<": "\ue000", ">>": "\ue001", "~": "\ue002"}


def clean(text: str) -> str:
    r"""Plain text on one line: tags and entities resolved, LaTeX turned into Unicode, white space collapsed.

    LaTeX that does not parse, LaTeX in texts beyond 20,000 characters, and macros that nobody knows stay as they stand.

    >>> clean(r"{G}r\"obner   bases &amp; <i>BERT</i> at 94.0\\%")
    'Gröbner bases & BERT at 94.0%'
    """
    text = _SURROGATE.sub("\ufffd", text)
    text = _DOUBLE.sub(_decoded_again, text)
    if "<" in text:
        text = _TAG.sub("", text)
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
        text = _SURROGATE.sub("\ufffd", text)
    text = squeeze(text)
    return squeeze(_latex(text)) if len(text) <= LATEX_LIMIT and _LATEX.search(text) else text


def _decoded_again(match: re.Match[str]) -> str:
    """Letters that were encoded twice on their way (`Ã¼` for `ü`)."""
    try:
        return match.group().encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match.group()


def squeeze(text: str) -> str:
    """Control characters out, every run of white space one space."""
    return _SPACE.sub(" ", _CONTROL.sub("", text)).strip()


def _latex(text: str) -> str:
    text = _LINK.sub(r"\1", _REFERENCE.sub("", text))
    if "\\" not in text and "$" not in text:
        return _quotes(_TIE.sub(" ", text.replace("{", "").replace("}", "")))
    text = _TIE.sub(" ", _SWITCH.sub("", text))
    for sign, stand_in in _HIDDEN.items():
        text = text.replace(sign, stand_in)
    text = _BARE.sub(r"\\\1", text)
    text = _maths_only(text)
    try:
        text = _converter().latex_to_text(text)
    except Exception:  # the library raises what it likes on broken input: such text stays as it stands
        text = text.replace(r"\%", "%").replace(r"\&", "&").replace(r"\#", "#").replace(r"\$", "$")
    for sign, stand_in in _HIDDEN.items():
        text = text.replace(stand_in, sign)
    return text


def _quotes(text: str) -> str:
    return text.replace("``", "“").replace("''", "”") if "``" in text else text


def _maths_only(text: str) -> str:
    """Escape the dollars that are no mathematics."""
    pieces: list[str] = []
    last = 0
    for match in _MATHS.finditer(text):
        pieces += [_escaped(text[last : match.start()]), f"${match.group(1)}$"]
        last = match.end()
    return "".join([*pieces, _escaped(text[last:])])


def _escaped(text: str) -> str:
    return re.sub(r"(?<!\\)\$", r"\\$", text)


@cache
def _converter() -> Any:
    from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

    context = get_default_latex_context_db()
    context.set_unknown_macro_spec(MacroTextSpec("", simplify_repl=_unknown))
    return LatexNodes2Text(latex_context=context, keep_comments=True)


def _unknown(node: Any) -> str:
    return f"\\{node.macroname}{node.macro_post_space or ''}"
