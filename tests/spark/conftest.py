"""One Spark for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import builds
import pytest
from pyspark import cloudpickle
from pyspark.sql import SparkSession

from kgbuild.spark import open_session


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Spark on two cores of this machine; skipped without Java, which CI must have."""
    if not shutil.which("java") and "JAVA_HOME" not in os.environ:
        pytest.fail("Spark needs Java") if os.environ.get("CI") == "true" else pytest.skip("Spark needs Java")
    # Workers cannot import what lies beside the tests.
    cloudpickle.register_pickle_by_value(builds)
    # The quick compiler alone: a JVM that lives for seconds spends more on optimising than it gets back.
    options = {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC", "spark.driver.memory": "1g"}
    session = open_session("local[2]", {**options, "spark.sql.shuffle.partitions": "2"})
    yield session
    session.stop()
