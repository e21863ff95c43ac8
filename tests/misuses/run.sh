#!/bin/bash
# What a wrong call costs:  tests/misuses/run.sh LIBRARY [--write]   (from the root of the tree)
#
# Tries each line of tests/misuses/table.txt with gcc and with clang, prints what is not as the table says, and ends
# with
#   N misuses: N refused by the compiler, N at run time, N work, 0 silent
# Fails too where docs/misuses.md is not what the table gives; --write writes it.
set -u
export LC_ALL=C
library=$(cd "$(dirname "$1")" && pwd)/$(basename "$1") table=tests/misuses/table.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

page() {
    echo '# Misuses, and what happens'
    echo
    echo 'Made from `tests/misuses/table.txt` by `make misuses`, which tries each with gcc and clang. x is a tensor'
    echo '(2, 3) of 0 to 5, y another, c a const wk_tensor * on x, v a void *, i the indices (0, 1), n 2 as an int64_t,'
    echo 'q and k wk_tensor *, d a double[2][2] of 1 to 4, net a wk_nn_linear(3, 2), m a parent: a module with fields'
    echo 'child, weight and int size; one and two are functions of (module, x) and (module, x, y);'
    echo 'gone() returns what its scope has let go of, kept(n) what wk_keep was called for n times in two scopes. What'
    echo 'works is true, as it is in PyTorch.'
    awk -F '  +' '
        /^# / { printf "\n## %s\n\n| code | |\n|---|---|\n", substr($0, 3); seen = 1; next }
        seen && NF > 1 {
            what = $1 ~ /^refused/ ? "refused by the compiler" : $1 == "error" ? "error: " $3 : "works"
            code = $2; gsub(/\|/, "\\|", code)
            printf "| `` %s `` | %s |\n", code, what
        }' "$table"
}
if [ "${2-}" = --write ]; then page >docs/misuses.md; fi
wrong=0
complain() { wrong=$((wrong + 1)); echo "$*"; }
page | cmp -s - docs/misuses.md || complain "docs/misuses.md is not up to date: make misuses WRITE=--write"

# number, outcome, code, text: a case a file
awk -F '  +' -v work="$work" '
    /^# / { seen = 1 }
    !seen || /^#/ || NF < 2 { next }
    { file = sprintf("%s/%03d", work, ++count)
      print $1 > (file ".outcome"); print $2 > (file ".code"); print $3 > (file ".text") }' "$table"

cat >"$work/around.h" <<'END'
#include <stdio.h>
#include <string.h>
#include <wick.h>
extern wk_tensor *x, *y, *i, *q, *k;
extern const wk_tensor *c;
extern void *v;
extern wk_module *net;
extern int64_t n;
extern double d[2][2];
typedef struct {
    wk_module_base base;
    wk_module *child;
    wk_tensor *weight;
    int size;
} parent;
extern parent *m;
wk_tensor *one(void *module, wk_tensor *input);
wk_tensor *two(void *module, wk_tensor *input, wk_tensor *other);
wk_tensor *gone(void);
wk_tensor *kept(int scopes);
int64_t steps_until_break(void);
END
program=$work/program.c
cat >"$program" <<'END'
#include "around.h"
wk_tensor *x, *y, *i, *q, *k;
const wk_tensor *c;
void *v;
wk_module *net;
int64_t n = 2;
double d[2][2] = {{1, 2}, {3, 4}};
wk_tensor *gone(void)
{
    wk_tensor *inside = NULL;
    wk_scope inside = wk_ones((2));
    return inside;
}
wk_tensor *kept(int scopes)
{
    wk_scope wk_scope
    {
        wk_tensor *inside = wk_ones((2));
        while (scopes-- > 0)
            wk_keep(inside);
        return inside;
    }
    return NULL;
}
int64_t steps_until_break(void)
{
    int64_t turns = 0;
    wk_for_each_step (step, 0, 10) {
        turns++;
        if (step == 3)
            break;
    }
    return turns;
}
END
names=
for code in "$work"/*.code; do
    name=$(basename "$code" .code)
    case $(cat "$work/$name.outcome") in
    refused*)
        printf '#include "around.h"\nvoid snippet(void)\n{\n    %s;\n}\n' "$(cat "$code")" >"$work/$name.c"
        ;;
    error)
        { echo "static void case_$name(void)"; echo '{'; echo "    $(cat "$code");"; echo '}'; } >>"$program"
        names="$names $name"
        ;;
    works)
        { echo "static bool case_$name(void)"; echo '{'; echo "    return $(cat "$code");"; echo '}'; } >>"$program"
        names="$names $name"
        ;;
    *) complain "what is $(cat "$work/$name.outcome")?" ;;
    esac
done
{
    echo 'int main(void)'
    echo '{'
    echo '    setvbuf(stdout, NULL, _IONBF, 0);'
    for name in $names; do
        text=$(sed 's/["\\]/\\&/g' "$work/$name.text")
        echo '    wk_scope'
        echo '    {'
        echo '        x = wk_reshape(wk_arange(0.0, 6), (2, 3)), y = wk_clone(x), i = wk_arange(2), q = k = NULL;'
        echo '        c = x, v = x, net = wk_nn_linear(3, 2);'
        echo '        wk_error err;'
        if [ "$(cat "$work/$name.outcome")" = works ]; then
            echo "        bool fine = false; wk_try (&err) fine = case_$name();"
            echo "        printf(\"$name %s\\n\", err.set ? err.message : fine ? \"as told\" : \"false\");"
        else
            echo "        wk_try (&err) case_$name();"
            echo "        const char *told = strstr(err.message, \"$text\") ? \"as told\" : err.message;"
            echo "        printf(\"$name %s\\n\", err.set ? told : \"silent\");"
        fi
        echo '        wk_module_free(net);'
        echo '    }'
    done
    echo '    return 0;'
    echo '}'
} >>"$program"

refused=$(cat "$work"/*.outcome | grep -c '^refused') errors=$(cat "$work"/*.outcome | grep -c '^error')
work_count=$(cat "$work"/*.outcome | grep -c '^works') silent=0
for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "SKIPPED: no $compiler here"; continue; }
    # shellcheck disable=SC2016
    printf '%s\n' "$work"/[0-9]*.c | xargs -P 4 -I{} sh -c \
        '"$1" -Iinclude -fsyntax-only "$2" >"$2.$1.log" 2>&1; echo $? >"$2.$1.status"' - $compiler {}
    for source in "$work"/[0-9]*.c; do
        name=$(basename "$source" .c) most=$(sed -n 's/^refused:*//p' "$work/$(basename "$source" .c).outcome")
        lines=$(grep -vcE '^(In file included|  +from ) ?' "$source.$compiler.log")
        if [ "$(cat "$source.$compiler.status")" = 0 ]; then
            silent=$((silent + 1))
            complain "$compiler: not refused: $(cat "$work/$name.code")"
        elif [ "$lines" -gt "${most:-10}" ]; then
            complain "$compiler: $lines lines: $(cat "$work/$name.code")"
        fi
    done
    if $compiler -Iinclude "$program" "$library" -Wl,-rpath,"$(dirname "$library")" -o "$work/program" \
        2>"$work/log"; then
        "$work/program" >"$work/out" 2>&1 || complain "$compiler: the program ended early"
        for name in $names; do
            told=$(sed -n "s/^$name //p" "$work/out" | head -1)
            [ "$told" = silent ] || [ "$told" = false ] && silent=$((silent + 1))
            [ "$told" = "as told" ] || complain "$compiler: $(cat "$work/$name.code"): ${told:-nothing}"
        done
    else
        complain "$compiler: what should compile does not"
        cat "$work/log"
    fi
done
echo "$((refused + errors + work_count)) misuses: $refused refused by the compiler, $errors at run time," \
    "$work_count work, $silent silent"
[ $wrong = 0 ]
