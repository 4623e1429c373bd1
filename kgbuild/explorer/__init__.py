"""The explorer: a graph as one self-contained page, written to a file or served on this machine.

The page's own source stands in `web/` and is built into `bundle/` by `scripts/build_page.sh`; `payload` says what data it carries.
"""

from __future__ import annotations

from kgbuild.explorer.page import page, write_page
from kgbuild.explorer.server import serve

__all__ = ["page", "serve", "write_page"]
