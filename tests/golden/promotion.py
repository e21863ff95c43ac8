"""Asks PyTorch what each pair of dtypes promotes to, and writes it to promotion.txt beside this file, a line
"int8 uint8 int16" each:  python tests/golden/promotion.py"""

import itertools
import pathlib

import torch

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
         "complex128"]
lines = [f"{a} {b} {str(torch.promote_types(getattr(torch, a), getattr(torch, b))).removeprefix('torch.')}\n"
         for a, b in itertools.product(NAMES, NAMES)]
pathlib.Path(__file__).with_name("promotion.txt").write_text("".join(lines))
