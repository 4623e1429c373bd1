"""What notebooks show: a graph as counts and leading names, and the rows of a query as a table.

A `Graph` shows itself. For the Arrow tables of queries run `%load_ext kgbuild.notebook` once, or call `table_html`.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from kgbuild.exporters import flat

if TYPE_CHECKING:
    import pyarrow as pa

    from kgbuild.graph import Graph

ROWS, NAMES, CHARACTERS = 50, 6, 120  # how many rows, names of a type and characters of a cell are shown


def graph_html(graph: Graph) -> str:
    """Counts per type with the most connected names of each, and counts per relation, as HTML."""
    degrees, colours = flat.degrees(graph), flat.colours(graph.schema)
    lines = []
    for type_, table in graph.nodes.items():
        if not table.num_rows:
            continue
        ranked = sorted(graph.node_rows(type_), key=lambda item: (-degrees[item[0], item[1]["id"]], item[1]["id"]))
        names = " · ".join(_cell(flat.label(graph.schema.nodes[type_], row)) for _, row in ranked[:NAMES])
        dot = f'<span style="color:{colours[type_]}">●</span>'
        lines.append(f'<tr><td style="text-align:left">{dot} {escape(type_)}</td><td>{table.num_rows:,}</td>{_left(names)}</tr>')
    relations = " · ".join(f"{escape(name)} {table.num_rows:,}" for name, table in graph.edges.items() if table.num_rows)
    nodes, edges = (sum(table.num_rows for table in tables.values()) for tables in (graph.nodes, graph.edges))
    head = f"<p><b>Graph</b>: {nodes:,} nodes, {edges:,} edges</p>"
    return f"{head}<table><tr><th>type</th><th>nodes</th>{_left('most connected', 'th')}</tr>{''.join(lines)}</table><p>{relations}</p>"


def table_html(table: pa.Table) -> str:
    """The first rows of a table as HTML; long cells are cut, and their whole text is the tooltip."""
    head = "".join(_left(escape(name), "th") for name in table.column_names)
    rows = "".join("<tr>" + "".join(_left(_cell(value)) for value in row.values()) + "</tr>" for row in table.slice(0, ROWS).to_pylist())
    more = f", the first {ROWS} shown" if table.num_rows > ROWS else ""
    count = f"{table.num_rows:,} row{'' if table.num_rows == 1 else 's'}"
    return f"<table><tr>{head}</tr>{rows}</table><p>{count}{more}</p>"


def load_ipython_extension(shell: Any) -> None:
    """Have IPython show Arrow tables by `table_html`; what `%load_ext kgbuild.notebook` calls."""
    import pyarrow as pa

    shell.display_formatter.formatters["text/html"].for_type(pa.Table, table_html)


def _left(content: str, tag: str = "td") -> str:
    return f'<{tag} style="text-align:left">{content}</{tag}>'


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = "; ".join(map(str, value)) if isinstance(value, list) else f"{value:.4g}" if isinstance(value, float) else str(value)
    if len(text) <= CHARACTERS:
        return escape(text)
    return f'<span title="{escape(text)}">{escape(text[: CHARACTERS - 1])}…</span>'
