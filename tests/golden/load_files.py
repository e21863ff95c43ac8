"""Writes the files that tests/test_load.c reads, with PyTorch:

    python load_files.py FOLDER     (pip install torch)

test_load.c knows what is in them."""

import collections
import copy
import sys
import zipfile

import torch

folder = sys.argv[1]


def save(name, value, legacy=False):
    torch.save(value, f"{folder}/load_{name}.pt", _use_new_zipfile_serialization=not legacy)


ramp = torch.arange(6.0).reshape(2, 3) / 4  # (2, 3)
state = collections.OrderedDict([("fc.weight", ramp), ("fc.bias", torch.tensor([1.0, -1.0]))])
save("state", state)

dtypes = "float32 float64 float16 bfloat16 uint8 int8 int16 int32 int64".split()
tensors = {name: (ramp * 4).to(getattr(torch, name)) for name in dtypes}
tensors["bool"] = ramp > 0.5
tensors["complex64"] = torch.complex(ramp, ramp + 1)
tensors["complex128"] = tensors["complex64"].to(torch.complex128)
tensors["conjugate"] = tensors["complex64"].conj()
tensors["scalar"] = torch.tensor(7)
tensors["empty"] = torch.zeros(0, 3)
tensors["transposed"] = ramp.t()
tensors["tied"] = ramp
tensors["row"] = ramp[1, 1:]
tensors["expanded"] = torch.full((1,), 2.5).expand(3, 2)
tensors["parameter"] = torch.nn.Parameter(ramp)
save("tensors", tensors)

values = {
    "epoch": 3,
    "below": -4000000000,
    "large": 2**70 + 1,
    "large_below": -(2**64),
    "lr": 0.1,
    "infinite": float("inf"),
    "none": None,
    "yes": True,
    "no": False,
    "name": "caf\u00e9 \"6\"",
    "nul": "a\0b",
    "list": [1, 2.5, "x", [], {"deep": (True,)}],
    "none_of_it": [],
    "size": torch.Size([4, 5]),
    "set": {9},
    "ordered": collections.OrderedDict(a=1),
    "counter": collections.Counter("aab"),
    "device": torch.device("cuda", 1),
    "dtype": torch.bfloat16,
    "bytes": b"\x00\x7f\x80\xff",
    "array": bytearray(b"ab"),
    "complex": 1 + 2j,
    "keys": {0: "zero", -1: "below", 1.5: "real", True: "flag", None: "none"},
}
save("values", values)

model = torch.nn.Linear(3, 2)
with torch.no_grad():
    model.weight.copy_(ramp)
    model.bias.copy_(ramp[0, :2])
optimizer = torch.optim.Adam(model.parameters(), lr=0.1, weight_decay=0.01, amsgrad=True)


def step():
    optimizer.zero_grad()
    model(ramp).square().sum().backward()
    optimizer.step()


step()
step()
training = copy.deepcopy(
    {"model": model.state_dict(prefix="module."), "optimizer": optimizer.state_dict(), "epoch": 2}
)
step()
save("training", {**training, "after": model.state_dict()})


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)
        self.fc.weight = torch.nn.Parameter(ramp)
        self.fc.bias = torch.nn.Parameter(torch.tensor([1.0, -1.0]))
        self.tied = self.fc
        self.register_buffer("mean", torch.ones(2))
        self.register_buffer("not_saved", torch.zeros(2), persistent=False)
        self.activation = torch.nn.functional.relu
        self.width = 3


save("module", Net())
save("legacy_state", state, legacy=True)
save("legacy_tensors", tensors, legacy=True)
# old files hold each class's source and where it stood: no paths of this machine
torch.serialization.get_source_lines_and_file = lambda kind: ([f"class {kind.__name__}: ..."], 0, "net.py")
save("legacy_module", Net(), legacy=True)
save("one", ramp)



def repack(name, of, method=zipfile.ZIP_STORED, byteorder=None):
    """the same entries as another program packs them: not aligned, under another folder"""
    with zipfile.ZipFile(f"{folder}/load_{of}.pt") as old, zipfile.ZipFile(f"{folder}/load_{name}.pt", "w") as new:
        for entry in old.infolist():
            inner = entry.filename.split("/", 1)[1]
            data = byteorder if inner == "byteorder" and byteorder else old.read(entry)
            if byteorder and inner.startswith("data/"):
                data = b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
            new.writestr(zipfile.ZipInfo(f"folder/{inner}"), data, method)


repack("deflated", "state", zipfile.ZIP_DEFLATED)
repack("big_endian", "state", byteorder=b"big")
zipfile.ZIP64_LIMIT = 10  # every number is in zip64's fields
zipfile.ZIP_FILECOUNT_LIMIT = 1
repack("zip64", "state")

# what wk_save wrote: test_load.c expects these bytes, here PyTorch reads them
for mmap in False, True:
    saved = torch.load(f"{folder}/saved.pt", weights_only=True, mmap=mmap)
    expected = {
        "weight": ramp.t(),
        "row": ramp[1],
        "half": ramp.bfloat16(),
        "empty": torch.zeros(0, 2, dtype=torch.int64),
        "scalar": torch.tensor(True),
        "complex": torch.complex(ramp, ramp + 1),
        "real": ramp,
        "epoch": 3,
        "long": -4000000000,
        "lr": 0.1,
        "best": float("inf"),
        "name": "caf\u00e9 06",
    }
    assert list(saved) == list(expected)
    for name, value in expected.items():
        if torch.is_tensor(value):
            assert saved[name].dtype == value.dtype and torch.equal(saved[name], value), name
        else:
            assert type(saved[name]) is type(value) and saved[name] == value, name
    assert saved["weight"].stride() == (1, 3)
    assert saved["row"].untyped_storage().data_ptr() == saved["weight"].untyped_storage().data_ptr()
    assert saved["real"].untyped_storage().data_ptr() == saved["complex"].untyped_storage().data_ptr()
    assert saved["half"].untyped_storage().data_ptr() % 64 == 0 or not mmap
