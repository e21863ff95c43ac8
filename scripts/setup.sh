#!/bin/sh
# Installs what wick needs on Debian and Ubuntu; does nothing where all of it is there.
#   scripts/setup.sh [demos | models | test]     with `demos`, also what reads photographs, sound and film, and makes
#                                                speech; with `models`, that and what downloads weights; with `test`,
#                                                what only the tests need instead
# Where they are, also used: clang with libclang-rt-14-dev (make fuzz), Python with torch and safetensors (a test).
set -eu
# elsewhere the build itself says what is missing
command -v dpkg-query >/dev/null || exit 0

# package                 what for
packages='
build-essential           the compilers (C; C++ for one file), libc and its vector maths, OpenMP
cmake                     the build
ninja-build               the build
pkg-config                finds libraries
libdnnl-dev               oneDNN: matrix products and convolutions in float32
liblapack-dev             LAPACK: linear algebra
libdw-dev                 elfutils: source lines in tracebacks
zlib1g-dev                gzip, in data sets
libpng-dev                pictures
dataset-fashion-mnist     70,000 real images
'
case "${1:-}" in demos | models | test) packages="$packages
libturbojpeg0-dev         libjpeg-turbo: photographs
libsndfile1-dev           sound files
libavformat-dev           FFmpeg: film, its files
libavcodec-dev            FFmpeg: film, its pictures
libswscale-dev            FFmpeg: film, its colours
libpcre2-dev              PCRE2: the patterns of tokenizers
libutf8proc-dev           utf8proc: Unicode, for tokenizers
espeak-ng                 speech, to learn from
" ;; esac
[ "${1:-}" = models ] && ! python3 -m pip --version >/dev/null 2>&1 && packages="$packages
python3-pip               downloads packages
"
[ "${1:-}" = test ] && packages="$packages
libcmocka-dev             the tests
valgrind                  leak checks
python3                   that the names in the documents are those of the headers
"

missing=$(echo "$packages" | while read -r package reason; do
    [ -n "$package" ] || continue
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
done)
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup: this system has no apt-get; install the equivalents of:" $missing >&2
    exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    sudo=sudo
    command -v sudo >/dev/null || { echo "setup: as root, run: apt-get install" $missing >&2; exit 1; }
fi
echo "installing:" $missing
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
