"""The command line: a table of verbs, each a plain function in a module of this folder, and the edge where errors become one line.

To add a verb, write a typed function with a docstring (first line: what it does; last paragraph: `Example:` and a command) and give
it a row in `VERBS`. Modules are imported when their verb is called, so that `kgbuild --help` stays fast.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kgbuild.errors import KgbuildError

# verb: module of kgbuild.cli, what `kgbuild --help` says about it (the first sentence of the function's docstring)
VERBS: dict[str, tuple[str, str]] = {
    "build": ("build", "Build a graph from files of papers, or add them to one."),
    "spark": ("spark", "Build the graph of papers on a Spark cluster and leave it as Parquet."),
    "query": ("query", "Ask a graph in Cypher."),
    "ask": ("queries", "Ask a question of the catalogue."),
    "search": ("queries", "Find entities and papers by words and by meaning."),
    "show": ("query", "Show an entity or a paper with its relations and the sentences behind them."),
    "stats": ("query", "Count the nodes and edges of a graph."),
    "explore": ("explorer", "Open a graph in the browser."),
    "export": ("exports", "Write a graph for another tool."),
    "plot": ("exports", "Draw a neighbourhood, a leaderboard or the type matrix."),
    "verify": ("query", "Check every piece of evidence against the text of its paper."),
    "diff": ("change", "Say what differs between two graphs."),
    "merge": ("change", "Unite two graphs."),
    "remove": ("change", "Take papers or sources out of a graph."),
    "extract": ("evaluate", "Write one extraction record per paper."),
    "eval": ("evaluate", "Score an extractor against gold records."),
    "resolve": ("resolution", "Give each entity of extraction records its node."),
    "explain": ("resolution", "Say why two names are one node or two."),
    "review": ("resolution", "Write the doubtful merges for a person to decide."),
    "load": ("stores", "Load a graph into a database."),
    "sparql": ("stores", "Ask a graph in SPARQL."),
    "serve": ("stores", "Serve a graph over HTTP for SPARQL clients."),
    "validate": ("stores", "Check a graph against the ontology's shapes."),
}

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and answers only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more of what happens.")]


def _with_levels(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The verb with `--quiet` and `--verbose`, so that each of them has both."""

    @functools.wraps(verb)
    def run(*, quiet: bool, verbose: bool, **arguments: Any) -> Any:
        from kgbuild.cli import console

        console.set_level(quiet=quiet, verbose=verbose)
        return verb(**arguments)

    signature = inspect.signature(verb, eval_str=True)
    levels = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in (("quiet", Quiet), ("verbose", Verbose))
    ]
    parameters = [*signature.parameters.values(), *levels]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def load_verb(name: str) -> Callable[..., Any]:
    """The function behind a verb; a trailing underscore keeps it apart from a Python builtin."""
    module = import_module(f"kgbuild.cli.{VERBS[name][0]}")
    function: Callable[..., Any] = getattr(module, f"{name}_", None) or getattr(module, name)
    return function


class _Verbs(TyperGroup):
    """The commands of `VERBS`, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in VERBS:
            return None
        function = load_verb(cmd_name)
        text = (inspect.getdoc(function) or "").replace("\nExample", "\n\b\nExample")
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, help=text)(_with_levels(function))
        return typer.main.get_command(single)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            near = get_close_matches(args[0], VERBS, n=1)
            raise KgbuildError(f"no command {args[0]!r}", f"did you mean {near[0]!r}?" if near else "kgbuild --help lists them")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The verbs with their sentences, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in VERBS.items()])


app = typer.Typer(cls=_Verbs, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("kgbuild"))
        raise typer.Exit


@app.callback(epilog="Example: kgbuild build examples/papers.jsonl -o papers.kg")
def kgbuild(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)] = False,
) -> None:
    """Build typed knowledge graphs from research abstracts, offline, with evidence on every edge."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a failed check (verify, diff) or a bug (traceback), 2 a problem that its user can mend."""
    arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    command = typer.main.get_command(app)
    try:
        sys.exit(command.main(arguments, prog_name="kgbuild", standalone_mode=False) or 0)
    except KgbuildError as error:
        _fail(str(error))
    except typer.TyperException as error:
        _fail(_usage_line(error, arguments))
    except typer.Abort:
        _fail("stopped", code=1)
    except KeyboardInterrupt:
        _fail("interrupted; the graph is as it was, and the next run goes on from here", code=130)
    except BrokenPipeError:
        # Whoever read our output has had enough: silence the flush at exit too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        # The disk, a right or a name is wrong: nothing that a traceback would explain better.
        if error.errno is None:
            raise
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror))


def _usage_line(error: typer.TyperException, arguments: list[str]) -> str:
    verb = next((word for word in arguments if word in VERBS), "")
    message = " ".join(error.format_message().split()).rstrip(".")
    return f"{message} (kgbuild {verb + ' ' if verb else ''}--help shows how)" if message else "kgbuild --help shows how"


def _fail(line: str, code: int = 2) -> None:
    print(f"kgbuild: {line}", file=sys.stderr)
    sys.exit(code)
