#!/bin/bash
# The deployer runs this before it packs the functions; its working directory is lib/.
exec ../build.sh "$@"
