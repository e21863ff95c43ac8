"""Weights and inputs that need no file: tests/formula.h computes the same."""

import numpy
import torch


def numbers(name, count):
    """uint32, one for each element of the tensor of this name"""
    seed = numpy.uint32(2166136261)
    with numpy.errstate(over="ignore"):
        for byte in name.encode():
            seed = (seed ^ numpy.uint32(byte)) * numpy.uint32(16777619)
        h = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(2654435761) + seed
        h ^= h >> numpy.uint32(16)
        h *= numpy.uint32(0x45D9F3B)
        return h ^ h >> numpy.uint32(16)


def made(name, shape):
    """in -1 to 1; matrices and kernels scaled by their width, other weights and variances around 1"""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    v = (numbers(name, count) >> numpy.uint32(8)).astype(numpy.float64) / 2**23 - 1
    if len(shape) in (2, 4):
        v = v * numpy.sqrt(3.0 * shape[0] / count)
    else:
        v = 0.5 * v + (1 if name.endswith(("weight", "running_var")) else 0)
    return torch.from_numpy(v.astype(numpy.float32)).reshape(shape)


def fill(model):
    """the model's weights, by their names; of a weight with two names, by the first"""
    seen = {}
    for key, value in model.state_dict().items():
        if value.is_floating_point() and value.data_ptr() not in seen:
            seen[value.data_ptr()] = value.copy_(made(key, tuple(value.shape)))
    return model.eval()
