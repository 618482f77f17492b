#!/bin/bash
# Bundles every function that project.yml names: packages/<package>/<function>/index.ts -> dist/index.js beside it, and
# beside that the parts that are read when they are first asked for. The deployer runs this through lib/build.sh.
# `--check` first, before all others, refuses a project that would not be deployed as it is meant. `--watch=<folder>` puts
# versions with source maps there instead, for `npm start`, and goes on until standard input closes. `--metafile=<file>`
# writes down what each bundle is made of, `--readable=<folder>` makes bundles there that can be read.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# A bare checkout installs its packages first. The deployer's environment holds the account's token: no package's
# install script gets to see it.
if [ ! -x node_modules/.bin/esbuild ] || [ ! -x node_modules/.bin/node ]; then
  env -u DO_API_KEY npm ci --no-audit --no-fund >&2
fi

if [ "${1:-}" = --check ]; then
  shift
  node_modules/.bin/node lib/functions-devkit/bin/functions-devkit.mjs check
fi

exec node_modules/.bin/node lib/functions-devkit/bin/functions-devkit.mjs bundle "$@"
