"""Autocast and the gradient scaler, for tests/test_amp.c.

    NAME.DTYPE.I, NAME.DTYPE.y    operands of an op and its result in torch.autocast("cpu"), from operands of DTYPE
    bfloat16/KEY, float16/KEY     the initial weights of a small network
    images, labels                its data
    bfloat16/losses ...           20 steps of AdamW in autocast; float16 with a scaler, whose scale after each step is
                                  float16/scales: it grows every 3 good steps, and a step with an infinite loss is skipped
"""

import pathlib

import torch
import torch.nn.functional as F
from torch import nn

from safetensors_file import save_file

torch.set_num_threads(1)
answers = {}

OPS = {
    "linear": (F.linear, (2, 3), (4, 3), (4,)),
    "matmul": (torch.matmul, (2, 2, 3), (3, 4)),
    "matmul_vector": (torch.matmul, (2, 3), (3,)),
    "mm": (torch.mm, (2, 3), (3, 4)),
    "bmm": (torch.bmm, (2, 2, 3), (2, 3, 4)),
    "addmm": (torch.addmm, (4,), (2, 3), (3, 4)),
    "mv": (torch.mv, (2, 3), (3,)),
    "conv1d": (F.conv1d, (1, 2, 5), (3, 2, 3), (3,)),
    "conv2d": (F.conv2d, (1, 2, 4, 4), (3, 2, 3, 3)),
    "conv_transpose2d": (F.conv_transpose2d, (1, 2, 2, 2), (2, 3, 3, 3), (3,)),
    "attention": (F.scaled_dot_product_attention, (1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4)),
    "softmax": (lambda x: F.softmax(x, 1), (2, 3)),
    "layer_norm": (lambda x: F.layer_norm(x, (3,)), (2, 3)),
    "exp": (torch.exp, (3,)),
    "sum": (torch.sum, (3,)),
    "prod": (torch.prod, (3,)),
    "add": (torch.add, (3,), (3,)),
    "mse_loss": (F.mse_loss, (3,), (3,)),
    "l1_loss": (F.l1_loss, (3,), (3,)),
    "smooth_l1_loss": (F.smooth_l1_loss, (3,), (3,)),
    "huber_loss": (F.huber_loss, (3,), (3,)),
    "cross_entropy": (lambda x: F.cross_entropy(x, torch.tensor([0, 2])), (2, 3)),
    "nll_loss": (lambda x: F.nll_loss(x, torch.tensor([0, 2])), (2, 3)),
    "binary_cross_entropy": (F.binary_cross_entropy, (3,), (3,)),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, (3,), (3,)),
    "kl_div": (lambda x, t: F.kl_div(x, t, reduction="sum"), (3,), (3,)),
    "grid_sample": (lambda x, g: F.grid_sample(x, g, align_corners=False), (1, 1, 3, 3), (1, 2, 2, 2)),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 2), (1, 1, 4, 4)),
    "avg_pool3d": (lambda x: F.avg_pool3d(x, 2), (1, 1, 2, 4, 4)),
    "max_pool3d": (lambda x: F.max_pool3d(x, 2), (1, 1, 2, 4, 4)),
    "adaptive_avg_pool3d": (lambda x: F.adaptive_avg_pool3d(x, 2), (1, 1, 2, 4, 4)),
    "pad_constant": (lambda x: F.pad(x, (1, 1)), (1, 1, 4)),
    "pad_reflect": (lambda x: F.pad(x, (1, 1), "reflect"), (1, 1, 4)),
    "pad_reflect3d": (lambda x: F.pad(x, (1, 1, 1, 1, 1, 1), "reflect"), (1, 1, 2, 2, 2)),
    "pad_replicate": (lambda x: F.pad(x, (1, 1), "replicate"), (1, 1, 4)),
    "pad_circular": (lambda x: F.pad(x, (1, 1), "circular"), (1, 1, 4)),
}
torch.manual_seed(0)
for name, (op, *shapes) in OPS.items():
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        operands = [torch.rand(shape).to(dtype) for shape in shapes]
        with torch.autocast("cpu"):
            y = op(*operands)
        key = f"{name}.{str(dtype)[6:]}"
        answers.update({f"{key}.{i}": x for i, x in enumerate(operands)})
        answers[f"{key}.y"] = y

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.GroupNorm(2, 4)
        self.fc = nn.Linear(4 * 36, 16)
        self.norm2 = nn.LayerNorm(16)
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x))).flatten(1)
        x = self.norm2(self.fc(x))
        return self.head(F.gelu(x))


torch.manual_seed(1)
answers["images"] = images = torch.randn(16, 1, 6, 6)
answers["labels"] = labels = torch.arange(16) % 5
for dtype in (torch.bfloat16, torch.float16):
    torch.manual_seed(2)
    model = Net()
    name = str(dtype)[6:]
    answers.update({f"{name}/{key}": x.clone() for key, x in model.state_dict().items()})
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3, enabled=dtype == torch.float16)
    losses, scales = [], []
    for step in range(20):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype):
            loss = F.cross_entropy(model(images), labels)
        if dtype == torch.float16 and step == 7:
            loss = loss * float("inf")
        scaler.scale(loss).backward()
        if step % 2:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
        scales.append(scaler.get_scale())
    answers[f"{name}/losses"] = torch.tensor(losses, dtype=torch.float64)
    answers[f"{name}/scales"] = torch.tensor(scales, dtype=torch.float64)

MORE = {
    "cdist": (torch.cdist, (3, 4), (30, 4)),
    "quantile": (lambda x: torch.quantile(x, 0.4), (5,)),
    "stft": (lambda x, w: torch.stft(x, 8, window=w, return_complex=True), (32,), (8,)),
    "fft_rfft": (torch.fft.rfft, (9,)),
    "fft_fft2": (torch.fft.fft2, (3, 4)),
    "polar": (torch.polar, (3,), (3,)),
    "view_as_complex": (torch.view_as_complex, (3, 2)),
    "prelu": (torch.prelu, (2, 3), (1,)),
    "linalg_solve": (torch.linalg.solve, (3, 3), (3, 2)),
    "linalg_eigh": (lambda x: torch.linalg.eigh(x)[0], (3, 3)),
    "linalg_qr": (lambda x: torch.linalg.qr(x)[0].abs(), (3, 3)),
}
torch.manual_seed(4)
for name, (op, *shapes) in MORE.items():
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        operands = [torch.rand(shape).to(dtype) for shape in shapes]
        with torch.autocast("cpu"):
            y = op(*operands)
        key = f"{name}.{str(dtype)[6:]}"
        answers.update({f"{key}.{i}": x for i, x in enumerate(operands)})
        answers[f"{key}.y"] = torch.view_as_real(y) if y.is_complex() else y

save_file({k: v.detach().contiguous() for k, v in answers.items()}, pathlib.Path(__file__).with_name("amp.safetensors"))
