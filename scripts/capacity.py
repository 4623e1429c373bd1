"""The cost model of docs/spark.md: measures the Spark job on some thousand abstracts and extrapolates it.

    python scripts/capacity.py ../shared/abstracts/abstracts.jsonl.xz --papers 5000 --write

Per abstract: processor seconds and bytes shuffled of every step (from Spark's event log and the processor time of all processes), bytes of
every stage as Parquet. Skew: the share of its rows that the largest key of each shuffle has.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

from measure import Meter, machine, put_into, table, write_papers

PAGE = Path(__file__).parent.parent / "docs" / "spark.md"
SIZES = (3_000_000, 200_000_000)
PRICE = 0.05  # dollars for a core and an hour, about what clouds ask for a core with 4 GB
HEADROOM = 1.5  # for tasks that wait for the last one, and for what starts anew


def shuffled(log: Path) -> tuple[dict[str, int], dict[str, float]]:
    """(bytes, seconds of tasks) by the step that Spark's event log names."""
    step_of: dict[int, str] = {}
    size: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    for file in sorted(path for path in log.rglob("*") if path.is_file()):
        for event in map(json.loads, file.open(encoding="utf-8")):
            if event["Event"] == "SparkListenerJobStart":
                name = event.get("Properties", {}).get("spark.job.description", "other")
                step_of.update(dict.fromkeys(event["Stage IDs"], name))
            elif event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
                step, metrics = step_of.get(event["Stage ID"], "other"), event["Task Metrics"]
                size[step] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                seconds[step] += metrics["Executor Run Time"] / 1000
    return dict(size), dict(seconds)


def stored(folder: Path) -> dict[str, int]:
    """Bytes of Parquet by stage."""
    found: dict[str, int] = defaultdict(int)
    for file in folder.rglob("*.parquet"):
        if file.is_file():
            found[file.relative_to(folder).parts[0]] += file.stat().st_size
    return dict(found)


def skew(spark: object, folder: Path) -> list[list[str]]:
    """The largest key of the steps that shuffle by one, and its share of the rows."""
    from pyspark.sql import functions as fn

    rows = []
    for stage, keys, what in (
        ("settled", ["type", "key"], "entities by name"),
        ("settled", ["id"], "entities by paper"),
        ("names", ["type", "key"], "names"),
    ):
        frame = spark.read.parquet(str(folder / stage))  # type: ignore[attr-defined]
        top = frame.groupBy(*keys).count().orderBy(fn.desc("count"), *keys).first()
        rows.append([what, f"{frame.count():,}", str(top[keys[-1]]), f"{top['count'] / frame.count():.2%}"])
    return rows


def extraction_seconds(papers: Path, extractor: str) -> float:
    """Processor seconds for one abstract in one process, loading left out."""
    from kgbuild import sources
    from kgbuild.extraction import load_extractor

    found = [paper for _, paper in sources.read(papers, on_problem=lambda _: None)][:500]
    loaded = load_extractor(extractor)
    list(loaded.extract(found[:5]))
    start = time.process_time()
    for _ in loaded.extract(found):
        pass
    return (time.process_time() - start) / len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="abstracts as xz-packed JSONL")
    parser.add_argument("--papers", type=int, default=5000)
    parser.add_argument("--extractor", default="rules")
    parser.add_argument(
        "--rates", type=float, nargs="*", default=[], help="further abstracts per core-second to extrapolate, such as the model's"
    )
    parser.add_argument("--write", action="store_true", help="write the tables into docs/spark.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kgbuild-capacity-") as name:
        text = measure(Path(name), arguments)
    print(text)
    if arguments.write:
        put_into(PAGE, "capacity", text)


def measure(folder: Path, arguments: argparse.Namespace) -> str:
    from kgbuild.spark import build, open_session

    papers = write_papers(arguments.source, folder / "papers.jsonl", arguments.papers)
    (folder / "log").mkdir()
    settings = {"spark.eventLog.enabled": "true", "spark.eventLog.compress": "false", "spark.eventLog.dir": (folder / "log").as_uri()}
    spark = open_session("local[2]", settings)
    run = partial(
        build, [str(papers)], str(folder / "graph"), extractor=arguments.extractor, checkpoint=str(folder / "stages"), spark=spark
    )
    spark.range(1).count()
    with Meter() as meter:
        report = run()
    (stages,) = (folder / "stages").iterdir()
    skewed, kept, tables = skew(spark, stages), stored(stages), stored(folder / "graph")
    spark.stop()
    size, seconds = shuffled(folder / "log")
    own = extraction_seconds(papers, arguments.extractor)
    count = report.papers
    steps = [
        [step, f"{seconds[step] / count * 1000:.2f}", f"{size.get(step, 0) / count:,.0f}"]
        for step in sorted(seconds, key=lambda s: -seconds[s])
    ]
    others = max(meter.cpu / count - own, 0.0)
    largest = sorted({**kept, **tables}.items(), key=lambda item: -item[1])
    parts = [
        f"{count:,} abstracts, extractor {arguments.extractor}, local[2]: {meter.cpu:.0f} processor seconds in {meter.wall:.0f} s, "
        f"of which extraction {own * count:.0f}; {machine('kgbuild', 'pyspark')}.",
        table(["step", "task milliseconds per abstract", "bytes shuffled per abstract"], steps),
        table(["stored", "bytes per abstract"], [[stage, f"{found / count:,.0f}"] for stage, found in largest]),
        table(["shuffle", "rows", "largest key", "its share"], skewed),
        _extrapolation(own, others, sum(size.values()) / count, sum((kept | tables).values()) / count, arguments.rates),
    ]
    return "\n\n".join(parts)


def _extrapolation(own: float, others: float, shuffle: float, stored_bytes: float, rates: list[float]) -> str:
    rows = []
    for rate in (1 / own, *rates):
        for papers in SIZES:
            hours = papers * (1 / rate + others) * HEADROOM / 3600
            clock = f"{hours / 64:,.1f} h on 64, {hours / 1024:,.1f} h on 1,024"
            size = [f"{papers * each / 1e9:,.0f}" for each in (shuffle, stored_bytes)]
            rows.append([f"{papers:,}", f"{rate:.0f}", f"{hours:,.0f}", clock, *size, f"${hours * PRICE:,.0f}"])
    header = ["abstracts", "extracted per core-second", "core-hours", "on cores", "shuffled GB", "stored GB", f"at ${PRICE} per core-hour"]
    return table(header, rows)


if __name__ == "__main__":
    main()
