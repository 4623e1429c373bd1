"""Feed damaged files to every reader of papers and look for tracebacks, hangs and hunger.

    python scripts/fuzz_sources.py --inputs 10000            every format, some minutes
    python scripts/fuzz_sources.py --inputs 500 bibtex csv   two formats

Real samples (../shared/formats and ../shared/seeds) are cut small, mutated byte by byte and by structure, sometimes packed or recoded, and
read with detection or with the format forced. Each format runs in a process of its own, so that a crash of a C library counts as a failure.
What must hold for every input: nothing but InputErrors to `on_problem`, each of one line that names the file; papers that can be written as
UTF-8; under 5 seconds of processor time; under 1 GB of memory in all.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import lzma
import multiprocessing
import queue as queues
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from kgbuild.errors import InputError
from kgbuild.sources import FORMATS, read, unite

SECONDS = 5.0
MEMORY = 1 << 30
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
FOLDERS = {
    "acl": "acl_anthology_xml",
    "arxiv-atom": "arxiv_atom",
    "arxiv-oai": "arxiv_oai",
    "openalex": "openalex",
    "semantic-scholar": "semantic_scholar",
    "arxiv-snapshot": "arxiv_kaggle_jsonl",
    "arxiv-daily": "daily_arxiv_jsonl",
    "venue": "paperlists_json",
    "bibtex": "bibtex",
    "csv": "csv",
}
TOKENS = [
    *(bytes([byte]) for byte in b"\0\xff\r\t\"'{}[]()<>,;:=#\\$%~&"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\n\n", "é".encode("latin-1"), "Subscribe".encode("utf-16")),
    *(b"\\ud800", b"\\u0000", b"null", b"true", b"NaN", b"1e999", b"-1", b"9" * 5000, b"{}", b"[]", b'""', b'{"title":', b'{"title": 7}'),
    *(b"&amp;", b"&lol;", b"&#0;", b"&#xD800;", b"]]>", b"<![CDATA[", b"<!--", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"<?xml?>"),
    *(b"</paper>", b"<title>", b"title", b"abstract", b"10.1/", b"arXiv:", b"@article{", b"@string{", b"@comment{"),
    *(b"$$", b"\\begin{x}", b"\\textbf{", b"\\'", b"\\url{", b"``"),
    *(piece * 3000 for piece in (b"A", b"[", b"{", b'{"a":', b"<a>", b"\\", b"$", b" ", b"a,", b"\t", b"{\\it ", b"&#1;")),
]


@dataclass
class Tally:
    """What one format's run came to."""

    inputs: int = 0
    papers: int = 0
    problems: int = 0
    slowest: float = 0.0
    memory: int = 0
    failures: list[str] = field(default_factory=list)


def samples(name: str, shared: Path = SHARED) -> list[bytes]:
    """Small real files of a format: a few records each, still valid."""
    if name in FOLDERS:
        return [_cut(path) for path in sorted((shared / "formats" / FOLDERS[name]).iterdir())]
    pages = [path.read_bytes().split(b"\n") for path in sorted((shared / "seeds").iterdir())]
    if name == "pages":
        return [b"\n".join(lines[:20]) for lines in pages]
    titles = [line.decode() for line in pages[1][4:20:2]]
    rows = [
        {"id": f"a-{n}", "title": title, "abstract": "An abstract of some length. " * 9, "year": 2020} for n, title in enumerate(titles)
    ]
    if name == "jsonl":
        return ["\n".join(json.dumps(row) for row in rows).encode()]
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    plain = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), plain, compression="none", use_dictionary=False)
    return [sink.getvalue(), plain.getvalue()]


def _cut(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix in (".tsv", ".jsonl") or data.startswith(b'{"id"'):
        return b"\n".join(data.split(b"\n")[:4])
    if path.suffix == ".bib":
        return b"@".join(data.split(b"@")[:5])
    if path.suffix == ".json":
        value = json.loads(data)
        if isinstance(value, list):
            value = value[:3]
        for key in ("references", "citations", "embedding", "locations", "concepts", "referenced_works", "related_works"):
            if isinstance(value, dict):
                value.pop(key, None)
        return json.dumps(value, indent=1).encode()
    if len(data) > 40_000:
        end = b"</paper>" if b"</paper>" in data else b"</entry>" if b"</entry>" in data else b"</record>"
        tail = b"</volume></collection>" if end == b"</paper>" else b"</feed>" if end == b"</entry>" else b"</GetRecord></OAI-PMH>"
        return end.join(data.split(end)[:4]) + end + tail
    return data


def mutate(rng: random.Random, bases: list[bytes]) -> bytes:
    """One damaged input."""
    data = bytearray(rng.choice(bases))
    for _ in range(rng.choice((1, 1, 2, 3, 5, 12))):
        rng.choice(_STEPS)(rng, data, bases)
    packed = bytes(data)
    kind = rng.randrange(40)
    if kind < 4:
        packed = (gzip.compress, lzma.compress, zstandard.compress, gzip.compress)[kind](packed)
        if rng.random() < 0.5:
            shaken = bytearray(packed)
            _flip(rng, shaken, bases)
            packed = bytes(shaken)
    elif kind < 7:
        packed = packed.decode("utf-8", "replace").encode(("utf-16", "utf-16-le", "utf-8-sig")[kind - 4])
    elif kind == 7:
        packed = packed.decode("utf-8", "replace").encode("cp1252", "replace")
    return packed


def _place(rng: random.Random, data: bytearray) -> int:
    return rng.randrange(len(data) + 1)


def _flip(rng: random.Random, data: bytearray, bases: list[bytes]) -> None:
    for _ in range(rng.randrange(1, 8)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)


def _drop(rng: random.Random, data: bytearray, bases: list[bytes]) -> None:
    start = _place(rng, data)
    del data[start : start + rng.choice((1, 3, 20, 300))]


def _double(rng: random.Random, data: bytearray, bases: list[bytes]) -> None:
    start = _place(rng, data)
    data[start:start] = data[start : start + rng.choice((1, 20, 400))] * rng.choice((1, 2, 30))


def _insert(rng: random.Random, data: bytearray, bases: list[bytes]) -> None:
    start = _place(rng, data)
    data[start:start] = rng.choice(TOKENS)


def _end(rng: random.Random, data: bytearray, bases: list[bytes]) -> None:
    del data[_place(rng, data) :]


def _splice(rng: random.Random, data: bytearray, bases: list[bytes]) -> None:
    other = rng.choice(bases)
    start = rng.randrange(len(other) + 1)
    data[_place(rng, data) :] = other[start:]


def _swap(rng: random.Random, data: bytearray, bases: list[bytes]) -> None:
    lines = bytes(data).split(b"\n")
    rng.shuffle(lines)
    data[:] = b"\n".join(lines)


def _value(rng: random.Random, data: bytearray, bases: list[bytes]) -> None:
    """Replace what stands between two quotes, tags or braces."""
    marks = [place for place, byte in enumerate(data) if byte in b'"<>{}\t']
    if len(marks) > 1:
        first = rng.randrange(len(marks) - 1)
        data[marks[first] + 1 : marks[first + 1]] = rng.choice(TOKENS)


_STEPS: list[Callable[[random.Random, bytearray, list[bytes]], None]] = [
    _flip,
    _flip,
    _drop,
    _double,
    _insert,
    _insert,
    _end,
    _splice,
    _swap,
    _value,
    _value,
]


def inputs(name: str, count: int, seed: int, shared: Path = SHARED) -> Iterator[tuple[bytes, str | None]]:
    """(bytes, format to force or None) of each input; the same for the same seed."""
    rng = random.Random(f"{name} {seed}")
    bases = samples(name, shared)
    for _ in range(count):
        yield mutate(rng, bases), name if rng.random() < 0.5 else None


def check(data: bytes, forced: str | None, path: Path, tally: Tally) -> None:
    """Read one input and note everything that must not be."""
    path.write_bytes(data)
    problems: list[InputError] = []
    start = time.process_time()
    signal.signal(signal.SIGPROF, _late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        papers = [paper for _, paper in read([path], format=forced, on_problem=problems.append)]
        for paper in unite(papers, on_problem=problems.append):
            json.dumps(paper.to_json(), ensure_ascii=False).encode("utf-8")
        tally.papers += len(papers)
    except Exception:
        tally.failures.append(f"forced={forced}\n{traceback.format_exc(limit=-6)}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    for problem in problems:
        if not isinstance(problem, InputError) or "\n" in str(problem) or len(str(problem)) > 1000:
            tally.failures.append(f"forced={forced} not one clear line: {str(problem)[:300]!r}")
    tally.inputs += 1
    tally.problems += len(problems)
    tally.slowest = max(tally.slowest, time.process_time() - start)


def _late(signum: int, frame: object) -> None:
    raise TimeoutError(f"longer than {SECONDS} seconds")


def _memory(what: str) -> int:
    """Bytes: `VmRSS` is held now, `VmHWM` the most held since the last reset; where the system does not tell, the most ever held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith(what))


def run(name: str, count: int, seed: int, shared: Path = SHARED, keep: Path | None = None) -> Tally:
    """All inputs of one format in this process; failing inputs are kept in the folder `keep`.

    Memory is what the inputs took beyond what the process held before, since a test process holds much else.
    """
    tally = Tally()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of what ran before
    before = _memory("VmRSS")
    with tempfile.TemporaryDirectory() as folder:
        for number, (data, forced) in enumerate(inputs(name, count, seed, shared)):
            known = len(tally.failures)
            if keep is not None:
                (keep / f"{name}.last").write_bytes(data)  # what a crash leaves behind
            check(data, forced, Path(folder) / "input", tally)
            if keep is not None and len(tally.failures) > known:
                (keep / f"{name}.{number}").write_bytes(data)
    tally.memory = _memory("VmHWM") - before
    if tally.memory > MEMORY:
        tally.failures.append(f"{tally.memory >> 20} MiB of memory")
    return tally


def _work(name: str, count: int, seed: int, shared: Path, keep: Path, queue: multiprocessing.Queue[Tally]) -> None:
    queue.put(run(name, count, seed, shared, keep))


def main() -> int:
    """Run the formats one after the other; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", default=[row.name for row in FORMATS])
    parser.add_argument("--inputs", type=int, default=10_000, help="per format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shared", type=Path, default=SHARED, help="the folder of real samples")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz_sources", help="where failing inputs are kept")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    failed = False
    for name in options.formats:
        start = time.monotonic()
        queue = context.Queue()
        process = context.Process(target=_work, args=(name, options.inputs, options.seed, options.shared, options.keep, queue))
        process.start()
        tally = None
        while tally is None and (process.is_alive() or not queue.empty()):
            try:
                tally = queue.get(timeout=1)
            except queues.Empty:
                continue
        process.join()
        if tally is None:
            print(f"{name}: the process died with {process.exitcode}; see {options.keep / (name + '.last')}")
            failed = True
            continue
        counts = f"{tally.inputs} inputs, {tally.papers} papers, {tally.problems} problems, {len(tally.failures)} failures"
        figures = f"slowest {tally.slowest:.2f} s, {tally.memory >> 20} MiB, {time.monotonic() - start:.0f} s in all"
        print(f"{name}: {counts}; {figures}", flush=True)
        for failure in {failure.strip().rpartition("\n")[2]: failure for failure in tally.failures}.values():
            print(failure)
        failed = failed or bool(tally.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
