#!/usr/bin/env bash
# From nothing to the shipped model: teacher, labels, student, thresholds, export, card. About six hours on two cores; every stage goes on
# from where it stopped. QUICK=1 takes minutes and proves only that every step works; LICENCES=free leaves out corpora of GPL or unstated
# licence. Needs `pip install -e .[train]`. Further options go to the student's train.py (for example --seed 2).
set -euo pipefail
cd "$(dirname "$0")/../.."
run=${RUN:-runs/small}
out=${OUT:-$run/weights}
count=${COUNT:-5700}
quick=()
[ -z "${QUICK:-}" ] || { quick=(--quick); count=40; }
common=(--hold-out 15 --licences "${LICENCES:-all}" "${quick[@]}")
here=scripts/extractor
small=$(python $here/encoders.py minilm)
large=$(python $here/encoders.py mpnet --out "$run")
teacher=$run/teacher
large_rates=(--encoder "$large" --start-epochs 0 --head-rate 1e-3)
python $here/train.py --out "$teacher/first" "${large_rates[@]}" --gold-epochs 3 --encoder-rate 6e-5 "${common[@]}"
python $here/train.py --out "$teacher" "${large_rates[@]}" --gold-epochs 2 --encoder-rate 5e-5 --frozen 6 --head-epochs 8 \
  --start "$teacher/first/final.pt" "${common[@]}"
python $here/train.py --out "$run" --encoder "$small" "${common[@]}" "$@"
python $here/label.py "$run/labels" "$teacher" "$run" --count "$count" --part 0/2 &
python $here/label.py "$run/labels" "$teacher" "$run" --count "$count" --part 1/2
wait
# So many records are not learnt by heart: without dropout the network, which does not even fit them, fits them better.
python $here/train.py --out "$run" --encoder "$small" --labels "$run/labels" --label-epochs 2 --more-epochs 5 --polish-epochs 0.6 --gold-copies 2 \
  --dropout 0 --head-dropout 0.1 "${common[@]}" "$@"
python $here/evaluate.py "$run" --tune
python $here/export.py "$run" "$out"
python $here/card.py "$run" "$out"
echo "The model stands in $out; copy it over kgbuild/extraction/weights to ship it."
