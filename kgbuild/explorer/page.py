"""The graph as one HTML file that needs no server, no network and no other file."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
from pathlib import Path
from typing import Any

from kgbuild.explorer.payload import payload
from kgbuild.graph import Graph

BUNDLE = Path(__file__).parent / "bundle"

# Nothing may be fetched, embedded, submitted or run besides the one script and the one style whose hashes stand here.
POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; connect-src 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="kgbuild">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<noscript>This page draws its graph with JavaScript; it loads nothing from anywhere.</noscript>
<div id="app"></div>
{parts}
<script>{script}</script>
</body>
</html>
"""


def page(graph: Graph, *, title: str | None = None) -> str:
    """The HTML text of the explorer; the same graph gives the same text.

    title: heading of the page; by default the number of papers says what it is.
    """
    script = (BUNDLE / "explorer.js").read_text(encoding="utf-8")
    style = (BUNDLE / "explorer.css").read_text(encoding="utf-8")
    title = title or _title(graph)
    parts = "\n".join(
        f'<script type="application/octet-stream" data-part="{name}">{_packed(value)}</script>' for name, value in payload(graph, title)
    )
    policy = POLICY.format(script=_hash(script), style=_hash(style))
    return PAGE.format(policy=html.escape(policy), title=html.escape(title), style=style, parts=parts, script=script)


def write_page(graph: Graph, path: Path | str, *, title: str | None = None) -> None:
    """Write the explorer of `graph` to `path`; an interrupted write leaves the old file whole."""
    path = Path(path)
    text = page(graph, title=title)
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _title(graph: Graph) -> str:
    papers = next(table.num_rows for name, table in graph.nodes.items() if graph.schema.nodes[name].kind == "source")
    return f"Knowledge graph of {papers:,} {'paper' if papers == 1 else 'papers'}"


def _packed(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode("utf-8"), 9, mtime=0)).decode("ascii")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
