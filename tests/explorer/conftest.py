"""A small graph of real public facts, the real gold graph, and a browser that watches what a page does."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kgbuild.explorer import write_page
from kgbuild.extraction.records import parse_record
from kgbuild.graph import Graph
from kgbuild.records import Paper
from kgbuild.resolution import assemble, resolve

FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]

PAPERS = [
    Paper(
        "1706.03762",
        "Attention Is All You Need",
        "We propose the Transformer, a network built on attention alone. The Transformer is used for machine translation. "
        "On WMT 2014 English-German the Transformer reaches 28.4 BLEU. It is compared with ConvS2S.",
        year=2017,
        authors=("Ashish Vaswani", "Noam Shazeer"),
        arxiv="1706.03762",
        url="https://arxiv.org/abs/1706.03762",
    ),
    Paper(
        "1705.03122",
        "Convolutional Sequence to Sequence Learning",
        "We introduce ConvS2S for machine translation 🚀. On WMT 2014 English-German ConvS2S obtains 25.2 BLEU.",
        year=2017,
        url="javascript:alert(1)",
    ),
    Paper(
        "1901.11117",
        r"The {\it Evolved} Transformer",
        "We present the Evolved Transformer, found by evolution from the Transformer for machine translation. "
        "On WMT 2014 English-German the Evolved Transformer sets 29.8 BLEU.",
        year=2019,
    ),
]


def _record(
    id_: str, entities: list[tuple[str, str]], relations: list[list[str]], proposes: list[str], value: str, quote: str
) -> dict[str, Any]:
    result = {
        "method": "e1",
        "dataset": "e3",
        "task": "e2",
        "metric": "e4",
        "value": value,
        "unit": None,
        "kind": "absolute",
        "baseline": None,
    }
    return {
        "id": id_,
        "entities": [{"eid": f"e{at}", "type": type_, "name": name, "surfaces": [name]} for at, (type_, name) in enumerate(entities, 1)],
        "relations": relations,
        "proposes": proposes,
        "addresses": ["e2"],
        "results": [result | {"quote": quote}],
    }


def _records() -> list[dict[str, Any]]:
    rest = [("Task", "machine translation"), ("Dataset", "WMT 2014 English-German"), ("Metric", "BLEU")]
    used = [["e1", "USED_FOR", "e2"], ["e1", "EVALUATED_ON", "e3"]]
    return [
        _record(
            "1706.03762",
            [("Method", "Transformer"), *rest, ("Method", "ConvS2S")],
            [*used, ["e1", "COMPARED_WITH", "e5"]],
            ["e1"],
            "28.4",
            "28.4 BLEU",
        ),
        _record("1705.03122", [("Method", "ConvS2S"), *rest], used, ["e1"], "25.2", "25.2 BLEU"),
        _record(
            "1901.11117",
            [("Method", "Evolved Transformer"), *rest, ("Method", "Transformer")],
            [*used, ["e1", "SUBCLASS_OF", "e5"]],
            ["e1"],
            "29.8",
            "29.8 BLEU",
        ),
    ]


@pytest.fixture(scope="session")
def small_graph() -> Graph:
    """Three papers on machine translation with their methods and results, resolved by the product itself."""
    documents = [(paper, parse_record(record, paper)) for paper, record in zip(PAPERS, _records(), strict=True)]
    return assemble(documents, resolve(documents))


@pytest.fixture(scope="session")
def gold_graph(shared: Path) -> Graph:
    """The graph of the annotated seed papers."""
    folder = shared / "annotation"
    papers = {row["id"]: Paper(row["id"], row["title"], row["abstract"]) for row in _rows(folder / "papers.jsonl")}
    rows = [row for name in ("train", "dev") for row in _rows(folder / f"{name}.jsonl")]
    documents = [(papers[row["id"]], parse_record(row, papers[row["id"]])) for row in rows]
    return assemble(documents, resolve(documents))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium of the system; skipped without it, and an error where CI=true."""
    program = shutil.which("chromium")
    if program is None and os.environ.get("CI") != "true":
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page file at an address; at the end no page may have complained, asked for anything outside, or shown a dialog."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def go(path: Path, address: str = "", **settings: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1200, "height": 800}} | settings))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: None if request.url.startswith((path.as_uri(), "data:")) else complaints.append(f"request: {request.url}"),
        )
        page.set_default_timeout(30_000)
        page.goto(path.as_uri() + address)
        page.wait_for_selector("html[data-ready]")
        return page

    yield go
    for context in contexts:
        context.close()
    # the software renderer of a headless browser speaks of its own slowness; that is no complaint of the page
    assert [line for line in complaints if "GL Driver Message" not in line and "WebGL" not in line] == []


@pytest.fixture(scope="session")
def small_page(small_graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small graph as a page."""
    path = tmp_path_factory.mktemp("explorer") / "small.html"
    write_page(small_graph, path)
    return path
