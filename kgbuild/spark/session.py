"""The Spark session: opened here or taken as it is."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from kgbuild.errors import InputError, KgbuildError, MissingExtraError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A local master gives a task one try only; a worker that the system kills would fail the job, which a cluster forgives three times.
_LOCAL = re.compile(r"local(?:\[(\*|\d+)\])?")
TRIES = 4
SETTINGS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "2000",  # a record has kilobytes, and a worker holds a batch in memory
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.maxResultSize": "0",  # the tables of a graph file come to the driver on purpose
}
LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties').as_uri()}",
}
TASKS = 2  # of a shuffle for each local core; Spark's 200 are for clusters


def require_spark() -> None:
    """Raise MissingExtraError where pyspark or what it needs is not installed."""
    try:
        for package in ("pyspark", "pandas"):
            import_module(package)
    except ImportError as error:
        raise MissingExtraError("the Spark engine", "spark") from error


AGAIN = "run it again with the same --checkpoint: it goes on after the last stage; Spark's own log tells more"


@contextmanager
def spark_errors(hint: str = AGAIN) -> Iterator[None]:
    """What makes Spark give up, in one line; what our own code found on an executor as it was there."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise KgbuildError(f"Spark gave up: {_reason(error)}", hint) from error


def _reason(error: Exception) -> str:
    """The line that says most: of a job that was aborted the exception that aborted it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"(?:[\w.]*(?:Error|Exception): |Job aborted due to)", line)]
    return (told or lines or [type(error).__name__])[-1 if told else 0][:300]


def check_jars(jars: Sequence[str]) -> None:
    """Raise InputError for a local jar that is not there: Spark would only warn of it."""
    for jar in jars:
        if "://" not in jar and not Path(jar).is_file():
            raise InputError(jar, "there is no such jar", hint="see docs/spark.md for those of Neo4j's connector")


def open_session(master: str | None = None, settings: Mapping[str, str] | None = None, jars: Sequence[str] = ()) -> SparkSession:
    """The session that is active, such as that of spark-submit or a notebook, else a new one.

    master: as Spark has it; without one that of spark-submit, else all cores of this machine. settings: Spark's own, over ours.
    jars: files or URLs.
    Raises MissingExtraError without pyspark, KgbuildError where Spark does not start.
    """
    require_spark()
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    # pandas 3 works for the little that is asked of it here; people who build a graph need not be told
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    active = SparkSession.getActiveSession()
    if active is not None and master is None:
        for name, value in SETTINGS.items():
            if name.startswith("spark.sql."):
                active.conf.set(name, value)
        return active
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        # Started by spark-submit, whose master and settings are known once its JVM is asked.
        SparkContext._ensure_initialized()
    where = master or SparkConf().get("spark.master") or "local[*]"
    local = _LOCAL.fullmatch(where)
    if local:
        cores = os.cpu_count() or 1 if local[1] == "*" else int(local[1] or 1)
        local_settings = {**LOCAL_SETTINGS, "spark.sql.shuffle.partitions": str(TASKS * cores)}
        where = f"local[{local[1] or 1},{TRIES}]"
        # Workers run the Python that runs this; on a cluster the user ships one and names it.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    wanted = {**(settings or {}), **({"spark.jars": ",".join(jars)} if jars else {})}
    chosen = {**SETTINGS, **(local_settings if local else {}), **wanted}
    builder = SparkSession.builder.appName("kgbuild").master(where)
    given = dict(SparkConf().getAll())
    for name, value in chosen.items():
        if name not in given or name in wanted:
            builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        hint = "Spark needs Java 17 or later on the path or in JAVA_HOME"
        raise KgbuildError(f"Spark does not start with master {where!r}: {_reason(error)}", hint) from error
    if local:
        session.sparkContext.setLogLevel("FATAL")  # what ends a build is told in one line
    return session
