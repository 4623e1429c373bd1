"""Cleaning of marked-up text: what changes, and what must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.sources.cleaning import clean
from kgbuild.sources.fields import arxiv_of, code_of, doi_of, names_of, year_of


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        (r"{G}r\"obner and Poincar\'e", "Gröbner and Poincaré"),
        (r"{\it BERT} and \textsc{CAT} and \emph{a \textbf{b}}", "BERT and CAT and a b"),
        ("``quoted'' text", "“quoted” text"),
        (r"94.0\% of 5% at $0.86-0.90$ and $\alpha$", "94.0% of 5% at 0.86-0.90 and α"),
        ("awarded $35,000 and $5 more", "awarded $35,000 and $5 more"),
        ("R&amp;D &lt; 5 &#233; <jats:p>x<sub>2</sub></jats:p>", "R&D < 5 é x2"),
        ("p < 0.05 and x > 3 <UNK> a<b>c", "p < 0.05 and x > 3 <UNK> ac"),
        ("Tevatron and\n  LHC\u00a0energies\x07", "Tevatron and LHC energies"),
        (r"see \cite{x} and \url{http://a.b/c_d} e.g.~z~2.5", "see and http://a.b/c_d e.g. z~2.5"),
        (r"In \XQM, a quark", r"In \XQM, a quark"),
        ("Dirk WÃ¼bben", "Dirk Wübben"),
        ("a $ b { c", "a $ b c"),
        ("C# & C++ | A_1^2 #1", "C# & C++ | A_1^2 #1"),
        ("half \ud800 pair", "half \ufffd pair"),
    ],
)
def test_examples(raw: str, plain: str) -> None:
    """Markup, LaTeX remains, entities and odd white space become plain text; prices, comparisons and unknown macros stay."""
    assert clean(raw) == plain


@given(st.text(max_size=200) | st.text(alphabet="\\{}$~%&<>;ab1 `'^_#[]", max_size=80))
def test_any_text(text: str) -> None:
    """Any text comes out as one line that can be written as UTF-8, without control characters."""
    found = clean(text)

    assert found == " ".join(found.split())
    assert "\0" not in found
    found.encode()


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll"], max_codepoint=0x24F, exclude_characters="µ"), max_size=60))
def test_plain_words_are_untouched(text: str) -> None:
    """Letters and digits pass unchanged."""
    assert clean(text) == text


@pytest.mark.parametrize(
    ("value", "doi"),
    [
        ("https://doi.org/10.18653/v1/2022.ACL-long.1", "10.18653/v1/2022.acl-long.1"),
        ("10.1103/PhysRevD.93.016005, 10.1103/PhysRevD.98.079901;10.1103/PhysRevD.98.079903", "10.1103/physrevd.93.016005"),
        (
            "doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9",
            "10.1002/(sici)1097-4571(199009)41:6<391::aid-asi1>3.0.co;2-9",
        ),
        (["10.1000/x"], None),
        ("none", None),
    ],
)
def test_doi(value: object, doi: str | None) -> None:
    """A DOI is found in links and lists, in lower case."""
    assert doi_of(value) == doi


@pytest.mark.parametrize(
    ("value", "arxiv"),
    [
        ("http://arxiv.org/abs/astro-ph/0601001v1", "astro-ph/0601001"),
        ("arXiv:2001.00001v12", "2001.00001"),
        ("https://arxiv.org/pdf/2001.00001.pdf", "2001.00001"),
        ("10.48550/arXiv.2312.07559", "2312.07559"),
        ("cs.CL/0102003", "cs.CL/0102003"),
        ("2022.acl-long.1", None),
        ("https://a.b/2001.00001", None),
        (7, None),
    ],
)
def test_arxiv(value: object, arxiv: str | None) -> None:
    """An arXiv id is found in ids, links and DOIs, without its version."""
    assert arxiv_of(value) == arxiv


def test_years_names_and_code() -> None:
    """Years, names and repositories are found in the forms that sources use."""
    assert [year_of(value) for value in ("2020-03-01", "May 1998", 2021, "page 12345", None, True)] == [2020, 1998, 2021, None, None, None]
    assert names_of("A B, C D and E F") == ("A B", "C D", "E F")
    assert names_of("Last, A.; Other, B.") == ("Last, A.", "Other, B.")
    assert names_of([{"name": "A B"}, {"name": None}, 7]) == ("A B",)
    assert code_of("see github.com/A/b.git, https://github.com/a/B.", None) == ("https://github.com/A/b",)
