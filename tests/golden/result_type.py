"""Asks PyTorch for the dtype of an op on two operands (torch.result_type): tensors of one dim, 0-d tensors, numbers.
Written to result_type.txt beside this file, a line "int8 1 uint8 0 int8" each: dtype and number of dims of both, the
answer; "number" for the dims of a Python number, whose dtype is bool, int64 or float64.
    python tests/golden/result_type.py"""

import itertools
import pathlib

import torch

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
         "complex128"]
NUMBERS = {"bool": True, "int64": 3, "float64": 2.5}


def operand(name, dims):
    return NUMBERS[name] if dims == "number" else torch.ones([1] * dims, dtype=getattr(torch, name))


def line(a, a_dims, b, b_dims):
    both = str(torch.result_type(operand(a, a_dims), operand(b, b_dims))).removeprefix("torch.")
    return f"{a} {a_dims} {b} {b_dims} {both}\n"


lines = [line(a, 1, b, 1) for a, b in itertools.combinations_with_replacement(NAMES, 2)]
lines += [line(a, 0, b, 0) for a, b in itertools.combinations_with_replacement(NAMES, 2)]
lines += [line(a, 1, b, 0) for a, b in itertools.product(NAMES, NAMES)]
lines += [line(a, dims, b, "number") for dims in (1, 0) for a, b in itertools.product(NAMES, NUMBERS)]
lines += [line(a, "number", b, "number") for a, b in itertools.combinations_with_replacement(NUMBERS, 2)]
lines = [text for text in lines if "complex32" not in text]  # not in wick
pathlib.Path(__file__).with_name("result_type.txt").write_text("".join(lines))
