#!/bin/bash
exec ../build.sh --check "$@"
