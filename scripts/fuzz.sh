#!/bin/bash
# Builds the fuzzers of tests/fuzz with clang, and runs each for FUZZ_SECONDS (60), two at a time, from the inputs that
# are kept in tests/fuzz/corpus.  What breaks one is left in <build>/fuzz.   scripts/fuzz.sh [build folder] [names...]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build-fuzz}
shift || true
runtime=$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a" 2>/dev/null || true)
if [ ! -e "$runtime" ]; then
    echo "fuzz: SKIPPED: no clang with libFuzzer here (on Debian: clang and libclang-rt-14-dev)"
    exit 0
fi
cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang -DWICK_FUZZ=ON >/dev/null
cmake --build "$build" --target fuzzers | tail -1
names=("$@")
[ $# -gt 0 ] || names=($(cd tests/fuzz && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//'))

fuzz() {
    local log=$build/fuzz/$1.log
    mkdir -p "$build/fuzz/found/$1"
    # no tracebacks, no headers kept for checks: a run takes a hundredth of the time without
    if WICK_CHECK=0 WICK_TRACEBACK=off OMP_NUM_THREADS=1 timeout $((FUZZ_SECONDS * 2 + 120)) "$build/fuzz/fuzz_$1" \
        -max_total_time="$FUZZ_SECONDS" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=512 \
        -artifact_prefix="$build/fuzz/$1-" "$build/fuzz/found/$1" "tests/fuzz/corpus/$1" >"$log" 2>&1; then
        printf '%-12s %s\n' "$1" "$(grep -E '^Done' "$log" || tail -1 "$log")"
    else
        tail -40 "$log"
        echo "fuzz: $1 failed"
        return 1
    fi
}
export -f fuzz
export build FUZZ_SECONDS=${FUZZ_SECONDS:-60}
printf '%s\n' "${names[@]}" | xargs -P 2 -I{} bash -c 'fuzz {}'
