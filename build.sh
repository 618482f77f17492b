#!/bin/bash
# Bundles every function that project.yml names: packages/<package>/<function>/index.ts -> dist/index.js beside it, and
# beside that the parts that are read when they are first asked for. The deployer runs this through lib/build.sh.
# `--check` first, before all others, refuses a project that would not be deployed as it is meant. `--watch` goes on until
# standard input closes, `--metafile=<file>` writes down what each bundle is made of, `--readable=<folder>` makes bundles
# there that can be read.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# A bare checkout installs its packages first. The deployer's environment holds the account's token: no package's
# install script gets to see it.
if [ ! -x node_modules/.bin/esbuild ] || [ ! -x node_modules/.bin/node ]; then
  env -u DO_API_KEY npm ci --no-audit --no-fund >&2
fi

schema=(node_modules/.bin/node node_modules/doctl-project-schema/bin/doctl-project-schema.js)
if [ "${1:-}" = --check ]; then
  shift
  found=$("${schema[@]}" check .) || {
    # Warnings stop nothing.
    grep -v '^warning ' <<<"$found" >&2
    exit 1
  }
fi
functions=$("${schema[@]}" functions project.yml)
entries=()
for function in $functions; do entries+=("packages/$function/index.ts"); done

dialects=sequelize/lib/dialects
ours=lib/functions-devkit/src/stand-ins
options=(
  # pg and sequelize look for these only when they are asked to; nobody here asks.
  --absent=pg-native --absent=pg-hstore
  # A request that is refused needs no database: sequelize and pg are read and compiled on its first use.
  # Sequelize takes long: it is evaluated piece by piece, so that the server's answers have their turns in between.
  "--part=sequelize=$ours/sequelize.cjs" --part=pg
  # Only the outage buffer needs Redis, and only where there is one.
  --part=@redis/client
  # Few statements need these; see their stand-ins.
  --part=lodash --part=moment --part=semver --part=validator --part=wkx
  # sequelize knows eight dialects, and loads the data types of all of them.
  "--stand-in=$dialects/"{db2,mariadb,mssql,mysql,oracle,snowflake,sqlite}"/index.js=$ours/no-dialect.cjs"
  "--stand-in=$dialects/"{db2,mariadb,mssql,mysql,oracle,snowflake,sqlite}"/data-types.js=$ours/no-data-types.cjs"
  # moment-timezone brings the history of all time zones, 730 kB of it; dates are written in UTC.
  "--stand-in=moment-timezone/index.js=$ours/moment-timezone.cjs"
  # moment writes a date into a statement; a read has none.
  "--stand-in=moment/moment.js=$ours/moment.cjs"
  # lodash in one piece is built up whole when it is loaded; of its 300 functions sequelize uses sixty, one by one here.
  "--stand-in=lodash/lodash.js=$ours/lodash.cjs"
  # semver's index loads the arithmetic of ranges; sequelize compares two versions.
  "--stand-in=semver/index.js=$ours/semver.cjs"
  # A hundred validators, for models that ask for one.
  "--stand-in=sequelize/lib/utils/validator-extras.js=$ours/validator-extras.cjs"
  # debug looks at the terminal and its colours, to write nothing.
  "--stand-in=debug/src/index.js=$ours/debug.cjs"
  # pino can write through threads and to many streams; the log goes to standard output alone.
  "--stand-in=pino/lib/transport.js=$ours/no-transport.cjs"
  "--stand-in=pino/lib/multistream.js=$ours/no-multistream.cjs"
  # What writes a line, assert included, is loaded with the first line.
  "--stand-in=sonic-boom/index.js=$ours/sonic-boom.cjs"
  # wkx reads and writes geometry.
  "--stand-in=wkx/lib/wkx.js=$ours/wkx.cjs"
)

exec node_modules/.bin/node lib/functions-devkit/src/build/bundle/main.ts "${options[@]}" "$@" "${entries[@]}"
