"""torchinfo 1.8's totals of models that test_summary.c makes, too:  python3 tests/golden/summary.py >tests/golden/summary.inc

Its multiply-adds are not asked for: it takes a layer's weights times the batch, whatever the length of a sequence, and counts the
rows of an embedding.  Of multihead_attention it sees neither the bytes of its own parameters nor out_proj's results: both are added."""

import torch
import torchinfo
from torch import nn

MODELS = {
    "convolutions": (nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3),
                                   nn.GroupNorm(4, 16), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)), (32, 3, 64, 64)),
    "lstm": (nn.LSTM(8, 64, 2, batch_first=True), (64, 50, 8)),
    "lstm_both_ways": (nn.LSTM(8, 64, 2, batch_first=True, bidirectional=True), (64, 50, 8)),
    "transformer": (nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 512, batch_first=True), 2), (64, 50, 32)),
    "words": (nn.Sequential(nn.Embedding(1000, 64), nn.LayerNorm(64), nn.Linear(64, 1000)), (16, 50)),
}
print("/* By tests/golden/summary.py: parameters; bytes of the input, of forward and backward, of the parameters. */")
for name, (model, size) in MODELS.items():
    dtypes = [torch.long] if name == "words" else None
    s = torchinfo.summary(model, input_size=size, dtypes=dtypes, verbose=0, mode="eval")
    unseen = 2 * sum(isinstance(m, nn.MultiheadAttention) for m in model.modules()) * 4 * torch.Size(size).numel()
    print(f"TORCHINFO({name}, {s.total_params}, {s.total_input}, {s.total_output_bytes + unseen}, {4 * s.total_params})")
