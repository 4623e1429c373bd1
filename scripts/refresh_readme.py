"""Write the real output of every command into the `console` blocks of the README (or of the pages given).

python scripts/refresh_readme.py [PAGE.md ...]

The tests compare these outputs; run this after a change that is meant to change them, and read the diff. What the block says already,
`...` standing for anything, is left as it is.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def refreshed(block: str, folder: str) -> str:
    parts = re.split(r"^(?=\$ )", block, flags=re.MULTILINE)
    return "".join(_with_output(part, folder) if part.startswith("$ ") else part for part in parts)


def _with_output(part: str, folder: str) -> str:
    lines = part.splitlines()
    count = next(number for number, line in enumerate(lines, 1) if not line.endswith("\\"))
    command, expected = "\n".join(lines[:count]), lines[count:]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}
    joined = re.sub(r"\\\n>?", " ", command[2:])
    shell = ["bash", "-c", f"exec 2>&1; {joined}"]
    output = subprocess.run(shell, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False).stdout
    pattern = ".*?".join(map(re.escape, "\n".join(expected).strip().split("...")))
    if expected and re.fullmatch(pattern, output.strip(), re.DOTALL):
        return part
    blank = "\n" if part.endswith("\n\n") else ""
    return "\n".join([command, *(line.rstrip() for line in output.strip().splitlines())]) + "\n" + blank


def main() -> None:
    for page in [Path(name) for name in sys.argv[1:]] or [ROOT / "README.md"]:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "examples").symlink_to(ROOT / "examples")
            text = page.read_text(encoding="utf-8")
            text = re.sub(r"(?<=```console\n).*?(?=^```$)", lambda found: refreshed(found[0], folder), text, flags=re.DOTALL | re.MULTILINE)
            page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
