"""README and docs are tests: each `python` and `console` block runs in the order of its page, in a folder that holds `examples/`.

In a `console` block a line that begins with `$` is run by bash; what follows it must be what the command prints, on standard output and
standard error together; `...` stands for anything. Pages under docs/ find `papers.kg`, the graph of the examples, beside them. Blocks
in other languages (`sh`, `cypher`) are only shown.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from sybil.sybil import SybilCollection

ROOT = Path(__file__).resolve().parent
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def run_console(example: Example) -> None:
    """Run the commands of a `console` block and compare what they print."""
    for part in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            line, _, expected = expected.partition("\n")
            command = f"{command[:-1]} {line.removeprefix('>')}"
        environment = {**os.environ, "PATH": PATH, "COLUMNS": "120"}
        shell = ["bash", "-c", f"exec 2>&1; {command}"]
        done = subprocess.run(shell, stdout=subprocess.PIPE, text=True, env=environment, check=False)
        pattern = r".*?".join(map(re.escape, expected.strip().split("...")))
        if expected.strip():
            assert re.fullmatch(pattern, _trimmed(done.stdout), re.DOTALL), f"$ {command}\n{done.stdout}\nexpected:\n{expected}"
        else:
            assert done.returncode == 0, f"$ {command}\n{done.stdout}"


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@cache
def example_graph() -> Path:
    """The graph of the examples, built once per process."""
    import kgbuild

    path = Path(tempfile.mkdtemp(prefix="kgbuild-docs-")) / "papers.kg"
    kgbuild.build(ROOT / "examples" / "papers.jsonl", path)
    return path


def enter(namespace: dict[str, Any]) -> None:
    """A folder for a page of its own, with the examples."""
    namespace["_home"] = Path.cwd()
    namespace["_folder"] = Path(tempfile.mkdtemp(prefix="kgbuild-page-"))
    os.chdir(namespace["_folder"])
    Path("examples").symlink_to(ROOT / "examples")


def enter_with_graph(namespace: dict[str, Any]) -> None:
    """The same, with the graph of the examples."""
    enter(namespace)
    shutil.copytree(example_graph(), "papers.kg")


def leave(namespace: dict[str, Any]) -> None:
    """Back to where we were."""
    os.chdir(namespace["_home"])
    shutil.rmtree(namespace["_folder"], ignore_errors=True)


parsers = [
    PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE),
    CodeBlockParser("console", run_console),
]
readme = Sybil(parsers, patterns=["README.md"], setup=enter, teardown=leave)
docs = Sybil(parsers, patterns=["docs/*.md", "docs/**/*.md"], setup=enter_with_graph, teardown=leave)
pytest_collect_file = SybilCollection([readme, docs]).pytest()
