#!/bin/sh
# Whether the house keeps its floors:  tests/floors.sh OBJECTS   (from the root of the tree)
#
# OBJECTS is a file that lists the library's object files, a line each.  A file may use its own floor and those under
# it; what an object file leaves undefined tells.  The room, and so the floor, is the folder under src/.
# Up the stairs go the functions that src/autograd/from_ops.h declares, from autograd to ops, and what stands below.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# room symbol: reason
cat >"$work/exceptions" <<'EOF'
EOF
sed -n 's/^[a-z].*\b\(wk_[a-z0-9_]*\)(.*/autograd \1: declared in from_ops.h/p' src/autograd/from_ops.h \
    >>"$work/exceptions"

# shellcheck disable=SC2046
nm -A -P $(cat "$1") >"$work/symbols"
awk '
    BEGIN {
        split("kernels core autograd ops", rooms, " ")
        for (i in rooms)
            floor[rooms[i]] = i - 1
    }
    FNR == 1 { part++ }
    part == 1 { symbol = $2; sub(/:$/, "", symbol); allowed[$1, symbol] = $0; next }
    {
        file = $1; sub(/:$/, "", file); sub(/.*\/src\//, "", file); sub(/\.o$/, "", file)
        room = file; sub(/\/.*/, "", room)
        at = room in floor ? floor[room] : 4
    }
    part == 2 && $3 ~ /^[TDBRCVWGS]$/ { defined[$2] = at; where[$2] = file }
    part == 3 && $3 == "U" && $2 in defined && defined[$2] > at {
        if ((room, $2) in allowed) {
            used[room, $2] = 1
            next
        }
        print file ": uses " $2 " of a floor above, src/" where[$2]
        bad = 1
    }
    part == 3 { symbols++ }
    END {
        for (one in allowed)
            if (!(one in used)) {
                print "tests/floors.sh: nobody needs the exception \"" allowed[one] "\""
                bad = 1
            }
        if (!symbols) {
            print "tests/floors.sh: no symbols to look at"
            bad = 1
        }
        exit bad
    }' "$work/exceptions" "$work/symbols" "$work/symbols"
