#!/bin/bash
# A model of each modality, trained here: its progress, and at the end pictures, sound or text of what it has learned.
#   scripts/demos.sh [build/katas] [out]
set -euo pipefail
katas=${1:-build/katas} out=${2:-out}
mkdir -p "$out"
started=$SECONDS
demo() { printf '\n== %s\n' "$*"; "$katas/$@" --out "$out"; }

demo 12_vit_fashion_mnist --epochs 1
demo 13_gpt --prompt 'The licensee may '
demo 14_diffusion
demo 14_diffusion --method ddpm --epochs 2 --sample-steps 60 --judged 0
demo 14_diffusion --model dit --epochs 2
demo 15_vae
demo 16_video_transformer
demo 17_waveform_codec
demo 18_spectrogram_transformer
demo 19_clip
demo 20_gan
printf '\nall of it: %d s; the pictures and sounds are in %s\n' $((SECONDS - started)) "$out"
