"""A real Neo4j for the tests: jars from Maven, one folder of data, Bolt on a free port, no container."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER, CONNECTOR = (Path(__file__).with_name("neo4j") / name for name in ("pom.xml", "connector.xml"))
USER, PASSWORD = "neo4j", "a-test-password"
JVM = (
    *("-Xms256m", "-Xmx640m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.lang", "java.nio", "java.util.concurrent", "sun.nio.ch")),
    "-Dio.netty.tryReflectionSetAccessible=true",
)
SETTINGS = """\
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=64m
dbms.usage_report.enabled=false
db.tx_log.preallocate=false
db.tx_log.rotation.size=32m
internal.server.bolt.thread_pool_shutdown_wait_time=0s
internal.server.bolt.connection_shutdown_wait_time=0s
"""


def required() -> bool:
    """Whether a missing Java or Maven is a failure (CI) and not a reason to skip."""
    return os.environ.get("CI", "").lower() == "true"


def classpath(cache: Path, pom: Path) -> str:
    """The jars of the server or the connector, resolved once by Maven; skips (fails in CI) where Java, Maven or jars cannot be had."""
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / f"{hashlib.sha256(pom.read_bytes()).hexdigest()[:16]}.classpath"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists() or not all(Path(jar).exists() for jar in kept.read_text().split(":")):
            _resolve(kept, pom)
    return kept.read_text()


def _resolve(kept: Path, pom: Path) -> None:
    if not shutil.which("java") or not shutil.which("mvn"):
        _missing("Java and Maven are needed to start Neo4j")
    part = kept.with_suffix(".part")
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:build-classpath", f"-Dmdep.outputFile={part}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        _missing(f"Maven cannot resolve the Neo4j jars: {done.stdout.strip()[-300:]}")
    part.rename(kept)


def _missing(reason: str) -> None:
    pytest.fail(reason) if required() else pytest.skip(reason)


class Server:
    """One server with its own home folder; may be killed and started again on the same data."""

    def __init__(self, home: Path, jars: str) -> None:
        """Lay out the folder `home`; nothing is started yet."""
        self.home, self.jars = home, jars
        self.port = _free_port()
        self.uri = f"bolt://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        (home / "conf").mkdir(parents=True)
        (home / "conf" / "neo4j.conf").write_text(SETTINGS.format(port=self.port))
        self.admin("dbms", "set-initial-password", PASSWORD)

    @property
    def environment(self) -> dict[str, str]:
        """What kgbuild needs to find the server."""
        return {"NEO4J_URI": self.uri, "NEO4J_USERNAME": USER, "NEO4J_PASSWORD": PASSWORD, "NEO4J_DATABASE": "neo4j"}

    def admin_script(self) -> Path:
        """A `neo4j-admin` command for this home."""
        path = self.home / "neo4j-admin"
        path.write_text(f'#!/bin/sh\nexec java {" ".join(JVM)} -cp "{self.jars}" org.neo4j.cli.AdminTool "$@"\n')
        path.chmod(0o755)
        return path

    def admin(self, *arguments: str) -> None:
        """Run neo4j-admin on this home."""
        done = subprocess.run([str(self.admin_script()), *arguments], env=self.admin_environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def admin_environment(self) -> dict[str, str]:
        """The environment in which neo4j-admin finds this home."""
        return {**os.environ, "NEO4J_HOME": str(self.home), "NEO4J_CONF": str(self.home / "conf")}

    def start(self) -> None:
        """Start and wait for the first answer (two minutes at most)."""
        entry = ("org.neo4j.server.CommunityEntryPoint", f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}")
        with (self.home / "console.log").open("ab") as log:
            self.process = subprocess.Popen(["java", *JVM, "-cp", self.jars, *entry], stdout=log, stderr=log)
        until = time.monotonic() + 120
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"Neo4j does not start: {(self.home / 'console.log').read_text()[-2000:]}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        from neo4j import GraphDatabase
        from neo4j.exceptions import DriverError, Neo4jError

        # The port opens before the server speaks Bolt; asking the bare port first is cheap.
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        with GraphDatabase.driver(self.uri, auth=(USER, PASSWORD), connection_timeout=5) as driver:
            try:
                driver.verify_connectivity()
                with driver.session() as session:
                    session.run("RETURN 1").consume()
            except (DriverError, Neo4jError):
                return False
        return True

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def neo4j_server(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Neo4j, one for each worker of the run; tests empty it themselves."""
    server = Server(tmp_path_factory.mktemp("neo4j"), classpath(pytestconfig.cache.mkdir("neo4j"), SERVER))
    server.start()
    yield server
    server.kill()
