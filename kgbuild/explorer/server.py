"""The page over HTTP on this machine, for those who do not want a file."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from kgbuild.errors import KgbuildError
from kgbuild.explorer.page import page
from kgbuild.graph import Graph

if TYPE_CHECKING:
    from starlette.applications import Starlette


def application(text: str) -> Starlette:
    """A web application that answers `/` with the page and everything else with 404."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    async def answer(request: Request) -> HTMLResponse:
        del request
        return HTMLResponse(text, headers={"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store"})

    return Starlette(routes=[Route("/", answer)])


def serve(
    graph: Graph, *, host: str = "127.0.0.1", port: int = 8470, title: str | None = None, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve the explorer of `graph` until interrupted.

    port: 0 takes any free one. on_ready: called with the address once it answers. Raises KgbuildError where the port is taken.
    """
    import uvicorn

    app = application(page(graph, title=title))
    with _listening(host, port) as listener:
        if on_ready:
            on_ready(f"http://{host}:{listener.getsockname()[1]}/")
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise KgbuildError(f"port {port} of {host} is taken", "choose another with --port, or --port 0 for any free one") from error
        raise KgbuildError(f"cannot listen on {host}:{port}: {error.strerror or error}", "choose another with --host and --port") from error
    listener.listen(64)
    return listener
