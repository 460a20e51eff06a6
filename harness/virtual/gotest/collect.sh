#!/bin/sh
# go test -exec runs this instead of a test binary: sh collect.sh BINARY ARGUMENT...
# It keeps the binary, its arguments and its directory, in a directory beside this script.
set -eu
into=$(mktemp -d "$(dirname "$0")/XXXXXXXX")
ln "$1" "$into/package.test" 2>/dev/null || cp "$1" "$into/package.test"
shift
pwd >"$into/directory"
for argument; do printf '%s\0' "$argument"; done >"$into/arguments"
