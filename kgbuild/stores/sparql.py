"""What the two SPARQL stores share: checks of a query, values in and out, and errors with their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyoxigraph as ox

from kgbuild.errors import QueryError
from kgbuild.schema import Schema
from kgbuild.stores.base import nearest
from kgbuild.stores.rdf import in_order, python_value

UPDATES = r"\s*((BASE|PREFIX\s+\S*)\s*<[^>]*>\s*)*(INSERT|DELETE|LOAD|CLEAR|DROP|CREATE|ADD|MOVE|COPY|WITH)\b"
_LITERALS = r"'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""
_IRIS = r"<[^<>\"{}|^`\\\s]*>"


def is_update(text: str) -> bool:
    """Whether the text is SPARQL Update."""
    return re.match(UPDATES, _without_literals(text), re.IGNORECASE) is not None


def check(text: str, schema: Schema, *, write: bool) -> None:
    """Raise QueryError for an update that is not allowed, for what would open a connection, and for unknown names of ours."""
    bare = _without_literals(text)
    if not write and is_update(text):
        raise QueryError("the query writes, and queries are read-only", "allow it with --write (write=True in Python)")
    # Names of ours are looked for with IRIs in place; keywords without them.
    if re.search(r"\b(SERVICE|LOAD)\b(?!\s*:)", re.sub(rf"{_IRIS}|[?$]\w+|\w*:\w+", " ", bare), re.IGNORECASE):
        raise QueryError("SERVICE and LOAD would fetch from elsewhere", "kgbuild answers from its own store only")
    kg = schema.iri("kg:")
    named = re.findall(r"(?<![\w:/#])kg:(\w+)", re.sub(_IRIS, " ", bare)) + re.findall(rf"<{re.escape(kg)}(\w+)>", bare)
    known = names(schema)
    for name in named:
        if name not in known:
            raise QueryError(f"there is no class, relation or property kg:{name}", nearest(name, known))


def names(schema: Schema) -> set[str]:
    """The local names in the namespace kg: that a graph may hold."""
    groups = [*(kind.properties for kind in schema.nodes.values()), *(kind.properties for kind in schema.relations.values())]
    properties = [prop for group in groups for prop in group]
    own = {prop.iri.removeprefix("kg:") for prop in properties if prop.iri.startswith("kg:")}
    lists = {in_order(schema, prop).removeprefix(schema.iri("kg:")) for prop in properties if prop.many}
    return {*schema.nodes, *schema.relations, *own, *lists, "Statement", "Evidence", "evidence", "manifest"}


def term(value: Any) -> ox.NamedNode | ox.Literal:
    """A parameter as an RDF term: text, numbers and booleans become literals, terms stay what they are.

    Raises QueryError for anything else.
    """
    if isinstance(value, ox.NamedNode | ox.Literal):
        return value
    if isinstance(value, str | bool | int | float):
        return ox.Literal(value)
    raise QueryError(f"a parameter cannot be a {type(value).__name__}", "text, numbers, booleans and RDF terms can")


def value(item: Any) -> Any:
    """The Python value of a result term: of a literal by its type, of an IRI its text, None where unbound."""
    if item is None:
        return None
    return python_value(item.value, item.datatype.value) if isinstance(item, ox.Literal) else getattr(item, "value", str(item))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], parameters: Mapping[str, Any]) -> pa.Table:
    """Rows as Arrow, without the columns that only carry a parameter; raises QueryError where one column mixes types."""
    data = list(zip(*rows, strict=True)) or [()] * len(columns)
    try:
        return pa.table({name: pa.array(cells) for name, cells in zip(columns, data, strict=True) if name not in parameters})
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise QueryError(f"a column of the answer mixes types: {error}", "convert it in the query, say with str()") from error


def query_error(error: Exception, text: str) -> QueryError:
    """The one line about a query that does not parse or run."""
    message = str(error)
    if found := re.match(r"error at (\d+):(\d+): (.*)", message, re.DOTALL):
        line, column = int(found[1]), int(found[2])
        problem = "the prefix is not declared" if "Prefix not found" in found[3] else _shortened(found[3])
        there = (text.splitlines() or [""])[line - 1 : line]
        return QueryError(f"SPARQL does not parse at line {line}, column {column}: {problem}", f"it reads {''.join(there).strip()}")
    if found := re.search(r"does not contains? variable \?(\w+)", message):
        return QueryError(f"the parameter {found[1]!r} is not in SELECT", f"name ?{found[1]} there too; it is left out of the answer")
    return QueryError(f"SPARQL cannot run: {_shortened(message)}", "see docs/stores/rdf.md")


def _without_literals(text: str) -> str:
    # Comments last: a hash inside of an IRI or a literal starts none.
    return re.sub(rf"{_LITERALS}|({_IRIS})|#[^\n]*", lambda found: found[1] or " ", text, flags=re.DOTALL)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) < 120 else line[:120].rsplit(",", 1)[0] + " ..."
