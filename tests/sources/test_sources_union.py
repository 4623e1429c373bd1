"""The same paper from several files is one paper."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kgbuild.errors import InputError
from kgbuild.records import Paper
from kgbuild.sources import unite
from kgbuild.sources.fields import content_id

FULL = Paper("doi:10.1/a", "Deep Nets for Long Texts", "We train deep nets on long texts.", 2020, ("A B",), "ACL", "10.1/a")


def test_by_identifiers() -> None:
    """A DOI or arXiv id in common makes one paper, and each copy adds what the other lacks."""
    preprint = Paper("arxiv:2001.00001", FULL.title, "We train.", 2019, arxiv="2001.00001", doi="10.1/a", code=("https://github.com/a/b",))
    other = Paper(
        "arxiv:2001.00001", "A quite different early name", "Of another text.", arxiv="2001.00001", url="https://arxiv.org/abs/2001.00001"
    )

    assert unite([other, preprint, FULL]) == [replace(FULL, arxiv="2001.00001", url=other.url, code=("https://github.com/a/b",))]


def test_by_text() -> None:
    """Copies that differ in case, punctuation and LaTeX alone are one; the cleaner text stands."""
    rough = replace(FULL, id="", doi=None, title=r"Deep {\it Nets} for long texts")
    rough = replace(rough, id=content_id(rough.title, rough.abstract))

    assert unite([rough, FULL]) == [FULL]


def test_bare_copy_joins_its_title() -> None:
    """A copy without an abstract joins the one paper of its title, unless an identifier, year or second such paper speaks against it."""
    bare = Paper(content_id(FULL.title, ""), FULL.title, url="https://a.b/c")

    assert unite([bare, FULL]) == [replace(FULL, url=bare.url)]
    assert len(unite([replace(bare, year=2011), FULL])) == 2
    assert len(unite([replace(bare, id="doi:10.1/b", doi="10.1/b"), FULL])) == 2
    assert len(unite([bare, FULL, replace(FULL, id="doi:10.1/c", doi="10.1/c", abstract="Another text of the same name.")])) == 3


def test_own_record_stands() -> None:
    """A record of our own keeps its id and text letter for letter against longer copies, and takes their metadata."""
    own = Paper("my-1", "Deep nets for long texts!", "We train deep nets.", doi="10.1/a")

    assert unite([FULL, own]) == [replace(own, year=2020, authors=("A B",), venue="ACL")]


def test_one_doi_for_many_papers() -> None:
    """Papers that share a DOI but neither title nor abstract stay apart, and each has an id of its own."""
    others = [replace(FULL, title=title, abstract=f"{title} is its matter.") for title in ("Birds of Prey", "Cooking Rice")]
    found = unite([FULL, *others])

    assert len({paper.id for paper in found}) == 3
    assert {paper.title for paper in found} == {FULL.title, "Birds of Prey", "Cooking Rice"}


def test_own_id_given_twice() -> None:
    """An id that a user gave to two papers loses neither: one is renamed by content, and the user is told."""
    told: list[InputError] = []
    found = unite([Paper("1", "Birds of Prey", "They fly."), Paper("1", "Cooking Rice", "It boils.")], on_problem=told.append)

    assert sorted(paper.title for paper in found) == ["Birds of Prey", "Cooking Rice"]
    assert sum(paper.id == "1" for paper in found) == 1
    assert len(told) == 1
    assert "'1' names several papers" in str(told[0])


words = st.sampled_from(
    ["Deep Nets for Long Texts", "Deep nets for long texts.", r"Deep {\it Nets} for Long Texts", "Cooking Rice", "Birds"]
)
papers = st.builds(
    Paper,
    id=st.sampled_from(["1", "2", "doi:10.1/a", "arxiv:2001.00001", "sha1:0"]),
    title=words,
    abstract=st.sampled_from(["", "We train deep nets.", "We train deep nets on long texts.", "It boils."]),
    year=st.sampled_from([None, 2019, 2020]),
    doi=st.sampled_from([None, "10.1/a", "10.1/b"]),
    arxiv=st.sampled_from([None, "2001.00001"]),
    code=st.sampled_from([(), ("https://github.com/a/b",), ("https://github.com/A/B",)]),
)


@given(st.lists(papers, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(copies: list[Paper], rng: random.Random) -> None:
    """Any order of the copies, and any copy given twice, gives the same papers; ids are unique and sorted; no title is invented."""
    found = unite(copies)
    shuffled = [*copies, *copies[:3]]
    rng.shuffle(shuffled)

    assert found == unite(shuffled)
    assert [paper.id for paper in found] == sorted({paper.id for paper in found})
    assert {paper.title for paper in found} <= {paper.title for paper in copies}
    assert len(found) <= len(set(copies))
