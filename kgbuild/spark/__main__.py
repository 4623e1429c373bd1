"""`python -m kgbuild.spark ARGUMENTS` is `kgbuild spark ARGUMENTS`: an entry point for spark-submit, see docs/spark.md."""

from __future__ import annotations

import sys

from kgbuild.cli import main

if __name__ == "__main__":
    main(["spark", *(sys.argv[1:] or ["--help"])])
