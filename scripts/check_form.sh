#!/bin/sh
# What .editorconfig asks for, checked on every text file of ours: at most 120 columns (prose aside), no tabs, no space
# at a line's end; and source files of at most 500 lines.
set -eu
cd "$(dirname "$0")/.."
git ls-files '*.c' '*.h' '*.cu' '*.def' '*.py' '*.sh' '*.md' '*.cmake' CMakeLists.txt .ci/run |
    grep -v '^tests/golden/' | xargs awk '
        FNR == 1 && file && lines > limit { print file ": " lines " lines, at most " limit; bad = 1 }
        FNR == 1 { file = FILENAME; limit = file ~ /\.(c|h|cu)$/ ? 500 : 100000 }
        { lines = FNR }
        length($0) > 120 && file !~ /\.md$/ { print file ":" FNR ": " length($0) " columns, at most 120"; bad = 1 }
        /\t/ { print FILENAME ":" FNR ": a tab"; bad = 1 }
        /[ \t]$/ { print FILENAME ":" FNR ": space at the end"; bad = 1 }
        END { if (lines > limit) { print file ": " lines " lines, at most " limit; bad = 1 }; exit bad }'
