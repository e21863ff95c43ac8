#!/bin/sh
# Whether a document tells the truth:  tests/snippets.sh README.md CC LIBRARY   (from the root of the tree)
#
# Every file it names in backquotes is there, every wk_ name in it is one of ours, and its C compiles.
#
# What stands on the line before a ```c block says what it is:
#   <!-- program -->                       a whole program: compiled, linked and run
#   <!-- stops: words -->                  a whole program that must end with an error that has these words
#   <!-- refused: words -->                statements, x and y tensors, that the compiler must refuse, with these words
#   <!-- with: wk_tensor *x, int64_t n --> statements, put into a function with these parameters
#   <!-- from: src/ops/softmax.c -->       an excerpt: its lines stand in that file, in this order and without gaps
#   nothing                                functions and types
# Functions and types of earlier blocks are known in later ones.  Where a block fails, its first line and the errors are
# printed.
set -eu
page=$1 compiler=$2 library=$(cd "$(dirname "$3")" && pwd)/$(basename "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v work="$work" '
    /^ *```c$/ && !inside { inside = 1; margin = index($0, "`") - 1; name = sprintf("%s/%03d", work, ++count)
                            print about > (name ".about"); printf "" > (name ".text"); print NR > (name ".line"); next }
    /^ *```/ && inside { inside = 0; about = ""; close(name ".text"); close(name ".about"); close(name ".line"); next }
    inside { print substr($0, 1, margin) ~ /[^ ]/ ? $0 : substr($0, margin + 1) > (name ".text"); next }
    /^ *<!-- .* -->$/ { about = $0; sub(/^ *<!-- /, "", about); sub(/ -->$/, "", about); next }
    /[^ ]/ { about = "" }
' "$page"

failed=0 count=0
complain() { failed=$((failed + 1)); echo "$page: $1"; }

# src/ops/softmax.c, src/kernels/cpu/, tests/test_*.c
for path in $(grep -o '`[^` ]*`' "$page" | tr -d '`' |
    grep -E '^(include|src|katas|tests|bench|docs|scripts|cmake|\.ci)/' | grep -v '[<>]'); do
    # shellcheck disable=SC2086
    ls -d $path >/dev/null 2>&1 || complain "no such file: $path"
done

{
    printf '#include <wick.h>\n#include "kernels/kernels.h"\n' | $compiler -std=gnu11 -Iinclude -Isrc -E -dD -
    cat src/*/*.[ch] src/kernels/*/*.h katas/*.[ch]
} | grep -oE '\bwk_[a-z0-9_]+' | sort -u >"$work/names"
grep -oE '\bwk_[a-z0-9_]+' "$page" | sed -E 's/_(baseline|avx2|avx512)_float(32|64)$//' | sort -u |
    comm -23 - "$work/names" >"$work/unknown"
for name in $(cat "$work/unknown"); do complain "no such name: $name"; done

flags="-std=gnu11 -Wall -Wextra -Werror -Wno-unused -Wno-unused-parameter -Iinclude -Isrc -I$work"
echo '#include <stdio.h>
#include <wick.h>' >"$work/known.h"
for text in "$work"/*.text; do
    [ -e "$text" ] || break
    name=${text%.text}
    about=$(cat "$name.about")
    count=$((count + 1))
    status=0
    case $about in
    program)
        cp "$text" "$name.c"
        $compiler $flags -g "$name.c" "$library" -Wl,-rpath,"$(dirname "$library")" -lm -o "$name.out" 2>"$name.log" &&
            (cd "$work" && "$name.out") >"$name.log" 2>&1 || status=1
        ;;
    stops:*)
        cp "$text" "$name.c"
        if $compiler $flags -g "$name.c" "$library" -Wl,-rpath,"$(dirname "$library")" -lm -o "$name.out" 2>"$name.log"
        then
            (cd "$work" && "$name.out") >"$name.log" 2>&1 && { status=1; echo "it ends well" >>"$name.log"; }
            [ $status = 1 ] || grep -qF -- "${about#stops: }" "$name.log" || status=1
        else
            status=1
        fi
        ;;
    refused:*)
        { echo '#include "known.h"'; echo "void snippet(wk_tensor *x, wk_tensor *y);"
          echo "void snippet(wk_tensor *x, wk_tensor *y)"; echo '{'; cat "$text"; echo '}'; } >"$name.c"
        $compiler $flags -fsyntax-only "$name.c" 2>"$name.log" && { status=1; echo "it compiles" >"$name.log"; }
        [ $status = 1 ] || grep -qF -- "${about#refused: }" "$name.log" || status=1
        ;;
    from:*)
        file=${about#from: }
        awk 'NR == FNR { want[++n] = $0; next }
             { have[++m] = $0 }
             END {
                 for (i = 0; i <= m - n; i++) {
                     for (j = 1; j <= n && have[i + j] == want[j]; j++);
                     if (j > n) exit 0
                 }
                 exit 1
             }' "$text" "$file" || { status=1; echo "not found in $file, as it stands here" >"$name.log"; }
        ;;
    with:*)
        { echo '#include "known.h"'; echo "void snippet(${about#with: });"
          echo "void snippet(${about#with: })"; echo '{'; cat "$text"; echo '}'; } >"$name.c"
        $compiler $flags -fsyntax-only "$name.c" 2>"$name.log" || status=1
        ;;
    *)
        { echo '#include "known.h"'; cat "$text"; } >"$name.c"
        $compiler $flags -fsyntax-only "$name.c" 2>"$name.log" || status=1
        [ $status = 1 ] || cat "$text" >>"$work/known.h"
        ;;
    esac
    if [ $status = 1 ]; then
        failed=$((failed + 1))
        echo "$page:$(cat "$name.line"): ($about) $(head -1 "$text")"
        cat "$name.log"
    fi
done
echo "$page: $count blocks, $failed failed"
[ $failed = 0 ]
