"""What the benchmark scripts share: processor time and memory of a process with all that it started, the machine, tables in pages."""

from __future__ import annotations

import json
import lzma
import os
import platform
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def processes(root: int) -> Iterator[int]:
    """The process and all below it, from Linux's /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting.extend(children.get(pid, ()))


@dataclass
class Meter:
    """Wall seconds, processor seconds and peak bytes of this process and all it started, from entering to leaving.

    Processor time is what a busy machine does not spoil. Memory is the sum of the resident sets, looked at four times a second:
    pages that processes share count in each.
    """

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    _seen: dict[int, float] = field(default_factory=dict)

    def __enter__(self) -> Meter:
        self._look()
        self._start, self._before = time.monotonic(), sum(self._seen.values())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()
        self.wall, self.cpu = time.monotonic() - self._start, sum(self._seen.values()) - self._before

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            self._look()

    def _look(self) -> None:
        memory = 0
        for pid in processes(os.getpid()):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            # A process that has ended keeps the time at which it was last seen; that of unseen children is lost.
            self._seen[pid] = (int(fields[11]) + int(fields[12])) / TICK
            memory += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        self.memory = max(self.memory, memory)


def machine(*packages: str) -> str:
    """Processor, cores, Python and the versions of packages, in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}; load average {os.getloadavg()[0]:.1f} at the end"
    )


def write_papers(source: Path, target: Path, count: int) -> Path:
    """The first papers of an xz-packed JSONL of abstracts as our own JSONL, each id once."""
    seen: set[str] = set()
    with lzma.open(source, "rt", encoding="utf-8") as lines, target.open("w", encoding="utf-8") as out:
        rows = (row for row in map(json.loads, lines) if row.get("title") and row["id"] not in seen and not seen.add(row["id"]))
        for row in islice(rows, count):
            out.write(json.dumps({name: row.get(name) or "" for name in ("id", "title", "abstract")}, ensure_ascii=False) + "\n")
    return target


def put_into(page: Path, mark: str, text: str) -> None:
    """Put the text between `<!-- mark -->` and `<!-- /mark -->` of a page."""
    whole = page.read_text(encoding="utf-8")
    head, _, rest = whole.partition(f"<!-- {mark} -->\n")
    _, _, tail = rest.partition(f"<!-- /{mark} -->")
    page.write_text(f"{head}<!-- {mark} -->\n{text.strip()}\n<!-- /{mark} -->{tail}", encoding="utf-8")


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
