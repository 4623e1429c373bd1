"""Load speed of the stores, side by side with each store's own bulk loader on the same prepared rows, in one run.

python scripts/bench_load.py                          1,000,000 nodes and 3,000,000 edges into the embedded store and Oxigraph
python scripts/bench_load.py --nodes 50000 --edges 150000 --stores ladybug rdf neo4j

Neo4j is the one at NEO4J_URI, and its nodes and edges are DELETED first. Prints a line for each store: seconds of its own loader,
seconds of ours, and their ratio; for the embedded store also a question over two hops.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.graph import Graph
from kgbuild.schema import load_schema
from kgbuild.stores import open_store
from kgbuild.stores.base import by_pattern, quote

SCHEMA = load_schema()
RELATION, TYPE = "PART_OF", "Method"


def make_graph(nodes: int, edges: int) -> Graph:
    """Methods with a name and an alias, and edges between them with one piece of evidence each; the same for the same sizes."""
    random_ = np.random.default_rng(7)
    ids = pa.array([f"method:{number:07}" for number in range(nodes)])
    names = pa.array([f"Method number {number}" for number in range(nodes)])
    offsets = np.arange(nodes + 1, dtype=np.int32)
    ones = pa.array(np.ones(nodes, np.int64))
    empty = pa.ListArray.from_arrays(pa.array(np.zeros(nodes + 1, np.int32)), pa.array([], pa.string()))
    columns = {
        "id": ids,
        "name": names,
        "aliases": pa.ListArray.from_arrays(offsets, names),
        "same_as": empty,
        "papers": ones,
        "mentions": ones,
    }
    # Some are linked to by many, as in real graphs.
    sources = random_.integers(0, nodes, edges * 5 // 4)
    targets = (nodes * random_.random(edges * 5 // 4) ** 3).astype(np.int64)
    pairs = np.unique(np.stack([sources, targets], 1), axis=0)
    pairs = pairs[np.sort(random_.permutation(len(pairs))[:edges])]
    graph = Graph.from_rows({}, {})
    made = Graph(
        {**graph.nodes, TYPE: pa.table([columns[name] for name in SCHEMA.nodes[TYPE].arrow.names], schema=SCHEMA.nodes[TYPE].arrow)},
        {**graph.edges, RELATION: _edges(ids, pairs)},
    )
    return made.canonical()


def _edges(ids: pa.Array, pairs: np.ndarray) -> pa.Table:
    count = len(pairs)
    offsets = np.arange(count + 1, dtype=np.int32)
    values = {
        "source_type": pa.repeat(TYPE, count),
        "source": ids.take(pa.array(pairs[:, 0])),
        "target_type": pa.repeat(TYPE, count),
        "target": ids.take(pa.array(pairs[:, 1])),
        "belief": pa.repeat(0.9, count),
        "support": pa.repeat(1, count),
        "background": pa.repeat(False, count),
    }
    single = {"string": pa.repeat("1706.03762", count), "integer": pa.repeat(12, count), "float": pa.repeat(0.9, count)}
    for prop in SCHEMA.relations[RELATION].properties:
        if prop.many:
            text = (
                pa.repeat("a passage of about fifty characters from a paper.", count) if prop.name == "evidence_text" else single[prop.type]
            )
            values[prop.name] = pa.ListArray.from_arrays(offsets, text)
    arrow = SCHEMA.relations[RELATION].arrow
    return pa.table([values[name] for name in arrow.names], schema=arrow)


CLOCK = {"wall": time.perf_counter, "cpu": time.process_time}
clock = CLOCK["wall"]


def seconds(action: Callable[[], object]) -> float:
    """Time of the action by the chosen clock."""
    began = clock()
    action()
    return clock() - began


def bench_ladybug(graph: Graph, folder: Path) -> tuple[float, float]:
    """COPY of the same Parquet rows into tables without our code, and `write`; then two hops."""
    import ladybug

    from kgbuild.stores.ladybug import LARGEST, LOADING, definitions

    _, edges = next(by_pattern(SCHEMA.relations[RELATION], graph.edges[RELATION]))
    pq.write_table(graph.nodes[TYPE], folder / "nodes.parquet")
    pq.write_table(edges, folder / "edges.parquet")

    def own() -> None:
        database = ladybug.Database(folder / "own", buffer_pool_size=LOADING, max_db_size=LARGEST)
        connection = ladybug.Connection(database)
        for statement in definitions(SCHEMA):
            connection.execute(statement.text)
        connection.execute(f"COPY {quote(TYPE)} FROM '{folder / 'nodes.parquet'}'")
        connection.execute(f"COPY {quote(RELATION)} FROM '{folder / 'edges.parquet'}' (from='{TYPE}', to='{TYPE}')")
        connection.close()
        database.close()

    result = seconds(own), seconds(lambda: open_store(f"ladybug:{folder / 'ours'}").write(graph))
    _two_hops(folder / "ours", graph)
    return result


def _two_hops(path: Path, graph: Graph) -> None:
    ids = random.Random(7).sample(graph.nodes[TYPE]["id"].to_pylist(), 200)
    text = f"MATCH (a:{TYPE} {{id: $id}})-[:{RELATION}]->(:{TYPE})-[:{RELATION}]->(c:{TYPE}) RETURN DISTINCT c.name AS name"
    with open_store(f"ladybug:{path}") as store:
        times = sorted(seconds(lambda: store.query(text, {"id": id_})) * 1000 for id_ in ids)  # noqa: B023
    print(f"ladybug two hops: p50 {statistics.median(times):.2f} ms, p95 {times[189]:.2f} ms, most {times[-1]:.2f} ms")


def bench_rdf(graph: Graph, folder: Path) -> tuple[float, float]:
    """Oxigraph's bulk loader on prepared N-Quads, and `write`, which makes them from the tables."""
    import pyoxigraph as ox

    from kgbuild.stores import rdf

    with (folder / "graph.nq").open("w", encoding="utf-8") as stream:
        stream.writelines(rdf.nquads(graph))

    def own() -> None:
        store = ox.Store(str(folder / "own"))
        store.bulk_load(path=str(folder / "graph.nq"), format=ox.RdfFormat.N_QUADS)
        store.flush()

    its = seconds(own)
    shutil.rmtree(folder / "own")  # the text and two stores of a million nodes would be some fifty gigabytes
    return its, seconds(lambda: open_store(f"rdf:{folder / 'ours'}").write(graph))


def bench_neo4j(graph: Graph, folder: Path) -> tuple[float, float]:
    """A bare UNWIND of the same rows by the driver, and `write`; twice each, the second (warm) time counts."""
    import neo4j

    from kgbuild.stores.neo4j import BATCH, Neo4jStore, definitions

    store = open_store("neo4j:")
    assert isinstance(store, Neo4jStore)
    driver: neo4j.Driver = store._driver
    _, edges = next(by_pattern(SCHEMA.relations[RELATION], graph.edges[RELATION]))
    nodes_text = f"UNWIND $rows AS row MERGE (n:{TYPE} {{id: row.id}}) SET n += row"
    ends = f"MATCH (a:{TYPE} {{id: row.source}}) MATCH (b:{TYPE} {{id: row.target}})"
    edges_text = f"UNWIND $rows AS row {ends} MERGE (a)-[r:{RELATION}]->(b) SET r += row.properties"

    def clear() -> None:
        with driver.session(database=store.database) as session:
            session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS").consume()

    def own() -> None:
        with driver.session(database=store.database) as session:
            for statement in definitions(SCHEMA):
                session.run(statement).consume()
            for text, table in ((nodes_text, graph.nodes[TYPE]), (edges_text, edges)):
                for batch in table.to_batches(max_chunksize=BATCH):
                    rows = batch.to_pylist()
                    if text is edges_text:
                        rows = [{"source": row.pop("source"), "target": row.pop("target"), "properties": row} for row in rows]
                    session.run(text, rows=rows).consume()

    times = {}
    for _ in range(2):
        for name, action in (("own", own), ("ours", lambda: store.write(graph))):
            clear()
            times[name] = seconds(action)
    clear()
    store.close()
    return times["own"], times["ours"]


BENCHES = {"ladybug": bench_ladybug, "rdf": bench_rdf, "neo4j": bench_neo4j}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--edges", type=int, default=3_000_000)
    parser.add_argument("--stores", nargs="+", choices=list(BENCHES), default=["ladybug", "rdf"])
    help_ = "cpu counts processor seconds of this process, the fairer clock on a busy machine (not for neo4j)"
    parser.add_argument("--clock", choices=list(CLOCK), default="wall", help=help_)
    arguments = parser.parse_args()
    global clock
    clock = CLOCK[arguments.clock]
    graph = make_graph(arguments.nodes, arguments.edges)
    print(f"{graph.nodes[TYPE].num_rows:,} nodes, {graph.edges[RELATION].num_rows:,} edges with one piece of evidence each")
    for name in arguments.stores:
        with tempfile.TemporaryDirectory() as folder:
            own, ours = BENCHES[name](graph, Path(folder))
        print(f"{name}: its own loader {own:.1f} s, kgbuild {ours:.1f} s, ratio {ours / own:.2f}", flush=True)


if __name__ == "__main__":
    main()
