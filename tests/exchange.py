"""Arrays between wick and Python's libraries, through libwick.so: DLPack both ways with numpy's and PyTorch's own
capsules, .npz both ways with numpy.

    python tests/exchange.py LIBWICK.so    (ends with 77, and says so, where numpy is missing; PyTorch may be)
"""
import ctypes
import os
import sys
import tempfile

try:
    import numpy
except ImportError:
    print("exchange: SKIPPED: no numpy here (pip install numpy)")
    sys.exit(77)
try:
    import torch
except ImportError:
    torch = None
    print("exchange: PyTorch's part SKIPPED: no PyTorch here")

wick = ctypes.CDLL(sys.argv[1])
P = ctypes.c_void_p
NAME = b"dltensor"


def function(library, name, result, *arguments):
    found = getattr(library, name)
    found.restype, found.argtypes = result, arguments
    return found


capsule_pointer = function(ctypes.pythonapi, "PyCapsule_GetPointer", P, ctypes.py_object, ctypes.c_char_p)
capsule_new = function(ctypes.pythonapi, "PyCapsule_New", ctypes.py_object, P, ctypes.c_char_p, P)
capsule_rename = function(ctypes.pythonapi, "PyCapsule_SetName", ctypes.c_int, ctypes.py_object, ctypes.c_char_p)
to_dlpack = function(wick, "wk_to_dlpack", P, P)
from_dlpack = function(wick, "wk_from_dlpack", P, P)
retain = function(wick, "wk_retain", P, P)
release = function(wick, "wk_release", None, P)
add_one = function(wick, "wk_neg_", P, P)
dict_new = function(wick, "wk_dict_new", P)
dict_free = function(wick, "wk_dict_free", None, P)
dict_set = function(wick, "wk_dict_set", ctypes.c_bool, P, ctypes.c_char_p, P)
dict_get = function(wick, "wk_dict_get", P, P, ctypes.c_char_p)
dict_count = function(wick, "wk_dict_count", ctypes.c_int64, P)
savez = function(wick, "wk_numpy_savez", ctypes.c_bool, ctypes.c_char_p, P)
load_npz = function(wick, "wk_numpy_load_npz", P, ctypes.c_char_p)
ScopeGuard = type("ScopeGuard", (ctypes.Structure,), {"_fields_": [("depth", ctypes.c_int), ("open", ctypes.c_bool)]})
scope_open = function(wick, "wk_scope_open", ScopeGuard, ctypes.c_char_p, ctypes.c_int)
USED = b"used_dltensor"


def take(array):
    """A wick tensor on the array's memory, by the capsule that array makes itself."""
    capsule = array.__dlpack__()
    x = from_dlpack(capsule_pointer(capsule, NAME))
    assert x, "wk_from_dlpack failed"
    capsule_rename(capsule, USED)  # as the standard asks of who took it: its deleter is ours to call now
    return retain(x)


class Handed:
    """What the array libraries' from_dlpack takes: a tensor's capsule and device."""

    def __init__(self, x):
        self.x = x

    def __dlpack__(self, **_):
        return capsule_new(to_dlpack(self.x), NAME, None)

    def __dlpack_device__(self):
        return 1, 0


def arrays(library):
    ramp = library.arange(24).reshape(2, 3, 4)
    for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64",
                 "complex128", "bfloat16"):
        if not hasattr(library, name):
            continue
        dtype = getattr(library, name)
        yield name, ramp.astype(dtype) if library is numpy else ramp.to(dtype)


def check_dlpack(library):
    count = 0
    for name, whole in arrays(library):
        for array in (whole, whole[1, 1:, 1::2], whole.T if library is numpy else whole.permute(2, 1, 0), whole[0, :0],
                      whole[1, 2, 3:].reshape(())):
            x = take(array)
            back = library.from_dlpack(Handed(x))
            assert back.dtype == array.dtype and tuple(back.shape) == tuple(array.shape), (name, back, array)
            assert (back == array).all(), (name, back, array)
            if name not in ("bool", "uint8") and back.size if library is numpy else False:
                before = array.copy()
                add_one(x)  # wick writes: both see it
                assert (array == -before).all() and (back == -before).all(), (name, array, before)
                add_one(x)
            release(x)  # back keeps the memory
            assert (back == array).all()
            count += 1
    print("exchange: DLPack with %s: %d arrays there and back" % (library.__name__, count))


def check_npz(folder):
    arrays_of = {"a": numpy.arange(6, dtype="f4").reshape(2, 3), "b/c": numpy.array(7), "é": numpy.zeros((0, 3), "i2"),
                 "f": numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)), "big": numpy.arange(5, dtype=">i4"),
                 "z": numpy.zeros(100000, "c8"), "t": numpy.array([True, False])}
    path = os.path.join(folder, "of_numpy.npz").encode()
    for save in (numpy.savez, numpy.savez_compressed):
        save(path.decode(), **arrays_of)
        loaded = load_npz(path)
        assert loaded and dict_count(loaded) == len(arrays_of), save
        for name, array in arrays_of.items():
            back = numpy.from_dlpack(Handed(dict_get(loaded, name.encode())))
            assert back.shape == array.shape and (back == array).all(), (save, name, back)
        dict_free(loaded)
    ours = dict_new()
    for name, array in arrays_of.items():
        x = take(array.astype(array.dtype.newbyteorder("=")))
        assert dict_set(ours, name.encode(), x)
        release(x)
    path = os.path.join(folder, "of_wick.npz").encode()
    assert savez(path, ours)
    with numpy.load(path.decode()) as back:
        assert sorted(back.files) == sorted(arrays_of), back.files
        for name, array in arrays_of.items():
            assert back[name].dtype == array.dtype.newbyteorder("="), (name, back[name].dtype)
            assert back[name].shape == array.shape and (back[name] == array).all(), (name, back[name])
    dict_free(ours)
    print("exchange: .npz with numpy: %d arrays there and back" % len(arrays_of))


guard = scope_open(b"exchange", 0)
check_dlpack(numpy)
if torch:
    check_dlpack(torch)
with tempfile.TemporaryDirectory() as place:
    check_npz(place)
