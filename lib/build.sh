#!/bin/bash
# The deployer runs this before it packs the functions; its working directory is lib/. Any deployment passes here, so the
# whole check does too.
exec ../build.sh --check "$@"
