"""The five real pages: every paper, letter for letter, and no page furniture."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kgbuild.errors import InputError
from kgbuild.records import Paper
from kgbuild.sources import read, unite
from kgbuild.sources.pages import pairs

FURNITURE = re.compile(
    r"^(new|subscribe|get trending papers.*|by\w* and the research community|[a-z]{3} \d{1,2}|\d+|@?[\w-]+)$", re.IGNORECASE
)


@pytest.fixture(scope="module")
def records(shared: Path) -> list[tuple[str, Paper]]:
    """Everything that the five pages hold, with no problem reported."""
    problems: list[InputError] = []
    found = list(read([shared / "seeds"], on_problem=problems.append))
    assert problems == []
    return found


def test_counts(records: list[tuple[str, Paper]]) -> None:
    """The pages give 525 records, which are 468 papers, whatever the order of the records."""
    papers = [paper for _, paper in records]

    assert len(papers) == 525
    assert len(unite(papers)) == 468
    assert unite(reversed(papers)) == unite(papers)


def test_letter_for_letter(records: list[tuple[str, Paper]], shared: Path) -> None:
    """All 388 seed papers of the annotation stand among them with the very same title and abstract."""
    lines = (shared / "annotation" / "papers.jsonl").read_text(encoding="utf-8").splitlines()
    wanted = {(row["title"], row["abstract"]) for row in map(json.loads, lines) if re.fullmatch(r"\d+-\d+", row["id"])}
    found = {(paper.title, paper.abstract) for _, paper in records}

    assert len(wanted) == 388
    assert wanted <= found


def test_no_furniture(records: list[tuple[str, Paper]]) -> None:
    """No title is a date, a count, a handle or an invitation, none keeps a glued `Subscribe`, and every paper has an abstract."""
    for _, paper in records:
        assert not FURNITURE.match(paper.title)
        assert not paper.title.startswith("Subscribe")
        assert len(paper.abstract) > 300


@pytest.mark.parametrize("title", ["iBOT: Pre-Training with Tokens", "wav2vec 2.0", "Subscribed Users", "“Why?” Asked Again"])
def test_glued_prefix(title: str) -> None:
    """Whatever the first title begins with, the glued `Subscribe` is taken off once."""
    prose = "We describe one more model of language and report what it does on four tasks in two languages. " * 3
    lines = ["Get trending papers in your email inbox!", f"Subscribe{title}", prose]

    assert [found for _, found, _ in pairs(enumerate(lines, 1), lambda *_: None)] == [title]


@pytest.mark.parametrize("parting", ["\n", "\n\n"])
def test_furniture_anywhere(parting: str) -> None:
    """Furniture between title and abstract, or between papers, is left out in both layouts; real titles of one word stay."""
    prose = "We describe one more model of language and report what it does on four tasks in two languages. " * 3
    lines = ["new", "Get trending papers in your email inbox!", "SubscribeA First Title: With a Colon", "12 authors", prose.strip()]
    lines += [
        "Mar 17",
        "akhaliq",
        "1.2k",
        "SubscribeNet for Lists",
        prose.strip(),
        "2024-05-01",
        "Transformers",
        "Ann Lee, Bo Li, Cy Ode",
        prose.strip(),
    ]
    left_over: list[str] = []
    found = list(pairs(enumerate(parting.join(lines).split("\n"), 1), lambda _, line: left_over.append(line)))

    assert [title for _, title, _ in found] == ["A First Title: With a Colon", "SubscribeNet for Lists", "Transformers"]
    assert {abstract for _, _, abstract in found} == {prose.strip()}
    assert left_over == []


def test_left_over_is_told() -> None:
    """A title without an abstract is not lost in silence."""
    prose = "We describe one more model of language and report what it does on four tasks in two languages. " * 3
    left_over: list[str] = []
    list(pairs(enumerate(["A lonely title of a paper", "The title of the next paper", prose], 1), lambda _, line: left_over.append(line)))

    assert left_over == ["A lonely title of a paper"]
