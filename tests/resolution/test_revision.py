"""Resolution of changed papers alone gives what resolution of all papers gives."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from resolution.conftest import Document, document

from kgbuild.resolution import Decision, Resolution, Resolver
from kgbuild.resolution.profile import Profiler
from kgbuild.resolution.revision import Revision, Said, revise
from kgbuild.resolution.state import State
from kgbuild.resolution.vocabulary import load_vocabulary

TYPES = ("Method", "Task", "Dataset")
NAMES = [
    # spellings and word forms of one thing, and what must stay apart
    "learning representations",
    "representation learning",
    "Representation-Learning",
    "learned representation",
    "GPT-3",
    "GPT-4",
    # abbreviations that papers explain in different ways, or not at all
    "GWN",
    "gated widget network",
    "graph walking nets",
    "AST",
    "audio spectrogram transformer",
    "abstract syntax tree",
    "LLM",
    "large language models",
    # one identifier for two things, and one name for two types
    "synthetic dataset",
    "Widget",
    "widgets",
    "wid get",
    "ImageNet",
    "model",
]
CONTENT = st.lists(st.tuples(st.sampled_from(TYPES), st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)), max_size=4)
SEVERAL = st.dictionaries(st.integers(0, 9).map("p{}".format), CONTENT, max_size=8)
STEPS = st.lists(st.tuples(SEVERAL, st.sets(st.integers(0, 9).map("p{}".format), max_size=4)), min_size=1, max_size=4)
DECISIONS = st.sampled_from(
    [
        (),
        (Decision("same", "Method", "Widget", "GPT-3"), Decision("different", "Method", "AST", "abstract syntax tree")),
        (Decision("type", "Method", "ImageNet", "Dataset"), Decision("rename", "Task", "Widget", "the widget task")),
    ]
)


def full(path: Path, documents: Iterable[Document], decisions: Sequence[Decision]) -> Resolution:
    """The full resolution, its state written to the path."""
    resolver, contents = Resolver(), {}
    for paper, extraction in documents:
        resolver.add(paper, extraction)
        contents[paper.id] = content(paper, extraction)
    resolution = resolver.resolve(decisions)
    path.unlink(missing_ok=True)
    State.write(path, resolver, resolution, contents, decisions)
    return resolution


def content(*document: object) -> str:
    """A name for what a paper says."""
    return repr(document)


def step(path: Path, before: dict[str, Document], after: dict[str, Document], decisions: Sequence[Decision]) -> Revision:
    """The revision from some papers to others."""
    changed = {id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)}
    with State(path, Profiler(load_vocabulary())) as state:
        assert state.usable(decisions)
        new = [Said(*after[id_], content(*after[id_])) for id_ in sorted(changed & after.keys())]
        return revise(state, changed & before.keys(), new, lambda id_: after[id_][0], decisions)


def rows(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """What a state holds, with ids in the place of numbers."""
    queries = (
        "SELECT paper, content, profiles FROM papers",
        "SELECT type, key, letters, stems, node FROM names",
        "SELECT p.paper, eid, type, key FROM links l JOIN names n ON n.id = l.name JOIN papers p ON p.id = l.paper",
        "SELECT type, key, string, n FROM strings JOIN names ON id = name",
        "SELECT * FROM keys",
        "SELECT * FROM shorts",
        "SELECT type, short, p.paper FROM bare b JOIN papers p ON p.id = b.paper",
        "SELECT * FROM nodes",
    )
    database = sqlite3.connect(path)
    found = {query: database.execute(query).fetchall() for query in queries}
    database.close()
    return {query: set(rows) for query, rows in found.items()}


def check(
    home: Path, before: dict[str, Document], after: dict[str, Document], old: Resolution, decisions: Sequence[Decision]
) -> Resolution:
    """A step from a state ends in the state of a full resolution, and tells all that has changed."""
    revision = step(home / "state", before, after, decisions)
    new = full(home / "fresh", after.values(), decisions)
    same, fresh = rows(home / "state"), rows(home / "fresh")
    for query in same:
        assert same[query] == fresh[query], query
    links = {paper: nodes for paper, nodes in old.links.items() if paper in after and paper not in revision.papers}
    assert links | dict(revision.resolution.links) == new.links
    nodes = {id_: node for id_, node in old.nodes.items() if id_ not in revision.dropped} | dict(revision.decided)
    assert nodes == new.nodes
    assert revision.resolution.broader == new.broader
    named = {node for nodes in revision.resolution.links.values() for node in nodes.values()}
    assert all(revision.resolution.nodes[node].type == new.nodes[node].type for node in named)
    return new


@settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate], deadline=None)
@given(STEPS, DECISIONS)
def test_any_steps_equal_a_full_resolution(
    steps: list[tuple[dict[str, list[tuple[str, list[str]]]], set[str]]], decisions: tuple[Decision, ...]
) -> None:
    """Papers added, changed and removed in any order: links, nodes, hierarchy and state are those of a full resolution of what is left."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        current: dict[str, Document] = {}
        resolution = full(home / "state", (), decisions)
        for given_, removed in steps:
            after = {id_: doc for id_, doc in current.items() if id_ not in removed}
            after |= {id_: document(id_, *entities) for id_, entities in given_.items()}
            resolution = check(home, current, after, resolution, decisions)
            current = after


def test_real_papers_one_by_one(unresolved: list[Document], tmp_path: Path) -> None:
    """The same for real papers: most of them first, then single ones come, go and say something else."""
    order = random.Random(3)
    every = {paper.id: (paper, extraction) for paper, extraction in unresolved}
    current = dict(order.sample(sorted(every.items()), len(every) - 12))
    resolution = full(tmp_path / "state", current.values(), ())
    for _ in range(6):
        gone, changed = order.sample(sorted(current), 2)
        new = order.choice(sorted(every.keys() - current.keys()))
        after = current | {new: every[new], changed: (current[changed][0], current[gone][1])}
        after[changed] = (
            (every[changed][0], every[changed][1]) if current[changed] != every[changed] else document(changed, ("Method", ["LLM"]))
        )
        del after[gone]
        resolution = check(tmp_path, current, after, resolution, ())
        current = after


def test_state_of_other_decisions_is_not_used(tmp_path: Path) -> None:
    """A state serves the decisions it was made with and no others; a file that is none is refused."""
    full(tmp_path / "state", [document("p1", ("Method", ["Widget"]))], ())
    with State(tmp_path / "state", Profiler(load_vocabulary())) as state:
        assert state.usable(())
        assert not state.usable((Decision("rename", "Method", "Widget", "gadget"),))
    (tmp_path / "none").write_bytes(b"no database " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        State(tmp_path / "none", Profiler(load_vocabulary()))
