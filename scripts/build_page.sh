#!/usr/bin/env bash
# Build the explorer's page: kgbuild/explorer/web (TypeScript) -> kgbuild/explorer/bundle (what the package ships). Needs Node 20 or later.
# With --check nothing is changed, and the exit status says whether the committed bundle is what the source gives.
set -euo pipefail
cd "$(dirname "$0")/../kgbuild/explorer/web"
[ -d node_modules ] || npm install --no-package-lock --no-audit --no-fund --silent
npx tsc
if [ "${1:-}" = "--check" ]; then
  fresh=$(mktemp -d)
  trap 'rm -rf "$fresh"' EXIT
  node build.mjs "$fresh"
  diff -rq "$fresh" ../bundle || { echo "the bundle is not what the source gives: run scripts/build_page.sh" >&2; exit 1; }
else
  node build.mjs
fi
