#!/bin/sh
# Whether the shared library exports what the public headers declare, no less and no more:
#   tests/exports.sh LIBRARY CC NM   (from the root of the tree)
set -eu
library=$1 compiler=$2 nm=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

$nm -D --defined-only --format=posix "$library" | awk '{ print $1 }' | sort >"$work/exported"

# declared: a name in front of the parenthesis of a declaration, but for types and inline functions
echo '#include <wick.h>' | $compiler -std=gnu11 -Iinclude -E -P - | tr '\n' ' ' |
    sed -E 's/\{[^{}]*\}/;/g; s/\{[^{}]*\}/;/g; s/\{[^{}]*\}/;/g' | tr ';' '\n' | grep -vE '\b(typedef|inline)\b' |
    grep -oE '\bwk_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u >"$work/declared"

status=0
for name in $(comm -23 "$work/exported" "$work/declared"); do
    echo "exported, and in no public header: $name"
    status=1
done
for name in $(comm -13 "$work/exported" "$work/declared"); do
    echo "in a public header, and not exported: $name"
    status=1
done
# the compiler agrees: it knows each of them, and the linker finds it
{
    echo '#include <wick.h>'
    echo 'void *const all[] = {'
    sed 's/.*/    (void *)&,/' "$work/exported"
    echo '};'
    echo 'int main(void) { return all[0] == NULL; }'
} >"$work/all.c"
$compiler -std=gnu11 -Iinclude "$work/all.c" "$library" -o "$work/all" || status=1
echo "$(wc -l <"$work/exported") functions exported, $(wc -l <"$work/declared") declared"
exit $status
