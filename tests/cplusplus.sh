#!/bin/sh
# Whether C++ can use the public headers:  tests/cplusplus.sh CXX...   (from the root of the tree)
#
# wick.h, every header by itself, every struct, enum and union that they define, and a program that trains a model
# compile without a warning, in C++11 to C++20, by each compiler named.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for header in include/wick/*.h; do
    name=$(basename "$header")
    echo "#include <wick/$name>" >"$work/${name%.h}.cpp"
done
types=$(sed -nE 's/^typedef (struct|union|enum) (wk_[a-z0-9_]+) \{.*/\2/p; s/^struct (wk_[a-z0-9_]+) \{.*/\1/p' \
    include/wick/*.h | sort)
[ "$(echo "$types" | wc -l)" -gt 100 ] # the search still finds them
{
    echo '#include <wick.h>'
    echo 'template <class type> bool made() { type one = type(), other = one; (void)other; return sizeof one > 0; }'
    echo 'bool all() { return true'
    for type in $types; do echo "    && made<$type>()"; done
    echo '; }'
} >"$work/types.cpp"

for compiler in "$@"; do
    flags="-fsyntax-only -Wall -Wextra -Wpedantic -Werror -Iinclude"
    # shellcheck disable=SC2086
    $compiler -std=c++11 $flags "$work"/*.cpp || { echo "$compiler: a header by itself"; exit 1; }
    for standard in 11 14 17 20; do
        # shellcheck disable=SC2086
        $compiler -std=c++$standard $flags "$work/types.cpp" tests/test_cplusplus.cpp ||
            { echo "$compiler -std=c++$standard"; exit 1; }
    done
    echo "$compiler: $(echo "$types" | wc -l) types, $(ls include/wick/*.h | wc -l) headers, C++11 to C++20"
done
