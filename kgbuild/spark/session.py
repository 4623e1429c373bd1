"""The Spark session: opened here or taken as it is."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kgbuild.errors import KgbuildError, MissingExtraError

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
LOCAL_SETTINGS = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "2g"}
TASKS = 2  # of a shuffle for each local core; Spark's 200 are for clusters


def open_session(master: str | None = None, settings: Mapping[str, str] | None = None) -> SparkSession:
    """The session that is active, such as that of spark-submit or a notebook, else a new one.

    master: as Spark has it; without one that of the environment, else all cores of this machine. settings: Spark's own, over ours.
    Raises MissingExtraError without pyspark, KgbuildError where Spark does not start.
    """
    try:
        from pyspark import SparkConf
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MissingExtraError("the Spark engine", "spark") from error
    active = SparkSession.getActiveSession()
    if active is not None and master is None:
        for name, value in SETTINGS.items():
            if name.startswith("spark.sql."):
                active.conf.set(name, value)
        return active
    where = master or SparkConf().get("spark.master") or "local[*]"
    local = _LOCAL.fullmatch(where)
    if local:
        cores = os.cpu_count() or 1 if local[1] == "*" else int(local[1] or 1)
        local_settings = {**LOCAL_SETTINGS, "spark.sql.shuffle.partitions": str(TASKS * cores)}
        where = f"local[{local[1] or 1},{TRIES}]"
        # Workers run the Python that runs this; on a cluster the user ships one and names it.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    chosen = {**SETTINGS, **(local_settings if local else {}), **(settings or {})}
    builder = SparkSession.builder.appName("kgbuild").master(where)
    given = dict(SparkConf().getAll())
    for name, value in chosen.items():
        if name not in given or name in (settings or {}):
            builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, RuntimeError, OSError) as error:
        hint = "Spark needs Java 17 or later on the path or in JAVA_HOME"
        raise KgbuildError(f"Spark does not start with master {where!r}: {str(error).partition(chr(10))[0]}", hint) from error
    if local:
        session.sparkContext.setLogLevel("ERROR")
    return session
