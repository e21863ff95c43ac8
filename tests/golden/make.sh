#!/bin/sh
# Asks PyTorch for every golden answer again: tests/golden/make.sh PYTHON [FAMILY...], PYTHON an interpreter with torch 2.15.
set -e
python=${1:?usage: make.sh PYTHON [FAMILY...]}
shift
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- $(ls *.py | sed -n 's/\.py$//p' | grep -vxE 'golden|safetensors_file')
for family; do
    "$python" "$family.py"
done
