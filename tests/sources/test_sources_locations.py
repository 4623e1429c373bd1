"""Places that papers come from: files, folders, patterns, standard input, packed files."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from kgbuild.errors import InputError, InputWarning
from kgbuild.sources import belongs, read, source_name


def record(number: int) -> str:
    """One line of our own format."""
    return json.dumps({"id": f"p{number}", "title": f"Paper {number}", "abstract": "Text."}) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of five files on two levels, which is the current one."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for number, name in enumerate(["in/b.jsonl", "in/a.jsonl", "in/deep/c.jsonl", "in/[d].txt", "in/.hidden.jsonl"]):
        (tmp_path / name).write_text(record(number))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*locations: str | Path) -> tuple[list[tuple[str, str]], list[InputError]]:
    """(source name, paper id) of all papers, and the problems."""
    problems: list[InputError] = []
    return [(name, paper.id) for name, paper in read(locations, on_problem=problems.append)], problems


@pytest.mark.parametrize("location", ["in", "./in/", "in/deep/.."])
def test_folder(folder: Path, location: str) -> None:
    """A folder is read with all below it, sorted by name, hidden files left out; source names do not depend on how it was written."""
    expected = [("in/[d].txt", "p3"), ("in/a.jsonl", "p1"), ("in/b.jsonl", "p0"), ("in/deep/c.jsonl", "p2")]

    assert names(location) == (expected, [])


def test_patterns(folder: Path) -> None:
    """Patterns find files, `**` on every level; a file whose name looks like a pattern is a file; what finds nothing is one line."""
    assert names("in/*.jsonl") == ([("in/a.jsonl", "p1"), ("in/b.jsonl", "p0")], [])
    assert [name for name, _ in names("in/**/*.jsonl")[0]] == ["in/a.jsonl", "in/b.jsonl", "in/deep/c.jsonl"]
    assert names("in/[d].txt") == ([("in/[d].txt", "p3")], [])
    assert [str(problem) for problem in names("in/*.bib")[1]] == ["in/*.bib: no such file, and no file matches it (check the name)"]


@pytest.mark.parametrize(
    ("source", "location", "answer"),
    [
        ("in/a.jsonl", "in", True),
        ("in/deep/gone.jsonl", "./in/", True),
        ("in/gone.jsonl", "in/*.jsonl", True),
        ("in/deep/gone.jsonl", "in/**/*.jsonl", True),
        ("in/deep/gone.jsonl", "in/*.jsonl", False),
        ("in/deep/gone.jsonl", "in/*", True),
        ("in2/a.jsonl", "in", False),
        ("in/a.jsonl", "in/a.jsonl", True),
        ("-", "-", True),
        ("-", "in", False),
    ],
)
def test_belongs(folder: Path, source: str, location: str, answer: bool) -> None:
    """A source belongs to the file, folder or pattern it came from, be the file still there or not."""
    assert belongs(source, location) is answer


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress], ids=["gz", "xz", "zst"])
def test_packed(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Packed files are told by content, in several parts too; one that is cut off keeps what came before and is one line."""
    data = "".join(record(number) for number in range(3000)).encode()
    path = tmp_path / "papers"
    path.write_bytes(pack(data[:999]) + pack(data[999:]))

    found, problems = names(path)
    assert (len(found), problems) == (3000, [])

    path.write_bytes(pack(data)[:-20])
    found, problems = names(path)
    assert len(found) <= 3000
    assert ["damaged or cut off" in str(problem) for problem in problems] == [True]


def test_standard_input() -> None:
    """`-` reads a pipe, packed or not, also where the format needs to jump about."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([json.loads(record(1))]), sink)
    code = "from kgbuild.sources import read; print([(name, paper.id) for name, paper in read('-', on_problem=print)])"
    for data in (record(1).encode(), gzip.compress(record(1).encode()), sink.getvalue()):
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)

        assert done.stdout.decode().strip() == "[('-', 'p1')]"


def test_links(folder: Path) -> None:
    """Links to files and other folders are followed; circles, and links into nothing, are one line each and stop nothing else."""
    (folder / "other").mkdir()
    (folder / "other" / "e.jsonl").write_text(record(9))
    for name, target in {
        "up": "..",
        "self": ".",
        "to": "../../other",
        "again": "../../other",
        "nowhere": "gone",
        "x": "y",
        "y": "x",
    }.items():
        os.symlink(target, folder / "in" / "deep" / name)
    found, problems = names("in")

    assert [name for name, _ in found][-2:] == ["in/deep/again/e.jsonl", "in/deep/c.jsonl"]
    assert [(problem.path, isinstance(problem, InputWarning)) for problem in problems] == [
        ("in/deep/nowhere", False),
        ("in/deep/self", True),
        ("in/deep/to", True),
        ("in/deep/up", True),
        ("in/deep/x", False),
        ("in/deep/y", False),
    ]


@pytest.mark.parametrize(
    "location", ["gone.jsonl", "", "/dev/null", "a\0b", "gone\nfile", b"in/\xff\xfe".decode("utf-8", "surrogateescape")]
)
def test_unreadable_places(folder: Path, location: str) -> None:
    """What is no file, folder or pattern is one printable line, and the rest is read."""
    found, problems = names(location, "in/a.jsonl")

    assert found == [("in/a.jsonl", "p1")]
    assert len(problems) == 1
    assert str(problems[0]).isprintable()


def test_odd_file_names(folder: Path) -> None:
    """A file name that is no text, or that would break a line, is read under a printable name."""
    odd = folder / "odd"
    odd.mkdir()
    (odd / "a\nb.jsonl").write_text(record(1))
    with open(bytes(odd) + b"/\xff.jsonl", "w") as file:
        file.write(record(2))
    found, problems = names("odd")

    assert (found, problems) == ([("odd/a\ufffdb.jsonl", "p1"), ("odd/\ufffd.jsonl", "p2")], [])
    assert belongs(found[0][0], source_name("odd"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(folder: Path) -> None:
    """Files and folders that may not be read are one line each."""
    (folder / "in" / "a.jsonl").chmod(0)
    (folder / "in" / "deep").chmod(0)
    found, problems = names("in")
    (folder / "in" / "deep").chmod(0o700)

    assert [paper for _, paper in found] == ["p3", "p0"]
    assert [str(problem) for problem in problems] == ["in/a.jsonl: permission denied", "in/deep: permission denied"]


def test_permission_errors_are_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the system says on opening a file becomes one line, also for root."""

    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    assert [str(problem) for problem in names("in/a.jsonl")[1]] == ["in/a.jsonl: permission denied"]


def test_empty(tmp_path: Path) -> None:
    """An empty file and an empty folder are warnings."""
    (tmp_path / "void").mkdir()
    (tmp_path / "none.txt").write_text(" \n")
    found, problems = names(tmp_path / "void", tmp_path / "none.txt")

    assert found == []
    assert [(type(problem), problem.problem) for problem in problems] == [
        (InputWarning, "no files in it"),
        (InputWarning, "no papers in it"),
    ]
