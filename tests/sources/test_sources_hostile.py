"""Inputs made to hurt: one clear line each, in bounded memory and time, and nothing else lost."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.errors import InputError
from kgbuild.records import Paper
from kgbuild.sources import FORMATS, read
from kgbuild.sources.jsontext import values
from kgbuild.sources.stream import Input

MIB = 1 << 20
GOOD = '{"id": "1", "title": "A good one", "abstract": "Text."}\n'


def outcome(data: bytes, tmp_path: Path, format: str | None = None) -> tuple[list[Paper], list[str]]:
    """Papers and problem lines of one input, read in under 5 seconds of processor time."""
    path = tmp_path / "input"
    path.write_bytes(data)
    problems: list[InputError] = []
    start = time.process_time()
    papers = [paper for _, paper in read([path], format=format, on_problem=problems.append)]

    assert time.process_time() - start < 5
    assert all(str(problem).isprintable() and str(problem).startswith(str(path)) for problem in problems)
    return papers, [str(problem).removeprefix(f"{path}: ") for problem in problems]


LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 12))


@pytest.mark.parametrize("before", ["", f"<!--{'x' * 70_000}-->"])
@pytest.mark.parametrize(
    "declared",
    [f'<!ENTITY l0 "ha">{LAUGHS}', '<!ENTITY l11 SYSTEM "file:///etc/hostname">', '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;'],
)
def test_entities(declared: str, before: str, tmp_path: Path) -> None:
    """Entities are neither expanded nor fetched, wherever they are declared: the file is refused."""
    xml = f"<?xml version='1.0'?>{before}<!DOCTYPE feed [{declared}]><feed><entry><title>A &l11; title</title></entry></feed>"
    papers, problems = outcome(xml.encode(), tmp_path, "arxiv-atom")

    assert papers == []
    assert len(problems) == 1
    assert "entit" in problems[0].lower() or "not well-formed" in problems[0]


def bombs() -> Iterator[tuple[str, bytes]]:
    """A few kilobytes that unpack to 300 MiB after one good record."""
    yield "gz", gzip.compress(GOOD.encode()) + gzip.compress(b" " * MIB) * 300
    yield "xz", lzma.compress(GOOD.encode()) + lzma.compress(b" " * MIB) * 300
    yield "zst", zstandard.compress(GOOD.encode()) + zstandard.compress(b"\n" * MIB) * 300


@pytest.mark.parametrize(("name", "data"), list(bombs()), ids=lambda value: value if isinstance(value, str) else "")
def test_bombs(name: str, data: bytes, tmp_path: Path) -> None:
    """A stream that unpacks out of all proportion is cut off; the record before it is kept."""
    papers, problems = outcome(data, tmp_path)

    assert [paper.id for paper in papers] == ["1"]
    assert problems == ["unpacks to more than 250 times its size (a decompression bomb; if it is not, unpack it first)"]


def test_xz_dictionary(tmp_path: Path) -> None:
    """An .xz file that asks for more than 256 MiB of memory is refused before it gets them."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 400 * MIB}]
    compressor = lzma.LZMACompressor(format=lzma.FORMAT_XZ, filters=filters)
    papers, problems = outcome(compressor.compress(GOOD.encode()) + compressor.flush(), tmp_path)

    assert papers == []
    assert len(problems) == 1
    assert "damaged" in problems[0]


def test_archives(tmp_path: Path) -> None:
    """Archives are not unpacked, so that no path in them can do harm."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../evil.jsonl", GOOD)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as tape:
        tape.addfile(tarfile.TarInfo("../evil.jsonl"))
    for data in (packed.getvalue(), tar.getvalue()):
        assert outcome(data, tmp_path) == ([], ["an archive (unpack it and give the files)"])


def test_giant_line(tmp_path: Path) -> None:
    """A line of 1 GB costs itself alone, and neither memory nor time: 500 MB at most, in a process of its own."""
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(GOOD.encode() + b'{"id":"2","title":"')
        file.seek(1 << 30, os.SEEK_CUR)  # a hole: takes no room on the disk
        file.write(b'"}\n' + GOOD.replace('"1"', '"3"').encode())
    code = (
        "import re, sys\nfrom kgbuild.sources import read\nproblems = []\n"
        "papers = [paper.id for _, paper in read([sys.argv[1]], on_problem=problems.append)]\n"
        "print(papers, *problems, re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read()).group(1), sep='|')"
    )
    start = os.times().children_user
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True)
    papers, problem, memory = done.stdout.strip().split("|")

    assert papers == "['1', '3']"
    assert problem.endswith("line 2: line longer than 8 MiB (one record a line, or one JSON document)")
    assert int(memory) * 1024 < 500 * MIB
    assert os.times().children_user - start < 10


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"title":'])
def test_deep_json(opening: str, tmp_path: Path) -> None:
    """Nesting of any depth is one line; in JSON lines the other lines are read."""
    papers, problems = outcome((opening * 500_000).encode(), tmp_path)
    assert (papers, len(problems)) == ([], 1)

    papers, problems = outcome((GOOD + opening * 100_000 + "\n" + GOOD).encode(), tmp_path)
    assert (len(papers), problems) == (2, ["line 2: JSON nested too deeply"])


@pytest.mark.parametrize("name", [row.name for row in FORMATS])
@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 5000,
        bytes(range(256)) * 20,
        b"\xff\xfe\xff",
        b"\xed\xa0\x80" * 50,
        b"%PDF-1.7\n\xe2\xe3",
        b"<html><body>A page</body></html>",
    ],
)
def test_rubbish(data: bytes, name: str, tmp_path: Path) -> None:
    """Binary data, broken UTF-8 and files of other kinds are one or a few lines for every reader, and no paper."""
    papers, problems = outcome(data, tmp_path, name)

    assert papers == []
    assert problems
    assert outcome(data, tmp_path)[0] == []


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ('{"id": "2", "title": "a\\u0000b"}', "line 2: NUL character in the text"),
        ('{"id": "2", "title": "a\\ud800b"}', "line 2: half of a surrogate pair in the text"),
        ('{"id": "2", "title": 7}', "line 2: the title is not a text"),
        ('{"id": "2", "abstract": "x"}', "line 2: no title"),
        ('{"id": "2", "title": "x"', "line 2: not JSON: expecting ',' delimiter"),
        ("[1, 2]", "line 2: not a JSON object"),
        ('{"id": 2, "title": "x"}', None),
        ('{"id": ["2"], "title": "x"}', "line 2: the id is not a text"),
        ('{"id": "2", "title": "x", "year": 1e999, "authors": {"a": [[]]}, "doi": [7], "code": {"x": 1}, "venue": 7, "url": []}', None),
        (
            "{" + '"id": "2", "title": "x", "abstract": "' + "y" * 1_000_001 + '"}',
            "line 2: title and abstract have more than 1,000,000 characters",
        ),
    ],
)
def test_bad_records(record: str, told: str | None, tmp_path: Path) -> None:
    """A record that cannot be kept letter for letter is one line with its place; metadata of a wrong kind are left out."""
    papers, problems = outcome((GOOD + record + "\n" + GOOD).encode(), tmp_path)

    assert len(papers) == (2 if told else 3)
    assert [problem.split(" (")[0] for problem in problems] == ([told] if told else [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["id", "title", "data", "x", "results"]), json_values, max_size=4), min_size=1, max_size=5),
    st.integers(0, 3),
)
def test_json_streams_equal_the_library(rows: list[dict[str, object]], indent: int) -> None:
    """An array, an object around a list and JSON lines give the values that `json` gives, pretty-printed or not."""
    rows = [{"title": "", **row} for row in rows]
    array = json.dumps(rows, indent=indent or None)
    around = json.dumps({"meta": {"count": 1}, "results": rows, "next": None}, indent=indent or None)
    lines = "\n".join(json.dumps(row) for row in rows)
    for text in (array, around, lines):
        found = [value for _, value in values(Input("x", io.BytesIO(text.encode()), print))]

        assert found == rows


def test_json_larger_than_the_window(tmp_path: Path) -> None:
    """Values that straddle every boundary of the reading window come through whole, with memory for one of them."""
    rows = [{"title": f"t{size}", "abstract": "ä€😀" * size} for size in (1, 9_000, 30_000, 2, 60_000, 11_111)]
    papers, problems = outcome(json.dumps({"data": rows}, ensure_ascii=False).encode(), tmp_path)

    assert ([(paper.title, paper.abstract) for paper in papers], problems) == ([(row["title"], row["abstract"]) for row in rows], [])


@pytest.fixture(scope="module")
def fuzzer(root: Path) -> ModuleType:
    """scripts/fuzz_sources.py as a module."""
    spec = importlib.util.spec_from_file_location("fuzz_sources", root / "scripts" / "fuzz_sources.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", [row.name for row in FORMATS])
def test_fuzz(name: str, fuzzer: ModuleType, shared: Path) -> None:
    """60 damaged real files of each format: no traceback, no unclear line, none over 5 seconds (the script does 10,000)."""
    tally = fuzzer.run(name, 60, seed=1, shared=shared)

    assert tally.failures == []
    assert tally.inputs == 60
    assert tally.papers > 0


@given(
    st.binary(max_size=300),
    st.sampled_from([None, *(row.name for row in FORMATS)]),
    st.sampled_from([b"", b"PAR1", b"{", b"<feed>", b"@a{b,", b"id,title\n", b"\x1f\x8b\x08"]),
)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, format: str | None, start: bytes) -> None:
    """Any bytes behind any beginning give papers or one-line problems."""
    outcome(start + data, tmp_path_factory.getbasetemp(), format)
