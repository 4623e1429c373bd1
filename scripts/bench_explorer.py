"""Time the explorer on made-up graphs in headless Chromium with software GL: layout, size of the page, first answered search, keystrokes.

Run: python scripts/bench_explorer.py [NODES EDGES]...   (default 10000 50000 and 50000 200000)
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from kgbuild.explorer import write_page
from kgbuild.graph import Graph

FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
ADJECTIVES = ["sparse", "deep", "neural", "causal", "latent", "robust", "hybrid", "modular", "adaptive", "masked"]
NOUNS = ["transformer", "encoder", "parsing", "retrieval", "translation", "corpus", "sampling", "alignment", "memory"]


def synthetic(nodes: int, edges: int, seed: int = 7) -> Graph:
    """A graph of the given size: a tenth of the nodes are papers, concepts gather in communities, every edge has a sentence."""
    rng = random.Random(seed)
    count = {"Paper": nodes // 10, "Task": nodes // 5, "Dataset": nodes // 10}
    count["Method"] = nodes - sum(count.values())
    names = {kind: [f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)} {kind[0]}{row}" for row in range(count[kind])] for kind in count}
    rows: dict[str, list[dict[str, Any]]] = {
        kind: [_concept(kind, row, name) for row, name in enumerate(names[kind])] for kind in count if kind != "Paper"
    }
    edge_rows: dict[str, dict[tuple[str, str], dict[str, Any]]] = {"USED_FOR": {}, "EVALUATED_ON": {}, "MENTIONS": {}}
    sentences: list[list[str]] = [[] for _ in range(count["Paper"])]
    while sum(map(len, edge_rows.values())) < edges:
        relation = rng.choice(list(edge_rows))
        source_type, target_type = {"USED_FOR": ("Method", "Task"), "EVALUATED_ON": ("Method", "Dataset"), "MENTIONS": ("Paper", "Method")}[
            relation
        ]
        at = rng.random()
        source = int(at * count[source_type])
        near = at + rng.gauss(0, 0.01) if rng.random() < 0.7 else rng.random() ** 3
        target = int(near % 1 * count[target_type])
        paper = source if source_type == "Paper" else int(at * count["Paper"])
        key = (str(source), str(target))
        if key not in edge_rows[relation]:
            edge_rows[relation][key] = _edge(source_type, source, target_type, target, paper, names, sentences[paper])
    rows["Paper"] = [
        {"id": f"p{row}", "title": names["Paper"][row], "abstract": " ".join(sentences[row]), "year": 2000 + row % 25, "authors": []}
        for row in range(count["Paper"])
    ]
    return Graph.from_rows(rows, {relation: list(found.values()) for relation, found in edge_rows.items()})


def _concept(kind: str, row: int, name: str) -> dict[str, Any]:
    return {"id": f"{kind.lower()}:{row}", "name": name, "aliases": [f"{name.upper()}"], "same_as": [], "papers": 3, "mentions": 5}


def _edge(
    source_type: str, source: int, target_type: str, target: int, paper: int, names: dict[str, list[str]], sentences: list[str]
) -> dict[str, Any]:
    sentence = f"We find that {names[source_type][source]} is what makes {names[target_type][target]} work in setting {len(sentences)}."
    start = len(names["Paper"][paper]) + 1 + sum(len(text) + 1 for text in sentences)
    sentences.append(sentence)
    head, tail = start + 13, start + sentence.index(names[target_type][target])
    return {
        "source_type": source_type,
        "source": f"p{source}" if source_type == "Paper" else f"{source_type.lower()}:{source}",
        "target_type": target_type,
        "target": f"{target_type.lower()}:{target}",
        "belief": 0.5 + (source + target) % 50 / 100,
        "support": 1,
        "background": False,
        "evidence_paper": [f"p{paper}"],
        "evidence_start": [start],
        "evidence_end": [start + len(sentence)],
        "evidence_text": [sentence],
        "evidence_head_start": [-1 if source_type == "Paper" else head],
        "evidence_head_end": [-1 if source_type == "Paper" else head + len(names[source_type][source])],
        "evidence_tail_start": [tail],
        "evidence_tail_end": [tail + len(names[target_type][target])],
        "evidence_confidence": [0.8],
        "evidence_extractor": ["synthetic 1"],
    }


def measure(page_file: Path, query: str = "sparse enc") -> dict[str, float]:
    """Seconds from navigation to the first answered search and to the drawn map, and the slowest keystroke in milliseconds."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto("about:blank")
        start = time.perf_counter()
        page.goto(page_file.as_uri(), wait_until="commit")
        page.wait_for_selector("#search")
        page.locator("#search").press_sequentially(query[:1])
        page.wait_for_selector("#hits [role=option]")
        found = {"first answer s": time.perf_counter() - start}
        page.evaluate("document.activeElement.blur()")
        page.wait_for_selector(".canvas[data-drawn]", timeout=120_000)
        found["map drawn s"] = time.perf_counter() - start
        found["slowest keystroke ms"] = max(page.evaluate(KEYSTROKE, query[:length]) for length in range(1, len(query) + 1))
        browser.close()
    return found


# From setting the text to the answers laid out: what a keystroke costs the page, without the browser driver's own time.
KEYSTROKE = """(text) => {
  const box = document.getElementById("search");
  const start = performance.now();
  box.value = text;
  box.dispatchEvent(new Event("input"));
  document.getElementById("hits").getBoundingClientRect();
  return performance.now() - start;
}"""


def main() -> None:
    """Print one line for each size."""
    sizes = [int(word) for word in sys.argv[1:]] or [10_000, 50_000, 50_000, 200_000]
    for nodes, edges in zip(sizes[::2], sizes[1::2], strict=True):
        graph = synthetic(nodes, edges)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "explorer.html"
            start = time.perf_counter()
            write_page(graph, path)
            written = {"write s": time.perf_counter() - start, "size MB": path.stat().st_size / 1e6}
            figures = written | measure(path)
        print(f"{nodes:,} nodes, {edges:,} edges: " + ", ".join(f"{name} {value:.2f}" for name, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
