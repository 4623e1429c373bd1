"""The SPARQL 1.1 protocol over HTTP: queries by GET and POST, answers in the format that the client accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kgbuild.errors import KgbuildError, QueryError
from kgbuild.stores import sparql

if TYPE_CHECKING:
    from kgbuild.stores.oxigraph import OxigraphStore

_Format = ox.QueryResultsFormat | ox.RdfFormat
ROWS: tuple[_Format, ...] = (ox.QueryResultsFormat.JSON, ox.QueryResultsFormat.XML, ox.QueryResultsFormat.CSV, ox.QueryResultsFormat.TSV)
TRIPLES: tuple[_Format, ...] = (ox.RdfFormat.TURTLE, ox.RdfFormat.N_TRIPLES, ox.RdfFormat.JSON_LD, ox.RdfFormat.RDF_XML)
# What clients ask for besides the exact names.
ALSO: dict[str, _Format] = {"application/json": ROWS[0], "application/xml": ROWS[1], "text/xml": ROWS[1], "text/plain": TRIPLES[1]}
LARGEST = 1 << 20  # bytes of a request
DESCRIPTION = """\
PREFIX sd: <http://www.w3.org/ns/sparql-service-description#>
CONSTRUCT {{ <{url}> a sd:Service ; sd:endpoint <{url}> ; sd:supportedLanguage sd:SPARQL11Query ; sd:feature sd:UnionDefaultGraph }}
WHERE {{}}
"""


def app(store: OxigraphStore, *, write: bool = False) -> Starlette:
    """The endpoint at `/sparql`; updates are refused unless `write`.

    Status: 200 with the answer, 204 after an update, 400 for a query that does not parse, 403 for an update that is not allowed,
    406 where no format is acceptable, 413 for a request over 1 MiB, 415 for a body of another kind.
    """
    endpoint = _Endpoint(store, write)
    return Starlette(routes=[Route("/sparql", endpoint.answer, methods=["GET", "POST"]), Route("/", endpoint.answer, methods=["GET"])])


class _RefusedError(Exception):
    """A request that gets another status than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Endpoint:
    """One store behind one route."""

    def __init__(self, store: OxigraphStore, write: bool) -> None:
        self.store, self.write = store, write

    async def answer(self, request: Request) -> Response:
        """The answer to one request of the protocol."""
        try:
            kind, text, parameters = await _operation(request)
            if kind == "update":
                return await run_in_threadpool(self._update, text)
            text = text or DESCRIPTION.format(url=str(request.base_url).rstrip("/") + "/sparql")
            return await run_in_threadpool(self._query, text, parameters, request.headers.get("accept", "*/*"))
        except _RefusedError as refused:
            return PlainTextResponse(f"{refused}\n", refused.status)
        except KgbuildError as error:
            return PlainTextResponse(f"{error}\n", 400 if isinstance(error, QueryError) else 500)

    def _update(self, text: str) -> Response:
        if not self.write:
            raise _RefusedError(403, "this endpoint is read-only (kgbuild serve --write allows updates)")
        sparql.check(text, self.store.schema, write=True)
        self.store.update(text)
        return Response(status_code=204)

    def _query(self, text: str, parameters: QueryParams, accept: str) -> Response:
        sparql.check(text, self.store.schema, write=False)
        graphs = [[ox.NamedNode(iri) for iri in parameters.getlist(f"{kind}-graph-uri")] for kind in ("default", "named")]
        result = self.store.solutions(text, default_graphs=graphs[0], named_graphs=graphs[1])
        offered = TRIPLES if isinstance(result, ox.QueryTriples) else ROWS
        chosen = _acceptable(accept, offered)
        try:
            # Answering goes on while serializing, and may still fail.
            body = result.serialize(format=chosen)  # type: ignore[arg-type]
        except (RuntimeError, OSError) as error:
            raise sparql.query_error(error, text) from error
        return Response(body, media_type=chosen.media_type)


async def _operation(request: Request) -> tuple[str, str, QueryParams]:
    """(query or update, its text, the other parameters); the text is empty where the service itself is asked for."""
    if request.method == "GET":
        if "update" in request.query_params:
            raise _RefusedError(400, "updates come by POST")
        return "query", _one(request.query_params, "query", needed=False), request.query_params
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise _RefusedError(413, f"a request may have {LARGEST} bytes")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _RefusedError(400, "the body is not UTF-8") from error
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        form = QueryParams(text)
        name = "update" if "update" in form else "query"
        return name, _one(form, name), form
    if kind in ("application/sparql-query", "application/sparql-update"):
        return kind.rpartition("-")[2], text, request.query_params
    raise _RefusedError(415, "send a form, application/sparql-query or application/sparql-update")


def _one(parameters: QueryParams, name: str, *, needed: bool = True) -> str:
    given = parameters.getlist(name)
    if len(given) > 1 or (needed and not given):
        raise _RefusedError(400, f"exactly one {name} is needed")
    return given[0] if given else ""


def _acceptable(accept: str, offered: tuple[_Format, ...]) -> _Format:
    """The offered format that the client likes best; ours comes first among equals."""
    best: tuple[float, int, _Format] | None = None
    for wish in accept.split(","):
        name, *options = (part.strip().lower() for part in wish.split(";"))
        weight = next((_weight(option[2:]) for option in options if option.startswith("q=")), 1.0)
        for place, format_ in enumerate(offered):
            exact = format_.media_type.partition(";")[0]
            fits = name in (exact, "*/*", f"{exact.partition('/')[0]}/*") or ALSO.get(name) == format_
            if fits and weight > 0 and (best is None or (weight, -place) > best[:2]):
                best = weight, -place, format_
    if best is None:
        names = ", ".join(format_.media_type.partition(";")[0] for format_ in offered)
        raise _RefusedError(406, f"the answer can be {names}")
    return best[2]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
