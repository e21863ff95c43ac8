#!/bin/sh
# Asks PyTorch for the op table's golden answers again, and for the random programs:
#   tests/golden/make.sh PYTHON [FAMILY...]        PYTHON an interpreter with torch 2.15
# The other scripts here write other tests' files; each says how it is run.
set -e
python=${1:?usage: make.sh PYTHON [FAMILY...]}
shift
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- programs $(grep -l '^g = Golden' -- *.py | sed 's/\.py$//')
for family; do
    "$python" "$family.py"
done
