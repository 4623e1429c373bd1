"""Kill a build of real papers at random points and see that the next one ends with the right graph.

python scripts/kill_test.py INPUT [--times 50] [--seed 1] [--signal KILL|INT] [--workers 1]

Each time a first build is started, killed after a random part of the time that a whole build takes, and repeated until it ends by
itself. Printed: how often the graph that came out was the right one, byte for byte, and what a reader saw after the kill.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import kgbuild
from kgbuild.errors import StoreError


def content(graph: Path) -> dict[str, bytes] | str:
    try:
        with kgbuild.open(graph) as opened:
            tables = opened.graph()
    except StoreError as error:
        return error.message.removeprefix(f"{graph}: ")
    out = graph.with_suffix(".out")
    shutil.rmtree(out, ignore_errors=True)
    tables.write(out)
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signal", choices=["KILL", "INT"], default="KILL")
    parser.add_argument("--workers", default="1")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    home = Path(tempfile.mkdtemp(prefix="kgbuild-kill-"))
    command = [sys.executable, "-m", "kgbuild", "build", options.input, "-q", "--workers", options.workers, "-o"]
    start = time.monotonic()
    subprocess.run([*command, str(home / "right.kg")], check=True)
    whole = time.monotonic() - start
    right = content(home / "right.kg")
    print(f"a whole build takes {whole:.1f} s")
    recovered, seen = 0, Counter[str]()
    for step in range(options.times):
        graph = home / "killed.kg"
        shutil.rmtree(graph, ignore_errors=True)
        process = subprocess.Popen([*command, str(graph)], stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, whole))
        process.send_signal(getattr(signal, f"SIG{options.signal}"))
        process.wait()
        after = content(graph)
        seen["the whole graph" if after == right else after if isinstance(after, str) else "A WRONG GRAPH"] += 1
        subprocess.run([*command, str(graph)], check=True)
        recovered += content(graph) == right
        print(f"{step + 1}: {recovered} recovered", flush=True)
    print(f"{recovered} of {options.times} recovered to the right graph; after the kill a reader found: {dict(seen)}")
    shutil.rmtree(home)
    return 0 if recovered == options.times and not seen["A WRONG GRAPH"] else 1


if __name__ == "__main__":
    sys.exit(main())
