#!/bin/bash
# Bundles every function that project.yml names: packages/<package>/<function>/index.ts -> dist/index.js beside it.
# The deployer runs this through lib/build.sh. Further options are esbuild's: `--watch` goes on until standard input
# closes, `--metafile=<file>` writes down what each bundle is made of.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# A bare checkout installs its packages first. The deployer's environment holds the account's token: no package's
# install script gets to see it.
if [ ! -x node_modules/.bin/esbuild ] || [ ! -x node_modules/.bin/node ]; then
  env -u DO_API_KEY npm ci --no-audit --no-fund >&2
fi

functions=$(node_modules/.bin/node node_modules/doctl-project-schema/bin/doctl-project-schema.js functions project.yml)
entries=()
for function in $functions; do entries+=("packages/$function/index.ts"); done

options=(
  --bundle --platform=node --target=node24 --format=cjs
  --outbase=. --outdir=. '--entry-names=[dir]/dist/[name]'
  # Names are kept: the log shows the names of error classes.
  --minify --keep-names
  # pg and sequelize look for these only when they are asked to; nobody here asks.
  --external:pg-native --external:pg-hstore
  --log-level=warning
  "$@"
)

exec node_modules/.bin/esbuild "${entries[@]}" "${options[@]}"
