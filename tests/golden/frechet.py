"""The twin of katas/14_diffusion.c with its defaults: PyTorch trains the same U-Net by flow matching, from the same weights,
on the same pictures in the same order with the same noise, draws, and is judged by the same classifier, trained alike.
Prints its score, to be compared with the kata's; writes nothing, and no test reads it.

    PYTHON tests/golden/frechet.py [EPOCHS]        some minutes, in one thread
"""

import gzip
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

from twins import UNet, diffusion_loss, frechet

FOLDER = "/usr/share/datasets/fashion-mnist/"
epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
classes, judged, steps, guidance, decay = 10, 500, 30, 2.0, 0.995


def read(name, offset):
    with gzip.open(FOLDER + name + "-ubyte.gz") as file:
        return torch.frombuffer(bytearray(file.read()[offset:]), dtype=torch.uint8)


x_train = read("train-images-idx3", 16).view(-1, 1, 28, 28)
y_train = read("train-labels-idx1", 8).long()
x_test = read("t10k-images-idx3", 16).view(-1, 1, 28, 28)


def unit(x):
    return x / 127.5 - 1


def batches(size, drop_last):
    generator = torch.Generator().manual_seed(0)
    return DataLoader(range(len(x_train)), batch_size=size, shuffle=True, drop_last=drop_last, generator=generator)


# ---------------------------------------------------------------- learning

torch.manual_seed(0)
model = UNet(1, 2, 32, classes)
average = {name: p.detach().clone() for name, p in model.named_parameters()}
opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0)
loader = batches(64, True)
schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 2e-3, total_steps=epochs * len(loader), pct_start=0.1)
updates = 0
for epoch in range(epochs):
    for which in loader:
        loss = diffusion_loss(model, True, classes, unit(x_train[which]), y_train[which])
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        schedule.step()
        kept = min(decay, (1 + updates) / (10 + updates))
        updates += 1
        for name, p in model.named_parameters():
            average[name].lerp_(p.detach(), 1 - kept)
        if updates in (1, 2, 20) or updates % 100 == 0:
            print(f"step {updates}: loss {loss.item():.4f}", flush=True)
model.load_state_dict(average)

# ---------------------------------------------------------------- the classifier that judges

torch.manual_seed(0)
features = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(),
                         nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(32 * 7 * 7, 64), nn.ReLU())
head = nn.Linear(64, classes)
opt = torch.optim.Adam([*features.parameters(), *head.parameters()], lr=2e-3)
for which in batches(128, False):
    loss = F.cross_entropy(head(features(unit(x_train[which]))), y_train[which])
    opt.zero_grad()
    loss.backward()
    opt.step()

# ---------------------------------------------------------------- drawing, and the score

torch.manual_seed(1)
with torch.no_grad():
    y = torch.arange(judged) % classes
    x = torch.randn(judged, 1, 28, 28)
    for i in range(steps):
        t = torch.full((judged,), i / steps)
        towards, anyhow = model(x, t, y), model(x, t, torch.full_like(y, classes))
        x = x + torch.lerp(anyhow, towards, guidance) / steps
    drawn, real = features(x.clamp(-1, 1)), features(unit(x_test))
    others = features(unit(x_train[:judged]))
    print(f"of the class asked for: {100 * (head(drawn).argmax(-1) == y).float().mean().item():.1f}%")
    print(f"Frechet distance: {frechet(drawn, real):.2f} (as many real ones: {frechet(others, real):.2f})")
