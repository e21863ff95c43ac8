"""Named tensors in a file that wick reads back: safetensors, written by hand so that the scripts need nothing but PyTorch."""

import json

import torch

NAMES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.bool: "BOOL", torch.uint8: "U8",
         torch.float16: "F16", torch.bfloat16: "BF16"}


def save_file(tensors, path):
    header, data = {}, bytearray()
    # widest first, so that each tensor is aligned
    for name, x in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        x = x.detach().contiguous()
        raw = x.flatten().view(torch.uint8).numpy().tobytes() if x.numel() else b""
        header[name] = {"dtype": NAMES[x.dtype], "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(data))
