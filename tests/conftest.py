"""What the tests share: the real data beside the checkout, and a small real graph built once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from neo4j_server import neo4j_server  # noqa: F401  a fixture for all folders

ROOT = Path(__file__).resolve().parent.parent

# One profile: examples do not change from run to run, and a busy machine is no reason to fail.
settings.register_profile("kgbuild", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kgbuild")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped without it, and fail where CI=true."""
    folder = ROOT.parent / "shared"
    if folder.is_dir():
        return folder
    if os.environ.get("CI") == "true":
        pytest.fail(f"{folder} is missing, and CI=true needs it")
    pytest.skip(f"the real data is not at {folder}")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT
