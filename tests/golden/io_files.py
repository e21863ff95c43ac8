"""Writes the files that tests/test_io.c reads, with Python's safetensors and numpy:

    python io_files.py FOLDER     (pip install safetensors numpy)

test_io.c makes the same tensors and expects the same bytes."""

import sys

import numpy
from safetensors import TensorSpec, serialize_file

folder = sys.argv[1]
ramp = numpy.arange(6).reshape(2, 3)
arrays = {
    "weight": ("float32", (ramp / 4).astype("<f4")),
    "bias": ("float64", (ramp[0] / 4).astype("<f8")),
    "half": ("float16", (ramp / 4).astype("<f2")),
    "bfloat": ("bfloat16", ((ramp / 4).astype("<f4").view("<u4") >> 16).astype("<u2")),
    "mask": ("bool", ramp % 2 == 1),
    "bytes": ("uint8", (ramp * 50).astype("u1")),
    "signed": ("int8", -ramp.astype("i1")),
    "short": ("int16", (ramp * -1000).astype("<i2")),
    "int": ("int32", (ramp * -100000).astype("<i4")),
    "long": ("int64", (ramp * -(10**15)).astype("<i8")),
    "complex": ("complex64", (ramp + 1j).astype("<c8")),
    "step": ("int64", numpy.array(7, "<i8")),
    "empty": ("float32", numpy.zeros((0, 3), "<f4")),
    'odd "name"\n\u00e9/': ("float32", numpy.ones(1, "<f4")),
}
specs = {
    name: TensorSpec(dtype=dtype, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes)
    for name, (dtype, array) in arrays.items()
}
serialize_file(specs, f"{folder}/io_all.safetensors", metadata={"epoch": 'six "6"\t'})
serialize_file({}, f"{folder}/io_none.safetensors")

numpy.save(f"{folder}/io_float32.npy", arrays["weight"][1])
numpy.save(f"{folder}/io_bool.npy", arrays["mask"][1])
numpy.save(f"{folder}/io_int64_0d.npy", arrays["step"][1])
numpy.save(f"{folder}/io_complex64_1d.npy", arrays["complex"][1][0])
numpy.save(f"{folder}/io_complex128.npy", (ramp + 1j).astype("<c16"))
numpy.save(f"{folder}/io_big_endian_complex128.npy", (ramp + 1j).astype(">c16"))
numpy.save(f"{folder}/io_big_endian.npy", (ramp * -100000).astype(">i4"))
numpy.save(f"{folder}/io_fortran.npy", numpy.asfortranarray(ramp / 4))
several = {"weight": arrays["weight"][1], "step": arrays["step"][1], "zeros": numpy.zeros((40, 3), "<f4")}
numpy.savez(f"{folder}/io_stored.npz", **several)
numpy.savez_compressed(f"{folder}/io_deflated.npz", **several)
