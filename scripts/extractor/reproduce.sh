#!/usr/bin/env bash
# From nothing to the shipped model: teacher, labels, student, thresholds, export, card. About three hours on two cores; every stage goes on
# from where it stopped. QUICK=1 takes minutes and proves only that every step works; LICENCES=free leaves out corpora of GPL or unstated
# licence. Needs `pip install -e .[train]`. Further options go to the student's train.py (for example --seed 2).
set -euo pipefail
cd "$(dirname "$0")/../.."
run=${RUN:-runs/small}
out=${OUT:-$run/weights}
count=${COUNT:-4000}
quick=()
[ -z "${QUICK:-}" ] || { quick=(--quick); count=40; }
common=(--hold-out 15 --licences "${LICENCES:-all}" "${quick[@]}")
here=scripts/extractor
small=$(python $here/encoders.py minilm)
large=$(python $here/encoders.py mpnet --out "$run")
teacher=$run/teacher
[ -f "$teacher/final.pt" ] ||
  python $here/train.py --out "$teacher" --encoder "$large" --start-epochs 0 --gold-epochs 3 --encoder-rate 6e-5 --head-rate 6e-4 "${common[@]}"
python $here/label.py "$teacher" --count "$count" --part 0/2 &
python $here/label.py "$teacher" --count "$count" --part 1/2
wait
python $here/train.py --out "$run" --encoder "$small" --labels "$teacher/labels" "${common[@]}" "$@"
python $here/evaluate.py "$run" --tune
python $here/export.py "$run" "$out"
python $here/card.py "$run" "$out"
echo "The model stands in $out; copy it over kgbuild/extraction/weights to ship it."
