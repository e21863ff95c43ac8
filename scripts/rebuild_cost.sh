#!/bin/sh
# How many objects of the library are compiled again after a change of the list of kernels, in a build that is up to
# date:  scripts/rebuild_cost.sh BUILD
# Work struct: that of softmax; the list above it has every header with works.  Kernel: a line more in kernels.def, and
# its file's own objects, as many as softmax has.  Told by the dependencies that the compiler wrote down.
set -eu
build=$1
cd "$(dirname "$0")/.."
deps=$(mktemp)
trap 'rm -f "$deps"' EXIT
ninja -C "$build" -t deps | awk '
    /^[^ ]/ { object = $1; counts = object ~ /CMakeFiles\/(kernels_|wick_objects)/ }
    /^ / && counts { file = $1; sub(/.*\/src\/kernels\//, "", file); if (!seen[object, file]++) print file }' |
    sort | uniq -c >"$deps"

objects() { awk -v file="$1" '$2 == file { print $1; found = 1 } END { if (!found) print 0 }' "$deps"; }

for header in src/kernels/*.h; do
    ! grep -q '^} wk_[a-z_]*_work;' "$header" || printf '%4d %s\n' "$(objects "${header##*/}")" "${header##*/}"
done
own=$(($(objects softmax.h) - 1)) # all but the op
echo "work struct $(objects softmax.h) objects, kernel $(($(objects kernels.def) + own)) objects"
