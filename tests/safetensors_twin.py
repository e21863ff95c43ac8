"""Python's safetensors and wick's on the same files: what the one takes and the other refuses, and whether the values
are equal.  Whole files of every dtype, and thousands of broken ones.

    python3 tests/safetensors_twin.py build/safetensors_copy      ends with 77 where there is no safetensors or torch
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

try:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load, load_file, save
except ImportError as missing:
    print(f"safetensors_twin: SKIPPED: {missing}")
    sys.exit(77)

DTYPES = [torch.int64, torch.float64, torch.complex64, torch.float32, torch.int32, torch.bfloat16, torch.float16,
          torch.int16, torch.int8, torch.uint8, torch.bool]
# what wick refuses and Python takes, and why
STRICTER = {
    "expected bools 0 or 1": "another byte is no bool of C's",
    "is not one that wick has": "dtypes",
    "expected at most 8 dims": "WK_MAX_DIMS",
    "holds a NUL": "names are C's",
    "is there twice": "one of the two would be lost",
    "expected a {": "serde also takes an array of the fields",
    "nested too deep": "in fields that nobody reads",
}


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def whole_files(draw):
    for _ in range(60):
        tensors = {}
        for i in range(draw.randrange(6)):
            shape = [draw.randrange(4) for _ in range(draw.randrange(4))]
            name = draw.choice(["weight", "é/\"\\\n", "a.b.c", "\x1f\x7f", "😀"]) + str(i)
            tensors[name] = (torch.rand(shape) * 100 - 50).to(draw.choice(DTYPES))
        yield save(tensors, {"epoch": "6", "né\t": ""} if draw.random() < 0.5 else None)
    entry = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}
    yield file_of({"a": {**entry, "more": {"x": [1.5e3, -0, True, None, "\ud83d\ude00"]}}}, b"\1")
    yield file_of({"__metadata__": None, "a": entry}, b"\1")
    yield file_of(b'{"\\u00e9\\ud83d\\ude00\\/\\b":{"shape" : [1]\n,\t"data_offsets":[0,1],"dtype":"U8"} } \r\n', b"\1")
    yield file_of({"a": {**entry, "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]}})
    yield file_of({"a": {**entry, "shape": [1] * 9}}, b"\1")
    yield file_of(b'{"a":["U8",[1],[0,1]]}', b"\1")


def broken(draw, good):
    bytes_ = bytearray(good)
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(len(bytes_))
        kind = draw.randrange(5)
        if kind == 0:
            bytes_[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del bytes_[at:at + draw.randrange(1, 4)]
        elif kind == 2:
            bytes_[at:at] = draw.choice([b"0", b"1", b'"', b",", b"}", b"]", b" ", b"\\u", b"e9", b"-", b"\xff"])
        elif kind == 3:
            bytes_[at] = draw.choice(b'{}[]",:-0123456789 \\FIUB\x80\n')
        else:
            bytes_[0] = (bytes_[0] + draw.choice([-1, 1, 2])) % 256
        if not bytes_:
            break
    longer = len(bytes_) - len(good)
    if draw.random() < 0.7 and len(bytes_) > 8:  # the length of the header follows, so that the header is read
        bytes_[:8] = struct.pack("<Q", max(0, struct.unpack("<Q", good[:8])[0] + longer))
    return bytes(bytes_)


def same(a, b):
    return a.keys() == b.keys() and all(
        a[k].dtype == b[k].dtype and a[k].shape == b[k].shape
        and a[k].contiguous().view(-1).view(torch.uint8).equal(b[k].contiguous().view(-1).view(torch.uint8))
        for k in a)


def main():
    draw = random.Random(7)
    whole = list(whole_files(draw))
    files = whole + [broken(draw, draw.choice(whole)) for _ in range(3000)]
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, str(i)) for i in range(len(files))]
        for name, bytes_ in zip(names, files):
            with open(name, "wb") as file:
                file.write(bytes_)
        answers = subprocess.run([sys.argv[1]], input="\n".join(names), text=True, check=True,
                                 stdout=subprocess.PIPE).stdout.splitlines()
        assert len(answers) == len(files)
        both = stricter = faults = 0
        for name, bytes_, answer in zip(names, files, answers):
            try:
                expected, why = load(bytes_), ""
            except (SafetensorError, KeyError, ValueError, TypeError, OverflowError, RuntimeError) as error:
                expected, why = None, str(error)
            fault = None
            if answer == "loaded" and expected is None:
                fault = f"Python refuses it: {why}"
            elif answer == "loaded":
                both += 1
                if not same(expected, load_file(name + ".copy")):
                    fault = "other values"
            elif expected is not None:
                stricter += 1
                if not any(reason in answer for reason in STRICTER):
                    fault = f"wick refuses it: {answer}"
            if fault:
                faults += 1
                print(f"{fault}\n    {bytes_[:300]!r}")
        print(f"{len(files)} files: {both} loaded by both, {stricter} by Python alone, for a reason; {faults} faults")
        sys.exit(1 if faults else 0)


main()
