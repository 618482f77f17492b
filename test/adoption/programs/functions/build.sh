#!/bin/bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ ! -x node_modules/.bin/functions-devkit ]; then
  env -u DO_API_KEY npm ci --no-audit --no-fund >&2
fi
PATH=$PWD/node_modules/.bin:$PATH

if [ "${1:-}" = --check ]; then
  shift
  functions-devkit check
fi

exec functions-devkit bundle "$@"
