"""PyTorch's side of the race: a class for each row, and the list of them.  bench.c has their twins by name."""
import torch
import torch.nn.functional as F
from torch import nn


class Row:
    """One row: setup makes inputs, run does the work, result gives what is compared."""

    tolerance = 1e-4

    def grads(self, *tensors):
        for tensor in tensors:
            tensor.grad = None


class Add(Row):
    name = "add 4x4"

    def setup(self):
        self.x, self.w = torch.randn(4, 4), torch.randn(4, 4)

    def run(self):
        self.x + self.w

    def result(self):
        return [self.x + self.w]


class Graph(Row):
    name = "mul+sum+backward"

    def setup(self):
        self.x, self.w = torch.randn(4, 4, requires_grad=True), torch.randn(4, 4, requires_grad=True)

    def run(self):
        self.grads(self.x, self.w)
        (self.x * self.w).sum().backward()

    def result(self):
        self.run()
        return [self.x.grad, self.w.grad]


class Backward(Row):
    """Forward and backward of one function of leaves."""

    def run(self):
        self.grads(*self.leaves)
        self.forward().backward(self.dy)

    def result(self):
        self.run()
        return [self.forward().detach()] + [leaf.grad for leaf in self.leaves]

    def make(self, *shapes):
        self.leaves = [torch.randn(*shape, requires_grad=True) for shape in shapes]


class Linear(Backward):
    name = "linear"

    def setup(self):
        self.make((2048, 96), (384, 96), (384,))
        self.dy = torch.randn(2048, 384)

    def forward(self):
        return F.linear(*self.leaves)


class LayerNorm(Backward):
    name = "layer_norm"
    tolerance = 1e-3  # dweight sums 4096 products

    def setup(self):
        self.make((4096, 1024), (1024,), (1024,))
        self.dy = torch.randn(4096, 1024)

    def forward(self):
        x, w, b = self.leaves
        return F.layer_norm(x, (1024,), w, b)


class BatchNorm(Backward):
    name = "batch_norm"
    tolerance = 1e-3  # dweight sums 50176 products

    def setup(self):
        self.make((16, 64, 56, 56), (64,), (64,))
        self.dy = torch.randn(16, 64, 56, 56)
        self.mean, self.var = torch.zeros(64), torch.ones(64)

    def forward(self):
        x, w, b = self.leaves
        return F.batch_norm(x, self.mean, self.var, w, b, training=True)


class Lstm(Backward):
    name = "lstm"
    layer = nn.LSTM
    tolerance = 1e-2  # weight_hh's gradient sums 2048 products

    def setup(self):
        self.module = self.layer(128, 256)
        self.make((64, 32, 128))
        self.leaves.append(self.module.weight_hh_l0)
        self.dy = torch.randn(64, 32, 256)

    def run(self):
        self.module.zero_grad()
        super().run()

    def forward(self):
        return self.module(self.leaves[0])[0]


class Gru(Lstm):
    name = "gru"
    layer = nn.GRU


class Softmax(Backward):
    name = "softmax"

    def setup(self):
        self.make((4096, 1024))
        self.dy = torch.randn(4096, 1024)

    def forward(self):
        return F.softmax(self.leaves[0], -1)


class Gelu(Softmax):
    name = "gelu"

    def forward(self):
        return F.gelu(self.leaves[0])


class Attention(Backward):
    name = "attention"

    def setup(self):
        self.make(*[(16, 8, 256, 64)] * 3)
        self.dy = torch.randn(16, 8, 256, 64)

    def forward(self):
        return F.scaled_dot_product_attention(*self.leaves)


class OneQuery(Row):
    name = "one query"

    def setup(self):
        self.q = torch.randn(4, 8, 1, 64)
        self.k, self.v = torch.randn(4, 8, 2048, 64), torch.randn(4, 8, 2048, 64)

    def run(self):
        return F.scaled_dot_product_attention(self.q, self.k, self.v)

    def result(self):
        return [self.run()]


class Rotary(Backward):
    """as Llama's own code has it"""

    name = "rotary"

    def setup(self):
        self.make((16, 256, 8, 64))
        self.dy = torch.randn(16, 256, 8, 64)
        angles = torch.outer(torch.arange(256.0), 1 / 10000 ** (torch.arange(0, 64, 2) / 64))
        self.freqs_cis = torch.polar(torch.ones_like(angles), angles)

    def forward(self):
        x = torch.view_as_complex(self.leaves[0].reshape(16, 256, 8, 32, 2))
        return torch.view_as_real(x * self.freqs_cis[:, None]).flatten(3)


class Conv2d(Backward):
    name = "conv2d"
    tolerance = 1e-3  # dweight sums 25088 products

    def setup(self):
        self.make((32, 64, 28, 28), (64, 64, 3, 3), (64,))
        self.dy = torch.randn(32, 64, 28, 28)

    def forward(self):
        return F.conv2d(*self.leaves, padding=1)


class MaxPool2d(Backward):
    name = "max_pool2d"

    def setup(self):
        self.make((16, 64, 56, 56))
        self.dy = torch.randn(16, 64, 28, 28)

    def forward(self):
        return F.max_pool2d(self.leaves[0], 3, 2, 1)


class AvgPool2d(MaxPool2d):
    name = "avg_pool2d"

    def forward(self):
        return F.avg_pool2d(self.leaves[0], 3, 2, 1)


class MaxPool2dLast(MaxPool2d):
    name = "max_pool2d last"

    def setup(self):
        super().setup()
        last = torch.channels_last
        self.leaves = [self.leaves[0].detach().contiguous(memory_format=last).requires_grad_()]
        self.dy = self.dy.contiguous(memory_format=last)


class AvgPool2dLast(MaxPool2dLast):
    name = "avg_pool2d last"
    forward = AvgPool2d.forward


class Im2col(Backward):
    name = "im2col"

    def setup(self):
        self.make((8, 32, 56, 56))
        self.dy = torch.randn(8, 288, 3136)

    def forward(self):
        return F.unfold(self.leaves[0], 3, padding=1)


class PixelShuffle(Backward):
    name = "pixel_shuffle"

    def setup(self):
        self.make((8, 64, 64, 64))
        self.dy = torch.randn(8, 16, 128, 128)

    def forward(self):
        return F.pixel_shuffle(self.leaves[0], 2)


class Nearest(Backward):
    name = "nearest"
    options = dict(scale_factor=2)

    def setup(self):
        self.make((16, 64, 32, 32))
        self.dy = torch.randn(16, 64, 64, 64)

    def forward(self):
        return F.interpolate(self.leaves[0], **self.options)


class Bilinear(Nearest):
    name = "bilinear"
    options = dict(scale_factor=2, mode="bilinear")


class Antialias(Nearest):
    name = "antialias"
    options = dict(scale_factor=0.5, mode="bicubic", antialias=True)

    def setup(self):
        self.make((8, 3, 256, 256))
        self.dy = torch.randn(8, 3, 128, 128)


class Names(Row):
    def setup(self):
        self.x, self.q, self.k = torch.randn(1024, 512), torch.randn(8, 256, 8, 64), torch.randn(8, 256, 8, 64)

    def result(self):
        return [self.run()]


class Rfft(Names):
    name = "rfft"

    def run(self):
        return torch.view_as_real(torch.fft.rfft(self.x))


class Einsum(Names):
    name = "einsum"

    def run(self):
        return torch.einsum("blhd,bshd->bhls", self.q, self.k)


class Rearrange(Names):
    name = "rearrange"

    def run(self):  # as einops does it
        x = self.q.reshape(8, 128, 2, 8, 32, 2)
        return x.permute(0, 1, 3, 4, 2, 5).reshape(8, 128, 8, 128)


class ResizeBytes(Row):
    name = "resize bytes"

    def setup(self):
        self.x = torch.randint(0, 256, (8, 3, 256, 256), dtype=torch.uint8)

    def run(self):
        return F.interpolate(self.x, size=128, mode="bilinear", antialias=True)

    def result(self):
        return [self.run()]


class GridSample(Backward):
    name = "grid_sample"
    tolerance = 1e-2  # the grid's gradients are hundreds

    def setup(self):
        self.make((8, 32, 64, 64))
        self.leaves.append(torch.randn(8, 64, 64, 2).tanh().requires_grad_())
        self.dy = torch.randn(8, 32, 64, 64)

    def forward(self):
        return F.grid_sample(*self.leaves, align_corners=False)


class Logaddexp(Row):
    name = "logaddexp"

    def setup(self):
        self.x, self.w = torch.randn(1024, 1024), torch.randn(1024, 1024)

    def run(self):
        return torch.logaddexp(self.x, self.w)

    def result(self):
        return [self.run()]


class NanToNum(Logaddexp):
    name = "nan_to_num"

    def run(self):
        return torch.nan_to_num(self.x)


class Median(Logaddexp):
    name = "median"

    def run(self):
        return self.x.median(1).values


class SearchSorted(Row):
    name = "searchsorted"

    def setup(self):
        self.x, self.w = torch.randn(4096).sort().values, torch.randn(512, 512)

    def run(self):
        torch.searchsorted(self.x, self.w)

    def result(self):
        return [torch.searchsorted(self.x, self.w).float()]


class Big(Row):
    name = "add 64 MB"

    def setup(self):
        self.x, self.w = torch.randn(16, 1024, 1024), torch.randn(16, 1024, 1024)

    def run(self):
        self.x + self.w

    def result(self):
        return [(self.x + self.w)[:1]]


class VitAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim), heads

    def forward(self, x):
        B, L, D = x.shape
        q, k, v = self.qkv(x).reshape(B, L, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class VitBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(dim), VitAttention(dim, heads), nn.LayerNorm(dim)
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Vit(nn.Module):
    def __init__(self, image=28, channels=1, patch=7, dim=96, depth=3, heads=4, classes=10):
        super().__init__()
        self.patch_embed = nn.Conv2d(channels, dim, patch, stride=patch)
        self.pos_embed = nn.Parameter(torch.randn(1, (image // patch) ** 2, dim) * 0.02)
        self.blocks = nn.Sequential(*[VitBlock(dim, heads) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2) + self.pos_embed
        return self.head(self.norm(self.blocks(x)).mean(1))


class Step(Row):
    name = "training step"

    def setup(self):
        self.model = Vit()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1.5e-3, weight_decay=0.05)
        self.x, self.y = torch.randn(128, 1, 28, 28), torch.randint(0, 10, (128,))
        self.losses = []

    def run(self):
        loss = F.cross_entropy(self.model(self.x), self.y)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        if len(self.losses) < 5:
            self.losses.append(loss.detach())

    def result(self):
        while len(self.losses) < 5:
            self.run()
        return self.losses


ROWS = [Add, Graph, Linear, LayerNorm, BatchNorm, Lstm, Gru, Softmax, Gelu, Attention, OneQuery, Rotary, Conv2d,
        MaxPool2d, AvgPool2d, MaxPool2dLast, AvgPool2dLast, Im2col, PixelShuffle, Nearest, Bilinear, Antialias, Rfft,
        Einsum, Rearrange, ResizeBytes, GridSample, Logaddexp, NanToNum, Median, SearchSorted, Big, Step]
