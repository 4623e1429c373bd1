"""One Spark for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import builds
import pytest
from neo4j_server import CONNECTOR, classpath
from pyspark import cloudpickle
from pyspark.sql import SparkSession

import kgbuild
from kgbuild.spark import SparkEngine, open_session
from kgbuild.spark.session import LOCAL_SETTINGS


@pytest.fixture(scope="session")
def spark(pytestconfig: pytest.Config) -> Iterator[SparkSession]:
    """Spark on two cores of this machine, with Neo4j's connector where it can be had; skipped without Java, which CI must have."""
    if not shutil.which("java") and "JAVA_HOME" not in os.environ:
        pytest.fail("Spark needs Java") if os.environ.get("CI") == "true" else pytest.skip("Spark needs Java")
    # Workers cannot import what lies beside the tests.
    cloudpickle.register_pickle_by_value(builds)
    # The quick compiler alone: a JVM that lives for seconds spends more on optimising than it gets back.
    java = f"{LOCAL_SETTINGS['spark.driver.extraJavaOptions']} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    options = {"spark.driver.extraJavaOptions": java, "spark.driver.memory": "1g"}
    with suppress(pytest.skip.Exception):  # a test of the connector asks again, and is skipped
        options["spark.jars"] = classpath(pytestconfig.cache.mkdir("neo4j"), CONNECTOR).replace(":", ",")
    session = open_session("local[2]", {**options, "spark.sql.shuffle.partitions": "2"})
    yield session
    session.stop()


@pytest.fixture(scope="session")
def seeds_by_spark(spark: SparkSession, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `seeds.kg`, the seeds by the rules and the Spark engine, and the tables that Spark made, `*/graph`."""
    folder = tmp_path_factory.mktemp("seeds")
    report = kgbuild.build(shared / "seeds", folder / "seeds.kg", extractor="rules", engine=SparkEngine(checkpoint=str(folder)))
    assert report.extracted == report.papers > 400
    return folder
