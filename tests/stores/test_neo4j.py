"""Neo4j, the real server: settings, constraints and indexes, failures, a crash in the middle of a load, and the import files."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from neo4j_server import SERVER, Server, classpath
from strategies import graphs

from kgbuild.errors import StoreError
from kgbuild.graph import Graph
from kgbuild.stores import open_store
from kgbuild.stores.neo4j import Neo4jStore
from kgbuild.stores.neo4j_import import write_import


@pytest.fixture(autouse=True)
def surroundings(neo4j_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The server's address and password in the environment, an empty working folder, and an empty database."""
    monkeypatch.chdir(tmp_path)
    for variable, value in neo4j_server.environment.items():
        monkeypatch.setenv(variable, value)
    with open_store("neo4j:") as store:
        store.query("MATCH (n) DETACH DELETE n", write=True)


@pytest.fixture
def own_server(pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that a test may kill."""
    server = Server(tmp_path / "own", classpath(pytestconfig.cache.mkdir("neo4j"), SERVER))
    for variable, value in server.environment.items():
        monkeypatch.setenv(variable, value)
    yield server
    server.kill()


def many(count: int) -> Graph:
    """A graph with so many methods and edges that loading takes a while."""
    ids = [f"method:{number:06}" for number in range(count)]
    lists = [
        *("evidence_paper", "evidence_start", "evidence_end", "evidence_text", "evidence_confidence", "evidence_extractor"),
        *(f"evidence_{end}_{edge}" for end in ("head", "tail") for edge in ("start", "end")),
    ]
    nodes = [{"id": id_, "name": id_, "aliases": [], "same_as": [], "papers": 1, "mentions": 1} for id_ in ids]
    rest = {"belief": 0.5, "support": 0, "background": True, **{name: [] for name in lists}}
    edges = [
        {"source_type": "Method", "source": source, "target_type": "Method", "target": target, **rest}
        for source, target in zip(ids, [*ids[1:], ids[0]], strict=True)
    ]
    return Graph.from_rows({"Method": nodes}, {"PART_OF": edges})


def test_settings_come_from_a_file(neo4j_server: Server, graph: Graph, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Address, user, password and database may stand in .env; NEO4J_USER is as good as NEO4J_USERNAME."""
    for variable in neo4j_server.environment:
        monkeypatch.delenv(variable)
    lines = (f"{name.replace('USERNAME', 'USER')}={value}\n" for name, value in neo4j_server.environment.items())
    (tmp_path / ".env").write_text("".join(lines))
    with open_store("neo4j:") as store:
        store.write(graph)

        assert graph.equals(store.read())


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A variable that is set counts more than a line of .env."""
    (tmp_path / ".env").write_text("NEO4J_PASSWORD=wrong\n")

    with open_store("neo4j:") as store:
        assert store.query("RETURN 1 AS one").to_pylist() == [{"one": 1}]


def test_the_address_may_name_the_database(neo4j_server: Server) -> None:
    """The path of the address is the database; one that is not there is one clear line."""
    with open_store(f"{neo4j_server.uri}/neo4j") as store:
        assert store.query("RETURN 1 AS one").num_rows == 1
    with pytest.raises(StoreError, match="no database 'missing'"):
        open_store(f"{neo4j_server.uri}/missing")


def test_a_password_in_the_address_is_refused(neo4j_server: Server) -> None:
    """Addresses end up in logs and shell histories, so passwords do not belong there, and the line does not repeat it."""
    with pytest.raises(StoreError, match="NEO4J_PASSWORD") as caught:
        open_store(neo4j_server.uri.replace("//", "//neo4j:secret@"))

    assert "secret" not in str(caught.value)


def test_constraints_indexes_and_full_text(graph: Graph) -> None:
    """Ids are unique by constraint, names have an index, and the full-text index finds words of names, aliases and titles."""
    with open_store("neo4j:") as store:
        store.write(graph)
        unique = {tuple(row["labelsOrTypes"]) for row in store.query("SHOW CONSTRAINTS YIELD labelsOrTypes", write=True).to_pylist()}
        store.query("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()", write=True)
        search = "CALL db.index.fulltext.queryNodes('kgbuild_text', $words) YIELD node RETURN node.id AS id ORDER BY id"
        found = [store.query(search, {"words": words})["id"].to_pylist() for words in ("transformers", "attention", "machine")]

        with pytest.raises(StoreError, match="already exists"):
            store.query("MATCH (m:Method {id: 'method:bert'}) SET m.id = 'method:rnn'", write=True)

    assert {(name,) for name in graph.schema.nodes} <= unique
    assert found == [["method:transformer"], ["1706.03762"], ["task:machine-translation"]]


def test_a_wrong_password_is_one_line(neo4j_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says where, what and how to mend it."""
    monkeypatch.setenv("NEO4J_PASSWORD", "not-the-password")

    with pytest.raises(StoreError) as caught:
        open_store("neo4j:")

    assert neo4j_server.uri in caught.value.message
    assert "NEO4J_PASSWORD" in caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_server_that_is_down_is_one_line() -> None:
    """Nothing listening is found out at once, not after half a minute of repeats."""
    began = time.monotonic()

    with pytest.raises(StoreError, match="no server answers") as caught:
        open_store("bolt://127.0.0.1:9")

    assert time.monotonic() - began < 15
    assert "\n" not in str(caught.value)


def test_edges_without_ends_are_an_error(graph: Graph) -> None:
    """Edges that would silently vanish, because an end is no node, are counted and said."""
    nodes = {name: table.to_pylist() for name, table in graph.nodes.items() if name != "Task"}
    broken = Graph.from_rows(nodes, {"USED_FOR": graph.edges["USED_FOR"].to_pylist()})

    with open_store("neo4j:") as store, pytest.raises(StoreError, match="1 edges of USED_FOR end at nodes that are not there"):
        store.write(broken)


def test_foreign_nodes_under_our_labels_are_one_line(graph: Graph) -> None:
    """Nodes that others keep under our labels make reading fail with advice, not with half a graph."""
    with open_store("neo4j:") as store:
        store.write(graph)
        store.query("CREATE (:Method {id: 'theirs'})", write=True)

        with pytest.raises(StoreError, match="database of its own"):
            store.read()


def test_a_crash_in_the_middle_of_a_load(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server killed while a graph is being loaded: one clear line; started again, the repeated load completes it without doubles."""
    monkeypatch.setattr("kgbuild.stores.neo4j.BATCH", 100)
    graph = many(3_000)
    own_server.start()
    with open_store("neo4j:") as store:
        caught: list[BaseException] = []

        def load() -> None:
            try:
                store.write(graph)
            except StoreError as error:
                caught.append(error)

        loading = threading.Thread(target=load)
        loading.start()
        with open_store("neo4j:") as watcher:
            while watcher.query("MATCH (m:Method) RETURN count(m) AS n").to_pylist()[0]["n"] < 200:
                time.sleep(0.01)
        own_server.kill()
        loading.join(timeout=90)

    assert len(caught) == 1
    assert "no server answers" in str(caught[0])
    assert "\n" not in str(caught[0])

    own_server.start()
    with open_store("neo4j:") as store:
        left = store.query("MATCH (m:Method) RETURN count(m) AS n").to_pylist()[0]["n"]
        store.write(graph)

        assert 200 <= left < 3_000
        assert graph.equals(store.read())


@pytest.fixture(scope="module")
def import_server(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A stopped server to import into."""
    return Server(tmp_path_factory.mktemp("import"), classpath(pytestconfig.cache.mkdir("neo4j"), SERVER))


def run_import(server: Server, folder: Path) -> str:
    """Run the script of the import files with the real neo4j-admin."""
    environment = {**server.admin_environment(), "NEO4J_ADMIN": str(server.admin_script())}
    done = subprocess.run([str(folder / "import.sh")], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_import_files_load_with_the_real_tool(import_server: Server, graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files and the script that `load --to neo4j-import:DIR` writes give the same graph as loading over Bolt."""
    awkward = max(filter(_writable, _samples()), key=lambda sample: sum(table.num_rows for table in sample.edges.values()))
    merged = _united(graph, awkward)
    write_import(merged, tmp_path / "files")
    run_import(import_server, tmp_path / "files")
    for variable, value in import_server.environment.items():
        monkeypatch.setenv(variable, value)
    import_server.start()
    try:
        with open_store("neo4j:") as store:
            assert isinstance(store, Neo4jStore)
            for statement in (tmp_path / "files" / "schema.cypher").read_text().split(";\n"):
                if statement.strip():
                    store.query(statement, write=True)
            read = store.read()
    finally:
        import_server.kill()

    for name, table in {**merged.nodes, **merged.edges}.items():
        assert table.to_pylist() == {**read.nodes, **read.edges}[name].to_pylist(), name


def _writable(graph: Graph) -> bool:
    tables = [*graph.nodes.values(), *graph.edges.values()]
    return not any(value == [""] for table in tables for column in table.columns for value in column.to_pylist())


def test_a_list_that_import_files_cannot_hold_is_refused(tmp_path: Path) -> None:
    """A list of one empty text would come back empty: one clear line, and no files."""
    row = {"id": "task:x", "name": "x", "aliases": [""], "same_as": [], "papers": 1, "mentions": 1}
    with pytest.raises(StoreError, match="aliases of a Task"):
        write_import(Graph.from_rows({"Task": [row]}, {}), tmp_path / "files")
    assert not (tmp_path / "files").exists()


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs().filter(_writable))
def test_import_files_have_one_cell_for_each_column(graph: Graph, tmp_path: Path) -> None:
    """Whatever the texts hold, a reader of CSV finds the rows and columns of the header."""
    import csv

    write_import(graph, tmp_path)
    csv.field_size_limit(10_000_000)
    for name, table in graph.nodes.items():
        with (tmp_path / "nodes" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(line.replace("\0", "0") for line in stream))

        assert [len(rows[0])] * table.num_rows == [len(row) for row in rows[1:]]


def _samples() -> Iterator[Graph]:
    found: list[Graph] = []

    @settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
    @given(graph=graphs())
    def collect(graph: Graph) -> None:
        found.append(graph)

    collect()
    return iter(found)


def _united(left: Graph, right: Graph) -> Graph:
    nodes = {name: [*table.to_pylist(), *right.nodes[name].to_pylist()] for name, table in left.nodes.items()}
    edges = {name: [*table.to_pylist(), *right.edges[name].to_pylist()] for name, table in left.edges.items()}
    return Graph.from_rows(nodes, edges)


def test_java_is_there_in_ci() -> None:
    """None of this is skipped where CI=true: this test runs only with a server, and CI fails without one."""
    assert os.environ.get("NEO4J_URI")
