"""The command line: answers on standard output, everything else on standard error, one line and an exit code for what goes wrong."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kgbuild import cli
from kgbuild.cli import VERBS, load_verb, main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line here: (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(list(map(str, arguments)))
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def papers(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graph of the shipped example, by the rules."""
    import kgbuild

    path = tmp_path_factory.mktemp("cli") / "papers.kg"
    kgbuild.build(root / "examples" / "papers.jsonl", path, extractor="rules")
    return path


def test_help_is_fast() -> None:
    """`kgbuild --help` lists every verb in under half a second of work (not of waiting for a busy machine)."""
    before = os.times()
    text = subprocess.run([sys.executable, "-m", "kgbuild", "--help"], capture_output=True, text=True, check=True).stdout
    after = os.times()

    assert [verb for verb in VERBS if f"  {verb} " not in text] == []
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, run: Run) -> None:
    """Each verb has help with an example, both levels of talk, and the sentence that the overview shows."""
    code, out, _ = run(verb, "--help")

    assert code == 0
    assert f"kgbuild {verb} " in out.partition("Example")[2]
    assert "--quiet" in out
    assert "--verbose" in out
    assert VERBS[verb][1] == (load_verb(verb).__doc__ or "").partition("\n")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bild"], "no command 'bild' (did you mean 'build'?)"),
        (["build"], "Missing argument 'INPUT...'"),
        (["build", "x.jsonl"], "Missing option '--output'"),
        (["stats", "g.kg", "--nope"], "No such option: --nope"),
        (["build", "x.jsonl", "-o", "g.kg", "--workers", "many"], "Invalid value for '--workers'"),
        (["stats", "nowhere.kg"], "nowhere.kg: no such graph"),
        (["query", "nowhere.kg", "RETURN 1"], "nowhere.kg: no such graph"),
        (["build", "nowhere.jsonl", "-o", "nowhere.kg"], "nowhere.jsonl"),
    ],
)
def test_mistakes_get_one_line(arguments: list[str], said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of the user is one line on standard error, exit code 2, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_bugs_show_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no user's mistake is not dressed up as one."""

    def broken(name: str) -> Callable[[], None]:
        def verb() -> None:
            raise RuntimeError("a bug")

        return verb

    monkeypatch.setattr(cli, "load_verb", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["stats"])


def test_build_reports(run: Run, root: Path, tmp_path: Path) -> None:
    """The closing report counts papers, nodes and edges; --quiet silences it; a second build says that there is nothing to do."""
    graph = tmp_path / "g.kg"
    code, out, err = run("build", root / "examples" / "papers.jsonl", "-o", graph, "--extractor", "none")
    assert (code, out) == (0, "")
    assert "31 papers from 31 records, 0 problems" in err
    assert "31 Paper" in err

    code, out, err = run("build", root / "examples" / "papers.jsonl", "-o", graph)
    assert "nothing to do" in err
    assert run("build", root / "examples" / "papers.jsonl", "-o", graph, "--quiet") == (0, "", "")


def test_skip_bad(run: Run, root: Path, tmp_path: Path) -> None:
    """An unreadable file costs one line with its name and exit code 2, or 0 with --skip-bad; the rest is built."""
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "x", "title": "A title", "abstract": "Some text."}\n{"id": "y", "title"\n', encoding="utf-8")
    code, _, err = run("build", root / "examples" / "papers.jsonl", bad, "-o", tmp_path / "a.kg", "--extractor", "none", "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert f"{bad}: line 2" in err

    code, _, err = run("build", root / "examples" / "papers.jsonl", bad, "-o", tmp_path / "b.kg", "--extractor", "none", "--skip-bad")
    assert code == 0
    assert "32 papers" in err


def test_query_formats(run: Run, papers: Path) -> None:
    """The four formats hold the same rows; CSV and JSON are what their readers expect."""
    cypher = "MATCH (p:Paper) WHERE p.year = $year RETURN p.id AS id, p.authors AS authors, p.year AS year ORDER BY id"
    asked = ("query", papers, cypher, "-p", "year=2009", "--format")
    expected = ["Jia Deng", "Wei Dong", "Richard Socher", "Li-Jia Li", "Kai Li", "Li Fei-Fei"]

    assert [{"id": "imagenet", "authors": expected, "year": 2009}] == json.loads(run(*asked, "json")[1])
    assert {"id": "imagenet", "authors": expected, "year": 2009} == json.loads(run(*asked, "jsonl")[1])
    assert [["id", "authors", "year"], ["imagenet", json.dumps(expected), "2009"]] == list(csv.reader(io.StringIO(run(*asked, "csv")[1])))
    table = run(*asked, "table")[1].splitlines()
    assert table[0].split() == ["id", "authors", "year"]
    assert table[2].startswith("imagenet")
    assert table[-1] == "1 row"


def test_questions_are_answered_to_people_in_names(run: Run, papers: Path) -> None:
    """The table of a leaderboard shows names and no empty column; machines get every column."""
    asked = ("ask", papers, "leaderboard", "--dataset", "ImageNet", "--format")
    table = run(*asked, "table")[1].splitlines()[0].split()
    rows = list(csv.DictReader(io.StringIO(run(*asked, "csv")[1])))
    assert rows
    assert {"method", "method_name", "number", "id"} <= rows[0].keys()
    assert {"rank", "method", "value", "metric", "dataset", "quote"} <= set(table) < {name.removesuffix("_name") for name in rows[0]}
    assert all(any(row[name] or row.get(f"{name}_name") for row in rows) for name in table)


@pytest.mark.parametrize(
    ("cypher", "said"),
    [
        ("MATCH (p:Paper RETURN p", "line 1, column"),
        ("MATCH (p:Papre) RETURN p.id", "'Papre' (did you mean 'Paper'?)"),
        ("MATCH (p:Paper) RETURN p.titel", "'titel' (did you mean 'title'?)"),
        ("MATCH (p:Paper) DELETE p", "the query writes, and queries are read-only"),
    ],
)
def test_wrong_queries_say_where(cypher: str, said: str, run: Run, papers: Path) -> None:
    """A wrong query gives its position or the nearest name in one line."""
    code, out, err = run("query", papers, cypher)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_graph_files_are_not_written_to(run: Run, papers: Path) -> None:
    """Not even --write lets a query change a graph file, whose tables and database must stay one."""
    code, _, err = run("query", papers, "CREATE (:Paper {id: 'x'})", "--write")

    assert code == 2
    assert "a graph file is not written to as a database" in err


def test_show(run: Run, papers: Path) -> None:
    """`show` finds a paper by title in any case and a node by alias, and prints sentences of the papers."""
    code, out, _ = run("show", papers, "attention is all you need")
    assert code == 0
    assert out.startswith("Attention Is All You Need  [Paper, transformer]")
    assert "REPORTS ->" in out

    code, out, _ = run("show", papers, "bert")
    assert "BERT" in out.splitlines()[0]
    assert "bert: On the GLUE benchmark BERT obtains a score of 80.5." in out


def test_show_suggests(run: Run, papers: Path) -> None:
    """A name that is not there gets the nearest one."""
    code, _, err = run("show", papers, "Attention Is All You Ned")

    assert code == 2
    assert "did you mean 'Attention Is All You Need'?" in err


def test_stats_and_verify(run: Run, papers: Path) -> None:
    """`stats` counts every type; `verify` finds every span in its place."""
    rows = {row["type"]: row["count"] for row in json.loads(run("stats", papers, "--format", "json")[1])}
    code, out, _ = run("verify", papers)

    assert rows["Paper"] == 31
    assert rows["MENTIONS"] > 100
    assert code == 0
    assert out.endswith(" 0 wrong: 100 % hold\n")


def test_verify_finds_a_wrong_span(run: Run, papers: Path, tmp_path: Path) -> None:
    """A text that changed under its evidence is found, named, and the exit code is 1."""
    import shutil

    import pyarrow.parquet as pq

    graph = tmp_path / "g.kg"
    shutil.copytree(papers, graph)
    (file,) = graph.glob("data/*/nodes/Paper.parquet")
    rows = pq.read_table(file)
    changed = [{**row, "abstract": "x" + row["abstract"]} if row["id"] == "bert" else row for row in rows.to_pylist()]
    pq.write_table(type(rows).from_pylist(changed, schema=rows.schema), file)
    code, out, _ = run("verify", graph)

    assert code == 1
    assert "bert[" in out
    assert "100 % hold" not in out


def test_remove_merge_diff(run: Run, papers: Path, tmp_path: Path) -> None:
    """A paper that is removed and merged back leaves no difference; in between, diff exits with 1 and names it."""
    import shutil

    less = tmp_path / "less.kg"
    shutil.copytree(papers, less)
    assert run("remove", less, "adam")[0] == 0
    code, out, _ = run("diff", papers, less, "--format", "jsonl")
    assert code == 1
    assert {"change": "removed", "type": "Paper", "id": "adam", "target": None, "columns": ""} in map(json.loads, out.splitlines())

    assert run("merge", less, papers, "-o", tmp_path / "both.kg")[0] == 0
    assert run("diff", papers, tmp_path / "both.kg")[:2] == (0, "")


def test_output_that_nobody_reads(papers: Path) -> None:
    """`kgbuild query ... | head` ends without a word when head has seen enough."""
    query = (
        f"{sys.executable} -m kgbuild query {papers} 'MATCH (a)-[r]->(b), (c) RETURN a.id, b.id, c.id LIMIT 20000' --format jsonl | head -1"
    )
    done = subprocess.run(["bash", "-c", query], capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_text_of_papers_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    """Control characters in titles are printed as what they are."""
    source = tmp_path / "a.jsonl"
    source.write_text(json.dumps({"id": "p1", "title": "Red \x1b[31m alert", "abstract": "Nothing."}) + "\n", encoding="utf-8")
    run("build", source, "-o", tmp_path / "g.kg", "--extractor", "none")

    assert "\x1b" not in run("query", tmp_path / "g.kg", "MATCH (p:Paper) RETURN p.title")[1]
    assert "\x1b" not in run("show", tmp_path / "g.kg", "p1")[1]
