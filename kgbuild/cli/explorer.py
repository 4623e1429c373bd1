"""The verb `explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explore(
    graph: Annotated[Path, typer.Argument(help="The graph, a folder NAME.kg.")],
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes any free one.")] = 8470,
    host: Annotated[str, typer.Option(help="Address to listen on; the default is for this machine alone.")] = "127.0.0.1",
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open a graph in the browser.

    The page is served from this machine until you press Ctrl+C; `kgbuild export graph.kg explorer.html` writes it as one file.

    Example: kgbuild explore papers.kg
    """
    import webbrowser

    import kgbuild
    from kgbuild.cli.console import say
    from kgbuild.explorer import serve

    def ready(address: str) -> None:
        say(f"The explorer is at {address} (Ctrl+C stops it)")
        if browser:
            webbrowser.open(address)

    with kgbuild.open(graph) as opened:
        content = opened.graph()
    serve(content, host=host, port=port, title=title, on_ready=ready)
