"""A graph that was changed in steps is the graph that one build from its papers gives, whatever happened on the way."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from pathlib import Path

import pytest
from builds import NetExtractor, exported, write_source
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import kgbuild
from kgbuild import graphfile
from kgbuild.errors import KgbuildError, StoreError
from kgbuild.graph import Graph
from kgbuild.records import Extraction, Paper
from kgbuild.resolution import Decision, assemble, patching, resolve
from kgbuild.workers import LoadExtractor, Outcome, extract

NAMES = ["AlphaNet", "BetaNet", "GammaNet", "DeltaNet"]
TITLES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(" and ".join)
State = dict[str, set[tuple[str, str]]]  # (id, title) of the copies by source
SOURCES = ["a.jsonl", "b.jsonl"]
CONTENT = st.dictionaries(st.sampled_from(["p1", "p2", "p3", "p4"]), TITLES, max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("give"), st.sampled_from(SOURCES), CONTENT),
        st.tuples(st.just("remove"), st.sampled_from(["p1", "p2", "p3", "p4", *SOURCES]), st.none()),
        st.tuples(st.just("merge"), st.just("c.jsonl"), CONTENT),
    ),
    min_size=1,
    max_size=5,
)


# A failing sequence is short as it is; shrinking it would build hundreds of graphs.
@settings(max_examples=int(os.environ.get("KGBUILD_EXAMPLES", "6")), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(STEPS)
def test_any_sequence_equals_a_fresh_build(steps: list[tuple[str, str, dict[str, str] | None]]) -> None:
    """Adds, updates, removals and merges in any order give the bytes of one build from the papers that are left."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        graph, other = home / "g.kg", home / "other.kg"
        state: State = {}
        kgbuild.build([], graph, extractor=NetExtractor())
        for verb, name, content in steps:
            # Copies of one paper have similar titles, different papers have not: so much unites and no more.
            copies = {(id_, f"A careful study of the networks of the team {id_}: {title}") for id_, title in (content or {}).items()}
            if verb == "remove":
                _remove(graph, home, name, state)
            elif verb == "give":
                kgbuild.build(_write(home / name, copies), graph, extractor=NetExtractor())
                state[name] = copies
            else:
                kgbuild.build(_write(home / name, copies), other, extractor=NetExtractor(), fresh=True)
                kgbuild.merge([graph, other], graph, extractor=NetExtractor())
                state[name] = state.get(name, set()) | copies
        inputs = [_write(home / f"fresh-{name}", copies) for name, copies in state.items()]
        kgbuild.build(inputs, home / "fresh.kg", extractor=NetExtractor())

        assert exported(home / "fresh.kg") == exported(graph)
        with kgbuild.open(graph) as opened:
            assert kgbuild.verify(opened.graph()).faults == []
            assert opened.store.read().equals(opened.graph())


def _write(path: Path, copies: set[tuple[str, str]]) -> Path:
    rows = [{"id": id_, "title": title, "abstract": f"The paper {id_}. {title}."} for id_, title in sorted(copies)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _remove(graph: Path, home: Path, name: str, state: State) -> None:
    target = str(home / name) if name in SOURCES else name
    if not state.get(name) and not any(name == id_ for copies in state.values() for id_, _ in copies):
        with pytest.raises(KgbuildError):
            kgbuild.remove(graph, [target])
        return
    kgbuild.remove(graph, [target], extractor=NetExtractor())
    state.pop(name, None)
    for source, copies in state.items():
        state[source] = {copy for copy in copies if copy[0] != name}


def test_only_new_content_is_extracted(tmp_path: Path) -> None:
    """Unchanged papers are not extracted again; changed and new ones are, and nothing else."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet", "p2": "BetaNet"})
    kgbuild.build(source, tmp_path / "g.kg", extractor=NetExtractor())
    again = NetExtractor()
    write_source(source, {"p1": "AlphaNet", "p2": "BetaNet and GammaNet", "p3": "DeltaNet"})
    report = kgbuild.build(source, tmp_path / "g.kg", extractor=again)

    assert again.seen == ["p2", "p3"]
    assert (report.added, report.updated, report.removed) == (["p3"], ["p2"], [])


@pytest.mark.parametrize("few", [0, 2000])
def test_few_and_many_changes_of_a_table_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Whether changed rows are put between the others or all are sorted anew, the tables are those of a fresh build."""
    monkeypatch.setattr(patching, "FEW", few)
    papers = {f"p{number}": f"{first} and {second}" for number, (first, second) in enumerate(permutations(NAMES, 2))}
    kgbuild.build(write_source(tmp_path / "a.jsonl", papers), tmp_path / "g.kg", extractor=NetExtractor())
    changed = {id_: title for id_, title in papers.items() if id_ not in ("p0", "p7")} | {"p3": "BetaNet and OmegaNet", "q": "DeltaNet"}
    kgbuild.build(write_source(tmp_path / "a.jsonl", changed), tmp_path / "g.kg", extractor=NetExtractor())
    kgbuild.build(tmp_path / "a.jsonl", tmp_path / "fresh.kg", extractor=NetExtractor())
    assert exported(tmp_path / "g.kg") == exported(tmp_path / "fresh.kg")


@pytest.mark.parametrize("extractor", [None, "model", "rules"])
def test_the_shipped_extractors_need_no_second_mention(tmp_path: Path, extractor: str | None) -> None:
    """A graph made by an extractor of kgbuild is added to and taken from without naming it again, whatever its weights are called."""
    graph = tmp_path / "g.kg"
    first = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet for parsing"})
    second = write_source(tmp_path / "b.jsonl", {"p2": "BetaNet for translation"})
    kgbuild.build(first, graph, extractor=extractor)
    kgbuild.build(second, graph)
    kgbuild.build([first, second], tmp_path / "fresh.kg", extractor=extractor)
    assert exported(graph) == exported(tmp_path / "fresh.kg")
    kgbuild.remove(graph, ["p1"])
    assert kgbuild.open(graph).graph().counts()["Paper"] == 1


def test_paper_leaves_with_its_source_only(tmp_path: Path) -> None:
    """A paper goes when its source, given again, lacks it, unless another source has it; other sources are untouched."""
    a = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet", "p2": "BetaNet", "p3": "GammaNet"})
    b = write_source(tmp_path / "b.jsonl", {"p2": "BetaNet", "p4": "DeltaNet"})
    kgbuild.build([a, b], tmp_path / "g.kg", extractor=NetExtractor())
    write_source(a, {"p1": "AlphaNet"})
    report = kgbuild.build(a, tmp_path / "g.kg", extractor=NetExtractor())

    assert report.removed == ["p3"]
    assert report.papers == 3


def test_file_gone_from_a_folder(tmp_path: Path) -> None:
    """A folder given again without one of its files no longer has that file's papers; a file that cannot be read loses nothing."""
    folder = tmp_path / "papers"
    folder.mkdir()
    write_source(folder / "a.jsonl", {"p1": "AlphaNet"})
    b = write_source(folder / "b.jsonl", {"p2": "BetaNet"})
    kgbuild.build(folder, tmp_path / "g.kg", extractor=NetExtractor())
    text = b.read_bytes()
    b.write_bytes(b"\x00\x01\x02" * 100)
    damaged = kgbuild.build(folder, tmp_path / "g.kg", extractor=NetExtractor())
    b.write_bytes(text)
    b.unlink()
    report = kgbuild.build(folder, tmp_path / "g.kg", extractor=NetExtractor())

    assert (damaged.papers, damaged.removed) == (2, [])
    assert report.removed == ["p2"]


def test_fresh_forgets_the_rest(tmp_path: Path) -> None:
    """--fresh holds the given inputs alone, and takes finished extractions from the old graph."""
    a = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet"})
    b = write_source(tmp_path / "b.jsonl", {"p2": "BetaNet"})
    kgbuild.build([a, b], tmp_path / "g.kg", extractor=NetExtractor())
    again = NetExtractor()
    report = kgbuild.build(b, tmp_path / "g.kg", extractor=again, fresh=True)

    assert (report.papers, again.seen) == (1, [])


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    """A dry run names what would change and touches no file; without a graph it makes none."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet", "p2": "BetaNet"})
    report = kgbuild.build(source, tmp_path / "none.kg", extractor=NetExtractor(), dry_run=True)
    assert (report.added, (tmp_path / "none.kg").exists()) == (["p1", "p2"], False)

    kgbuild.build(source, tmp_path / "g.kg", extractor=NetExtractor())
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "g.kg").rglob("*")}
    write_source(source, {"p2": "GammaNet", "p3": "DeltaNet"})
    report = kgbuild.build(source, tmp_path / "g.kg", extractor=NetExtractor(), dry_run=True)

    assert (report.added, report.updated, report.removed, report.written) == (["p3"], ["p2"], ["p1"], False)
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "g.kg").rglob("*")}


def test_diff_names_what_differs(tmp_path: Path) -> None:
    """A diff lists added and removed nodes and edges, and which columns of the rest changed."""
    before = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet", "p2": "BetaNet"})
    after = write_source(tmp_path / "b.jsonl", {"p1": "AlphaNet", "p3": "GammaNet against AlphaNet"})
    kgbuild.build(before, tmp_path / "a.kg", extractor=NetExtractor())
    kgbuild.build(after, tmp_path / "b.kg", extractor=NetExtractor())
    with kgbuild.open(tmp_path / "a.kg") as a, kgbuild.open(tmp_path / "b.kg") as b:
        rows = kgbuild.diff(a.graph(), b.graph()).to_pylist()
        assert kgbuild.diff(a.graph(), a.graph()).num_rows == 0

    nodes = {(row["change"], row["type"], row["id"]) for row in rows if row["target"] is None}
    assert {("removed", "Paper", "p2"), ("added", "Paper", "p3"), ("changed", "Method", "method:alphanet")} <= nodes
    changed = next(row for row in rows if row["id"] == "method:alphanet")
    assert changed["columns"] == "papers, mentions"


def test_second_writer_is_refused(tmp_path: Path) -> None:
    """While one process writes, another is told so in one line, and nothing is harmed."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet"})
    graph = tmp_path / "g.kg"
    kgbuild.build(source, graph, extractor=NetExtractor())
    before = exported(graph)
    with (graph / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another build is writing to it"):
            kgbuild.build(write_source(source, {"p1": "BetaNet"}), graph, extractor=NetExtractor())

    assert before == exported(graph)


def test_readers_go_on_during_builds(tmp_path: Path) -> None:
    """A reader that opened the graph before it was rebuilt keeps its answers; those that open it meanwhile see old or new."""
    graph = tmp_path / "g.kg"
    kgbuild.build(write_source(tmp_path / "a.jsonl", {"p0": "AlphaNet"}), graph, extractor=NetExtractor())
    seen: list[int] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            with kgbuild.open(graph) as opened:
                seen.append(opened.query("MATCH (p:Paper) RETURN count(p) AS n")["n"][0].as_py())

    with kgbuild.open(graph) as early:
        early.query("MATCH (p:Paper) RETURN p.id")
        reader = threading.Thread(target=read)
        reader.start()
        for count in (2, 3, 4):
            papers = {f"p{i}": NAMES[i] for i in range(count)}
            kgbuild.build(write_source(tmp_path / "a.jsonl", papers), graph, extractor=NetExtractor())
        stop.set()
        reader.join()
        assert [row["p.id"] for row in early.query("MATCH (p:Paper) RETURN p.id").to_pylist()] == ["p0"]

    assert seen
    assert sorted(seen) == seen
    assert set(seen) <= {1, 2, 3, 4}


def test_kill_at_any_moment(shared: Path, tmp_path: Path) -> None:
    """kill -9 leaves the old graph or the new one, and the next build ends with the right one (scripts/kill_test.py: 50 times)."""
    lines = (shared / "annotation" / "papers.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    first, source = tmp_path / "first.jsonl", tmp_path / "rest.jsonl"
    first.write_text("".join(lines[:20]), encoding="utf-8")
    source.write_text("".join(lines[20:200]), encoding="utf-8")
    records = shared / "annotation" / "train.jsonl"
    kgbuild.build(first, tmp_path / "old.kg", extractor="none")
    kgbuild.build([first, source], tmp_path / "new.kg", records=[records], extractor="none")
    old, new = exported(tmp_path / "old.kg"), exported(tmp_path / "new.kg")
    command = [sys.executable, "-m", "kgbuild", "build", str(first), str(source), "--records", str(records), "-q", "-o"]
    start = time.monotonic()
    shutil.copytree(tmp_path / "old.kg", tmp_path / "timed.kg")
    subprocess.run([*command, str(tmp_path / "timed.kg")], check=True)
    whole = time.monotonic() - start
    for step in range(3):
        graph = tmp_path / f"{step}.kg"
        shutil.copytree(tmp_path / "old.kg", graph)
        process = subprocess.Popen([*command, str(graph)])
        time.sleep(whole * (step + 1) / 4)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert exported(graph) in (old, new)
        subprocess.run([*command, str(graph)], check=True)
        assert new == exported(graph)


def test_interrupt_keeps_what_is_extracted(tmp_path: Path) -> None:
    """Ctrl+C in the middle keeps what is done: the next build extracts the rest alone."""
    source = write_source(tmp_path / "a.jsonl", {f"p{i:03}": f"AlphaNet and BetaNet number {i}" for i in range(100)})

    class Interrupted(NetExtractor):
        def extract(self, papers):  # type: ignore[no-untyped-def]
            for extraction in super().extract(papers):
                yield extraction
                if len(self.seen) == 70:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kgbuild.build(source, tmp_path / "g.kg", extractor=Interrupted())
    with pytest.raises(StoreError, match="first build is not finished"):
        kgbuild.open(tmp_path / "g.kg")
    rest = NetExtractor()
    kgbuild.build(source, tmp_path / "g.kg", extractor=rest)

    assert len(rest.seen) == 30


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path: Path) -> None:
    """Where nothing may be written the build says so in one line before it starts."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet"})
    (tmp_path / "closed").mkdir(mode=0o500)

    with pytest.raises(StoreError, match="cannot be written"):
        kgbuild.build(source, tmp_path / "closed" / "g.kg", extractor=NetExtractor())


def test_undoing_a_decision_restores_the_bytes(tmp_path: Path) -> None:
    """A decision joins two nodes and stays in force in later builds; an empty review file takes it back, to the byte."""
    source = write_source(tmp_path / "a.jsonl", {"p1": "AlphaNet against BetaNet", "p2": "GammaNet"})
    graph, review = tmp_path / "g.kg", tmp_path / "review.csv"
    kgbuild.build(source, graph, extractor=NetExtractor())
    before = exported(graph)
    review.write_text("decision,type,a,b\nsame,Method,AlphaNet,BetaNet\n", encoding="utf-8")
    assert kgbuild.build(source, graph, extractor=NetExtractor(), decisions=review).counts["Method"] == 2
    write_source(source, {"p1": "AlphaNet against BetaNet", "p2": "GammaNet", "p3": "DeltaNet"})
    assert kgbuild.build(source, graph, extractor=NetExtractor()).counts["Method"] == 3

    write_source(source, {"p1": "AlphaNet against BetaNet", "p2": "GammaNet"})
    review.write_text("decision,type,a,b\n", encoding="utf-8")
    kgbuild.build(source, graph, extractor=NetExtractor(), decisions=review)
    assert exported(graph) == before


class Elsewhere:
    """An engine that does here what another does on a cluster."""

    def extract(self, papers: Iterable[Paper], load: LoadExtractor) -> Iterator[Outcome]:
        """Each paper with its extraction."""
        return extract(list(papers), load, 1)

    def graph(self, documents: Iterable[tuple[Paper, Extraction]], decisions: Sequence[Decision]) -> Graph:
        """The graph of the documents."""
        listed = list(documents)
        return assemble(listed, resolve(listed, decisions=decisions))


def test_engines_take_turns(tmp_path: Path) -> None:
    """What another engine made is added to here and the other way round; each time it is the graph of a fresh build.

    The engine leaves no state to grow from; a paper that cannot be extracted is tried again and makes the same graph twice.
    """
    source, graph = tmp_path / "a.jsonl", tmp_path / "g.kg"
    papers = {"p9": "DeltaNet that tells to raise"}
    for number, engine in enumerate((Elsewhere(), None, Elsewhere())):
        write_source(source, papers | {f"p{i}": f"{NAMES[i]} against {NAMES[0]}" for i in range(number + 1)})
        kgbuild.build(source, tmp_path / f"{number}.kg", extractor=NetExtractor())
        for _ in range(2):
            kgbuild.build(source, graph, extractor=NetExtractor(), engine=engine)
            assert exported(graph) == exported(tmp_path / f"{number}.kg")
            assert (graphfile.data_folder(graph) / graphfile.STATE).exists() == (engine is None)
