#!/bin/sh
# go test -exec runs this instead of a test binary: sh collect.sh BINARY ARGUMENT...
# It keeps the binary, its arguments and its directory below $HALFOPEN_COLLECT.
set -eu
into=$(mktemp -d "$HALFOPEN_COLLECT/XXXXXXXX")
ln "$1" "$into/package.test" 2>/dev/null || cp "$1" "$into/package.test"
shift
pwd >"$into/directory"
for argument; do printf '%s\0' "$argument"; done >"$into/arguments"
